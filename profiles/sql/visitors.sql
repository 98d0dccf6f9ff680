-- Visitors: browsers and apps, and orders without a usable name or address, that no person can be named for yet; with when
-- they came and what they did. Once somebody identifies, they are in profiles.customers instead.
-- grain: customer_id
with deeds as (
    select
        activities.customer_id,
        count(*) as activity_count,
        sum(case when activities.kind in ('page', 'screen') then 1 else 0 end) as page_count,
        count(distinct activities.session_id) as session_count,
        sum(case when activities.kind = 'order_placed' then 1 else 0 end) as order_count
    from profiles.activities as activities
    group by activities.customer_id
)

select
    people.customer_id,
    people.first_seen_at,
    people.last_seen_at,
    people.first_seen_on,
    people.last_seen_on,
    people.record_count,
    people.feeds,
    coalesce(deeds.activity_count, 0) as activity_count,
    cast(coalesce(deeds.page_count, 0) as bigint) as page_count,
    coalesce(deeds.session_count, 0) as session_count,
    cast(coalesce(deeds.order_count, 0) as bigint) as order_count
from profiles._people as people
left join deeds
    on people.customer_id = deeds.customer_id
where not people.is_customer
