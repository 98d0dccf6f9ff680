-- What a first run of forty clean customers does not make: customers that were merged earlier. The table is made anew
-- without its constraints, so that a defect can be seeded; so are the other tables of the ledger.
create or replace table identity.customer_aliases as from identity.customer_aliases;
insert into identity.customer_aliases by name
select
    'c000000000000000' || i as former_id, (select min(customer_id) from profiles.customers) as customer_id,
    timestamp '2026-01-15' as since, 'merged' as reason
from range(2) as t (i);
create or replace table identity.customer_link_history as from identity.customer_link_history;
create or replace table identity.customer_changes as from identity.customer_changes;
create or replace table identity.scorecard as from identity.scorecard;
