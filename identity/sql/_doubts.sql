-- Pairs of records whose evidence and whose customers disagree: nearly linked, but of two customers; or of one, though the
-- pair alone would not be linked. What people decided is among them; the review queue leaves it out.
-- grain: record_id_l, record_id_r
select
    edges.record_id_l,
    edges.record_id_r,
    l.customer_id as customer_id_l,
    r.customer_id as customer_id_r,
    edges.weight,
    edges.probability,
    edges.is_apart,
    l.customer_id = r.customer_id as is_inside,
    l.customer_id <> r.customer_id and not edges.is_apart and edges.weight >= $link_at as is_refused
from identity.edges as edges
inner join identity.customer_links as l on edges.record_id_l = l.record_id
inner join identity.customer_links as r on edges.record_id_r = r.record_id
where
    (l.customer_id <> r.customer_id and edges.weight >= $review_from)
    or (l.customer_id = r.customer_id and edges.weight < $link_at)
