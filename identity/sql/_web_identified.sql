-- Web events that say who acts, each with everything that person has said about themself on that device by then.
-- grain: feed, event_id
with order_owners as (
    select
        coalesce(feeds.id_space, purchases._feed) as id_space,
        purchases.order_id,
        min(purchases.source_customer_id) as source_customer_id
    from staging.purchases as purchases
    left join ops.feeds as feeds on purchases._feed = feeds.feed
    where purchases.order_id in (select order_id from staging.web_events)
    group by 1, 2
),

events as (
    select
        web._feed as feed,
        coalesce(feeds.id_space, web._feed) as id_space,
        coalesce(feeds.country, $default_country) as country,
        web._batch_on,
        web._file,
        web._row,
        web.event_id,
        web.occurred_at,
        web.anonymous_id,
        web.device_id,
        coalesce(web.source_user_id, orders.source_customer_id) as source_customer_id,
        web.email,
        web.phone,
        web.full_name,
        web.given_name,
        web.family_name,
        case when orders.order_id is not null and orders.source_customer_id is null then orders.order_id end as guest_order_id,
        case when web.source_user_id is null and orders.order_id is null then lower(web.email) end as lone_email
    from staging.web_events as web
    left join ops.feeds as feeds on web._feed = feeds.feed
    left join order_owners as orders
        on coalesce(feeds.id_space, web._feed) = orders.id_space and web.order_id = orders.order_id
),

-- An e-mail that only one signed-in user of the feed has given stands for that user where it comes alone.
known_emails as (
    select
        feed,
        lower(email) as email,
        min(source_customer_id) as source_customer_id
    from events
    where email is not null and source_customer_id is not null
    group by 1, 2
    having count(distinct source_customer_id) = 1
),

acting as (
    select
        events.feed,
        events.id_space,
        events.country,
        events._batch_on,
        events._file,
        events._row,
        events.event_id,
        events.occurred_at,
        events.anonymous_id,
        events.device_id,
        coalesce(events.source_customer_id, known_emails.source_customer_id) as source_customer_id,
        events.email,
        events.phone,
        events.full_name,
        events.given_name,
        events.family_name,
        coalesce(
            'id:' || events.source_customer_id,
            'order:' || events.guest_order_id,
            'id:' || known_emails.source_customer_id,
            'email:' || lower(events.email),
            'phone:' || events.phone
        ) as person_key
    from events
    left join known_emails
        on
            events.feed = known_emails.feed
            and events.lone_email = known_emails.email
),

placed as (
    select
        *,
        coalesce('cookie:' || anonymous_id, 'device:' || device_id, 'person:' || person_key) as device_key
    from acting
    where person_key is not null
),

-- What people say about themself stands in few events; the others take what was said last on the device, or else first.
said as (
    select
        feed,
        device_key,
        person_key,
        occurred_at,
        event_id,
        coalesce(last_value(email ignore nulls) over so_far, first_value(email ignore nulls) over from_here) as email,
        coalesce(last_value(phone ignore nulls) over so_far, first_value(phone ignore nulls) over from_here) as phone,
        coalesce(last_value(full_name ignore nulls) over so_far, first_value(full_name ignore nulls) over from_here)
            as full_name,
        coalesce(last_value(given_name ignore nulls) over so_far, first_value(given_name ignore nulls) over from_here)
            as given_name,
        coalesce(last_value(family_name ignore nulls) over so_far, first_value(family_name ignore nulls) over from_here)
            as family_name
    from placed
    where coalesce(email, phone, full_name, given_name, family_name) is not null
    window
        so_far as (
            partition by feed, device_key, person_key
            order by occurred_at, event_id
            rows between unbounded preceding and current row
        ),
        from_here as (
            partition by feed, device_key, person_key
            order by occurred_at, event_id
            rows between current row and unbounded following
        )
),

numbered as (
    select
        *,
        row_number() over (partition by feed, device_key, person_key, occurred_at order by event_id desc) as nth_of_moment
    from said
),

known as (
    select
        feed,
        device_key,
        person_key,
        email,
        phone,
        full_name,
        given_name,
        family_name,
        case
            when row_number() over (partition by feed, device_key, person_key order by occurred_at) = 1
                then timestamp '0001-01-01 00:00:00'
            else occurred_at
        end as holds_from,
        coalesce(
            lead(occurred_at) over (partition by feed, device_key, person_key order by occurred_at),
            timestamp '9999-12-31 00:00:00'
        ) as holds_until
    from numbered
    where nth_of_moment = 1
),

filled as (
    select
        placed.feed,
        placed.id_space,
        placed.country,
        placed._batch_on as batch_on,
        placed._file as file,
        placed._row as row,
        placed.event_id,
        placed.occurred_at,
        placed.device_key,
        placed.person_key,
        placed.source_customer_id,
        placed.anonymous_id,
        case when placed.anonymous_id is null then placed.device_id end as device_id,
        known.email,
        known.phone,
        known.full_name,
        known.given_name,
        known.family_name
    from placed
    left join known
        on
            placed.feed = known.feed
            and placed.device_key = known.device_key
            and placed.person_key = known.person_key
            and placed.occurred_at >= known.holds_from
            and placed.occurred_at < known.holds_until
)

select
    *,
    md5(
        concat_ws(
            chr(31), feed, 'web_events', person_key, device_key, coalesce(source_customer_id, ''), coalesce(email, ''),
            coalesce(phone, ''), coalesce(full_name, ''), coalesce(given_name, ''), coalesce(family_name, '')
        )
    ) as record_id
from filled
