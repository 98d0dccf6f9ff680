"""Source fields that are new, missing, back again or of another type: told per batch, whatever the order of loads."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.column_types import text_type
from sources.mapped_feed import map_feed
from sources.schema_ledger import AbsentColumn, absent_columns, broken_fields, found_changes, told

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


def test_a_column_that_the_feed_names_itself_is_missing_also_where_it_never_was(shop, a_message_feed):
    header = "message_id,message_channel,message_event,occurred_at,Kosten EUR"
    shop.land("mail", "dt=2026-01-05/a.csv", csv_of(1, header) + csv_of(2, header).split("\n")[1] + "\n")
    shop.land("mail", "dt=2026-01-06/a.csv", csv_of(3, header))
    shop.land("mail", "dt=2026-01-07/a.csv", csv_of(4, header.replace("Kosten EUR", "Kosten")))
    feed = a_message_feed(mapping="csv", fields={"cost_amount": "Kosten"})
    loaded = shop.load(feed)
    assert changes(shop) == [
        (5, "Kosten", "missing", None, None),
        (7, "Kosten", "returned", None, None),
        (7, "Kosten EUR", "missing", None, None),
    ]
    assert [told(change) for _, change, _ in found_changes(shop.warehouse.cursor())][-1] == (
        "Kosten is missing; did you mean Kosten EUR?"
    )
    assert [batch.absent_columns for batch in loaded.batches] == [("Kosten",), ("Kosten",), ()]
    assert absent_columns(shop.warehouse.cursor()) == {
        "mail": [AbsentColumn("Kosten", 2, "dt=2026-01-05/a.csv", "Kosten EUR")]
    }
    assert absent_columns(shop.warehouse.cursor(), run_id="another run") == {}


def test_a_file_that_lacks_a_declared_column_is_told_beside_one_that_has_it(shop, a_message_feed):
    shop.land("mail", "dt=2026-01-05/a.csv", csv_of(1, HEADER + ",tag", tag="x"))
    shop.land("mail", "dt=2026-01-05/b.csv", csv_of(2))
    shop.load(a_message_feed(mapping="csv", rename={"tag": "campaign_id"}))
    assert changes(shop) == [(5, "tag", "missing", None, None)]
    assert shop.ask("select file from ops.schema_changes") == [("dt=2026-01-05/b.csv",)]


def test_nobody_is_alarmed_of_columns_that_nobody_declared_or_that_have_a_substitute(shop, a_message_feed):
    shop.land("mail", "dt=2026-01-05/a.csv", csv_of(1, HEADER + ",label", label="x"))
    shop.load(a_message_feed(mapping="csv", fields={"campaign_id": {"coalesce": ["tag", "label"]}}))
    assert changes(shop) == []
    assert absent_columns(shop.warehouse.cursor()) == {}


def test_of_objects_only_a_declared_field_that_none_of_many_ever_held_is_missing(shop, a_message_feed, a_message):
    feed = a_message_feed(fields={"campaign_id": "campain", "account_id": "account"})
    for day in range(5, 9):
        rows = [a_message(day * 100 + n, campaign=f"c{n}") for n in range(4)]
        rows[0] |= {"account": "k"} if day == 6 else {}  # rare, but it is there
        shop.land("mail", f"dt=2026-01-0{day}/a.jsonl", rows)
        shop.load(feed)
        assert bool(absent_columns(shop.warehouse.cursor())) == (day >= 7)
    assert changes(shop) == [(7, "campain", "missing", None, None)]
    [(_, change, _)] = found_changes(shop.warehouse.cursor())
    assert change.nearest == "campaign"


def test_binary_names_are_told_in_few_printable_characters(shop, a_message_feed):
    junk = "\x1b[2J" + "\x07x" * 500
    shop.land("mail", "dt=2026-01-05/a.csv", csv_of(1))
    shop.land("mail", "dt=2026-01-06/a.csv", csv_of(2, f"{HEADER},{junk}"))
    shop.load(a_message_feed(mapping="csv"))
    [(_, change, _)] = found_changes(shop.warehouse.cursor())
    assert told(change).isprintable()
    assert told(change).startswith("\\x1b[2J\\x07x")
    assert len(told(change)) < 250


def test_a_column_that_is_read_and_vanished_or_changed_type_wants_attention_until_it_is_back(shop, a_message_feed):
    short = "message_id,message_channel,message_event,occurred_at"
    files = [
        csv_of(1),
        csv_of(2, short),
        csv_of(3),
        csv_of(4, cost_amount="two"),
        csv_of(5, HEADER + ",note", note="x"),
    ]
    feed, asked = a_message_feed(mapping="csv"), []
    for day, text in enumerate(files, 5):
        shop.land("mail", f"dt=2026-01-{day:02}/a.csv", text)
        shop.load(feed)
        asked.append(broken_fields(shop.warehouse.cursor(), "mail"))
    assert asked == [(), ("cost_amount",), (), ("cost_amount",), ("cost_amount",)]
    for day in range(10, 17):
        shop.land("mail", f"dt=2026-01-{day:02}/a.csv", csv_of(day))
    shop.load(feed)
    assert len(changes(shop)) > 3
    assert broken_fields(shop.warehouse.cursor(), "mail") == ()


def test_optional_fields_of_objects_that_come_and_go_want_no_attention_but_usual_ones_that_vanish_do(
    shop, a_message_feed, a_message
):
    feed = a_message_feed(fields={"campaign_id": "campaign.id", "account_id": "account.key"})
    for day in (5, 6, 7):
        rows = [a_message(day * 100 + n) for n in range(60)]
        for row in rows if day != 7 else ():
            row["campaign"] = {"id": "c"}
        for row in rows[:20] if day != 6 else ():
            row["account"] = {"key": "k"}
        shop.land("mail", f"dt=2026-01-0{day}/a.jsonl", rows)
        shop.load(feed)
        assert broken_fields(shop.warehouse.cursor(), "mail") == (("campaign.id",) if day == 7 else ())
    assert {(6, "account.key", "missing", "text", None), (7, "account.key", "returned", "text", "text")} < {
        *changes(shop)
    }


def test_a_field_that_comes_and_goes_is_missed_again_only_after_more_batches_than_its_gaps_explain(
    shop, a_message_feed, a_message
):
    """Rows of a day are alike: campaigns run on some days, and none on others."""
    feed = a_message_feed(fields={"campaign_id": "campaign.id"})
    runs = [day % 3 != 0 for day in range(1, 20)] + [False] * 9
    for day, is_run in enumerate(runs, 1):
        rows = [a_message(day * 100 + n) | ({"campaign": {"id": "c"}} if is_run else {}) for n in range(30)]
        shop.land("mail", f"dt=2026-01-{day:02d}/a.jsonl", rows)
    shop.load(feed)
    told = [(day, what) for day, name, what, _, _ in changes(shop) if name == "campaign.id"]
    assert told == [(3, "missing"), (4, "returned"), (26, "missing")]


@pytest.mark.parametrize(("held", "without", "is_told"), [(1, 4, False), (6, 1, False), (6, 3, True), (40, 1, True)])
def test_a_field_that_stood_in_every_row_is_missed_when_enough_rows_lack_it(
    shop, a_message_feed, a_message, held, without, is_told
):
    for day, rows, more in ((5, held, {"campaign_id": "c"}), (6, without, {})):
        shop.land("mail", f"dt=2026-01-0{day}/a.jsonl", [a_message(day * 100 + n) | more for n in range(rows)])
    shop.load(a_message_feed())
    told = [(6, "campaign_id", "missing", "text", None)] if is_told else []
    assert [change for change in changes(shop) if change[1] == "campaign_id"] == told


def test_texts_that_look_otherwise_want_no_attention_where_texts_are_made_of_them(shop, a_message_feed):
    made = {"campaign_id": "place", "cost_amount": "cost"}
    feed = a_message_feed(mapping="csv", files=["dt=*/*.csv"], fields=made)
    for day, place, cost in ((5, "200000", "7"), (6, "SW1A 1AA", "seven")):
        lines = [f"m{day}{n},email,sent,2026-01-05T10:00:00Z,p{n}@shop.example,{place},{cost}" for n in range(12)]
        head = "message_id,message_channel,message_event,occurred_at,email,place,cost"
        shop.land(feed.name, f"dt=2026-01-0{day}/a.csv", "\n".join([head, *lines]))
    shop.load(feed)
    assert {name for _, name, what, _, _ in changes(shop) if what == "retyped"} == {"place", "cost"}
    assert broken_fields(shop.warehouse.cursor(), feed.name, map_feed(feed).text_fields) == ("cost",)


def test_odd_values_among_others_want_no_attention(shop, a_message_feed, a_message):
    for day, amounts in ((5, (1, 2)), (6, (1, "two"))):
        rows = [a_message(day * 10 + n, cost_amount=amount) for n, amount in enumerate(amounts)]
        shop.land("mail", f"dt=2026-01-0{day}/a.jsonl", rows)
    shop.load(a_message_feed())
    assert changes(shop) == [(6, "cost_amount", "retyped", "integer", "mixed")]
    assert broken_fields(shop.warehouse.cursor(), "mail") == ()
