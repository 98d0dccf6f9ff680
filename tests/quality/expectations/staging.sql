-- Forty customers of one shop, everything as it should be: each table has forty rows, and the last row of a table is one
-- that no other table refers to. Every expectation holds here; a test then breaks one.
insert into staging.exchange_rates by name
select
    date '2026-01-01' + cast(case when i = 39 then 45 else i end as integer) as "on", 'CNY' as currency, 'GBP' as base_currency,
    cast(0.11 + i * 0.0001 as decimal(18, 8)) as rate,
    'rates' as _feed, date '2026-01-30' as _batch_on, 'rates.csv' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.products by name
select
    'p' || i as product_id, 'Tea ' || i as name, 'tea' as category, 'Lantern' as brand,
    cast(10 + i as decimal(18, 4)) as price_amount, cast(5 + i as decimal(18, 4)) as cost_amount, 'GBP' as currency,
    true as is_in_stock, 'catalogue' as _feed, date '2026-01-30' as _batch_on, 'products.csv' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.purchases by name
select
    'o' || i as order_id,
    timestamp '2026-01-02 10:00:00' + to_hours(cast(i * 12 as integer)) as placed_at,
    timestamp '2026-01-03 10:00:00' + to_hours(cast(i * 12 as integer)) as updated_at,
    timestamp '2026-01-03 12:00:00' + to_hours(cast(i * 12 as integer)) as fulfilled_at,
    timestamp '2026-01-05 12:00:00' + to_hours(cast(i * 12 as integer)) as delivered_at,
    case when i = 39 then 'pending' when i % 2 = 0 then 'paid' else 'fulfilled' end as status,
    false as is_test, 's' || i as source_customer_id, 'person' || i || '@shop.example' as email,
    '+44 20 7946 ' || lpad(cast(i as varchar), 4, '0') as phone, 'Ada Person' || i as full_name,
    'London' as city, 'GB' as country, 'web' as sales_channel, 'GBP' as currency,
    cast(20 + i as decimal(18, 4)) as gross_amount, cast(0 as decimal(18, 4)) as discount_amount,
    cast(2 as decimal(18, 4)) as tax_amount, cast(3 as decimal(18, 4)) as shipping_amount,
    'shop' as _feed, date '2026-01-30' as _batch_on, 'orders.json' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.purchase_lines by name
