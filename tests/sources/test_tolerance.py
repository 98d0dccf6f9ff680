"""A batch of which too much is bad replaces nothing; what is measured is the batch, however much of it is read."""

from __future__ import annotations

import pytest

from quality.quarantine import RowFilter, list_rows
from quality.resolution import Attempt, discard_rows
from sources.replay import replay_rows


@pytest.fixture
def feed(a_message_feed):
    return a_message_feed(max_reject_ratio=0.2)


@pytest.fixture
def bad(a_message):
    return lambda number: a_message(number, message_channel="owl")


def day_of_messages(a_message, bad, good, refused, first=1):
    return [*(a_message(first + n) for n in range(good)), *(bad(first + good + n) for n in range(refused))]


def test_the_share_may_be_reached_but_not_passed_also_by_a_handful_of_rows(shop, feed, a_message, bad, stopped):
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 4, 1))
    shop.land("mail", "dt=2026-01-06/a.jsonl", day_of_messages(a_message, bad, 2, 1, first=10))
    error = stopped(lambda: shop.load(feed))
    [stop] = error.load.stopped
    assert (stop.batch_on.day, set(stop.files)) == (6, {"dt=2026-01-06/a.jsonl"})
    assert "1 of 3 rows" in stop.reason
    assert "dt=2026-01-06/a.jsonl row 3" in stop.reason
    assert shop.counts("mail")["dt=2026-01-05/a.jsonl"] == (5, 4, 0, 1)


def test_a_late_file_is_measured_with_the_batch_it_belongs_to(shop, feed, a_message, bad):
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 20, 0))
    shop.load(feed)
    shop.land("mail", "dt=2026-01-05/late.jsonl", [bad(50), a_message(51)])
    shop.load(feed)
    assert shop.counts("mail")["dt=2026-01-05/late.jsonl"] == (2, 1, 0, 1)


def test_a_changed_file_is_measured_by_itself_too(shop, feed, a_message, bad, stopped):
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 20, 0))
    shop.land("mail", "dt=2026-01-05/b.jsonl", [a_message(50), a_message(51)])
    shop.load(feed)
    shop.land("mail", "dt=2026-01-05/b.jsonl", [bad(50), a_message(51)])
    assert stopped(lambda: shop.load(feed)).load.stopped
    assert shop.counts("mail")["dt=2026-01-05/b.jsonl"] == (2, 1, 0, 1)


def test_replaying_the_one_bad_file_of_a_good_batch_is_not_stopped(shop, feed, a_message, bad):
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 20, 0))
    shop.land("mail", "dt=2026-01-05/b.jsonl", [bad(50), bad(51), a_message(52)])
    shop.load(feed)
    corrections = shop.root / "config" / "corrections" / "mail.yml"
    corrections.parent.mkdir(parents=True)
    corrections.write_text(
        "corrections:\n  - {feed: mail, file: dt=2026-01-05/b.jsonl, row: 1, set: {message_channel: sms},"
        " author: mei, on: 2026-02-01, why: it was one}\n",
        encoding="utf-8",
    )
    [done] = replay_rows(
        shop.warehouse, shop.project, {"mail": feed}, RowFilter(), shop.run, Attempt(shop.run.now, "run-2", "mei")
    )
    assert (done.replayed, done.still_open, done.stopped) == (1, 1, "")
    assert shop.counts("mail")["dt=2026-01-05/b.jsonl"] == (3, 2, 0, 1)


def test_discarded_rows_are_left_out_on_purpose_and_do_not_count(shop, a_message_feed, feed, a_message, bad, stopped):
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 2, 2))
    shop.load(a_message_feed(max_reject_ratio=1))
    assert stopped(lambda: shop.load(feed, full_refresh=True)).load.stopped
    with shop.warehouse.transaction() as connection:
        ids = [row.quarantine_id for row in list_rows(connection)]
        discard_rows(connection, "messages", ids, Attempt(shop.run.now, "run-2", "mei", "test messages"))
    shop.load(feed)
    assert shop.counts("mail") == {"dt=2026-01-05/a.jsonl": (4, 2, 0, 2)}


def test_a_bad_file_that_was_taken_away_stops_its_batch_no_longer(shop, feed, a_message, bad, stopped):
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 3, 0))
    path = shop.land("mail", "dt=2026-01-05/b.jsonl", [bad(50), bad(51)])
    assert stopped(lambda: shop.load(feed)).load.stopped
    path.unlink()
    shop.load(feed)
    assert shop.counts("mail")["dt=2026-01-05/a.jsonl"] == (3, 3, 0, 0)


def test_an_empty_file_beside_counts_no_more_when_the_other_file_is_read_again(shop, feed, a_message, bad, stopped):
    shop.land("mail", "dt=2026-01-05/empty.jsonl", b"")
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 2, 0))
    shop.load(feed)
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 1, 0))
    shop.load(feed)
    assert shop.counts("mail")["dt=2026-01-05/a.jsonl"] == (1, 1, 0, 0)
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 0, 2))
    error = stopped(lambda: shop.load(feed))
    assert error.load.stopped[0].reason.startswith("2 of 2 rows break the contract")


def test_a_batch_that_stops_tells_also_of_the_file_that_cannot_be_read(shop, feed, a_message, bad, stopped):
    shop.land("mail", "dt=2026-01-05/empty.jsonl", b"")
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 0, 2))
    [stop] = stopped(lambda: shop.load(feed)).load.stopped
    assert stop.reason.startswith("2 of 2 rows break the contract")
    assert stop.reason.endswith("; besides, nothing can be read of dt=2026-01-05/empty.jsonl")
    shop.land("mail", "dt=2026-01-05/a.jsonl", day_of_messages(a_message, bad, 2, 0))
    shop.load(feed)
    assert shop.counts("mail")["dt=2026-01-05/a.jsonl"] == (2, 2, 0, 0)
