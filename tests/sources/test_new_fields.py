"""A field that nobody mentions never stops a batch, whatever its name, and is kept where the feed says so."""

from __future__ import annotations

import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

ODD_NAMES = ["b.c", 'x"y', "x\\y", "x\ny", "1", "", "中.文", "a.b.c"]


@pytest.mark.parametrize("handling", ["report", "keep"])
@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_new_field_of_any_name_leaves_its_row_and_the_others_accepted(
    shop, a_message_feed, a_message, name, handling
):
    shop.land("mail", "a.jsonl", [a_message(1), a_message(2, **{name: "new"}), a_message(3)])
    shop.load(a_message_feed(on_new_column=handling))
    assert shop.counts("mail") == {"a.jsonl": (3, 3, 0, 0)}
    if handling == "keep":
        shop.stage("messages")
        [(extra,)] = shop.ask("select extra from staging.messages where message_id = 'm2'")
        assert json.loads(extra) == {name: "new"}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_a_new_field_of_any_name_inside_a_vendors_object_is_no_bug(shop, feed_of_segment, name):
    call = {
        "messageId": "e1",
        "type": "track",
        "event": "Seen",
        "anonymousId": "a",
        "timestamp": "2026-01-05T10:00:00Z",
    }
    calls = [call, call | {"messageId": "e2", "properties": {name: "g"}}]
    shop.land("web", "a.jsonl", calls)
    shop.load(feed_of_segment)
    assert shop.counts("web") == {"a.jsonl": (2, 2, 0, 0)}


@pytest.fixture
def feed_of_segment():
    from sources.feed import Feed

    return Feed.named("web", kind="web_events", mapping="segment", max_reject_ratio=1)


COLUMNS = ("message_id", "message_channel", "message_event", "occurred_at", "note")
ROWS = [
    ("m1", "email", "sent", "2026-01-05T10:00:00Z", "first"),
    ("m2", "email", "sent", "2026-01-05", "second"),
    ("m3", "email", "sent", "2026-01-05T10:00:00Z", ""),
]


@pytest.mark.parametrize("mapping", ["csv", "parquet"])
def test_new_columns_of_flat_files_are_kept_for_plain_and_for_doubtful_rows(shop, a_message_feed, mapping):
    if mapping == "csv":
        text = "\n".join(",".join(row) for row in (COLUMNS, *ROWS)) + "\n"
        shop.land("mail", "a.csv", text)
    else:
        path = shop.land("mail", "a.parquet", b"")
        table = {name: [row[place] or None for row in ROWS] for place, name in enumerate(COLUMNS)}
        pq.write_table(pa.table(table), path)
    shop.load(a_message_feed(mapping=mapping, on_new_column="keep"))
    shop.stage("messages")
    kept = dict(shop.ask("select message_id, extra ->> 'note' from staging.messages"))
    assert kept == {"m1": "first", "m2": "second", "m3": None}
