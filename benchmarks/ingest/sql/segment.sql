-- What a person would write to read the generated Segment events into the columns of web_events, unchecked.
select
    "messageId" as event_id,
    "type" as event_kind,
    coalesce("event", "name") as event_name,
    "timestamp" at time zone 'UTC' as occurred_at,
    "receivedAt" at time zone 'UTC' as received_at,
    "anonymousId" as anonymous_id,
    "userId" as source_user_id,
    null::varchar as previous_id,
    context.device.id as device_id,
    null::varchar as session_id,
    context.page.url as url,
    context.page.path as path,
    context.page.title as title,
    nullif(context.page.referrer, '') as referrer,
    context.campaign.source as utm_source,
    context.campaign.medium as utm_medium,
    context.campaign.name as utm_campaign,
    context.campaign.content as utm_content,
    context.campaign.term as utm_term,
    properties.product_id as product_id,
    case
        when "event" in ('Product Viewed', 'Product Added', 'Product Clicked') then properties.name
    end as product_name,
    coalesce(properties.category, category) as category,
    properties.query as search_term,
    properties.order_id as order_id,
    coalesce(properties.total, properties.revenue, properties.value) as value_amount,
    properties.currency as currency,
    traits.email as email,
    traits.phone as phone,
    traits.name as full_name,
    traits."firstName" as given_name,
    traits."lastName" as family_name,
    context.ip as ip,
    context."userAgent" as user_agent,
    context.device.type as device_kind,
    context.locale as locale,
    traits.address.country as country,
    traits.address.city as city,
    null::json as consent,
    null::json as extra
from read_json(
    $file,
    format = 'newline_delimited',
    columns = {
        messageId: 'VARCHAR', type: 'VARCHAR', event: 'VARCHAR', name: 'VARCHAR', category: 'VARCHAR',
        timestamp: 'TIMESTAMPTZ', receivedAt: 'TIMESTAMPTZ', anonymousId: 'VARCHAR', userId: 'VARCHAR',
        context: 'STRUCT(
            ip VARCHAR, userAgent VARCHAR, locale VARCHAR,
            device STRUCT(id VARCHAR, type VARCHAR),
            page STRUCT(url VARCHAR, path VARCHAR, title VARCHAR, referrer VARCHAR),
            campaign STRUCT(source VARCHAR, medium VARCHAR, name VARCHAR, content VARCHAR, term VARCHAR)
        )',
        properties: 'STRUCT(
            product_id VARCHAR, name VARCHAR, category VARCHAR, query VARCHAR, order_id VARCHAR,
            total DECIMAL(18,4), revenue DECIMAL(18,4), value DECIMAL(18,4), currency VARCHAR
        )',
        traits: 'STRUCT(
            email VARCHAR, phone VARCHAR, name VARCHAR, firstName VARCHAR, lastName VARCHAR,
            address STRUCT(city VARCHAR, country VARCHAR)
        )'
    }
)
