-- Recency, frequency and money of every customer who has bought, each scored from 1 to 5 against all buyers, and the group that
-- the scores put the customer in. A score says which fifth of the buyers do strictly worse, so equal values score equally.
-- grain: customer_id
with buyers as (
    select
        orders.customer_id,
        date_diff('day', max(orders.placed_on), $as_of) as recency_days,
        count(*) as frequency,
        -- Without the rate of one order the sum would look complete and be too low: it is empty instead.
        case
            when count(*) = count(orders.base_amount)
                then cast(sum(orders.base_amount) as decimal(18, 4))
        end as monetary_base_amount
    from profiles.orders as orders
    inner join profiles._golden as golden
        on orders.customer_id = golden.customer_id
    where orders.is_sale
    group by orders.customer_id
),

ranked as (
    select
        buyers.customer_id,
        buyers.recency_days,
        buyers.frequency,
        buyers.monetary_base_amount,
        rank() over (order by buyers.recency_days desc) - 1 as staler,
        rank() over (order by buyers.frequency asc) - 1 as rarer,
        rank() over (order by buyers.monetary_base_amount asc nulls last) - 1 as smaller,
        count(*) over () as buyer_count
    from buyers
),

scored as (
    select
        ranked.customer_id,
        ranked.recency_days,
        ranked.frequency,
        ranked.monetary_base_amount,
        cast(1 + floor(cast(5 * ranked.staler as double) / ranked.buyer_count) as integer) as r_score,
        cast(1 + floor(cast(5 * ranked.rarer as double) / ranked.buyer_count) as integer) as f_score,
        case
            when ranked.monetary_base_amount is not null
                then cast(1 + floor(cast(5 * ranked.smaller as double) / ranked.buyer_count) as integer)
        end as m_score
    from ranked
)

select
    scored.customer_id,
    scored.recency_days,
    scored.frequency,
    scored.monetary_base_amount,
    cast($base_currency as varchar) as base_currency,
    scored.r_score,
    scored.f_score,
    scored.m_score,
    cast(scored.r_score as varchar) || cast(scored.f_score as varchar) || cast(scored.m_score as varchar) as rfm_code,
    case
        when scored.r_score = 5 and scored.f_score >= 4 then 'champion'
        when scored.r_score >= 3 and scored.f_score >= 4 then 'devoted'
        when scored.r_score = 5 and scored.f_score = 1 then 'newcomer'
        when scored.r_score = 4 and scored.f_score = 1 then 'promising'
        when scored.r_score >= 4 then 'growing'
        when scored.r_score = 3 and scored.f_score = 3 then 'needs_attention'
        when scored.r_score = 3 then 'about_to_sleep'
        when scored.f_score = 5 then 'cannot_lose'
        when scored.f_score >= 3 then 'slipping'
        else 'hibernating'
    end as rfm_segment
from scored
