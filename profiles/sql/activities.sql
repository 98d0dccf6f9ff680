-- Every dated thing that a customer or visitor did, or that happened to them, up to the as-of date: pages and events, orders
-- and refunds, social interactions, feedback, marketing messages, points, deals, calls. Summaries hold no personal data.
-- grain: feed, kind, source_key
with web as (
    select
        events.occurred_at,
        'web_events' as source_kind,
        events.event_kind as kind,
        events._feed as feed,
        events.event_id as source_key,
        case when events.event_kind = 'screen' then 'app' else 'web' end as channel,
        true as is_by_customer,
        events.event_name,
        events.session_id,
        events.product_id,
        events.category,
        events.order_id,
        events.utm_campaign as campaign_id,
        cast(null as double) as score,
        cast(null as varchar) as score_scale,
        events.currency,
        events.value_amount as amount,
        case
            -- A path may carry an e-mail address or an account; such a path is not repeated.
            when
                events.event_kind = 'page'
                and not regexp_matches(coalesce(events.path, '@'), '@|%40|[0-9]{6}')
                then 'Viewed ' || events.path
            when events.event_kind in ('page', 'screen') then 'Viewed a ' || events.event_kind
            when events.event_kind = 'identify' then 'Told who they are'
            when events.event_kind = 'track'
                then coalesce(events.event_name, 'Event') || coalesce(': ' || events.product_name, '')
            else 'Web event of kind ' || events.event_kind
        end as summary,
        events._batch_on,
        events._file,
        events._row
    from staging.web_events as events
),

social as (
    select
        interactions.occurred_at,
        'social_interactions' as source_kind,
        'social_' || interactions.interaction_kind as kind,
        interactions._feed as feed,
        interactions.interaction_id as source_key,
        interactions.platform as channel,
        not coalesce(interactions.by_us, false) as is_by_customer,
        cast(null as varchar) as event_name,
        cast(null as varchar) as product_id,
        cast(null as varchar) as category,
        cast(null as varchar) as order_id,
        interactions.campaign_id,
        cast(null as double) as score,
        cast(null as varchar) as score_scale,
        case when coalesce(interactions.by_us, false) then 'Our ' else 'Their ' end
        || replace(interactions.interaction_kind, '_', ' ') || ' on ' || interactions.platform as summary,
        interactions._batch_on,
        interactions._file,
        interactions._row
    from staging.social_interactions as interactions
),

-- A ticket is two moments, its opening and its solution; any other feedback is one.
feedback as (
    select
        case
            when moments.moment = 'resolved' then feedback.resolved_at
            when feedback.feedback_kind = 'ticket' then coalesce(feedback.opened_at, feedback.submitted_at)
            else feedback.submitted_at
        end as occurred_at,
        'feedback' as source_kind,
        case when feedback.feedback_kind = 'ticket' then 'ticket_' || moments.moment else feedback.feedback_kind end as kind,
        feedback._feed as feed,
        feedback.feedback_id as source_key,
        coalesce(feedback.channel, feedback.feedback_kind) as channel,
        moments.moment = 'opened' as is_by_customer,
        feedback.survey_id as event_name,
        feedback.product_id,
        feedback.service_stage as category,
        feedback.order_id,
        cast(null as varchar) as campaign_id,
        feedback.score,
        feedback.score_scale,
        case
            -- The topic of a ticket is its subject, in the customer's own words.
            when feedback.feedback_kind = 'ticket'
                then 'Ticket ' || moments.moment || coalesce(', ' || replace(feedback.service_stage, '_', ' '), '')
            else
                'Gave feedback: ' || feedback.feedback_kind || coalesce(', ' || feedback.score_scale, '')
                || coalesce(' ' || cast(cast(feedback.score as integer) as varchar), '')
        end as summary,
        feedback._batch_on,
        feedback._file,
        feedback._row
    from staging.feedback as feedback
    inner join (values ('opened'), ('resolved')) as moments (moment)
        on moments.moment = 'opened' or feedback.feedback_kind = 'ticket'
    where not coalesce(feedback.is_test, false)
),

