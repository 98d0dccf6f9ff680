-- The days on which a customer bought, each with the sale day before and after it, for lifecycle stages and intervals.
-- grain: customer_id, placed_on
with days as (
    select
        orders.customer_id,
        orders.placed_on,
        count(*) as order_count
    from profiles.orders as orders
    inner join profiles._golden as golden
        on orders.customer_id = golden.customer_id
    where orders.is_sale
    group by orders.customer_id, orders.placed_on
),

recent as (
    select
        days.customer_id,
        days.placed_on,
        sum(earlier.order_count) as recent_order_count
    from days
    inner join days as earlier
        on
            days.customer_id = earlier.customer_id
            and days.placed_on >= earlier.placed_on
            and earlier.placed_on > days.placed_on - cast($loyal_within_days as integer)
    group by days.customer_id, days.placed_on
)

select
    days.customer_id,
    days.placed_on,
    cast(days.order_count as bigint) as order_count,
    cast(
        sum(days.order_count) over (
            partition by days.customer_id order by days.placed_on rows between unbounded preceding and current row
        ) as bigint
    ) as orders_so_far,
    cast(recent.recent_order_count as bigint) as recent_order_count,
    lag(days.placed_on) over (partition by days.customer_id order by days.placed_on) as previous_placed_on,
    lead(days.placed_on) over (partition by days.customer_id order by days.placed_on) as next_placed_on
from days
inner join recent
    on
        days.customer_id = recent.customer_id
        and days.placed_on = recent.placed_on
