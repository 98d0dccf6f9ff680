-- The calendar: every day from the first activity to the as-of date, with its week (from the day on which the business starts
-- its weeks), month and quarter. Join a day of any other table to `day_on` to count by weeks, months or quarters.
-- grain: day_on
with bounds as (
    select
        min(activities.occurred_on) as first_on,
        case $week_starts_on
            when 'monday' then 0
            when 'tuesday' then 6
            when 'wednesday' then 5
            when 'thursday' then 4
            when 'friday' then 3
            when 'saturday' then 2
            when 'sunday' then 1
        end as days_to_monday
    from profiles.activities as activities
),

days as (
    select
        cast(unnest(generate_series(bounds.first_on, $as_of, interval 1 day)) as date) as day_on,
        bounds.days_to_monday
    from bounds
)

select
    days.day_on,
    case extract(isodow from days.day_on)
        when 1 then 'monday'
        when 2 then 'tuesday'
        when 3 then 'wednesday'
        when 4 then 'thursday'
        when 5 then 'friday'
        when 6 then 'saturday'
        when 7 then 'sunday'
    end as weekday,
    -- Weeks that start on another day are those from Monday, moved.
    cast(date_trunc('week', days.day_on + days.days_to_monday) as date) - days.days_to_monday as week,
    cast(date_trunc('month', days.day_on) as date) as month,
    cast(date_trunc('quarter', days.day_on) as date) as quarter
from days
