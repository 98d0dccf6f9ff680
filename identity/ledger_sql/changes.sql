-- What this run changes about customers.
insert into identity.customer_changes
with previous as (
    select
        record_id,
        customer_id
    from _links_before
),

names as (
    select distinct
        cluster_id,
        customer_id
    from _assigned
),

found as (
    select
        customer_id,
        'created' as change,
        cast(null as varchar) as other_customer_id,
        count(*) as records
    from _assigned
    where is_new
    group by customer_id

    union all

    select
        names.customer_id,
        'merged' as change,
        heirs.customer_id as other_customer_id,
        heirs.records
    from _heirs as heirs
    inner join names on heirs.cluster_id = names.cluster_id
    where not heirs.is_winner

    union all

    select
        claims.customer_id,
        'split' as change,
        names.customer_id as other_customer_id,
        claims.records
    from _claims_now as claims
    inner join names on claims.cluster_id = names.cluster_id
    left join _heirs as heirs
        on claims.customer_id = heirs.customer_id and claims.cluster_id = heirs.cluster_id
    where heirs.customer_id is null

    union all

    select
        assigned.customer_id,
        'extended' as change,
        null as other_customer_id,
        count(*) as records
    from _assigned as assigned
    left join previous on assigned.record_id = previous.record_id
    where not assigned.is_new and previous.record_id is null
    group by assigned.customer_id

    union all

    select
        previous.customer_id,
        'retired' as change,
        null as other_customer_id,
        count(*) as records
    from previous
    left join _heirs as heirs on previous.customer_id = heirs.customer_id
    where heirs.customer_id is null
    group by previous.customer_id
)

select
    $run_id,
    $now as changed_at,
    customer_id,
    change,
    other_customer_id,
    records
from found
where
    not exists (
        select 1
        from identity.customer_changes as known
        where
            known.changed_at = $now
            and known.customer_id = found.customer_id
            and known.change = found.change
            and known.other_customer_id is not distinct from found.other_customer_id
    )
order by customer_id, change, other_customer_id
