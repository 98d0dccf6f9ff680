-- From when to when a device belonged to whom: until the next person identifies, and some days back before the first one did.
-- grain: feed, device_key, starts_at
with moments as (
    select
        *,
        row_number() over (partition by feed, device_key, occurred_at order by event_id desc) as nth_of_moment
    from identity._web_identified
    where device_key not like 'person:%'
),

changes as (
    select
        *,
        lag(record_id) over (partition by feed, device_key order by occurred_at) as previous_record_id
    from moments
    where nth_of_moment = 1
),

starts as (
    select
        *,
        lag(occurred_at) over (partition by feed, device_key order by occurred_at) as previous_start,
        lead(occurred_at) over (partition by feed, device_key order by occurred_at) as next_start
    from changes
    where previous_record_id is null or previous_record_id <> record_id
)

select
    feed,
    id_space,
    device_key,
    record_id,
    person_key,
    source_customer_id,
    email,
    phone,
    case
        when previous_start is null then occurred_at - to_days($days_before_first)
        else occurred_at
    end as starts_at,
    next_start as ends_at
from starts
