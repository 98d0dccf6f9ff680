-- Begin the links that are new.
insert into identity.customer_link_history
select
    assigned.record_id,
    assigned.customer_id,
    $now as valid_from,
    null as valid_to,
    assigned.source_key,
    assigned.device_key,
    $run_id
from _assigned as assigned
left join identity.customer_link_history as history
    on assigned.record_id = history.record_id and history.valid_to is null
where history.record_id is null
order by assigned.record_id
