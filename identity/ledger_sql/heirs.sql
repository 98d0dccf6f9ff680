-- In which cluster each former customer goes on, and whether its id is the one that stays there.
create or replace temp table _heirs as
with goes_on as (
    select
        *,
        row_number() over (
            partition by customer_id
            order by records desc, oldest_at asc nulls last, linked_since asc, first_record_id asc
        ) as nth
    from _claims_now
)

select
    customer_id,
    cluster_id,
    records,
    row_number() over (partition by cluster_id order by records desc, oldest_at asc nulls last, customer_id asc) = 1 as is_winner
from goes_on
where nth = 1
