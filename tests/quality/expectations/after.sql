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
-- Nor what a first run has not behind it: batches and what was refused of them, and a month that was published.
insert into ops.files by name
select
    'shop' as feed, date '2026-01-01' + cast(day as integer) as batch_on, 'orders.csv' as file, 100 as bytes, 10 + day as rows_read
from range(12) as t (day);
insert into ops.batches by name
select
    feed, batch_on, 1 as files, bytes, rows_read, rows_read - 3 as rows_accepted, 1 as rows_duplicate,
    2 as rows_rejected, 'loaded' as status, timestamp '2026-02-01' as loaded_at
from ops.files
order by batch_on;
insert into ops.quarantine_reasons by name
select
    feed, batch_on, 'placed_at' as field, 'unreadable' as code, 2 as rows, 1 as open_rows, rows_read,
    2 / rows_read as share_ratio, 'q0123456789abcdef' as sample_id
from ops.batches
order by batch_on;
insert into ops.runs values
('run-1', date '2026-01-31', timestamp '2026-02-01 06:00', false, 'running'),
('run-0', date '2025-12-31', timestamp '2026-01-01 06:00', false, 'published');
insert into ops.quality_results by name
select
    'run-0' as run_id, date '2025-12-31' as as_of, 'profiles.customers' as table_name, expectation,
    'present' as expects, 'Stands.' as description, 'error' as severity, true as passed, 0 as unexpected_count,
    40 as element_count, 'It holds.' as message, timestamp '2026-01-01 06:00' as checked_at
from (values ('one_holds'), ('another_holds')) as t (expectation);
