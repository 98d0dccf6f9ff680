-- The customer of every record.
create or replace temp table _assigned as
with named as (
    select
        cluster_id,
        customer_id,
        false as is_new
    from _heirs where is_winner
    union all
    select
        cluster_id,
        customer_id,
        true as is_new
    from _revived
    union all
    select
        cluster_id,
        customer_id,
        true as is_new
    from _new_ids
)

select
    clusters.record_id,
    clusters.cluster_id,
    named.customer_id,
    named.is_new,
    records.source_key,
    records.device_key
from _clusters_now as clusters
inner join named on clusters.cluster_id = named.cluster_id
inner join identity.records as records on clusters.record_id = records.record_id
