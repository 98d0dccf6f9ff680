-- What customers and visitors did on social platforms up to the as-of date; what we ourselves said there, and what was taken
-- back, is left out.
-- grain: feed, platform, interaction_id
with language_names as (
    select
        unnest($language_names) as name,
        unnest($language_codes) as code
)

select
    owners.customer_id,
    staged._feed as feed,
    staged.platform,
    staged.interaction_id,
    staged.interaction_kind,
    staged.occurred_at,
    cast((staged.occurred_at at time zone 'UTC') at time zone $time_zone as date) as occurred_on,
    coalesce(language_names.code, staged.language) as language,
    staged.campaign_id,
    staged.followers_count,
    coalesce(staged.is_bot, false) as is_bot,
    staged.text is not null as has_text
from staging.social_interactions as staged
inner join profiles._row_customers as owners
    on
        owners.kind = 'social_interactions'
        and staged._feed = owners.feed
        and staged._batch_on = owners.batch_on
        and staged._file = owners.file
        and staged._row = owners.row
left join language_names
    on lower(trim(staged.language)) = language_names.name
where
    staged.occurred_at < $as_of_end
    and not coalesce(staged.by_us, false)
    and coalesce(staged.deleted_at >= $as_of_end, true)
