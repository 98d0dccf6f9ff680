-- What holds now.
create or replace table identity.customer_links as
select
    record_id,
    customer_id,
    valid_from,
    valid_to
from identity.customer_link_history
where valid_to is null
order by record_id
