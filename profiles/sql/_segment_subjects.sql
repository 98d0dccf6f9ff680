-- Every customer with the facts of the golden record that segments may ask for, and what follows from them on the as-of date.
-- grain: customer_id
select
    golden.customer_id,
    golden.gender,
    golden.birth_on,
    cast(
        extract(year from $as_of) - extract(year from golden.birth_on)
        - case
            when
                extract(month from $as_of) * 100 + extract(day from $as_of)
                < extract(month from golden.birth_on) * 100 + extract(day from golden.birth_on)
                then 1
            else 0
        end as integer
    ) as age_years,
    golden.city,
    golden.region,
    golden.country,
    golden.country = $default_country as is_in_home_country,
    golden.postcode,
    golden.language,
    golden.company,
    golden.occupation,
    golden.income_band,
    golden.interests,
    golden.loyalty_tier,
    golden.lead_source,
    golden.email is not null as has_email,
    golden.phone is not null as has_phone,
    golden.can_email,
    golden.can_sms,
    golden.can_push,
    golden.can_wechat,
    golden.can_call,
    golden.first_seen_on,
    golden.last_seen_on,
    date_diff('day', golden.first_seen_on, $as_of) as known_days,
    golden.record_count,
    golden.feeds
from profiles._golden as golden
