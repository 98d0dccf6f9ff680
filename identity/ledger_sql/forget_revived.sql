-- An id that lives again is no alias.
delete from identity.customer_aliases
where former_id in (select customer_id from _revived)
