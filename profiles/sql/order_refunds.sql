-- Money given back for orders, on the day it was given back and at that day's rate. An order that its shop calls refunded
-- without saying what was paid back counts as refunded in full, on the day the shop last changed it.
-- grain: feed, order_id, refund_id
with stated as (
    select
        refunds._feed as feed,
        refunds.order_id,
        refunds.refund_id,
        refunds.refunded_at,
        refunds.amount as refund_amount
    from staging.purchase_refunds as refunds
),

implied as (
    select
        orders.feed,
        orders.order_id,
        'full' as refund_id,
        coalesce(orders.updated_at, orders.placed_at) as refunded_at,
        orders.gross_amount as refund_amount
    from profiles._orders as orders
    left join (select distinct
        stated.feed,
        stated.order_id
    from stated) as known
        on
            orders.feed = known.feed
            and orders.order_id = known.order_id
    where
        orders.status = 'refunded'
        and known.order_id is null
),

refunds as (
    select stated.* from stated
    union all
    select implied.* from implied
),

dated as (
    select
        refunds.*,
        cast((refunds.refunded_at at time zone 'UTC') at time zone $time_zone as date) as refunded_on
    from refunds
    where refunds.refunded_at < $as_of_end
)

select
    orders.customer_id,
    orders.record_id,
    orders.feed,
    orders.order_id,
    dated.refund_id,
    dated.refunded_at,
    dated.refunded_on,
    orders.is_sale,
    orders.currency,
    dated.refund_amount,
    cast($base_currency as varchar) as base_currency,
    case
        when orders.currency = $base_currency then dated.refund_amount
        else cast(dated.refund_amount * rates.rate as decimal(18, 4))
    end as base_refund_amount
from dated
inner join profiles._orders as orders
    on
        dated.feed = orders.feed
        and dated.order_id = orders.order_id
left join profiles._exchange_rates as rates
    on
        orders.currency = rates.currency
        and dated.refunded_on = rates.day_on
