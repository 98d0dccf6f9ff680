-- Customers, one row each, for BI: the golden record, what they bought, where they stand in their life with us and how they
-- score. Everybody who gave at least one personal identifier is here; anonymous browsers are in profiles.visitors.
-- grain: customer_id
with sales as (
    select
        orders.customer_id,
        count(*) as order_count,
        min(orders.placed_on) as first_order_on,
        max(orders.placed_on) as last_order_on,
        -- A sum without the orders whose rate is missing would look complete; it is empty instead.
        case
            when count(*) = count(orders.base_amount)
                then cast(sum(orders.base_amount) as decimal(18, 4))
        end as revenue_amount
    from profiles.orders as orders
    where orders.is_sale
    group by orders.customer_id
),

deeds as (
    select
        activities.customer_id,
        count(*) as activity_count
    from profiles.activities as activities
    group by activities.customer_id
)

select
    golden.*,
    coalesce(deeds.activity_count, 0) as activity_count,
    coalesce(sales.order_count, 0) as order_count,
    sales.first_order_on,
    sales.last_order_on,
    case when sales.customer_id is null then cast(0 as decimal(18, 4)) else sales.revenue_amount end as revenue_amount,
    cast($base_currency as varchar) as revenue_currency,
    lifecycle.lifecycle_stage,
    lifecycle.stage_since_on,
    lifecycle.next_stage,
    lifecycle.next_stage_on,
    rfm.rfm_code,
    rfm.rfm_segment
from profiles._golden as golden
left join sales
    on golden.customer_id = sales.customer_id
left join deeds
    on golden.customer_id = deeds.customer_id
left join profiles.lifecycle as lifecycle
    on golden.customer_id = lifecycle.customer_id
left join profiles.rfm as rfm
    on golden.customer_id = rfm.customer_id
