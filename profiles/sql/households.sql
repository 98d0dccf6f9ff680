-- Customers who seem to live together: linked, never merged. Two customers are tied when two of these agree: address, phone,
-- e-mail, family name. Values that more than eight customers share are an office's or a building's and tie nobody.
-- grain: household_id, customer_id
with facts as (
    select distinct
        links.customer_id,
        features.feature,
        features.value
    from identity.customer_links as links
    inner join profiles._people as people
        on links.customer_id = people.customer_id
    inner join identity._nodes as nodes
        on links.record_id = nodes.record_id
    inner join identity._features as features
        on nodes.node_id = features.node_id
    where
        links.valid_to is null
        and people.is_customer
        and list_contains(['address', 'phone', 'email', 'family', 'city', 'postcode'], features.feature)
        and features.value not like '%*%'
),

counted as (
    select
        facts.customer_id,
        facts.feature,
        facts.value,
        count(*) over (partition by facts.feature, facts.value) as holders
    from facts
    where list_contains(['address', 'phone', 'email'], facts.feature)
),

alike as (
    select distinct
        l.customer_id as customer_id_l,
        r.customer_id as customer_id_r,
        l.feature as evidence
    from counted as l
    inner join counted as r
        on
            l.feature = r.feature
            and l.value = r.value
            and l.customer_id < r.customer_id
    where l.holders between 2 and 8
),

pairs as (
    select distinct
        alike.customer_id_l,
        alike.customer_id_r
    from alike
),

-- One street and number stands in many towns: the place has to agree, unless one of the two gave none.
same_place as (
    select distinct
        pairs.customer_id_l,
        pairs.customer_id_r
    from pairs
    inner join facts as l
        on
            pairs.customer_id_l = l.customer_id
            and list_contains(['city', 'postcode'], l.feature)
    inner join facts as r
        on
            pairs.customer_id_r = r.customer_id
            and l.feature = r.feature
            and l.value = r.value
),

placed as (
    select distinct facts.customer_id
    from facts
    where list_contains(['city', 'postcode'], facts.feature)
),

evidence as (
    select
        alike.customer_id_l,
        alike.customer_id_r,
        alike.evidence
    from alike
    left join same_place
        on
            alike.customer_id_l = same_place.customer_id_l
            and alike.customer_id_r = same_place.customer_id_r
    left join placed as l
        on alike.customer_id_l = l.customer_id
    left join placed as r
        on alike.customer_id_r = r.customer_id
    where
        alike.evidence <> 'address'
        or same_place.customer_id_l is not null
        or l.customer_id is null
        or r.customer_id is null

    union

    select
        pairs.customer_id_l,
        pairs.customer_id_r,
        'family_name' as evidence
    from pairs
    inner join facts as l
        on
            pairs.customer_id_l = l.customer_id
            and l.feature = 'family'
    inner join facts as r
        on
            pairs.customer_id_r = r.customer_id
            and r.feature = 'family'
            and l.value = r.value
),

tied as (
    select
        evidence.customer_id_l,
        evidence.customer_id_r,
        list_sort(list(distinct evidence.evidence)) as evidence
    from evidence
    group by evidence.customer_id_l, evidence.customer_id_r
    having count(distinct evidence.evidence) >= 2
),

sided as (
    select
        tied.customer_id_l as customer_id,
        tied.customer_id_r as other_customer_id,
        tied.evidence
    from tied
    union all
    select
        tied.customer_id_r as customer_id,
        tied.customer_id_l as other_customer_id,
        tied.evidence
    from tied
),

reached as (
    with recursive reach as (
        select
            sided.customer_id,
            sided.customer_id as other_customer_id
        from sided
        union
        select
            reach.customer_id,
            sided.other_customer_id
        from reach
        inner join sided
            on reach.other_customer_id = sided.customer_id
    )

    select
        reach.customer_id,
        reach.other_customer_id
    from reach
),

ranked as (
    select
        reached.customer_id,
        reached.other_customer_id,
        row_number() over (
            partition by reached.customer_id
            order by people.first_seen_at asc nulls last, reached.other_customer_id asc
        ) as nth,
        count(*) over (partition by reached.customer_id) as member_count
    from reached
    inner join profiles._people as people
        on reached.other_customer_id = people.customer_id
),

reasons as (
    select
        told.customer_id,
        list_sort(list(distinct told.evidence)) as evidence
    from (
        select
            sided.customer_id,
            unnest(sided.evidence) as evidence
        from sided
    ) as told
    group by told.customer_id
)

select
    'h' || substr(md5(ranked.other_customer_id), 1, 16) as household_id,
    ranked.customer_id,
    ranked.other_customer_id as head_customer_id,
    reasons.evidence,
    ranked.member_count
from ranked
inner join reasons
    on ranked.customer_id = reasons.customer_id
-- More than a dozen are a house with many doors, not a home.
where
    ranked.nth = 1
    and ranked.member_count <= 12
