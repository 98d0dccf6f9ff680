-- Answers to surveys, reviews, tickets and complaints that customers and visitors gave up to the as-of date.
-- grain: feed, feedback_id
with language_names as (
    select
        unnest($language_names) as name,
        unnest($language_codes) as code
)

select
    owners.customer_id,
    staged._feed as feed,
    staged.feedback_id,
    staged.feedback_kind,
    staged.survey_id,
    staged.submitted_at as occurred_at,
    cast((staged.submitted_at at time zone 'UTC') at time zone $time_zone as date) as occurred_on,
    staged.channel,
    staged.score,
    staged.score_scale,
    case staged.score_scale
        when 'nps' then staged.score / 10.0
        when 'csat' then (staged.score - 1.0) / 4.0
        when 'ces' then (staged.score - 1.0) / 6.0
        when 'stars' then staged.score / 5.0
        when 'thumbs' then staged.score
    end as score_ratio,
    coalesce(language_names.code, staged.language) as language,
    staged.order_id,
    staged.product_id,
    staged.topic,
    staged.text is not null as has_text
from staging.feedback as staged
inner join profiles._row_customers as owners
    on
        owners.kind = 'feedback'
        and staged._feed = owners.feed
        and staged._batch_on = owners.batch_on
        and staged._file = owners.file
        and staged._row = owners.row
left join language_names
    on lower(trim(staged.language)) = language_names.name
where
    staged.submitted_at < $as_of_end
    and not coalesce(staged.is_test, false)
