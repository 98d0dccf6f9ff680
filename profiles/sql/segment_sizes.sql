-- How many customers each segment had on each as-of date that was run, and their share of all customers of that date.
-- grain: as_of, segment
select
    sizes.as_of,
    sizes.segment,
    sizes.family,
    sizes.customers,
    sizes.population,
    case when sizes.population > 0 then cast(sizes.customers as double) / sizes.population end as share_ratio
from profiles._segment_observed_sizes as sizes
