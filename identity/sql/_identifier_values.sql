-- Every identifier a record carries, normalised, before strength and blocks are looked up.
-- grain: record_id, identifier_kind, value
with found as (
    select
        record_id,
        'source_id' as identifier_kind,
        id_space || ':' || source_customer_id as value,
        source_customer_id as raw_value,
        true as is_valid
    from identity.records
    where source_customer_id is not null

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
        record_id,
        identifier_kind,
        value,
        raw_value,
        true as is_valid
    from identity._mentions
)

select
    record_id,
    identifier_kind,
    value,
    min(raw_value) as raw_value,
    bool_and(is_valid) as is_valid
from found
group by record_id, identifier_kind, value
