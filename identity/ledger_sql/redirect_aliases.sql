-- Aliases of a customer that was merged now stand for the one it was merged into.
update identity.customer_aliases
set customer_id = winners.customer_id
from _heirs as losers
inner join _heirs as winners on losers.cluster_id = winners.cluster_id and winners.is_winner
where not losers.is_winner and customer_aliases.customer_id = losers.customer_id
