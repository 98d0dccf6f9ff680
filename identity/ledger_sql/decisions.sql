-- Every link that this run began or ended, with the strongest evidence for it.
insert into identity.decisions
with changed as (
    select
        record_id,
        customer_id,
        'link' as action
    from identity.customer_link_history
    where valid_from = $now and run_id = $run_id and valid_to is null
    union all
    select
        record_id,
        customer_id,
        'unlink' as action
    from identity.customer_link_history
    where valid_to = $now
),

ends as (
    select distinct record_id
    from changed
),

sided as (
    select
        edges.record_id_l as record_id,
        edges.record_id_r as other_record_id,
        edges.rule,
        edges.weight
    from identity.edges as edges
    inner join ends on edges.record_id_l = ends.record_id
    union all
    select
        edges.record_id_r as record_id,
        edges.record_id_l as other_record_id,
        edges.rule,
        edges.weight
    from identity.edges as edges
    inner join ends on edges.record_id_r = ends.record_id
),

inside as (
    select
        sided.*,
        row_number() over (
            partition by sided.record_id
            order by sided.weight desc, sided.other_record_id asc
        ) as nth
    from sided
    inner join _assigned as one on sided.record_id = one.record_id
    inner join _assigned as other on sided.other_record_id = other.record_id
    where one.cluster_id = other.cluster_id
),

-- What a person decided about a record since its customer was last settled is why it moved.
heard as (
    select
        sides.record_id,
        coalesce(retracted.decided_at, said.decided_at) as decided_at,
        coalesce(retracted.decision_id, said.decision_id) as decision_id,
        coalesce(retracted.actor, said.actor) as actor
    from identity.decision_records as sides
    inner join identity.decisions as said on sides.decision_id = said.decision_id
    left join identity.decisions as retracted on said.decision_id = retracted.retracts
),

settled as (
    select
        record_id,
        max(valid_from) as settled_at
    from identity.customer_link_history
    where valid_from < $now and record_id in (select record_id from heard)
    group by record_id
),

moved_by_person as (
    select
        heard.*,
        row_number() over (
            partition by heard.record_id order by heard.decided_at desc, heard.decision_id desc
        ) as nth
    from heard
    inner join settled on heard.record_id = settled.record_id
    where heard.decided_at >= settled.settled_at
),

written as (
    select
        md5(concat_ws(chr(31), $run_id, cast($now as varchar), changed.action, changed.record_id, changed.customer_id))
            as decision_id,
        $now as decided_at,
        $run_id,
        case
            when moved_by_person.record_id is not null then 'person'
            when inside.rule is null or inside.rule like 'same_%' then 'rule'
            else 'model'
        end as decided_by,
        moved_by_person.actor,
        changed.action,
        changed.record_id as record_id_l,
        case when changed.action = 'link' then inside.other_record_id end as record_id_r,
        changed.customer_id,
        case when changed.action = 'link' then inside.weight end as weight,
        case
            when moved_by_person.record_id is not null then 'decision ' || moved_by_person.decision_id
            when changed.action = 'unlink' then 'evidence or record changed'
            else coalesce(inside.rule, 'first record of the customer')
        end as reason,
        null as retracts
    from changed
    left join inside on changed.record_id = inside.record_id and inside.nth = 1
    left join moved_by_person on changed.record_id = moved_by_person.record_id and moved_by_person.nth = 1
)

select *
from written
where decision_id not in (select decision_id from identity.decisions where decided_at = $now)
order by record_id_l, action, customer_id
