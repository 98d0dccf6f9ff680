-- End the links that no longer hold.
update identity.customer_link_history
set valid_to = $now
where
    valid_to is null
    and record_id in (select record_id from _links_before)
    and not exists (
        select 1
        from _assigned
        where
            _assigned.record_id = customer_link_history.record_id
            and _assigned.customer_id = customer_link_history.customer_id
    )
