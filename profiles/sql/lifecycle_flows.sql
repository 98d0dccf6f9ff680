-- How customers moved between lifecycle stages, month by month: from the stage at the end of the month before to the stage at
-- the end of the month (of the as-of date, for the present month). Those who stayed are counted too; `new` came in the month.
-- grain: month, from_stage, to_stage
with bounds as (
    select
        date_trunc('month', min(history.valid_from)) as first_month,
        date_trunc('month', $as_of) as last_month
    from profiles.lifecycle_history as history
),

months as (
    select cast(unnest(generate_series(bounds.first_month, bounds.last_month, interval 1 month)) as date) as month
    from bounds
),

ends as (
    select
        months.month,
        least(cast(months.month + interval 1 month as date) - 1, $as_of) as closed_on,
        cast(months.month + interval 1 month as date) - 1 <= $as_of as is_complete
    from months
),

stages as (
    select
        ends.month,
        ends.is_complete,
        history.customer_id,
        history.lifecycle_stage
    from ends
    inner join profiles.lifecycle_history as history
        on
            ends.closed_on >= history.valid_from
            and (history.valid_to is null or ends.closed_on < history.valid_to)
)

select
    closed.month,
    coalesce(opened.lifecycle_stage, 'new') as from_stage,
    closed.lifecycle_stage as to_stage,
    count(*) as customers,
    closed.is_complete
from stages as closed
left join stages as opened
    on closed.customer_id = opened.customer_id and closed.month = cast(opened.month + interval 1 month as date)
group by closed.month, closed.is_complete, coalesce(opened.lifecycle_stage, 'new'), closed.lifecycle_stage
