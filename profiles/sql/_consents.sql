-- What each customer last said about being written to, per channel. A complaint or unsubscription is a no; of two words of one
-- moment the no counts; a deleted contact's yes is void, their no is not. Silence is no row.
-- grain: customer_id, channel
with listed as (
    select
        contacts.customer_id,
        contacts.is_deleted,
        contacts.observed_at,
        unnest(
            from_json(
                contacts.consents,
                '[{"channel": "VARCHAR", "purpose": "VARCHAR", "state": "VARCHAR", "at": "VARCHAR"}]'
            )
        ) as consent
    from profiles._contacts as contacts
),

parts as (
    select
        listed.customer_id,
        listed.is_deleted,
        struct_extract(listed.consent, 'channel') as channel,
        coalesce(struct_extract(listed.consent, 'purpose'), 'marketing') as purpose,
        struct_extract(listed.consent, 'state') as state,
        coalesce(
            try_cast(struct_extract(listed.consent, 'at') as timestamptz) at time zone 'UTC',
            listed.observed_at
        ) as said_at
    from listed
),

stated as (
    select
        parts.customer_id,
        parts.channel,
        parts.state = 'in' as is_allowed,
        parts.said_at
    from parts
    where
        parts.purpose = 'marketing'
        and (parts.state in ('out', 'never') or (parts.state in ('in', 'pending') and not parts.is_deleted))
),

said as (
    select
        stated.customer_id,
        stated.channel,
        stated.is_allowed,
        stated.said_at
    from stated
    union all
    select
        owners.customer_id,
        messages.message_channel as channel,
        false as is_allowed,
        messages.occurred_at as said_at
    from staging.messages as messages
    inner join profiles._row_customers as owners
        on
            owners.kind = 'messages'
            and messages._feed = owners.feed
            and messages._batch_on = owners.batch_on
            and messages._file = owners.file
            and messages._row = owners.row
    where messages.message_event in ('unsubscribed', 'complained')
),

ranked as (
    select
        said.customer_id,
        said.channel,
        said.is_allowed,
        said.said_at,
        row_number() over (
            partition by said.customer_id, said.channel
            order by said.said_at desc, said.is_allowed asc
        ) as place
    from said
    where
        said.customer_id is not null
        and said.said_at < $as_of_end
)

select
    ranked.customer_id,
    ranked.channel,
    ranked.is_allowed,
    ranked.said_at
from ranked
where ranked.place = 1
