-- Ids that the records of an unnamed cluster had once and that nobody bears now: a split gives them back.
create or replace temp table _revived as
with former as (
    select
        clusters.cluster_id,
        history.customer_id,
        count(distinct history.record_id) as records,
        max(history.valid_to) as until_at
    from identity.customer_link_history as history
    inner join _clusters_now as clusters on history.record_id = clusters.record_id
    where
        history.valid_to is not null
        and clusters.cluster_id not in (select cluster_id from _heirs where is_winner)
        and history.customer_id not in (select customer_id from _heirs)
    group by clusters.cluster_id, history.customer_id
),

borne as (
    select history.customer_id
    from identity.customer_link_history as history
    where
        history.customer_id in (select customer_id from former)
        and history.valid_to is null
        and history.record_id not in (select record_id from _links_before)
),

wanted as (
    select
        *,
        row_number() over (partition by cluster_id order by records desc, until_at desc, customer_id asc) as nth
    from former
    where customer_id not in (select customer_id from borne)
),

granted as (
    select
        cluster_id,
        customer_id,
        row_number() over (partition by customer_id order by records desc, cluster_id asc) as nth
    from wanted
    where nth = 1
)

select
    cluster_id,
    customer_id
from granted
where nth = 1
