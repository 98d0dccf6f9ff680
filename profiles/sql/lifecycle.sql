-- The lifecycle stage of every customer at the end of the as-of date: since when, from where, and what silence will do next.
-- grain: customer_id
with latest as (
    select
        days.customer_id,
        min(days.placed_on) as first_order_on,
        max(days.placed_on) as last_order_on,
        max(days.orders_so_far) as sale_count
    from profiles._sale_days as days
    group by days.customer_id
)

select
    history.customer_id,
    history.lifecycle_stage,
    history.previous_stage,
    history.valid_from as stage_since_on,
    date_diff('day', history.valid_from, $as_of) as days_in_stage,
    latest.first_order_on,
    latest.last_order_on,
    date_diff('day', latest.last_order_on, $as_of) as days_since_order,
    coalesce(latest.sale_count, 0) as sale_count,
    case
        when history.lifecycle_stage in ('first_purchase', 'repeat', 'loyal', 'won_back') then 'at_risk'
        when history.lifecycle_stage = 'at_risk' then 'churned'
    end as next_stage,
    case
        when history.lifecycle_stage in ('first_purchase', 'repeat', 'loyal', 'won_back')
            then latest.last_order_on + cast($at_risk_after_days as integer)
        when history.lifecycle_stage = 'at_risk' then latest.last_order_on + cast($churned_after_days as integer)
    end as next_stage_on
from profiles.lifecycle_history as history
left join latest
    on history.customer_id = latest.customer_id
where history.valid_to is null
