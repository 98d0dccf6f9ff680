-- Every identifier a record carries, normalised, before strength and blocks are looked up.
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
    select
        record_id,
        'source_id' as identifier_kind,
        id_space || ':' || source_customer_id as value,
        source_customer_id as raw_value,
        true as is_valid
    from identity.records
    where source_customer_id is not null

    union all

    select distinct
        rows_of.record_id,
        'source_id' as identifier_kind,
        coalesce(feeds.id_space, web._feed) || ':' || web.previous_id as value,
        web.previous_id as raw_value,
        true as is_valid
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
        merged.merged_id as raw_value,
        true as is_valid
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
    ) as merged
    left join ops.feeds as feeds on merged.feed = feeds.feed
    where merged.merged_id is not null

    union all

    select
        records.record_id,
        'email' as identifier_kind,
        texts.value,
        records.email as raw_value,
        true as is_valid
    from identity.records as records
    inner join identity._texts as texts on texts.field = 'email' and records.email = texts.raw

    union all

    select
        records.record_id,
        'phone' as identifier_kind,
        phones.value,
        records.phone as raw_value,
        phones.is_valid
    from identity.records as records
    inner join identity._phones as phones
        on
            records.phone = phones.raw
            and case when length(records.country) = 2 then upper(records.country) else records.feed_country end = phones.country

    union all

    select
        records.record_id,
        'name' as identifier_kind,
        trim(names.given || ' ' || names.family) as value,
        coalesce(records.full_name, trim(coalesce(records.given_name, '') || ' ' || coalesce(records.family_name, ''))) as raw_value,
        true as is_valid
    from identity.records as records
    inner join identity._names as names
        on
            coalesce(records.full_name, '') = coalesce(names.full_name, '')
            and coalesce(records.given_name, '') = coalesce(names.given_name, '')
            and coalesce(records.family_name, '') = coalesce(names.family_name, '')

    union all

    select
        record_id,
        'social_account' as identifier_kind,
        platform || ':' || account_id as value,
        account_id as raw_value,
        true as is_valid
    from identity.records
    where account_id is not null and platform is not null

    union all

    select
        records.record_id,
        'handle' as identifier_kind,
        records.platform || ':' || texts.value as value,
        records.handle as raw_value,
        true as is_valid
    from identity.records as records
    inner join identity._texts as texts on texts.field = 'handle' and records.handle = texts.raw
    where records.platform is not null

    union all

    select
        record_id,
        'national_id' as identifier_kind,
        national_id_hash as value,
        national_id_hash as raw_value,
        true as is_valid
    from identity.records
    where national_id_hash is not null

    union all

    select
        record_id,
        'wechat_unionid' as identifier_kind,
        wechat_unionid as value,
        wechat_unionid as raw_value,
        true as is_valid
    from identity.records
    where wechat_unionid is not null

    union all

    select
        record_id,
        'wechat_openid' as identifier_kind,
        wechat_openid as value,
        wechat_openid as raw_value,
        true as is_valid
    from identity.records
    where wechat_openid is not null

    union all

    select
        record_id,
        'wecom_external_userid' as identifier_kind,
        wecom_external_userid as value,
        wecom_external_userid as raw_value,
        true as is_valid
    from identity.records
    where wecom_external_userid is not null

    union all

    select
        record_id,
        'cookie' as identifier_kind,
        anonymous_id as value,
        anonymous_id as raw_value,
        true as is_valid
    from identity.records
    where anonymous_id is not null

    union all

    select
        record_id,
        'device' as identifier_kind,
        device_id as value,
        device_id as raw_value,
        true as is_valid
    from identity.records
    where device_id is not null

    union all

    select
        orders_named.record_id,
        'order' as identifier_kind,
        orders_named.value,
        orders_named.order_id as raw_value,
        true as is_valid
    from orders_named
    inner join orders_shared on orders_named.value = orders_shared.value
)

select
    record_id,
    identifier_kind,
    value,
    min(raw_value) as raw_value,
    bool_and(is_valid) as is_valid
from found
group by record_id, identifier_kind, value
