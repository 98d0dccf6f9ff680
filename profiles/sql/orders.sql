-- Orders placed by the as-of date, with the customer who placed them (empty when nobody is known), what counts as a sale,
-- and amounts in the order's and in the base currency. An amount without a rate for its day is empty, never taken as 1:1.
-- grain: feed, order_id
with lines as (
    select
        lines._feed as feed,
        lines.order_id,
        count(*) as line_count,
        cast(sum(lines.quantity) as decimal(18, 4)) as quantity
    from staging.purchase_lines as lines
    group by lines._feed, lines.order_id
),

refunds as (
    select
        refunds.feed,
        refunds.order_id,
        cast(sum(refunds.refund_amount) as decimal(18, 4)) as refund_amount,
        case
            when count(*) = count(refunds.base_refund_amount)
                then cast(sum(refunds.base_refund_amount) as decimal(18, 4))
        end as base_refund_amount
    from profiles.order_refunds as refunds
    group by refunds.feed, refunds.order_id
),

priced as (
    select
        orders.*,
        coalesce(lines.line_count, 0) as line_count,
        coalesce(lines.quantity, 0) as quantity,
        case when refunds.order_id is null then 0 else refunds.refund_amount end as refund_amount,
        case when refunds.order_id is null then 0 else refunds.base_refund_amount end as base_refund_amount,
        case
            when orders.currency = $base_currency then orders.gross_amount
            else cast(orders.gross_amount * orders.exchange_rate as decimal(18, 4))
        end as base_gross_amount
    from profiles._orders as orders
    left join lines
        on
            orders.feed = lines.feed
            and orders.order_id = lines.order_id
    left join refunds
        on
            orders.feed = refunds.feed
            and orders.order_id = refunds.order_id
)

select
    priced.customer_id,
    priced.feed,
    priced.order_id,
    priced.placed_at,
    priced.placed_on,
    priced.updated_at,
    priced.fulfilled_at,
    priced.delivered_at,
    priced.status,
    priced.is_test,
    priced.is_sale,
    priced.sales_channel,
    priced.store_id,
    priced.coupon_code,
    priced.city,
    priced.region,
    priced.country,
    priced.currency,
    priced.gross_amount,
    priced.discount_amount,
    priced.tax_amount,
    priced.shipping_amount,
    cast(priced.refund_amount as decimal(18, 4)) as refund_amount,
    cast(priced.gross_amount - priced.refund_amount as decimal(18, 4)) as net_amount,
    cast(
        case when $revenue = 'net' then priced.gross_amount - priced.refund_amount else priced.gross_amount end
        as decimal(18, 4)
    ) as revenue_amount,
    cast($base_currency as varchar) as base_currency,
    priced.exchange_rate,
    priced.exchange_rate_on,
    cast(priced.base_gross_amount as decimal(18, 4)) as base_gross_amount,
    cast(priced.base_refund_amount as decimal(18, 4)) as base_refund_amount,
    cast(priced.base_gross_amount - priced.base_refund_amount as decimal(18, 4)) as base_net_amount,
    cast(
        case
            when $revenue = 'net' then priced.base_gross_amount - priced.base_refund_amount
            else priced.base_gross_amount
        end
        as decimal(18, 4)
    ) as base_amount,
    priced.line_count,
    priced.quantity,
    priced.record_id
from priced
