-- What is compared or finds pairs, per node: unblocked identifiers and the parts of names, dates and addresses.
-- grain: node_id, feature, value
with named as (
    select
        records.record_id,
        names.given,
        names.family,
        names.han,
        names.name_key
    from identity.records as records
    inner join identity._names as names
        on
            coalesce(records.full_name, '') = coalesce(names.full_name, '')
            and coalesce(records.given_name, '') = coalesce(names.given_name, '')
            and coalesce(records.family_name, '') = coalesce(names.family_name, '')
    left join identity.identifiers as identifiers
        on
            records.record_id = identifiers.record_id
            and identifiers.identifier_kind = 'name'
    where not coalesce(identifiers.is_blocked, false)
),

usable as (
    select
        record_id,
        identifier_kind,
        value,
        strength
    from identity.identifiers
    where not is_blocked
),

texts as (
    select
        records.record_id,
        texts.field,
        texts.value
    from identity.records as records
    inner join identity._texts as texts on records.address_line = texts.raw
    where texts.field in ('address', 'address_key')
    union all
    select
        records.record_id,
        texts.field,
        texts.value
    from identity.records as records
    inner join identity._texts as texts on records.city = texts.raw
    where texts.field = 'city'
    union all
    select
        records.record_id,
        texts.field,
        texts.value
    from identity.records as records
    inner join identity._texts as texts on records.postcode = texts.raw
    where texts.field = 'postcode'
    union all
    select
        records.record_id,
        texts.field,
        texts.value
    from identity.records as records
    inner join identity._texts as texts on records.gender = texts.raw
    where texts.field = 'gender'
),

found as (
    select
        record_id,
        'account' as feature,
        identifier_kind || ':' || value as value
    from usable where strength = 'unique'
    union all
    select
        record_id,
        'source_scope' as feature,
        replace(value, ':', chr(9)) as value
    from usable where identifier_kind = 'source_id'
    union all
    select
        record_id,
        identifier_kind as feature,
        value
    from usable where identifier_kind in ('order', 'national_id', 'email', 'phone')
    union all
    select
        record_id,
        'phone_start' as feature,
        left(value, 9) as value
    from usable where identifier_kind = 'phone' and value not like '%*%'
    union all
    select
        record_id,
        'phone_end' as feature,
        right(value, 7) as value
    from usable where identifier_kind = 'phone' and value not like '%*%'
    union all
    select
        record_id,
        'alias' as feature,
        split_part(value, '@', 1) as value
    from usable
    where identifier_kind = 'email' and length(split_part(value, '@', 1)) >= 4
    union all
    select
        record_id,
        'alias' as feature,
        split_part(value, ':', 2) as value
    from usable
    where identifier_kind = 'handle' and length(split_part(value, ':', 2)) >= 4
    union all
    select
        record_id,
        'local_start' as feature,
        left(split_part(value, '@', 1), 5) as value
    from usable where identifier_kind = 'email'
    union all
    select
        record_id,
        'name' as feature,
        given || chr(9) || family || chr(9) || han as value
    from named
    union all
    select
        record_id,
        'name_key' as feature,
        name_key as value
    from named where given <> '' and family <> ''
    union all
    select
        record_id,
        'given' as feature,
        given as value
    from named where given <> ''
    union all
    select
        record_id,
        'family' as feature,
        family as value
    from named where family <> ''
    union all
    select
        record_id,
        'birth_on' as feature,
        strftime(birth_on, '%Y%m%d') as value
    from identity.records where birth_on is not null
    union all
    select
        record_id,
        'birth_year' as feature,
        strftime(birth_on, '%Y') as value
    from identity.records where birth_on is not null
    union all
    select
        record_id,
        field as feature,
        value
    from texts
)

select distinct
    nodes.node_id,
    found.feature,
    found.value
from found
inner join identity._nodes as nodes on found.record_id = nodes.record_id
