"""Why rows are refused is counted per batch, with one masked row of each reason."""

from __future__ import annotations

from quality.reason_jumps import JumpRule
from quality.resolution import Attempt, discard_rows
from sources.mapped_feed import map_feed
from sources.reason_ledger import found_jumps, found_reasons, write_reasons


def in_short(shop):
    found = found_reasons(shop.warehouse.cursor())
    return [(item.batch_on.day, item.field, item.code, item.rows, item.open_rows, item.share_ratio) for item in found]


def test_reasons_are_counted_per_batch_with_their_share_and_a_masked_row(shop, a_message_feed, a_message):
    bad = a_message(2, message_channel="pigeon")
    shop.land("mail", "dt=2026-01-05/a.jsonl", [a_message(1), bad, a_message(3, message_channel="owl"), {"x": 1}])
    shop.land("mail", "dt=2026-01-06/a.jsonl", [a_message(4), a_message(5, occurred_at="soon")])
    shop.load(a_message_feed())
    assert [row for row in in_short(shop) if row[2] != "missing"] == [
        (6, "occurred_at", "bad_format", 1, 1, 0.5),
        (5, "message_channel", "not_in_set", 2, 2, 0.5),
    ]
    [sample] = [item.sample for item in found_reasons(shop.warehouse.cursor(), code="not_in_set")]
    assert "pigeon" in sample
    assert "person2" not in sample


def test_counts_follow_what_is_replaced_and_discarded(shop, a_message_feed, a_message):
    feed = a_message_feed()
    shop.land("mail", "dt=2026-01-05/a.jsonl", [a_message(1, message_channel="owl"), a_message(2, message_channel="x")])
    shop.load(feed)
    with shop.warehouse.transaction() as connection:
        [reason] = found_reasons(connection)
        discard_rows(connection, "messages", [reason.sample_id], Attempt(shop.run.now, "run-2", "mei", "a test"))
        write_reasons(connection, map_feed(feed), [reason.batch_on])
    assert in_short(shop) == [(5, "message_channel", "not_in_set", 2, 1, 1.0)]
    shop.land("mail", "dt=2026-01-05/a.jsonl", [a_message(1), a_message(2)])
    shop.load(feed)
    assert in_short(shop) == []


def test_a_reason_that_jumps_is_found_in_its_batch(shop, a_message_feed, a_message):
    for day in range(1, 10):
        bad = [a_message(n, message_channel="owl") for n in range(20 if day == 8 else 0)]
        shop.land("mail", f"dt=2026-01-0{day}/a.jsonl", [a_message(day * 100 + n) for n in range(40)] + bad)
    shop.load(a_message_feed())
    jumps = found_jumps(shop.warehouse.cursor(), JumpRule())
    assert [(feed, jump.batch_on.day, jump.rows) for feed, found in jumps.items() for jump in found] == [
        ("mail", 8, 20)
    ]
    assert found_jumps(shop.warehouse.cursor(), JumpRule(), last=1) == {}
