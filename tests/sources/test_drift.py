"""Source fields that are new, missing, back again or of another type: told per batch, whatever the order of loads."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.column_types import text_type

HEADER = "message_id,message_channel,message_event,occurred_at,cost_amount"


def csv_of(number: int, header: str = HEADER, **cells: str) -> str:
    values = {
        "message_id": f"m{number}",
        "message_channel": "email",
        "message_event": "sent",
        "occurred_at": "2026-01-05T10:00:00Z",
        "cost_amount": "1.5",
    } | cells
    return f"{header}\n" + ",".join(values.get(name, "") for name in header.split(",")) + "\n"


def changes(shop) -> list[tuple[object, ...]]:
    return shop.ask(
        "select dayofmonth(batch_on), source_column, change, from_type, to_type from ops.schema_changes order by all"
    )


def a_week_of_csv(shop) -> None:
    shop.land("mail", "dt=2026-01-05/a.csv", csv_of(1))
    shop.land("mail", "dt=2026-01-06/a.csv", csv_of(2, HEADER + ",note", note="hello"))
    shop.land("mail", "dt=2026-01-07/a.csv", csv_of(3, "message_id,message_channel,message_event,occurred_at,note"))
    shop.land("mail", "dt=2026-01-08/a.csv", csv_of(4, HEADER + ",note", cost_amount="7", note="x"))
    shop.land("mail", "dt=2026-01-09/a.csv", csv_of(5, HEADER + ",note", cost_amount="two", note="17"))


WEEK_OF_CSV = [
    (6, "note", "new", None, "text"),
    (7, "cost_amount", "missing", "number", None),
    (8, "cost_amount", "returned", "number", "integer"),
    (9, "cost_amount", "retyped", "integer", "text"),
]


def test_new_missing_returned_and_retyped_columns_of_a_csv_are_told_per_batch(shop, a_message_feed):
    a_week_of_csv(shop)
    shop.load(a_message_feed(mapping="csv"))
    assert changes(shop) == WEEK_OF_CSV
    assert shop.ask("select distinct file, handling, run_id from ops.schema_changes where change = 'new'") == [
        ("dt=2026-01-06/a.csv", "report", "run-1")
    ]


def test_the_order_of_loads_does_not_matter_and_a_change_keeps_the_run_that_found_it(shop, a_message_feed):
    a_week_of_csv(shop)
    feed = a_message_feed(mapping="csv")
    for day in (8, 6, 9, 5, 7):
        shop.load(feed, first=date(2026, 1, day), last=date(2026, 1, day))
    assert changes(shop) == WEEK_OF_CSV
    before = shop.ask("select * from ops.schema_changes order by all")
    shop.load(feed, full_refresh=True)
    assert shop.ask("select * from ops.schema_changes order by all") == before


def test_nested_fields_of_objects_are_followed_but_rare_ones_may_be_absent(shop, a_message_feed, a_message):
    feed = a_message_feed(fields={"campaign_id": "campaign.id", "account_id": "account.key"})
    for day in (5, 6, 7):
        rows = [a_message(day * 100 + n, campaign={"id": n}) for n in range(20)]
        if day == 5:
            rows[3]["account"] = {"key": "k"}  # one row in twenty: its absence tells nothing
        if day == 6:
            rows = [row | {"campaign": {"id": f"c{row['message_id']}", "owner": {"team": "x"}}} for row in rows]
        if day == 7:
            rows = [{key: value for key, value in row.items() if key != "campaign"} for row in rows]
        shop.land("mail", f"dt=2026-01-0{day}/a.jsonl", rows)
    shop.load(feed)
    assert changes(shop) == [
        (6, "campaign.id", "retyped", "integer", "text"),
        (6, "campaign.owner", "new", None, "object"),
        (7, "campaign.id", "missing", "text", None),
        (7, "campaign.owner", "missing", "object", None),
    ]


def test_parquet_says_its_types_itself(shop, a_message_feed, a_message):
    for day, amount in ((5, 2), (6, "2"), (7, 2.5)):
        row = a_message(day, cost_amount=amount)
        path = shop.land("mail", f"dt=2026-01-0{day}/a.parquet", b"")
        pq.write_table(pa.Table.from_pylist([row]), path)
    shop.load(a_message_feed(mapping="parquet"))
    assert changes(shop) == [(6, "cost_amount", "retyped", "integer", "text")]


def test_a_batch_that_stops_for_a_new_field_says_so_in_ops(shop, a_message_feed, a_message, stopped):
    feed = a_message_feed(on_new_column="stop")
    shop.land("mail", "dt=2026-01-05/a.jsonl", [a_message(1)])
    shop.load(feed)
    shop.land("mail", "dt=2026-01-06/a.jsonl", [a_message(2, tag="x")])
    stopped(lambda: shop.load(feed))
    assert shop.ask("select source_column, change, handling from ops.schema_changes") == [("tag", "new", "stop")]


def test_a_few_odd_values_do_not_make_another_type(shop, a_message_feed):
    rows = [csv_of(1)] + [csv_of(n).split("\n")[1] + "\n" for n in range(2, 40)]
    shop.land("mail", "dt=2026-01-05/a.csv", "".join(rows))
    odd = csv_of(99, cost_amount="n/a").split("\n")[1] + "\n"
    shop.land("mail", "dt=2026-01-06/a.csv", "".join([*rows, odd]))
    shop.load(a_message_feed(mapping="csv"))
    assert changes(shop) == []


def test_a_file_that_cannot_be_read_changes_no_schema(shop, a_message_feed, a_message):
    shop.land("mail", "dt=2026-01-05/a.jsonl", [a_message(1)])
    shop.land("mail", "dt=2026-01-06/a.jsonl", b"")
    shop.land("mail", "dt=2026-01-07/a.jsonl", [a_message(2)])
    shop.load(a_message_feed())
    assert changes(shop) == []


def test_a_warehouse_of_an_older_layout_takes_new_columns(shop, a_message_feed, a_message):
    shop.land("mail", "dt=2026-01-05/a.jsonl", [a_message(1)])
    shop.load(a_message_feed())
    connection = shop.warehouse.cursor()
    connection.execute("alter table ops.source_columns drop column type")
    connection.execute("drop table ops.schema_changes")
    shop.land("mail", "dt=2026-01-06/a.jsonl", [a_message(2, tag=json.dumps([1]))])
    shop.load(a_message_feed())
    assert changes(shop) == [(6, "tag", "new", None, "text")]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("17", "integer"),
        ("-3", "integer"),
        ("1.50", "number"),
        ("1,234.50", "number"),
        ("2e-3", "number"),
        ("0171234567", "text"),
        ("TRUE", "boolean"),
        ("2026-01-05", "date"),
        ("2026/1/5", "date"),
        ("2026-01-05T10:00:00+08:00", "timestamp"),
        ("2026-01-05 10:00:00", "timestamp"),
        ("2026-01-05 is a day", "text"),
        ("１２", "text"),
        ("12 months", "text"),
    ],
)
def test_texts_are_what_they_look_like(text, kind):
    assert text_type(text) == kind
