-- When each customer was in each segment, as seen on the as-of dates that were run: a membership holds from valid_from up to,
-- not including, valid_to, the next date run on which the customer was out. Open memberships have no valid_to.
-- grain: segment, customer_id, valid_from
with dates as (
    select
        observed.as_of,
        row_number() over (order by observed.as_of) as place,
        lead(observed.as_of) over (order by observed.as_of) as next_as_of
    from (select distinct sizes.as_of from profiles._segment_observed_sizes as sizes) as observed
),

members as (
    select distinct
        observations.segment,
        coalesce(aliases.customer_id, observations.customer_id) as customer_id,
        observations.as_of
    from profiles._segment_observations as observations
    left join profiles._current_ids as aliases
        on observations.customer_id = aliases.former_id
),

spells as (
    select
        members.segment,
        members.customer_id,
        dates.as_of,
        dates.next_as_of,
        dates.place - row_number() over (
            partition by members.segment, members.customer_id order by dates.place
        ) as spell
    from members
    inner join dates
        on members.as_of = dates.as_of
)

select
    spells.segment,
    spells.customer_id,
    min(spells.as_of) as valid_from,
    case when count(*) = count(spells.next_as_of) then max(spells.next_as_of) end as valid_to
from spells
group by spells.segment, spells.customer_id, spells.spell