messages as (
    select
        messages.occurred_at,
        'messages' as source_kind,
        'message_' || messages.message_event as kind,
        messages._feed as feed,
        messages.message_id || '@' || cast(messages.occurred_at as varchar) as source_key,
        messages.message_channel as channel,
        messages.message_event in ('opened', 'clicked', 'unsubscribed', 'complained') as is_by_customer,
        messages.campaign_name as event_name,
        cast(null as varchar) as product_id,
        cast(null as varchar) as category,
        cast(null as varchar) as order_id,
        messages.campaign_id,
        cast(null as double) as score,
        cast(null as varchar) as score_scale,
        messages.message_channel || ' ' || messages.message_event || coalesce(': ' || messages.campaign_name, '') as summary,
        messages._batch_on,
        messages._file,
        messages._row
    from staging.messages as messages
),

points as (
    select
        entries.occurred_at,
        'loyalty_entries' as source_kind,
        'points_' || entries.entry_kind as kind,
        entries._feed as feed,
        entries.entry_id as source_key,
        'loyalty' as channel,
        entries.entry_kind = 'burn' as is_by_customer,
        entries.entry_kind as event_name,
        cast(null as varchar) as product_id,
        cast(null as varchar) as category,
        entries.order_id,
        cast(null as varchar) as campaign_id,
        cast(null as double) as score,
        cast(null as varchar) as score_scale,
        'Points: ' || entries.entry_kind as summary,
        entries._batch_on,
        entries._file,
        entries._row
    from staging.loyalty_entries as entries
),

our_work as (
    select
        work.occurred_at,
        'activities_logged' as source_kind,
        'logged_' || work.activity_kind as kind,
        work._feed as feed,
        work.activity_id as source_key,
        work.activity_kind as channel,
        coalesce(work.direction = 'inbound', false) as is_by_customer,
        work.outcome as event_name,
        cast(null as varchar) as product_id,
        cast(null as varchar) as category,
        cast(null as varchar) as order_id,
        cast(null as varchar) as campaign_id,
        cast(null as double) as score,
        cast(null as varchar) as score_scale,
        'Logged ' || work.activity_kind as summary,
        work._batch_on,
        work._file,
        work._row
    from staging.activities_logged as work
),

crm as (
    select
        contacts.created_at as occurred_at,
        'contacts' as source_kind,
        'contact_created' as kind,
        contacts._feed as feed,
        contacts.contact_id as source_key,
        contacts.lead_source as event_name,
        'Became a contact' as summary,
        contacts._batch_on,
        contacts._file,
        contacts._row
    from staging.contacts as contacts
    union all
    select
        case
            when moments.moment = 'created' then deals.created_at
            when moments.moment = 'won' then deals.won_at
            else deals.lost_at
        end as occurred_at,
        'deals' as source_kind,
        'deal_' || moments.moment as kind,
        deals._feed as feed,
        deals.deal_id as source_key,
        deals.stage as event_name,
        'Deal ' || moments.moment as summary,
        deals._batch_on,
        deals._file,
        deals._row
    from staging.deals as deals
    cross join (values ('created'), ('won'), ('lost')) as moments (moment)
),

moneyless as (
    select social.* from social
    union all
    select feedback.* from feedback
    union all
    select messages.* from messages
    union all
    select points.* from points
    union all
    select our_work.* from our_work
    union all
    select
        crm.occurred_at,
        crm.source_kind,
        crm.kind,
        crm.feed,
        crm.source_key,
        'crm' as channel,
        false as is_by_customer,
        crm.event_name,
        cast(null as varchar) as product_id,
        cast(null as varchar) as category,
        cast(null as varchar) as order_id,
        cast(null as varchar) as campaign_id,
        cast(null as double) as score,
        cast(null as varchar) as score_scale,
        crm.summary,
        crm._batch_on,
        crm._file,
        crm._row
    from crm
),