select
    'o' || (i % 39) as order_id, cast(i // 39 as varchar) as line_id, 'p' || (i % 39) as product_id, 'Tea' as product_name,
    'tea' as category, cast(2 as decimal(18, 4)) as quantity, cast(10 as decimal(18, 4)) as unit_amount,
    cast(20 as decimal(18, 4)) as line_amount,
    'shop' as _feed, date '2026-01-30' as _batch_on, 'orders.json' as _file, (i % 39) + 1 as _row
from range(40) as t (i);

insert into staging.purchase_refunds by name
select
    'o' || (i % 39) as order_id, 'r' || i as refund_id,
    timestamp '2026-01-25 10:00:00' as refunded_at, cast(1 + i % 3 as decimal(18, 4)) as amount,
    'shop' as _feed, date '2026-01-30' as _batch_on, 'orders.json' as _file, (i % 39) + 1 as _row
from range(40) as t (i);

insert into staging.web_events by name
select
    'e' || i as event_id,
    case i % 4 when 0 then 'page' when 1 then 'track' when 2 then 'identify' else 'page' end as event_kind,
    case i % 4 when 1 then 'Order Completed' end as event_name,
    timestamp '2026-01-02 09:00:00' + to_hours(cast(i * 12 as integer)) as occurred_at,
    timestamp '2026-01-02 09:00:01' + to_hours(cast(i * 12 as integer)) as received_at,
    'a' || i as anonymous_id, case when i % 4 in (1, 2) then 's' || i end as source_user_id,
    'https://shop.example/tea' as url, '/tea' as path, case i % 4 when 1 then 'o' || i end as order_id,
    cast(20 + i as decimal(18, 4)) as value_amount, 'GBP' as currency, 'London' as city, 'GB' as country,
    'web' as _feed, date '2026-01-30' as _batch_on, 'events.jsonl' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.social_interactions by name
select
    'm' || i as interaction_id, 'mastodon' as platform, case when i % 2 = 0 then 'mention' else 'reply' end as interaction_kind,
    timestamp '2026-01-03 09:00:00' + to_hours(cast(i as integer)) as occurred_at, 'acc' || i as account_id,
    'handle' || i as handle, 'person' || i || '@shop.example' as email, 'Lovely cups' as text, 'en' as language,
    case when i % 2 = 1 then 'm' || (i - 1) end as in_reply_to_id, false as by_us, 'k1' as campaign_id,
    100 + i as followers_count, false as is_bot,
    'mastodon' as _feed, date '2026-01-30' as _batch_on, 'mentions.json' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.feedback by name
select
    'f' || i as feedback_id, case when i % 2 = 0 then 'survey' else 'ticket' end as feedback_kind,
    timestamp '2026-01-10 09:00:00' + to_hours(cast(i as integer)) as submitted_at, 's' || i as source_customer_id,
    'person' || i || '@shop.example' as email, 'web' as channel, cast(5 + i % 5 as double) as score, 'nps' as score_scale,
    'Fine tea' as text, 'en' as language, 'o' || (i % 39) as order_id,
    timestamp '2026-01-10 09:00:00' as opened_at, timestamp '2026-01-10 10:00:00' as first_response_at,
    timestamp '2026-01-11 10:00:00' as resolved_at, 0 as reopened_count, 'solved' as ticket_status,
    'after_sale' as service_stage,
    'tickets' as _feed, date '2026-01-30' as _batch_on, 'tickets.json' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.contacts by name
select
    'k' || i as contact_id, timestamp '2025-12-01 09:00:00' as created_at, timestamp '2026-01-01 09:00:00' as updated_at,
    'person' || i || '@shop.example' as email, '+44 20 7946 ' || lpad(cast(i as varchar), 4, '0') as phone,
    'Ada Person' || i as full_name, 'Ada' as given_name, 'Person' || i as family_name, 'female' as gender,
    date '1980-01-01' + cast(i as integer) as birth_on, 'London' as city, 'GB' as country, 'en' as language,
    'gold' as loyalty_tier, cast(100 + i as decimal(18, 4)) as points_balance, case when i > 0 then 'k0' end as referred_by,
    'crm' as _feed, date '2026-01-30' as _batch_on, 'contacts.csv' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.messages by name
select
    'msg' || (i // 2) as message_id, 'k1' as campaign_id, 'New year' as campaign_name, 'email' as message_channel,
    case when i % 2 = 0 then 'sent' else 'opened' end as message_event,
    timestamp '2026-01-04 09:00:00' + to_hours(cast(i as integer)) as occurred_at,
    'person' || (i // 2) || '@shop.example' as email, cast(0.1 + i * 0.001 as decimal(18, 4)) as cost_amount, 'GBP' as currency,
    'email' as _feed, date '2026-01-30' as _batch_on, 'messages.csv' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.loyalty_entries by name
select
    'l' || i as entry_id, 'k' || i as member_id, timestamp '2026-01-04 09:00:00' as occurred_at,
    'earn' as entry_kind, cast(100 + i as decimal(18, 4)) as points, 'o' || (i % 39) as order_id,
    'loyalty' as _feed, date '2026-01-30' as _batch_on, 'points.csv' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.deals by name
select
    'd' || i as deal_id, timestamp '2026-01-10 09:00:00' as updated_at, 'won' as stage,
    cast(500 + i as decimal(18, 4)) as amount, 'GBP' as currency, 'agent1' as owner_id,
    timestamp '2026-01-02 09:00:00' as created_at, timestamp '2026-01-10 09:00:00' as won_at, 'k' || i as contact_id,
    'deals' as _feed, date '2026-01-30' as _batch_on, 'deals.csv' as _file, i + 1 as _row
from range(40) as t (i);

insert into staging.activities_logged by name
select
    'x' || i as activity_id, 'call' as activity_kind, timestamp '2026-01-12 09:00:00' as occurred_at, 'agent1' as owner_id,
    'k' || i as contact_id, 'outbound' as direction, 60 + i as duration_seconds, 'reached' as outcome,
    'calls' as _feed, date '2026-01-30' as _batch_on, 'calls.csv' as _file, i + 1 as _row
from range(40) as t (i);

create table staging._contacts_versions as from staging.contacts;
create table ops.feeds as
select feed, kind, id_space, 'GB' as country, 'GBP' as currency, 'Europe/London' as time_zone
from (
    values ('shop', 'purchases', 'shop'), ('web', 'web_events', 'shop'), ('mastodon', 'social_interactions', 'mastodon'),
        ('tickets', 'feedback', 'shop'), ('crm', 'contacts', 'crm'), ('email', 'messages', 'shop'),
        ('loyalty', 'loyalty_entries', 'crm'), ('deals', 'deals', 'crm'), ('calls', 'activities_logged', 'crm'),
        ('rates', 'exchange_rates', 'rates'), ('catalogue', 'products', 'catalogue')
) as feeds (feed, kind, id_space);
