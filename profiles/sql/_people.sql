-- Everybody known by the as-of date: customers, who gave at least one personal identifier that names somebody, and visitors,
-- who did not; with when they were first and last seen, and where. What only we did (a message sent) is not being seen.
-- grain: customer_id
with members as (
    select
        links.customer_id,
        links.record_id,
        records.feed,
        records.first_seen_at
    from identity.customer_links as links
    inner join identity.records as records
        on links.record_id = records.record_id
    where
        links.valid_to is null
        and (records.first_seen_at is null or records.first_seen_at < $as_of_end)
),

named as (
    select distinct identifiers.record_id
    from identity.identifiers as identifiers
    where
        identifiers.is_personal
        and not identifiers.is_blocked
),

deeds as (
    select
        activities.customer_id,
        min(activities.occurred_at) as first_activity_at,
        max(case when activities.is_by_customer then activities.occurred_at end) as last_activity_at
    from profiles.activities as activities
    where activities.customer_id is not null
    group by activities.customer_id
),

people as (
    select
        members.customer_id,
        max(case when named.record_id is null then 0 else 1 end) = 1 as is_customer,
        min(members.first_seen_at) as first_record_at,
        count(distinct members.record_id) as record_count,
        list_sort(list(distinct members.feed)) as feeds
    from members
    left join named
        on members.record_id = named.record_id
    group by members.customer_id
),

seen as (
    select
        people.customer_id,
        people.is_customer,
        people.record_count,
        people.feeds,
        least(people.first_record_at, deeds.first_activity_at) as first_seen_at,
        coalesce(deeds.last_activity_at, least(people.first_record_at, deeds.first_activity_at)) as last_seen_at
    from people
    left join deeds
        on people.customer_id = deeds.customer_id
)

select
    seen.customer_id,
    seen.is_customer,
    seen.first_seen_at,
    seen.last_seen_at,
    cast((seen.first_seen_at at time zone 'UTC') at time zone $time_zone as date) as first_seen_on,
    cast((seen.last_seen_at at time zone 'UTC') at time zone $time_zone as date) as last_seen_on,
    seen.record_count,
    seen.feeds
from seen
