-- What identifies each record: normalised values with the strength of their kind, and whether the value is blocked as evidence.
-- grain: record_id, identifier_kind, value
select
    found.record_id,
    found.identifier_kind,
    found.value,
    found.raw_value,
    case
        when found.identifier_kind = 'phone' and not found.is_valid then 'weak'
        else kinds.strength
    end as strength,
    blocked.value is not null as is_blocked,
    kinds.is_personal
from identity._identifier_values as found
inner join identity._identifier_kinds as kinds on found.identifier_kind = kinds.identifier_kind
left join identity.blocked_identifiers as blocked
    on
        found.identifier_kind = blocked.identifier_kind
        and found.value = blocked.value
