-- What people decided, newest first, with what each decision is about now and what became of it.
with counted as (
    select
        decision_id,
        count(*) filter (side = 'left') as records_l,
        count(*) filter (side = 'right') as records_r
    from identity.decision_records
    group by decision_id
),

owners as (
    select distinct
        sides.decision_id,
        sides.side,
        links.customer_id
    from identity.decision_records as sides
    inner join identity.customer_links as links on sides.record_id = links.record_id
),

now_of as (
    select
        decision_id,
        list_sort(list(customer_id) filter (side = 'left')) as customers_l,
        list_sort(list(customer_id) filter (side = 'right')) as customers_r
    from owners
    group by decision_id
),

taken_back as (
    select
        retracts as decision_id,
        min(decision_id) as retracted_by
    from identity.decisions
    where retracts is not null
    group by retracts
)

select
    decisions.decision_id,
    decisions.decided_at,
    decisions.actor,
    decisions.action,
    coalesce(counted.records_l, 1) as records_l,
    coalesce(counted.records_r, 1) as records_r,
    coalesce(now_of.customers_l, []) as customers_l,
    coalesce(now_of.customers_r, []) as customers_r,
    coalesce(decisions.reason, '') as reason,
    case
        when taken_back.decision_id is not null then 'taken back'
        when decisions.action = 'allow' then 'stands'
        when not list_contains($standing, decisions.decision_id) then 'overruled'
        when $applied_until is null or decisions.decided_at > $applied_until then 'waits for the next run'
        else 'stands'
    end as state
from identity.decisions as decisions
left join counted on decisions.decision_id = counted.decision_id
left join now_of on decisions.decision_id = now_of.decision_id
left join taken_back on decisions.decision_id = taken_back.decision_id
where decisions.decided_by = 'person' and decisions.action in ('merge', 'split', 'forbid', 'allow')
order by decisions.decided_at desc, decisions.decision_id asc
