-- Which customer or visitor each staged row belongs to today. Rows without any identifier belong to nobody and are absent.
-- grain: kind, feed, batch_on, file, row
select
    row_records.kind,
    row_records.feed,
    row_records.batch_on,
    row_records.file,
    row_records.row,
    row_records.record_id,
    links.customer_id
from identity.row_records as row_records
inner join identity.customer_links as links
    on row_records.record_id = links.record_id
where links.valid_to is null
