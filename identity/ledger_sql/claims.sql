-- How much of each former customer every cluster holds. A vanished record counts for the one that took its place.
create or replace temp table _claims_now as
with previous as (
    select
        record_id,
        customer_id,
        source_key,
        device_key,
        valid_from
    from _links_before
),

present as (
    select
        clusters.record_id,
        clusters.cluster_id,
        records.first_seen_at,
        records.source_key,
        records.device_key
    from _clusters_now as clusters
    inner join identity.records as records on clusters.record_id = records.record_id
),

gone as (
    select previous.*
    from previous
    left join present on previous.record_id = present.record_id
    where present.record_id is null
),

successors as (
    select
        gone.record_id as gone_record_id,
        gone.customer_id,
        gone.valid_from,
        present.cluster_id,
        present.record_id,
        present.first_seen_at,
        1 as preference
    from gone
    inner join present on gone.source_key = present.source_key
    union all
    select
        gone.record_id as gone_record_id,
        gone.customer_id,
        gone.valid_from,
        present.cluster_id,
        present.record_id,
        present.first_seen_at,
        2 as preference
    from gone
    inner join present on gone.device_key = present.device_key
),

ranked as (
    select
        *,
        row_number() over (
            partition by gone_record_id
            order by preference, first_seen_at nulls last, record_id
        ) as nth
    from successors
),

kept as (
    select
        previous.customer_id,
        previous.valid_from,
        present.cluster_id,
        present.record_id,
        present.first_seen_at
    from previous
    inner join present on previous.record_id = present.record_id
    union all
    select
        customer_id,
        valid_from,
        cluster_id,
        record_id,
        first_seen_at
    from ranked
    where nth = 1
)

select
    customer_id,
    cluster_id,
    count(*) as records,
    min(first_seen_at) as oldest_at,
    min(valid_from) as linked_since,
    min(record_id) as first_record_id
from kept
group by customer_id, cluster_id
