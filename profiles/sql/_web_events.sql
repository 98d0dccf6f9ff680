-- What customers and visitors did on our sites and in our apps up to the as-of date, as web traits count it.
-- grain: feed, event_id
with events as (
    select
        owners.customer_id,
        staged.*,
        (staged.occurred_at at time zone 'UTC') at time zone $time_zone as local_at
    from staging.web_events as staged
    inner join profiles._row_customers as owners
        on
            owners.kind = 'web_events'
            and staged._feed = owners.feed
            and staged._batch_on = owners.batch_on
            and staged._file = owners.file
            and staged._row = owners.row
    where staged.occurred_at < $as_of_end
),

country_names as (
    select
        unnest($country_names) as name,
        unnest($country_codes) as code
)

select
    events.customer_id,
    events._feed as feed,
    events.event_id,
    events.event_kind,
    events.event_name,
    events.occurred_at,
    cast(events.local_at as date) as occurred_on,
    cast(extract(hour from events.local_at) as integer) as local_hour,
    events.anonymous_id,
    events.session_id,
    events.path,
    events.utm_source,
    events.utm_medium,
    events.utm_campaign,
    events.product_id,
    events.product_name,
    events.category,
    events.search_term,
    events.order_id,
    events.device_kind,
    events.locale,
    coalesce(country_names.code, events.country) as country,
    events.city
from events
left join country_names
    on lower(trim(events.country)) = country_names.name
