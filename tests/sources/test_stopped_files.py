"""A file that must not be loaded is told as it was read, and keeps nothing from being loaded beside it."""

from __future__ import annotations

import gzip
import json
from contextlib import suppress
from datetime import date

import pytest

from quality.quarantine import RowFilter, list_rows
from quality.resolution import Attempt, discard_rows
from sources.loading import BatchesStoppedError, load_feed, pending_batches
from sources.summary import feed_summaries

A, B, C = "dt=2026-01-05/a.jsonl", "dt=2026-01-05/b.jsonl", "dt=2026-01-06/c.jsonl"
LEDGER = """
select file, status, rows_read, rows_accepted, rows_duplicate, rows_rejected, rows_staged from ops.files order by 1
"""


@pytest.fixture
def feed(a_message_feed):
    return a_message_feed(max_reject_ratio=0.2)


@pytest.fixture
def rows(a_message):
    """So many good messages of ascending numbers, one of them twice, and so many that break the contract."""

    def make(good, bad, first=1):
        broken = [a_message(900 + number, message_channel="owl") for number in range(bad)]
        return [*(a_message(first + number) for number in range(good)), a_message(first), *broken]

    return make


@pytest.fixture
def resent(shop, feed, rows, stopped):
    """A file of four rows that was sent again with six good rows, one of them twice, and five bad ones."""
    shop.land("mail", A, rows(3, 0))
    shop.load(feed)
    path = shop.land("mail", A, rows(6, 5, first=11))
    stopped(lambda: shop.load(feed))
    return path


def staged(shop):
    return {number for (number,) in shop.ask("select message_id from staging._messages_rows")}


def test_a_stopped_file_is_told_as_it_lies_there_and_staging_keeps_what_it_had(shop, resent):
    assert shop.ask(LEDGER) == [(A, "stopped", 12, 6, 1, 5, 4)]
    assert shop.ask("select bytes, run_id from ops.files") == [(resent.stat().st_size, "run-2")]
    assert staged(shop) == {"m1", "m2", "m3"}
    [(now, before)] = shop.ask("select sha256, staged_sha256 from ops.files")
    assert now != before
    assert shop.ask("select rows_read, rows_accepted, rows_duplicate, rows_rejected, status from ops.batches") == [
        (12, 6, 1, 5, "stopped")
    ]


def test_a_new_file_that_stops_is_told_wholly_and_brings_nothing(shop, feed, rows, stopped):
    shop.land("mail", A, rows(6, 5))
    stopped(lambda: shop.load(feed))
    assert shop.ask(LEDGER) == [(A, "stopped", 12, 6, 1, 5, 0)]
    assert staged(shop) == set()
    assert shop.ask("select distinct rows_read, share_ratio from ops.quarantine_reasons") == [(12, 5 / 12)]


def test_a_stopped_file_is_tried_by_every_run_and_stays_as_it_is(shop, feed, resent, stopped):
    before = [shop.ask(query) for query in (LEDGER, "select * from quarantine.messages order by all")]
    for _ in range(2):
        assert pending_batches(shop.warehouse, shop.project, feed) == (date(2026, 1, 5),)
        stopped(lambda: shop.load(feed))
    assert [shop.ask(query) for query in (LEDGER, "select * from quarantine.messages order by all")] == before


def test_what_a_stopped_file_holds_is_no_duplicate_of_rows_that_are_taken(shop, feed, rows, resent):
    shop.land("mail", C, rows(6, 0, first=11))
    with suppress(BatchesStoppedError):
        shop.load(feed)
    assert shop.ask(LEDGER) == [(A, "stopped", 12, 6, 1, 5, 4), (C, "loaded", 7, 6, 1, 0, 7)]
    assert staged(shop) == {"m1", "m2", "m3", *(f"m{n}" for n in range(11, 17))}


def test_when_rows_beside_it_go_a_stopped_file_keeps_its_own_counts(shop, feed, rows, stopped):
    shop.land("mail", A, rows(3, 0))
    shop.land("mail", C, rows(3, 0))
    shop.load(feed)
    assert shop.counts("mail") == {A: (4, 3, 1, 0), C: (4, 0, 4, 0)}
    shop.land("mail", C, rows(2, 5, first=50))
    stopped(lambda: shop.load(feed))
    shop.land("mail", A, rows(3, 0, first=20))
    stopped(lambda: shop.load(feed))
    assert shop.counts("mail") == {A: (4, 3, 1, 0), C: (8, 2, 1, 5)}
    shop.land("mail", C, rows(3, 0))
    shop.load(feed)
    assert shop.ask(LEDGER) == [(A, "loaded", 4, 3, 1, 0, 4), (C, "loaded", 4, 3, 1, 0, 4)]


