-- The golden record: one row per customer with the chosen value of every attribute, what they allow us to do, and when and
-- where they were seen. Traits, segments and lifecycle read this; readers read profiles.customers.
-- grain: customer_id
with permissions as (
    select
        consents.customer_id,
        max(case when consents.channel = 'email' then cast(consents.is_allowed as integer) end) = 1 as can_email,
        max(case when consents.channel = 'sms' then cast(consents.is_allowed as integer) end) = 1 as can_sms,
        max(case when consents.channel = 'push' then cast(consents.is_allowed as integer) end) = 1 as can_push,
        max(case when consents.channel = 'wechat' then cast(consents.is_allowed as integer) end) = 1 as can_wechat,
        max(case when consents.channel = 'call' then cast(consents.is_allowed as integer) end) = 1 as can_call
    from profiles._consents as consents
    group by consents.customer_id
)

select
    chosen.*,
    coalesce(chosen.full_name, chosen.company, chosen.handle, chosen.email, chosen.phone) as display_name,
    permissions.can_email,
    permissions.can_sms,
    permissions.can_push,
    permissions.can_wechat,
    permissions.can_call,
    people.first_seen_at,
    people.last_seen_at,
    people.first_seen_on,
    people.last_seen_on,
    people.record_count,
    people.feeds
from profiles._golden_values as chosen
inner join profiles._people as people
    on chosen.customer_id = people.customer_id
left join permissions
    on chosen.customer_id = permissions.customer_id
