-- What each staged row outside the web feeds says about the person behind it.
-- Rows that carry only a cookie speak for whom the device belonged to then.
-- grain: kind, feed, file, row
with said as (
    select
        'purchases' as kind,
        _feed as feed,
        _batch_on as batch_on,
        _file as file,
        _row as row,
        placed_at as seen_at,
        source_customer_id,
        anonymous_id,
        cast(null as varchar) as platform,
        cast(null as varchar) as account_id,
        cast(null as varchar) as handle,
        email,
        phone,
        full_name,
        given_name,
        family_name,
        cast(null as date) as birth_on,
        cast(null as varchar) as gender,
        address_line,
        city,
        region,
        postcode,
        country,
        cast(null as varchar) as company,
        cast(null as varchar) as national_id_hash,
        cast(null as varchar) as wechat_unionid,
        cast(null as varchar) as wechat_openid,
        cast(null as varchar) as wecom_external_userid,
        case
            when source_customer_id is not null then 'id:' || source_customer_id
            when coalesce(email, phone, full_name, given_name, family_name) is not null then 'order:' || order_id
        end as person_key
    from staging.purchases

    union all

    select
        'feedback' as kind,
        _feed,
        _batch_on,
        _file,
        _row,
        submitted_at as seen_at,
        source_customer_id,
        anonymous_id,
        null as platform,
        null as account_id,
        null as handle,
        email,
        phone,
        full_name,
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
        case
            when source_customer_id is not null then 'id:' || source_customer_id
            when email is not null then 'email:' || lower(email)
            when phone is not null then 'phone:' || phone
            when order_id is not null then 'order:' || order_id
            when full_name is not null then 'feedback:' || feedback_id
        end as person_key
    from staging.feedback

    union all

    select
        'social_interactions' as kind,
        _feed,
        _batch_on,
        _file,
        _row,
        occurred_at as seen_at,
        null as source_customer_id,
        null as anonymous_id,
        platform,
        account_id,
        handle,
        email,
        phone,
        display_name as full_name,
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
        case
            when by_us then null
            when account_id is not null then 'account:' || platform || ':' || account_id
            when handle is not null then 'handle:' || platform || ':' || handle
            when email is not null then 'email:' || lower(email)
            when phone is not null then 'phone:' || phone
        end as person_key
    from staging.social_interactions

    union all

    select
        'contacts' as kind,
        _feed,
        _batch_on,
        _file,
        _row,
        coalesce(created_at, updated_at) as seen_at,
        contact_id as source_customer_id,
        null as anonymous_id,
        null as platform,
        null as account_id,
        null as handle,
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
        'id:' || contact_id as person_key
    from staging._contacts_versions

    union all

    select
        'messages' as kind,
        _feed,
        _batch_on,
        _file,
        _row,
        occurred_at as seen_at,
        source_customer_id,
        null as anonymous_id,
        case when account_id is not null then message_channel end as platform,
        account_id,
        null as handle,
        email,
        phone,
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
        case
            when source_customer_id is not null then 'id:' || source_customer_id
            when email is not null then 'email:' || lower(email)
            when phone is not null then 'phone:' || phone
            when account_id is not null then 'account:' || message_channel || ':' || account_id
        end as person_key
    from staging.messages

    union all

    select
        'loyalty_entries' as kind,
        _feed,
        _batch_on,
        _file,
        _row,
        occurred_at as seen_at,
        member_id as source_customer_id,
        null as anonymous_id,
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
        'id:' || member_id as person_key
    from staging.loyalty_entries

    union all

    select
        'deals' as kind,
        _feed,
        _batch_on,
        _file,
        _row,
        coalesce(created_at, updated_at) as seen_at,
        contact_id as source_customer_id,
        null as anonymous_id,
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
        'id:' || contact_id as person_key
    from staging.deals

    union all

    select
        'activities_logged' as kind,
        _feed,
        _batch_on,
        _file,
        _row,
        occurred_at as seen_at,
        contact_id as source_customer_id,
        null as anonymous_id,
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
        'id:' || contact_id as person_key
    from staging.activities_logged
),

placed as (
    select
        said.*,
        coalesce(feeds.id_space, said.feed) as id_space,
        coalesce(feeds.country, $default_country) as feed_country
    from said
    left join ops.feeds as feeds on said.feed = feeds.feed
),

-- One device may be seen by several web feeds of the id space: the span that began last speaks.
by_device as (
    select
        placed.kind,
        placed.feed,
        placed.file,
        placed.row,
        spans.person_key,
        spans.source_customer_id,
        spans.email,
        spans.phone,
        row_number() over (
            partition by placed.kind, placed.feed, placed.file, placed.row
            order by spans.starts_at desc, spans.record_id asc
        ) as nth
    from placed
    inner join identity._web_spans as spans
        on
            placed.id_space = spans.id_space
            and 'cookie:' || placed.anonymous_id = spans.device_key
            and placed.seen_at >= spans.starts_at
            and placed.seen_at < coalesce(spans.ends_at, timestamp '9999-12-31 00:00:00')
    where placed.person_key is null
),

claimed as (
    select
        placed.kind,
        placed.feed,
        placed.batch_on,
        placed.file,
        placed.row,
        placed.seen_at,
        placed.id_space,
        placed.feed_country,
        coalesce(
            placed.person_key, by_device.person_key,
            case when placed.anonymous_id is not null then 'visitor' end
        ) as person_key,
        coalesce(placed.source_customer_id, by_device.source_customer_id) as source_customer_id,
        case when placed.person_key is null then placed.anonymous_id end as anonymous_id,
        placed.platform,
        placed.account_id,
        placed.handle,
        coalesce(placed.email, by_device.email) as email,
        coalesce(placed.phone, by_device.phone) as phone,
        placed.full_name,
        placed.given_name,
        placed.family_name,
        placed.birth_on,
        placed.gender,
        placed.address_line,
        placed.city,
        placed.region,
        placed.postcode,
        placed.country,
        placed.company,
        placed.national_id_hash,
        placed.wechat_unionid,
        placed.wechat_openid,
        placed.wecom_external_userid
    from placed
    left join by_device
        on
            placed.kind = by_device.kind
            and placed.feed = by_device.feed
            and placed.file = by_device.file
            and placed.row = by_device.row
            and by_device.nth = 1
)

select
    *,
    case
        when person_key is not null then md5(
            concat_ws(
                chr(31), feed, kind, person_key,
                coalesce(source_customer_id, ''), coalesce(anonymous_id, ''), coalesce(platform, ''),
                coalesce(account_id, ''), coalesce(handle, ''), coalesce(email, ''), coalesce(phone, ''),
                coalesce(full_name, ''), coalesce(given_name, ''), coalesce(family_name, ''),
                coalesce(cast(birth_on as varchar), ''), coalesce(gender, ''), coalesce(address_line, ''),
                coalesce(city, ''), coalesce(region, ''), coalesce(postcode, ''), coalesce(country, ''),
                coalesce(company, ''), coalesce(national_id_hash, ''), coalesce(wechat_unionid, ''),
                coalesce(wechat_openid, ''), coalesce(wecom_external_userid, '')
            )
        )
    end as record_id
from claimed
