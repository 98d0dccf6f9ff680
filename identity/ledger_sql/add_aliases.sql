-- A customer that was merged becomes an alias.
insert into identity.customer_aliases
select
    losers.customer_id as former_id,
    winners.customer_id,
    $now as since,
    'merged' as reason
from _heirs as losers
inner join _heirs as winners on losers.cluster_id = winners.cluster_id and winners.is_winner
where not losers.is_winner
order by losers.customer_id
