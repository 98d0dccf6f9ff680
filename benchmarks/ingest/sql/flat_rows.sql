-- The base events, repeated under new ids, with a share of the rows spoilt in one of four ways.
select
    case when damage = 0 then null else 'evt-' || lpad(number::varchar, 12, '0') end as event_id,
    case when damage = 1 then 'purchase' else event_kind end as event_kind,
    event_name, occurred_at, received_at, anonymous_id,
    case when damage = 2 then repeat('9', 5000) else source_user_id end as source_user_id,
    device_id, url, path, title, referrer, product_id, product_name, category, search_term, order_id, value_amount,
    case when damage = 3 then 'pounds' else currency end as currency,
    email, phone, given_name, family_name, ip, user_agent, device_kind, locale, country, city
from (
    select
        base.* exclude (place), number,
        case when $every > 0 and number % $every = $every // 2 then number // $every % 4 end as damage
    from range($first, $behind) as numbers(number)
    inner join base on base.place = number % $templates
)
order by number
