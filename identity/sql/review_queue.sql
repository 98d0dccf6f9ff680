-- Pairs of records that people should look at, the most consequential first: doubtful ones, and links that a guard or a
-- rival keeps apart. What an answer would move is weighed by how uncertain it is; revenue, at the newest rates, serves
-- that order only, and is summed up as decimals: as doubles the last digits would tell in which order rows were loaded.
-- grain: record_id_l, record_id_r
with asked as (
    select customer_id_l as customer_id
    from identity._doubts
    union
    select customer_id_r
    from identity._doubts
),

sizes as (
    select
        links.customer_id,
        count(*) as records
    from identity.customer_links as links
    inner join asked on links.customer_id = asked.customer_id
    group by links.customer_id
),

newest_rates as (
    select
        currency,
        cast(rate as double) as rate,
        row_number() over (partition by currency order by "on" desc, _feed asc, _file desc, _row desc) as nth
    from staging.exchange_rates
    where base_currency = $base_currency and rate > 0 and "on" <= $as_of
),

bought as (
    select
        links.customer_id,
        count(*) as orders,
        sum(
            cast(
                cast(purchases.gross_amount as double)
                * case when purchases.currency = $base_currency then 1 else newest_rates.rate end
                as decimal(38, 4)
            )
        ) as revenue
    from staging.purchases as purchases
    inner join identity.row_records as rows_of
        on
            rows_of.kind = 'purchases'
            and purchases._feed = rows_of.feed
            and purchases._file = rows_of.file
            and purchases._row = rows_of.row
    inner join identity.customer_links as links on rows_of.record_id = links.record_id
    left join newest_rates on purchases.currency = newest_rates.currency and newest_rates.nth = 1
    where
        list_contains($sale_statuses, purchases.status)
        and not ($exclude_test and coalesce(purchases.is_test, false))
    group by links.customer_id
),

typical as (
    select cast(sum(revenue) as double) / sum(orders) as order_revenue
    from bought
    where revenue > 0
),

stakes as (
    select
        sizes.customer_id,
        sizes.records,
        coalesce(bought.orders, 0) as orders,
        cast(coalesce(bought.revenue, 0) as double) as revenue
    from sizes
    left join bought on sizes.customer_id = bought.customer_id
),

standing as (
    select decision_id
    from identity.decisions
    where
        decided_by = 'person'
        and action in ('merge', 'allow', 'split', 'forbid')
        and decision_id not in (select back.retracts from identity.decisions as back where back.retracts is not null)
),

sides as (
    select
        named.decision_id,
        named.side,
        named.record_id
    from identity.decision_records as named
    inner join standing on named.decision_id = standing.decision_id
),

decided as (
    select
        least(one.record_id, other.record_id) as record_id_l,
        greatest(one.record_id, other.record_id) as record_id_r
    from identity._doubts as doubts
    inner join sides as one on doubts.record_id_l = one.record_id
    inner join sides as other
        on doubts.record_id_r = other.record_id and one.decision_id = other.decision_id and one.side <> other.side
    union
    select
        least(said.record_id_l, said.record_id_r) as record_id_l,
        greatest(said.record_id_l, said.record_id_r) as record_id_r
    from identity.decisions as said
    inner join standing on said.decision_id = standing.decision_id
    where said.record_id_r is not null
),

doubted as (
    select doubts.*
    from identity._doubts as doubts
    left join decided
        on doubts.record_id_l = decided.record_id_l and doubts.record_id_r = decided.record_id_r
    where decided.record_id_l is null
),

-- Of two customers, the one with fewer records would give way; of one, up to half would leave.
weighed as (
    select
        doubted.*,
        l.records * r.records as affected_pairs,
        case when doubted.is_inside then l.records / 2.0 else least(l.records, r.records) end as touched_records,
        case
            when doubted.is_inside then l.orders / 2.0
            when l.records < r.records or (l.records = r.records and l.orders <= r.orders) then l.orders
            else r.orders
        end as touched_orders,
        case
            when doubted.is_inside then l.revenue / 2.0
            when l.records < r.records or (l.records = r.records and l.orders <= r.orders) then l.revenue
            else r.revenue
        end as touched_revenue,
        case
            when doubted.is_refused then greatest(4 * doubted.probability * (1 - doubted.probability), 0.5)
            else 4 * doubted.probability * (1 - doubted.probability)
        end as uncertainty
    from doubted
    inner join stakes as l on doubted.customer_id_l = l.customer_id
    inner join stakes as r on doubted.customer_id_r = r.customer_id
)

select
    weighed.record_id_l,
    weighed.record_id_r,
    weighed.customer_id_l,
    weighed.customer_id_r,
    weighed.weight,
    weighed.probability,
    case
        when weighed.is_apart then 'kept apart by a guard'
        when weighed.is_inside then 'weak link inside a customer'
        when weighed.is_refused then 'link not made: it would tie people who are kept apart'
        else 'doubtful'
    end as reason,
    weighed.affected_pairs,
    cast(weighed.touched_records as double) as touched_records,
    cast(weighed.touched_orders as double) as touched_orders,
    cast(weighed.touched_revenue as decimal(18, 4)) as touched_base_amount,
    weighed.uncertainty,
    weighed.uncertainty * (
        cast(weighed.touched_records as double)
        + cast(weighed.touched_orders as double)
        + coalesce(weighed.touched_revenue / typical.order_revenue, 0)
    ) as priority
from weighed
cross join typical
order by priority desc, weighed.record_id_l asc, weighed.record_id_r asc
