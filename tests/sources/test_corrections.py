"""Corrections: declared in ``config/corrections/``, applied whenever rows are read, told with all their mistakes."""

from __future__ import annotations

import json
from datetime import date

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from quality.quarantine import RowFilter, content_hash, list_rows
from sources.corrections import check_corrections
from sources.feed import Feed
from sources.loading import load_feed, pending_batches
from warehouse.database import open_warehouse
from warehouse.declaration import Problems

FILE = "dt=2026-01-05/a.jsonl"
SAID = "    author: mei\n    on: 2026-02-01\n    why: the shop sent the channel\n"


@pytest.fixture
def declare(shop):
    """Write entries, each without who, when and why, into a file of corrections."""

    def write(*entries: str, name: str = "mail.yml", said: str = SAID) -> None:
        path = shop.root / "config" / "corrections" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = "".join(f"  - {entry.strip()}\n{said}" for entry in entries)
        path.write_text(f"corrections:\n{text}" if entries else "corrections: []\n", encoding="utf-8")

    return write


def staged(shop, columns="message_id", kind="messages"):
    shop.stage(kind)
    return shop.ask(f"select {columns} from staging.{kind} order by all")


def open_rows(shop):
    return [row.row for row in list_rows(shop.warehouse.cursor(), RowFilter())]


def test_a_correction_of_one_row_lets_it_pass_and_its_history_says_who_and_why(
    shop, declare, a_message_feed, a_message
):
    shop.land("mail", FILE, [a_message(1), a_message(2, message_channel="pigeon"), a_message(3, message_channel="owl")])
    shop.load(a_message_feed())
    declare(f"feed: mail\n    file: {FILE}\n    row: 2\n    set: {{message_channel: email}}")
    shop.load(a_message_feed())
    assert staged(shop) == [("m1",), ("m2",)]
    assert shop.counts("mail") == {FILE: (3, 2, 0, 1)}
    assert open_rows(shop) == [3]
    [row] = list_rows(shop.warehouse.cursor(), RowFilter(status="replayed"), with_raw=True)
    assert (row.resolved_by, row.resolution, row.attempts) == (
        "mei",
        "corrected: the shop sent the channel (2026-02-01)",
        1,
    )
    assert json.loads(row.raw or "")["message_channel"] == "pigeon"


@pytest.mark.parametrize(
    ("entry", "passing"),
    [
        ("where: {message_channel: pigeon}\n    set: {message_channel: email}", [2, 4]),
        ("where: {message_channel: [pigeon, owl]}\n    set: {message_channel: email}", [2, 3, 4]),
        ("where: {message_channel: null}\n    set: {message_channel: email}", [5]),
        ("where: {message_channel: pigeon, campaign_id: 7}\n    set: {message_channel: email}", [4]),
        ("raw_contains: owl\n    set: {message_channel: email}", [3]),
        ("lookup: {message_channel: {pigeon: email, owl: sms}}", [2, 3, 4]),
        ("replace: {message_channel: {owl: email}}", [3]),
        ("batch: 2026-01-05\n    set: {message_channel: email}", [2, 3, 4, 5]),
        ("batch: 2026-01-06\n    set: {message_channel: email}", []),
    ],
)
def test_rows_are_chosen_by_what_they_hold(shop, declare, a_message_feed, a_message, entry, passing):
    rows = [
        a_message(1),
        a_message(2, message_channel="pigeon"),
        a_message(3, message_channel="owl"),
        a_message(4, message_channel="pigeon", campaign_id=7),
        a_message(5, message_channel=None),
    ]
    shop.land("mail", FILE, [*rows])
    declare(f"feed: mail\n    {entry}")
    shop.load(a_message_feed())
    assert staged(shop) == [("m1",), *((f"m{number}",) for number in passing)]


def test_escaped_text_is_text(shop, declare, a_message_feed, a_message):
    escaped = json.dumps(a_message(1, message_channel="信")).replace("信", "\\u4fe1")
    shop.land("mail", FILE, json.dumps(a_message(2)) + "\n" + escaped + "\n")
    declare("feed: mail\n    where: {message_channel: 信}\n    set: {message_channel: email}")
    shop.load(a_message_feed())
    assert staged(shop) == [("m1",), ("m2",)]


def test_fields_inside_objects_and_lists_can_be_set_and_taken_out(shop, declare):
    feed = Feed.named(
        "mail",
        kind="messages",
        mapping="jsonl",
        max_reject_ratio=1,
        fields={
            "message_id": "id",
            "message_channel": "meta.channel",
            "message_event": "tags.1",
            "occurred_at": "at",
            "campaign_id": "meta.campaign",
        },
    )
    row = {"id": "m1", "meta": {"channel": "owl", "campaign": [1]}, "tags": ["x", "y"], "at": "2026-01-05T10:00:00Z"}
    shop.land("mail", FILE, [row])
    declare(f"feed: mail\n    file: {FILE}\n    set: {{meta.channel: sms, tags.1: sent}}\n    remove: [meta.campaign]")
    shop.load(feed)
    assert staged(shop, "message_channel, message_event, campaign_id") == [("sms", "sent", None)]


