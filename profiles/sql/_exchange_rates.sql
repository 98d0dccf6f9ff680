-- What one unit of a foreign currency is worth in the base currency, for every day that has a rate: the rate quoted for the
-- day, else the latest quoted one while it is not too old (markets close on weekends). A day without a row has no rate.
-- grain: currency, day_on
with quotes as (
    select
        rates.currency,
        rates."on" as rate_on,
        cast(rates.rate as decimal(20, 10)) as rate,
        1 as preference,
        rates._feed,
        rates._batch_on,
        rates._file,
        rates._row
    from staging.exchange_rates as rates
    where
        rates.base_currency = $base_currency
        and rates.currency <> $base_currency
        and rates.rate > 0
        and rates."on" <= $as_of
    union all
    -- A table quoted from the base currency says the same the other way round.
    select
        rates.base_currency as currency,
        rates."on" as rate_on,
        cast(cast(1 as double) / cast(rates.rate as double) as decimal(20, 10)) as rate,
        2 as preference,
        rates._feed,
        rates._batch_on,
        rates._file,
        rates._row
    from staging.exchange_rates as rates
    where
        rates.currency = $base_currency
        and rates.base_currency <> $base_currency
        and rates.rate > 0
        and rates."on" <= $as_of
),

ranked as (
    select
        quotes.currency,
        quotes.rate_on,
        quotes.rate,
        row_number() over (
            partition by quotes.currency, quotes.rate_on
            order by quotes.preference asc, quotes._batch_on desc, quotes._feed asc, quotes._file desc, quotes._row desc
        ) as place
    from quotes
),

chosen as (
    select
        ranked.currency,
        ranked.rate_on,
        ranked.rate,
        lead(ranked.rate_on) over (partition by ranked.currency order by ranked.rate_on) as next_rate_on
    from ranked
    where ranked.place = 1
),

ages as (
    select unnest(range(0, $exchange_rate_max_age_days + 1)) as age_days
)

select
    chosen.currency,
    chosen.rate_on + cast(ages.age_days as integer) as day_on,
    chosen.rate,
    chosen.rate_on
from chosen
cross join ages
where
    chosen.next_rate_on is null
    or chosen.rate_on + cast(ages.age_days as integer) < chosen.next_rate_on