@pytest.mark.parametrize("way", ["ratio", "file", "discard", "back"])
def test_a_stop_is_lifted_by_the_ratio_the_file_or_a_decision(shop, a_message_feed, feed, rows, resent, way):
    if way == "ratio":
        feed = a_message_feed(max_reject_ratio=0.5)
    elif way == "file":
        shop.land("mail", A, rows(6, 0, first=11))
    elif way == "back":
        shop.land("mail", A, rows(3, 0))
    else:
        with shop.warehouse.transaction() as connection:
            ids = [row.quarantine_id for row in list_rows(connection, RowFilter())]
            discard_rows(connection, "messages", ids, Attempt(shop.run.now, "run", "mei", "noise"))
    shop.load(feed)
    counts = {"ratio": (12, 6, 1, 5, 7), "file": (7, 6, 1, 0, 7), "discard": (12, 6, 1, 5, 7), "back": (4, 3, 1, 0, 4)}
    assert shop.ask(LEDGER) == [(A, "loaded", *counts[way])]
    first = 1 if way == "back" else 11
    assert staged(shop) == {f"m{n}" for n in range(first, first + (3 if way == "back" else 6))}
    assert shop.ask("select sha256 = staged_sha256 from ops.files") == [(True,)]
    assert pending_batches(shop.warehouse, shop.project, feed) == ()


def test_a_stopped_file_that_goes_is_withdrawn_and_is_judged_again_when_it_is_back(shop, feed, resent, stopped):
    content = resent.read_bytes()
    resent.unlink()
    shop.load(feed)
    assert shop.ask(LEDGER) == [(A, "withdrawn", 12, 6, 1, 5, 4)]
    assert shop.ask("select status from ops.batches") == [("vanished",)]
    [found] = feed_summaries(shop.warehouse.cursor(), shop.project, {"mail": feed})
    assert (found.vanished, found.stopped, found.waiting) == ((A,), (), ())
    assert (found.rows_read, found.rows_accepted, found.rows_rejected, found.rows_held_back) == (12, 0, 5, 7)
    assert staged(shop) == {"m1", "m2", "m3"}
    assert shop.refused("messages") == []
    assert shop.ask("from ops.quarantine_reasons") == []
    history = "select event, acted_by, why, count(*) from ops.quarantine_history group by all"
    assert shop.ask(history) == [("withdrawn", "pipeline", "its file was stopped and is gone", 5)]
    assert shop.load(feed).batches == ()
    shop.land("mail", A, content)
    stopped(lambda: shop.load(feed))
    assert shop.ask(LEDGER) == [(A, "stopped", 12, 6, 1, 5, 4)]
    assert len(shop.refused("messages")) == 5


def test_what_was_discarded_of_a_stopped_file_stays_so_when_it_goes_and_comes_back(shop, feed, resent, stopped):
    with shop.warehouse.transaction() as connection:
        first, *_ = [row.quarantine_id for row in list_rows(connection, RowFilter())]
        discard_rows(connection, "messages", [first], Attempt(shop.run.now, "run", "mei", "noise"))
    content = resent.read_bytes()
    resent.unlink()
    shop.load(feed)
    shop.land("mail", A, content)
    stopped(lambda: shop.load(feed))
    assert shop.ask("select status, count(*) from quarantine.messages group by all order by 1") == [
        ("discarded", 1),
        ("open", 4),
    ]


def test_a_file_that_was_never_loaded_is_not_missed_when_it_goes(shop, feed, rows, stopped):
    path = shop.land("mail", A, rows(1, 5))
    stopped(lambda: shop.load(feed))
    path.unlink()
    shop.load(feed)
    [found] = feed_summaries(shop.warehouse.cursor(), shop.project, {"mail": feed})
    assert (found.vanished, found.stopped) == ((), ())


def test_a_stopped_file_that_lies_elsewhere_once_it_may_be_loaded_is_forgotten(
    shop, a_message_feed, feed, resent, stopped
):
    moved = shop.root / "landing" / "mail" / C
    moved.parent.mkdir()
    resent.rename(moved)
    stopped(lambda: shop.load(feed))
    assert shop.ask("select file, status from ops.files order by 1") == [(A, "withdrawn"), (C, "stopped")]
    assert shop.load(a_message_feed(max_reject_ratio=0.5)).moved == (A,)
    assert shop.ask(LEDGER) == [(C, "loaded", 12, 6, 1, 5, 7)]
    assert staged(shop) == {f"m{n}" for n in range(11, 17)}


