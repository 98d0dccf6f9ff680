-- A person as one source saw them: one row per distinct set of identifying values of a feed's person, as sent.
-- grain: record_id
with counted as (
    select
        record_id,
        count(*) as occurrences,
        min(seen_at) as first_seen_at,
        max(seen_at) as last_seen_at
    from identity.row_records
    where record_id is not null
    group by record_id
),

said as (
    select distinct
        record_id,
        feed,
        kind,
        person_key,
        source_customer_id,
        id_space,
        anonymous_id,
        cast(null as varchar) as device_id,
        platform,
        account_id,
        handle,
        email,
        phone,
        full_name,
        given_name,
        family_name,
        birth_on,
        gender,
        address_line,
        city,
        region,
        postcode,
        country,
        company,
        national_id_hash,
        wechat_unionid,
        wechat_openid,
        wecom_external_userid,
        feed_country
    from identity._claims
    where record_id is not null

    union all

    select distinct
        record_id,
        feed,
        'web_events' as kind,
        person_key,
        source_customer_id,
        id_space,
        anonymous_id,
        device_id,
        null as platform,
        null as account_id,
        null as handle,
        email,
        phone,
        full_name,
        given_name,
        family_name,
        null as birth_on,
        null as gender,
        null as address_line,
        null as city,
        null as region,
        null as postcode,
        null as country,
        null as company,
        null as national_id_hash,
        null as wechat_unionid,
        null as wechat_openid,
        null as wecom_external_userid,
        country as feed_country
    from identity._web_identified

    union all

    select distinct
        rows_of.record_id,
        web._feed as feed,
        'web_events' as kind,
        'visitor' as person_key,
        null as source_customer_id,
        coalesce(feeds.id_space, web._feed) as id_space,
        web.anonymous_id,
        case when web.anonymous_id is null then web.device_id end as device_id,
        null as platform,
        null as account_id,
        null as handle,
        null as email,
        null as phone,
        null as full_name,
        null as given_name,
        null as family_name,
        null as birth_on,
        null as gender,
        null as address_line,
        null as city,
        null as region,
        null as postcode,
        null as country,
        null as company,
        null as national_id_hash,
        null as wechat_unionid,
        null as wechat_openid,
        null as wecom_external_userid,
        coalesce(feeds.country, $default_country) as feed_country
    from identity.row_records as rows_of
    inner join staging.web_events as web
        on rows_of.feed = web._feed and rows_of.file = web._file and rows_of.row = web._row
    left join ops.feeds as feeds on web._feed = feeds.feed
    where
        rows_of.kind = 'web_events'
        and rows_of.record_id = md5(
            concat_ws(
                chr(31), web._feed, 'web_events', 'visitor',
                coalesce('cookie:' || web.anonymous_id, 'device:' || web.device_id)
            )
        )
)

select
    said.*,
    counted.occurrences,
    counted.first_seen_at,
    counted.last_seen_at,
    md5(concat_ws(chr(31), said.feed, said.kind, said.person_key, coalesce(said.anonymous_id, said.device_id, '')))
        as source_key,
    case
        when coalesce(said.anonymous_id, said.device_id) is not null
            then md5(concat_ws(chr(31), said.feed, coalesce(said.anonymous_id, said.device_id)))
    end as device_key
from said
inner join counted on said.record_id = counted.record_id
