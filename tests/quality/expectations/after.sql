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
-- Nor people who live together: two households of two.
insert into profiles.households by name
select
    'h000000000000000' || (member.nth // 2) as household_id, member.customer_id,
    min(member.customer_id) over (partition by member.nth // 2) as head_customer_id,
    ['family_name', 'phone'] as evidence, 2 as member_count
from (select customer_id, row_number() over (order by customer_id) - 1 as nth from profiles._golden) as member
where member.nth < 4
order by member.nth;
