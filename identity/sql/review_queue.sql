-- Pairs of records that people should look at, the most consequential first: doubtful ones, and links that a guard or a rival keeps apart.
-- grain: record_id_l, record_id_r
with sizes as (
    select
        customer_id,
        count(*) as records
    from identity.customer_links
    group by customer_id
),

decided as (
    select distinct
        least(record_id_l, record_id_r) as record_id_l,
        greatest(record_id_l, record_id_r) as record_id_r
    from identity.decisions
    where decided_by = 'person' and action in ('merge', 'allow', 'split', 'forbid')
)

select
    edges.record_id_l,
    edges.record_id_r,
    l.customer_id as customer_id_l,
    r.customer_id as customer_id_r,
    edges.weight,
    edges.probability,
    case
        when edges.is_apart then 'kept apart by a guard'
        when l.customer_id = r.customer_id then 'weak link inside a customer'
        when edges.weight >= $link_at then 'link not made: it would tie people who are kept apart'
        else 'doubtful'
    end as reason,
    left_size.records * right_size.records as affected_pairs,
    left_size.records * right_size.records * edges.probability * (1 - edges.probability) as priority
from identity.edges as edges
inner join identity.customer_links as l on edges.record_id_l = l.record_id
inner join identity.customer_links as r on edges.record_id_r = r.record_id
inner join sizes as left_size on l.customer_id = left_size.customer_id
inner join sizes as right_size on r.customer_id = right_size.customer_id
left join decided
    on edges.record_id_l = decided.record_id_l and edges.record_id_r = decided.record_id_r
where
    decided.record_id_l is null
    and (
        (l.customer_id <> r.customer_id and edges.weight >= $review_from)
        or (l.customer_id = r.customer_id and edges.weight < $link_at)
    )
