-- Identifiers of a record that other staged rows than its own values name: former ids, merged ids, orders of two feeds.
-- grain: record_id, identifier_kind, value
with orders_named as (
    select
        coalesce(feeds.id_space, mentions.feed) || ':' || mentions.order_id as value,
        mentions.order_id,
        mentions.feed,
        mentions.kind,
        mentions.record_id
    from (
        select
            purchases.order_id,
            rows_of.feed,
            rows_of.kind,
            rows_of.record_id
        from staging.purchases as purchases
        inner join identity.row_records as rows_of
            on
                rows_of.kind = 'purchases'
                and purchases._feed = rows_of.feed
                and purchases._file = rows_of.file
                and purchases._row = rows_of.row
        union all
        select
            web.order_id,
            rows_of.feed,
            rows_of.kind,
            rows_of.record_id
        from staging.web_events as web
        inner join identity.row_records as rows_of
            on
                rows_of.kind = 'web_events'
                and web._feed = rows_of.feed
                and web._file = rows_of.file
                and web._row = rows_of.row
        where web.order_id is not null
        union all
        select
            feedback.order_id,
            rows_of.feed,
            rows_of.kind,
            rows_of.record_id
        from staging.feedback as feedback
        inner join identity.row_records as rows_of
            on
                rows_of.kind = 'feedback'
                and feedback._feed = rows_of.feed
                and feedback._file = rows_of.file
                and feedback._row = rows_of.row
        where feedback.order_id is not null
    ) as mentions
    left join ops.feeds as feeds on mentions.feed = feeds.feed
    where mentions.record_id is not null
),

-- An order number is evidence only where a second feed mentions it.
orders_shared as (
    select value
    from orders_named
    group by value
    having count(distinct feed) > 1
),

found as (
    select distinct
        rows_of.record_id,
        'source_id' as identifier_kind,
        coalesce(feeds.id_space, web._feed) || ':' || web.previous_id as value,
        web.previous_id as raw_value
    from staging.web_events as web
    inner join identity.row_records as rows_of
        on
            rows_of.kind = 'web_events'
            and web._feed = rows_of.feed
            and web._file = rows_of.file
            and web._row = rows_of.row
    left join ops.feeds as feeds on web._feed = feeds.feed
    where web.event_kind = 'alias' and web.previous_id is not null and web.source_user_id is not null

    union all

    -- The source itself says that these records are one person.
    select distinct
        merged.record_id,
        'source_id' as identifier_kind,
        coalesce(feeds.id_space, merged.feed) || ':' || merged.merged_id as value,
        merged.merged_id as raw_value
    from (
        select
            rows_of.record_id,
            rows_of.feed,
            unnest(contacts.merged_ids) as merged_id
        from staging.contacts as contacts
        inner join identity.row_records as rows_of
            on
                rows_of.kind = 'contacts'
                and contacts._feed = rows_of.feed
                and contacts._batch_on = rows_of.batch_on
                and contacts._file = rows_of.file
                and contacts._row = rows_of.row
        where contacts.merged_ids is not null and rows_of.record_id is not null
        union all
        select
            rows_of.record_id,
            rows_of.feed,
            unnest(messages.merged_ids) as merged_id
        from staging.messages as messages
        inner join identity.row_records as rows_of
            on
                rows_of.kind = 'messages'
                and messages._feed = rows_of.feed
                and messages._file = rows_of.file
                and messages._row = rows_of.row
        where messages.merged_ids is not null and rows_of.record_id is not null
    ) as merged
    left join ops.feeds as feeds on merged.feed = feeds.feed
    where merged.merged_id is not null

    union all

    select
        orders_named.record_id,
        'order' as identifier_kind,
        orders_named.value,
        orders_named.order_id as raw_value
    from orders_named
    inner join orders_shared on orders_named.value = orders_shared.value
)

select
    record_id,
    identifier_kind,
    value,
    min(raw_value) as raw_value
from found
group by record_id, identifier_kind, value
