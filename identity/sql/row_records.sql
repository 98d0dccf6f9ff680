-- Which record of a person each staged row belongs to; rows that name nobody have none and are counted.
-- grain: kind, feed, file, row
with web as (
    select
        web._feed as feed,
        web._batch_on as batch_on,
        web._file as file,
        web._row as row,
        web.event_id,
        web.occurred_at,
        coalesce('cookie:' || web.anonymous_id, 'device:' || web.device_id) as device_key
    from staging.web_events as web
)

select
    'web_events' as kind,
    web.feed,
    web.batch_on,
    web.file,
    web.row,
    coalesce(
        identified.record_id,
        spans.record_id,
        case
            when web.device_key is not null
                then md5(concat_ws(chr(31), web.feed, 'web_events', 'visitor', web.device_key))
        end
    ) as record_id,
    web.occurred_at as seen_at
from web
left join identity._web_identified as identified
    on web.feed = identified.feed and web.event_id = identified.event_id
left join identity._web_spans as spans
    on
        web.feed = spans.feed
        and web.device_key = spans.device_key
        and web.occurred_at >= spans.starts_at
        and web.occurred_at < coalesce(spans.ends_at, timestamp '9999-12-31 00:00:00')

union all

select
    kind,
    feed,
    batch_on,
    file,
    row,
    record_id,
    seen_at
from identity._claims
