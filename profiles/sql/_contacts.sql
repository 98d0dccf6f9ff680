-- Every contact as its source described it on the as-of date: the newest version of that time, with its customer.
-- grain: _feed, contact_id
with winners as (
    select
        contacts._feed,
        contacts.contact_id,
        contacts._batch_on,
        contacts._file,
        contacts._row,
        owners.customer_id,
        owners.record_id
    from staging.contacts as contacts
    left join profiles._row_customers as owners
        on
            owners.kind = 'contacts'
            and contacts._feed = owners.feed
            and contacts._batch_on = owners.batch_on
            and contacts._file = owners.file
            and contacts._row = owners.row
),

versions as (
    select
        contacts.*,
        coalesce(contacts.updated_at, contacts.created_at, cast(contacts._batch_on as timestamp)) as observed_at
    from staging._contacts_versions as contacts
),

-- What staging shows today wins among versions of one time, so that both agree.
ranked as (
    select
        versions.*,
        winners.customer_id as winner_customer_id,
        winners.record_id as winner_record_id,
        row_number() over (
            partition by versions._feed, versions.contact_id
            order by
                versions.updated_at desc nulls last,
                coalesce(
                    versions._batch_on = winners._batch_on
                    and versions._file = winners._file
                    and versions._row = winners._row,
                    false
                ) desc,
                versions._batch_on desc,
                versions._file desc,
                versions._row desc
        ) as place
    from versions
    left join winners
        on
            versions._feed = winners._feed
            and versions.contact_id = winners.contact_id
    where versions.observed_at < $as_of_end
)

select
    coalesce(owners.customer_id, ranked.winner_customer_id) as customer_id,
    coalesce(owners.record_id, ranked.winner_record_id) as record_id,
    ranked.observed_at,
    coalesce(ranked.deleted_at < $as_of_end, false) as is_deleted,
    ranked.contact_id,
    ranked.email,
    ranked.phone,
    ranked.full_name,
    ranked.given_name,
    ranked.family_name,
    ranked.gender,
    ranked.birth_on,
    ranked.income_band,
    ranked.occupation,
    ranked.company,
    ranked.interests,
    ranked.address_line,
    ranked.city,
    ranked.region,
    ranked.postcode,
    ranked.country,
    ranked.language,
    ranked.lead_source,
    ranked.loyalty_tier,
    ranked.referred_by,
    ranked.consents,
    ranked._feed,
    ranked._batch_on,
    ranked._file,
    ranked._row
from ranked
left join profiles._row_customers as owners
    on
        owners.kind = 'contacts'
        and ranked._feed = owners.feed
        and ranked._batch_on = owners.batch_on
        and ranked._file = owners.file
        and ranked._row = owners.row
where ranked.place = 1
