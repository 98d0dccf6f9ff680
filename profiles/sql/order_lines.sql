-- What was bought: the lines of every order placed by the as-of date, with the customer and amounts in both currencies.
-- grain: feed, order_id, line_id
with priced as (
    select
        lines._feed as feed,
        lines.order_id,
        lines.line_id,
        lines.product_id,
        lines.product_name,
        lines.category,
        lines.quantity,
        lines.unit_amount,
        coalesce(lines.line_amount, cast(lines.quantity * lines.unit_amount as decimal(18, 4))) as line_amount
    from staging.purchase_lines as lines
)

select
    orders.customer_id,
    orders.feed,
    orders.order_id,
    priced.line_id,
    orders.placed_at,
    orders.placed_on,
    orders.is_sale,
    priced.product_id,
    priced.product_name,
    priced.category,
    priced.quantity,
    orders.currency,
    priced.unit_amount,
    priced.line_amount,
    cast($base_currency as varchar) as base_currency,
    case
        when orders.currency = $base_currency then priced.line_amount
        else cast(priced.line_amount * orders.exchange_rate as decimal(18, 4))
    end as base_line_amount
from priced
inner join profiles._orders as orders
    on
        priced.feed = orders.feed
        and priced.order_id = orders.order_id
