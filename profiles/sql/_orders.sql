-- Every order placed by the as-of date with its customer, its local day, whether it is a sale, and the rate of its day.
-- grain: feed, order_id
with line_sums as (
    select
        lines._feed,
        lines.order_id,
        cast(
            sum(coalesce(lines.line_amount, cast(lines.quantity * lines.unit_amount as decimal(18, 4))))
            as decimal(18, 4)
        ) as line_amount
    from staging.purchase_lines as lines
    group by lines._feed, lines.order_id
),

placed as (
    select
        purchases.*,
        cast((purchases.placed_at at time zone 'UTC') at time zone $time_zone as date) as placed_on
    from staging.purchases as purchases
    where purchases.placed_at < $as_of_end
),

country_names as (
    select
        unnest($country_names) as name,
        unnest($country_codes) as code
)

select
    owners.customer_id,
    owners.record_id,
    placed._feed as feed,
    placed.order_id,
    placed.placed_at,
    placed.placed_on,
    placed.updated_at,
    case when placed.fulfilled_at < $as_of_end then placed.fulfilled_at end as fulfilled_at,
    case when placed.delivered_at < $as_of_end then placed.delivered_at end as delivered_at,
    placed.status,
    coalesce(placed.is_test, false) as is_test,
    list_contains($sale_statuses, placed.status)
    and not ($exclude_test and coalesce(placed.is_test, false)) as is_sale,
    placed.sales_channel,
    placed.store_id,
    placed.coupon_code,
    placed.city,
    placed.region,
    coalesce(country_names.code, placed.country) as country,
    placed.currency,
    -- A source that sends lines only says what an order came to by what they sum up to.
    coalesce(placed.gross_amount, line_sums.line_amount) as gross_amount,
    placed.discount_amount,
    placed.tax_amount,
    placed.shipping_amount,
    case when placed.currency = $base_currency then cast(1 as decimal(20, 10)) else rates.rate end as exchange_rate,
    case when placed.currency = $base_currency then placed.placed_on else rates.rate_on end as exchange_rate_on
from placed
left join line_sums
    on
        placed._feed = line_sums._feed
        and placed.order_id = line_sums.order_id
left join country_names
    on lower(trim(placed.country)) = country_names.name
left join profiles._row_customers as owners
    on
        owners.kind = 'purchases'
        and placed._feed = owners.feed
        and placed._batch_on = owners.batch_on
        and placed._file = owners.file
        and placed._row = owners.row
left join profiles._exchange_rates as rates
    on
        placed.currency = rates.currency
        and placed.placed_on = rates.day_on
