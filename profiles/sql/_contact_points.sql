-- The e-mail address, phone number and name of each record as identity compares them: empty when the value is a placeholder
-- that names nobody, and verified when its owner answered a message that was sent there.
-- grain: record_id, identifier_kind
with answered as (
    select distinct
        identifiers.identifier_kind,
        identifiers.value
    from staging.messages as messages
    inner join profiles._row_customers as owners
        on
            owners.kind = 'messages'
            and messages._feed = owners.feed
            and messages._batch_on = owners.batch_on
            and messages._file = owners.file
            and messages._row = owners.row
    inner join identity.identifiers as identifiers
        on owners.record_id = identifiers.record_id
    where
        messages.occurred_at < $as_of_end
        and list_contains($verified_by, messages.message_event)
        and identifiers.identifier_kind in ('email', 'phone')
)

select
    identifiers.record_id,
    identifiers.identifier_kind,
    min(case when not identifiers.is_blocked then identifiers.value end) as value,
    max(case when answered.value is not null and not identifiers.is_blocked then 1 else 0 end) = 1 as is_verified
from identity.identifiers as identifiers
left join answered
    on
        identifiers.identifier_kind = answered.identifier_kind
        and identifiers.value = answered.value
where identifiers.identifier_kind in ('email', 'phone', 'name')
group by identifiers.record_id, identifiers.identifier_kind
