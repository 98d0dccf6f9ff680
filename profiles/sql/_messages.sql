-- What happened to the messages that marketing sent to customers and visitors, up to the as-of date, with cost in base currency.
-- What a program did (a bot that opens every mail) is left out.
-- grain: feed, message_id, message_event, occurred_at
with messages as (
    select
        owners.customer_id,
        staged.*,
        (staged.occurred_at at time zone 'UTC') at time zone $time_zone as local_at
    from staging.messages as staged
    inner join profiles._row_customers as owners
        on
            owners.kind = 'messages'
            and staged._feed = owners.feed
            and staged._batch_on = owners.batch_on
            and staged._file = owners.file
            and staged._row = owners.row
    where
        staged.occurred_at < $as_of_end
        and not coalesce(staged.is_bot, false)
)

select
    messages.customer_id,
    messages._feed as feed,
    messages.message_id,
    messages.message_event,
    messages.message_channel,
    messages.campaign_id,
    messages.campaign_name,
    messages.occurred_at,
    cast(messages.local_at as date) as occurred_on,
    cast(extract(hour from messages.local_at) as integer) as local_hour,
    case
        when messages.currency = $base_currency then messages.cost_amount
        else cast(messages.cost_amount * rates.rate as decimal(18, 4))
    end as base_cost_amount
from messages
left join profiles._exchange_rates as rates
    on
        messages.currency = rates.currency
        and cast(messages.local_at as date) = rates.day_on
