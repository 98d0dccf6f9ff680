-- A link begun and ended at one moment never held.
delete from identity.customer_link_history
where valid_to = valid_from
