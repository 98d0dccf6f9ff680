-- Tickets and complaints of customers and visitors opened up to the as-of date, with how long they waited for us. What happened
-- to a case after the as-of date has not happened yet.
-- grain: feed, feedback_id
with cases as (
    select
        owners.customer_id,
        staged._feed as feed,
        staged.feedback_id,
        staged.feedback_kind,
        coalesce(staged.opened_at, staged.submitted_at) as occurred_at,
        case when staged.first_response_at < $as_of_end then staged.first_response_at end as first_response_at,
        case when staged.resolved_at < $as_of_end then staged.resolved_at end as resolved_at,
        staged.reopened_count,
        staged.channel,
        staged.priority,
        staged.service_stage,
        staged.cause,
        staged.resolution,
        staged.topic,
        case when staged.score_scale in ('csat', 'thumbs') then staged.score end as score,
        case when staged.score_scale in ('csat', 'thumbs') then staged.score_scale end as score_scale
    from staging.feedback as staged
    inner join profiles._row_customers as owners
        on
            owners.kind = 'feedback'
            and staged._feed = owners.feed
            and staged._batch_on = owners.batch_on
            and staged._file = owners.file
            and staged._row = owners.row
    where
        staged.feedback_kind in ('ticket', 'complaint')
        and not coalesce(staged.is_test, false)
)

select
    cases.customer_id,
    cases.feed,
    cases.feedback_id,
    cases.feedback_kind,
    cases.occurred_at,
    cast((cases.occurred_at at time zone 'UTC') at time zone $time_zone as date) as occurred_on,
    cases.first_response_at,
    cases.resolved_at,
    cast(date_diff('second', cases.occurred_at, cases.first_response_at) as double) / 3600 as response_hours,
    cast(date_diff('second', cases.occurred_at, cases.resolved_at) as double) / 3600 as resolution_hours,
    cases.resolved_at is null as is_open,
    cases.first_response_at is null and cases.resolved_at is null as is_unanswered,
    coalesce(cases.reopened_count, 0) > 0 as is_reopened,
    cases.channel,
    cases.priority,
    cases.service_stage,
    cases.cause,
    cases.resolution,
    cases.topic,
    case
        when cases.resolved_at is null then null
        when cases.score_scale = 'csat' then (cases.score - 1.0) / 4.0
        else cases.score
    end as score_ratio
from cases
where cases.occurred_at < $as_of_end