staged as (
    select web.* from web
    where web.occurred_at < $as_of_end
    union all
    select
        moneyless.occurred_at,
        moneyless.source_kind,
        moneyless.kind,
        moneyless.feed,
        moneyless.source_key,
        moneyless.channel,
        moneyless.is_by_customer,
        moneyless.event_name,
        cast(null as varchar) as session_id,
        moneyless.product_id,
        moneyless.category,
        moneyless.order_id,
        moneyless.campaign_id,
        moneyless.score,
        moneyless.score_scale,
        cast(null as varchar) as currency,
        cast(null as decimal(18, 4)) as amount,
        moneyless.summary,
        moneyless._batch_on,
        moneyless._file,
        moneyless._row
    from moneyless
    where moneyless.occurred_at < $as_of_end
),

owned as (
    select
        owners.customer_id,
        owners.record_id,
        staged.*,
        (staged.occurred_at at time zone 'UTC') at time zone $time_zone as local_at
    from staged
    left join profiles._row_customers as owners
        on
            staged.source_kind = owners.kind
            and staged.feed = owners.feed
            and staged._batch_on = owners.batch_on
            and staged._file = owners.file
            and staged._row = owners.row
),

bought as (
    select
        orders.customer_id,
        orders.placed_at as occurred_at,
        orders.placed_on as occurred_on,
        'order_placed' as kind,
        orders.feed,
        orders.order_id as source_key,
        orders.sales_channel,
        orders.order_id,
        orders.currency,
        orders.gross_amount as amount,
        orders.base_gross_amount as base_amount,
        'Order placed, lines: ' || cast(orders.line_count as varchar) || ', ' || orders.status as summary,
        orders.record_id
    from profiles.orders as orders
    union all
    select
        refunds.customer_id,
        refunds.refunded_at as occurred_at,
        refunds.refunded_on as occurred_on,
        'order_refunded' as kind,
        refunds.feed,
        refunds.order_id || '/' || refunds.refund_id as source_key,
        orders.sales_channel,
        refunds.order_id,
        refunds.currency,
        refunds.refund_amount as amount,
        refunds.base_refund_amount as base_amount,
        'Money given back' as summary,
        refunds.record_id
    from profiles.order_refunds as refunds
    inner join profiles.orders as orders
        on
            refunds.feed = orders.feed
            and refunds.order_id = orders.order_id
)

select
    owned.customer_id,
    owned.occurred_at,
    cast(owned.local_at as date) as occurred_on,
    cast(extract(hour from owned.local_at) as integer) as local_hour,
    owned.source_kind,
    owned.kind,
    owned.feed,
    owned.source_key,
    owned.channel,
    owned.is_by_customer,
    owned.event_name,
    owned.session_id,
    owned.product_id,
    owned.category,
    owned.order_id,
    owned.campaign_id,
    owned.score,
    owned.score_scale,
    owned.currency,
    owned.amount,
    cast($base_currency as varchar) as base_currency,
    case
        when owned.currency = $base_currency then owned.amount
        else cast(owned.amount * rates.rate as decimal(18, 4))
    end as base_amount,
    owned.summary,
    owned.record_id
from owned
left join profiles._exchange_rates as rates
    on
        owned.currency = rates.currency
        and cast(owned.local_at as date) = rates.day_on
union all
select
    bought.customer_id,
    bought.occurred_at,
    bought.occurred_on,
    cast(extract(hour from (bought.occurred_at at time zone 'UTC') at time zone $time_zone) as integer) as local_hour,
    'purchases' as source_kind,
    bought.kind,
    bought.feed,
    bought.source_key,
    coalesce(bought.sales_channel, 'shop') as channel,
    bought.kind = 'order_placed' as is_by_customer,
    cast(null as varchar) as event_name,
    cast(null as varchar) as session_id,
    cast(null as varchar) as product_id,
    cast(null as varchar) as category,
    bought.order_id,
    cast(null as varchar) as campaign_id,
    cast(null as double) as score,
    cast(null as varchar) as score_scale,
    bought.currency,
    bought.amount,
    cast($base_currency as varchar) as base_currency,
    bought.base_amount,
    bought.summary,
    bought.record_id
from bought