def test_a_row_that_is_no_longer_the_one_that_was_corrected_is_left_alone(shop, declare, a_message_feed, a_message):
    rows = [a_message(1, message_channel="pigeon")]
    shop.land("mail", FILE, rows)
    content = content_hash(json.dumps(rows[0]))
    declare(f"feed: mail\n    file: {FILE}\n    row: 1\n    content: {content}\n    set: {{message_channel: email}}")
    shop.load(a_message_feed())
    assert open_rows(shop) == []
    shop.land("mail", FILE, [a_message(2, message_channel="owl")])
    shop.load(a_message_feed())
    assert open_rows(shop) == [1]


def test_a_line_that_cannot_be_read_can_be_written_anew(shop, declare, a_message_feed, a_message):
    shop.land("mail", FILE, json.dumps(a_message(1)) + '\n{"message_id": "m2", \n')
    shop.load(a_message_feed())
    [row] = list_rows(shop.warehouse.cursor())
    declare(f"feed: mail\n    quarantine_id: {row.quarantine_id}\n    becomes: {json.dumps(a_message(2))}")
    shop.load(a_message_feed())
    assert staged(shop) == [("m1",), ("m2",)]
    assert shop.counts("mail") == {FILE: (2, 2, 0, 0)}


CSV = {"kind": "messages", "mapping": "csv", "max_reject_ratio": 1}
HEADER = "message_id,message_channel,message_event,occurred_at\n"


def test_rows_of_csv_files_are_corrected_also_in_columns_that_the_file_lacks(shop, declare):
    lines = "m1,email,sent,2026-01-05T10:00:00Z\nm2,pigeon,sent,2026-01-05T10:00:00Z\nm3,owl,,\n"
    shop.land("mail", "dt=2026-01-05/a.csv", HEADER + lines)
    shop.load(Feed.named("mail", **CSV))
    before = list_rows(shop.warehouse.cursor(), with_raw=True)
    declare(
        "feed: mail\n    where: {message_id: m2}\n    set: {message_channel: email, campaign_id: spring}",
        "feed: mail\n    where: {message_event: null}\n    set: {message_channel: email}",
    )
    shop.load(Feed.named("mail", **CSV))
    assert staged(shop, "message_id, campaign_id") == [("m1", None), ("m2", "spring")]
    after = list_rows(shop.warehouse.cursor(), with_raw=True)
    assert [(row.row, row.raw) for row in after] == [(row.row, row.raw) for row in before if row.row == 3]


def test_a_broken_csv_line_can_be_written_anew(shop, declare):
    shop.land("mail", "dt=2026-01-05/a.csv", HEADER + "m1,email,sent,2026-01-05T10:00:00Z\nm2,email\n")
    row = "{message_id: m2, message_channel: email, message_event: sent, occurred_at: 2026-01-05T11:00:00Z}"
    declare(f"feed: mail\n    file: dt=2026-01-05/a.csv\n    row: 2\n    becomes: {row}")
    shop.load(Feed.named("mail", **CSV))
    assert staged(shop) == [("m1",), ("m2",)]


def test_a_line_that_was_taken_for_the_header_can_be_written_anew(shop, declare):
    shop.land("mail", "dt=2026-01-05/a.csv", "m2,email,sent,2026-01-05T11:00:00Z\n")
    row = "{message_id: m2, message_channel: email, message_event: sent, occurred_at: 2026-01-05T11:00:00Z}"
    declare(f"feed: mail\n    file: dt=2026-01-05/a.csv\n    row: 0\n    becomes: {row}")
    shop.load(Feed.named("mail", **CSV))
    assert staged(shop) == [("m2",)]


def test_rows_of_parquet_files_keep_the_types_of_their_columns(shop, declare):
    rows = {
        "message_id": pa.array([1, 2, 3], pa.int64()),
        "message_channel": ["email", "pigeon", "owl"],
        "message_event": ["sent"] * 3,
        "occurred_at": ["2026-01-05T10:00:00Z"] * 3,
    }
    path = shop.root / "landing" / "mail" / "dt=2026-01-05" / "a.parquet"
    path.parent.mkdir(parents=True)
    pq.write_table(pa.table(rows), path)
    declare(
        "feed: mail\n    where: {message_id: 2}\n    set: {message_channel: sms, message_id: 22}",
        "feed: mail\n    where: {message_id: 3}\n    set: {message_channel: sms, message_id: three}",
    )
    shop.load(Feed.named("mail", kind="messages", mapping="parquet", max_reject_ratio=1))
    assert staged(shop) == [("1",), ("22",)]
    assert [(row, code) for _, row, _, code in shop.refused("messages")] == [(3, "wrong_type")]


