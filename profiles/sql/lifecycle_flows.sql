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
        months.month - 1 as opened_on,
        least(cast(months.month + interval 1 month as date) - 1, $as_of) as closed_on,
        cast(months.month + interval 1 month as date) - 1 <= $as_of as is_complete
    from months
)

select
    ends.month,
    coalesce(opened.lifecycle_stage, 'new') as from_stage,
    closed.lifecycle_stage as to_stage,
    count(*) as customers,
    ends.is_complete
from ends
inner join profiles.lifecycle_history as closed
    on
        ends.closed_on >= closed.valid_from
        and (closed.valid_to is null or ends.closed_on < closed.valid_to)
left join profiles.lifecycle_history as opened
    on
        closed.customer_id = opened.customer_id
        and ends.opened_on >= opened.valid_from
        and (opened.valid_to is null or ends.opened_on < opened.valid_to)
group by ends.month, ends.is_complete, coalesce(opened.lifecycle_stage, 'new'), closed.lifecycle_stage
