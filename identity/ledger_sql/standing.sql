-- What stands between two records by the word of a person: the latest word that was not taken back. Allowing lifts what
-- was split or forbidden before. A record that vanished is stood for by those of the same source person.
with said as (
    select
        decision_id,
        decided_at,
        action
    from identity.decisions
    where
        decided_by = 'person'
        and action in ('merge', 'split', 'forbid', 'allow')
        and decision_id not in (select retracts from identity.decisions where retracts is not null)
),

members as (
    select
        decision_id,
        side,
        record_id,
        source_key
    from identity.decision_records
    union all
    select
        decisions.decision_id,
        unnest(['left', 'right']) as side,
        unnest([decisions.record_id_l, decisions.record_id_r]) as record_id,
        null as source_key
    from identity.decisions as decisions
    inner join said on decisions.decision_id = said.decision_id
    where decisions.decision_id not in (select decision_id from identity.decision_records)
),

present as (
    select
        members.decision_id,
        members.side,
        records.record_id
    from members
    inner join identity.records as records on members.record_id = records.record_id
    union
    select
        members.decision_id,
        members.side,
        heirs.record_id
    from members
    left join identity.records as records on members.record_id = records.record_id
    inner join identity.records as heirs on members.source_key = heirs.source_key
    where records.record_id is null
),

pairs as (
    select distinct
        said.decision_id,
        said.decided_at,
        said.action,
        least(l.record_id, r.record_id) as record_id_l,
        greatest(l.record_id, r.record_id) as record_id_r
    from said
    inner join present as l on said.decision_id = l.decision_id and l.side = 'left'
    inner join present as r on said.decision_id = r.decision_id and r.side = 'right'
    where l.record_id <> r.record_id
),

in_time as (
    select
        *,
        row_number() over (partition by record_id_l, record_id_r order by decided_at, decision_id) as nth
    from pairs
),

latest as (
    select
        *,
        max(case when action <> 'allow' then nth end) over (partition by record_id_l, record_id_r) as last_word,
        max(case when action = 'allow' then nth end) over (partition by record_id_l, record_id_r) as last_allowed
    from in_time
)

select
    record_id_l,
    record_id_r,
    action = 'merge' as is_together,
    decision_id,
    action
from latest
where nth = last_word and (action = 'merge' or last_allowed is null or last_allowed < nth)
order by record_id_l, record_id_r
