-- Former customer ids and the customer each stands for today, however many merges lie between.
-- grain: former_id
with recursive resolved as (
    select
        aliases.former_id,
        aliases.customer_id
    from identity.customer_aliases as aliases
    union
    select
        resolved.former_id,
        aliases.customer_id
    from resolved
    inner join identity.customer_aliases as aliases
        on resolved.customer_id = aliases.former_id
)

select
    resolved.former_id,
    resolved.customer_id
from resolved
left join identity.customer_aliases as further
    on resolved.customer_id = further.former_id
where further.former_id is null