def test_grouped_rows_are_corrected_before_they_are_grouped(shop, declare):
    feed = Feed.named(
        "till",
        kind="purchases",
        mapping="csv",
        group_by="order",
        currency="GBP",
        max_reject_ratio=1,
        fields={
            "order_id": "order",
            "placed_at": "placed",
            "status": {"constant": "paid"},
            "currency": {"setting": "currency"},
            "lines": {
                "rows": True,
                "fields": {"line_id": {"row_number": True}, "quantity": "quantity", "unit_amount": "price"},
            },
        },
    )
    lines = "order,placed,quantity,price\no1,2026-01-05T10:00:00Z,1,2.00\no1,2026-01-05T10:00:00Z,one,3.00\n"
    shop.land("till", "dt=2026-01-05/a.csv", lines)
    shop.load(feed)
    assert open_rows(shop) == [1, 2]
    declare("feed: till\n    file: dt=2026-01-05/a.csv\n    row: 2\n    set: {quantity: 1}")
    shop.load(feed)
    assert open_rows(shop) == []
    shop.stage("purchases")
    assert shop.ask("select count(*), sum(unit_amount) from staging.purchase_lines") == [(2, 5)]


def test_only_files_that_a_correction_may_be_about_are_read_again(shop, declare, a_message_feed, a_message):
    for day in (5, 6):
        shop.land("mail", f"dt=2026-01-0{day}/a.jsonl", [a_message(day), a_message(9, message_channel="owl")])
    shop.load(a_message_feed())
    declare(f"feed: mail\n    file: {FILE}\n    row: 2\n    set: {{message_channel: email}}")
    assert pending_batches(shop.warehouse, shop.project, a_message_feed()) == (date(2026, 1, 5),)
    shop.load(a_message_feed())
    assert pending_batches(shop.warehouse, shop.project, a_message_feed()) == ()
    declare(f"feed: mail\n    file: {FILE}\n    row: 2\n    set: {{message_channel: email}}", said=SAID + "# a word\n")
    assert pending_batches(shop.warehouse, shop.project, a_message_feed()) == ()
    declare()
    shop.load(a_message_feed())
    assert [(row.batch_on.day, row.status) for row in list_rows(shop.warehouse.cursor())] == [(5, "open"), (6, "open")]


def test_a_rebuild_with_the_same_corrections_gives_the_same_tables(shop, declare, run, a_message_feed, a_message):
    shop.land("mail", FILE, [a_message(1), a_message(2, message_channel="pigeon"), a_message(2, message_channel="owl")])
    shop.load(a_message_feed())
    declare("feed: mail\n    lookup: {message_channel: {pigeon: email, owl: email}}")
    shop.load(a_message_feed())
    query = "select * exclude (_batch_on) from staging._messages_rows order by all"
    with open_warehouse() as anew:
        load_feed(anew, shop.project, a_message_feed(), run)
        assert anew.cursor().execute(query).fetchall() == shop.ask(query)
        assert shop.counts("mail") == {FILE: (3, 2, 1, 0)}


def test_every_mistake_is_told_with_its_line_and_what_was_meant(shop, declare, a_message_feed):
    declare(
        "feed: mial\n    where: {message_id: m1}\n    set: {message_channel: email}",
        "feed: mail\n    where: {message_id: m1}\n    set: {message_chanel: email}",
        "feed: mail\n    where: {message_id: m1}\n    remove: [emial]",
    )
    problems = Problems()
    check_corrections(shop.project, {"mail": a_message_feed()}, problems)
    not_read = "is no source field that feed mail reads, so nothing would change."
    assert [str(problem) for problem in problems.found] == [
        "config/corrections/mail.yml:2: `mial` is not a feed of this project. Did you mean `mail`?",
        f"config/corrections/mail.yml:10: `message_chanel` {not_read} Did you mean `message_channel`?",
        f"config/corrections/mail.yml:16: `emial` {not_read} Did you mean `email`?",
    ]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("feed: mail\n    set: {message_channel: email}", "every row of the feed"),
        ("feed: mail\n    row: 2\n    set: {message_channel: email}", "`row` needs `file`"),
        ("feed: mail\n    where: {message_id: m1}", "nothing is corrected"),
        ("feed: mail\n    file: a.jsonl\n    becomes: {message_id: m1}", "`becomes` is for one row"),
        ("feed: mail\n    wehre: {message_id: m1}\n    remove: [email]", "Did you mean `where`?"),
    ],
)
def test_an_entry_that_makes_no_sense_is_refused(shop, declare, a_message_feed, entry, told):
    declare(entry)
    problems = Problems()
    check_corrections(shop.project, {"mail": a_message_feed()}, problems)
    assert told in " ".join(map(str, problems.found))
