-- Every lifecycle stage a customer has been in, from day to day, as the orders known now tell it: a late order rewrites it.
-- A stage holds from valid_from up to, not including, valid_to; the present one has no valid_to.
-- grain: customer_id, valid_from
with beginnings as (
    select
        golden.customer_id,
        least(coalesce(golden.first_seen_on, $as_of), $as_of) as known_on,
        min(days.placed_on) as first_placed_on
    from profiles._golden as golden
    left join profiles._sale_days as days
        on golden.customer_id = days.customer_id
    group by golden.customer_id, golden.first_seen_on
),

-- What makes a stage begin: becoming known, an order, or silence that has lasted long enough.
changes as (
    select
        beginnings.customer_id,
        beginnings.known_on as changed_on,
        'prospect' as lifecycle_stage
    from beginnings
    where beginnings.first_placed_on is null or beginnings.known_on < beginnings.first_placed_on
    union all
    select
        days.customer_id,
        days.placed_on as changed_on,
        case
            when date_diff('day', days.previous_placed_on, days.placed_on) > $churned_after_days then 'won_back'
            when days.orders_so_far = 1 then 'first_purchase'
            when days.recent_order_count >= $loyal_orders then 'loyal'
            else 'repeat'
        end as lifecycle_stage
    from profiles._sale_days as days
    union all
    select
        days.customer_id,
        days.placed_on + cast($at_risk_after_days as integer) as changed_on,
        'at_risk' as lifecycle_stage
    from profiles._sale_days as days
    where
        days.next_placed_on is null
        or date_diff('day', days.placed_on, days.next_placed_on) > $at_risk_after_days
    union all
    select
        days.customer_id,
        days.placed_on + cast($churned_after_days as integer) as changed_on,
        'churned' as lifecycle_stage
    from profiles._sale_days as days
    where
        days.next_placed_on is null
        or date_diff('day', days.placed_on, days.next_placed_on) > $churned_after_days
),

preceded as (
    select
        changes.customer_id,
        changes.changed_on,
        changes.lifecycle_stage,
        lag(changes.lifecycle_stage) over (partition by changes.customer_id order by changes.changed_on) as previous_stage
    from changes
    where changes.changed_on <= $as_of
)

select
    preceded.customer_id,
    preceded.lifecycle_stage,
    preceded.previous_stage,
    preceded.changed_on as valid_from,
    lead(preceded.changed_on) over (partition by preceded.customer_id order by preceded.changed_on) as valid_to
from preceded
where preceded.previous_stage is null or preceded.previous_stage <> preceded.lifecycle_stage