def test_a_file_that_stopped_unchanged_is_measured_with_its_batch_as_before(shop, a_message_feed, feed, rows, stopped):
    shop.land("mail", A, rows(2, 1))
    shop.land("mail", B, rows(6, 0, first=11))
    shop.load(feed)
    stopped(lambda: shop.load(a_message_feed(max_reject_ratio=0)))
    shop.load(feed)
    assert [row[:2] for row in shop.ask(LEDGER)] == [(A, "loaded"), (B, "loaded")]


def broken_off(rows):
    text = "".join(json.dumps(row) + "\n" for row in rows)
    return gzip.compress(text.encode(), mtime=0)[:14]


def test_a_file_that_is_broken_off_is_named_with_a_remedy_and_the_files_beside_it_are_loaded(shop, feed, rows, stopped):
    shop.land("mail", A, rows(3, 0))
    shop.land("mail", "dt=2026-01-05/cut.bin", broken_off(rows(3, 0)))
    shop.land("mail", C, rows(3, 0, first=20))
    for _ in range(2):
        error = stopped(lambda: shop.load(feed))
        assert "dt=2026-01-05/cut.bin is unreadable (the gzip data end early)" in error.reason
        assert error.fix.startswith("Mend dt=2026-01-05/cut.bin below landing/mail/, or take it away.")
        assert error.exit_code == 11
    assert [row[:2] for row in shop.ask(LEDGER)] == [
        (A, "loaded"),
        ("dt=2026-01-05/cut.bin", "stopped"),
        (C, "loaded"),
    ]
    (shop.root / "landing" / "mail" / "dt=2026-01-05" / "cut.bin").unlink()
    shop.load(feed)


def test_a_broken_file_keeps_what_it_brought_and_does_not_excuse_the_bad_rows_beside_it(shop, feed, rows, stopped):
    for content in (b"", broken_off(rows(1, 0))):
        path = shop.land("mail", A, rows(3, 0))
        shop.land("mail", B, rows(3, 0, first=20))
        shop.load(feed)
        path.write_bytes(content)
        shop.land("mail", B, rows(5, 0, first=20))
        assert f"{A} is unreadable" in stopped(lambda: shop.load(feed)).reason
        assert [row[:3] for row in shop.ask(LEDGER)] == [(A, "stopped", 1), (B, "loaded", 6)]
        shop.land("mail", B, rows(5, 3, first=20))
        assert "3 of 13 rows break the contract" in stopped(lambda: shop.load(feed)).reason
        assert [row[:2] for row in shop.ask(LEDGER)] == [(A, "stopped"), (B, "stopped")]
        assert {"m1", "m2", "m3"} < staged(shop)


def test_a_batch_that_crashes_is_told_and_the_batches_that_share_its_transaction_are_loaded(
    shop, a_message_feed, rows, codec_with_a_bug
):
    feed = a_message_feed(max_reject_ratio=0.2, encoding=codec_with_a_bug)
    for day in range(1, 6):
        shop.land("mail", f"dt=2026-01-0{day}/part.jsonl", rows(2, 0, first=day * 10))
    shop.land("mail", "dt=2026-01-02/part.jsonl", rows(1, 5))
    (shop.root / "landing" / "mail" / "dt=2026-01-04" / "part.jsonl").write_bytes(b"\x80")
    told = {}
    done = load_feed(shop.warehouse, shop.project, feed, shop.run, broken=told.__setitem__)
    assert {day.day: type(error).__name__ for day, error in told.items()} == {2: "InputError", 4: "ZeroDivisionError"}
    assert [batch.batch_on.day for batch in done.batches] == [1, 3, 5]
    assert [row[0] for row in shop.ask(LEDGER)] == [f"dt=2026-01-0{day}/part.jsonl" for day in (1, 2, 3, 5)]


def test_a_warehouse_of_an_older_layout_knows_what_stands_of_its_files(shop, feed, rows, stopped):
    shop.land("mail", A, rows(3, 0))
    shop.load(feed)
    connection = shop.warehouse.cursor()
    for column in ("rows_staged", "staged_sha256"):
        connection.execute(f"alter table ops.files drop column {column}")
    shop.land("mail", A, rows(6, 5, first=11))
    stopped(lambda: shop.load(feed))
    assert shop.ask(LEDGER) == [(A, "stopped", 12, 6, 1, 5, 4)]
    assert staged(shop) == {"m1", "m2", "m3"}
