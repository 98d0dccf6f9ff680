-- What is known of the UCI Online Retail file, computed from this project's staging tables.
-- grain: fact
with lines as (
    select
        o.order_id,
        o.source_customer_id,
        o.country,
        o.status,
        l.product_id,
        l.product_name,
        l.quantity,
        l.unit_amount,
        json_extract_string(l.extra, '$.invoice_date') as invoice_date
    from staging.purchase_lines as l
    inner join staging.purchases as o on l._feed = o._feed and l.order_id = o.order_id
),

valid_sales as (
    select *
    from lines
    where source_customer_id is not null and status <> 'cancelled' and quantity > 0 and unit_amount > 0
),

distinct_lines as (
    select distinct *
    from lines
)

select 'invoices' as fact, cast((select count(*) from staging.purchases) as decimal(18, 4)) as value
union all
select 'customers', (select count(distinct source_customer_id) from staging.purchases)
union all
select 'invoices without customer', (select count(*) from staging.purchases where source_customer_id is null)
union all
select 'rows', (select count(*) from lines)
union all
select 'rows without customer', (select count(*) from lines where source_customer_id is null)
union all
select 'cancelled rows', (select count(*) from lines where status = 'cancelled')
union all
select 'exact duplicates', (select count(*) from lines) - (select count(*) from distinct_lines)
union all
select 'valid sales rows', (select count(*) from valid_sales)
union all
select 'valid sales customers', (select count(distinct source_customer_id) from valid_sales)
union all
select 'valid sales worth', (select sum(quantity * unit_amount) from valid_sales)
order by fact
