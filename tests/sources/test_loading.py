"""Loading is idempotent: a file's rows are there once, whatever is loaded again, in whatever order it came."""

from __future__ import annotations

import sys
from datetime import date

import pytest
from pydantic import Field

from quality.contracts.messages import Message
from quality.contracts.registry import CONTRACTS
from quality.contracts.value_types import PersonalLine
from sources.loading import pending_batches
from warehouse.errors import DeclarationError, InputError

A, B = "dt=2026-01-05/a.jsonl", "dt=2026-01-06/b.jsonl"


def versions(shop, kind="messages"):
    return shop.ask(f"select _file, _row from staging._{kind}_versions order by all")


def test_what_is_unchanged_is_not_read_again(shop, a_message_feed, a_message):
    shop.land("mail", A, [a_message(1)])
    feed = a_message_feed()
    first = shop.load(feed)
    assert [(load.batch_on, load.files, load.rows_read, load.accepted) for load in first.batches] == [
        (date(2026, 1, 5), 1, 1, 1)
    ]
    assert shop.load(feed).batches == ()
    assert pending_batches(shop.warehouse, shop.project, feed) == ()


def test_a_file_that_was_only_touched_is_not_read_again(shop, a_message_feed, a_message):
    path = shop.land("mail", A, [a_message(1)])
    feed = a_message_feed()
    shop.load(feed)
    shop.touch(path, "2026-03-01")
    assert shop.load(feed).batches == ()
    [(modified,)] = shop.ask("select modified_ns from ops.files")
    assert modified == path.stat().st_mtime_ns


def test_a_full_refresh_reads_everything_and_changes_nothing(shop, a_message_feed, a_message):
    shop.land("mail", A, [a_message(1), a_message(1), {"broken": 1}])
    feed = a_message_feed()
    shop.load(feed)
    before = (versions(shop), shop.counts("mail"), shop.refused("messages"))
    assert len(shop.load(feed, full_refresh=True).batches) == 1
    assert (versions(shop), shop.counts("mail"), shop.refused("messages")) == before


def test_a_changed_file_replaces_what_it_brought(shop, a_message_feed, a_message):
    shop.land("mail", A, [a_message(1), a_message(2), {"broken": 1}])
    feed = a_message_feed()
    shop.load(feed)
    shop.land("mail", A, [a_message(2), a_message(3)])
    load = shop.load(feed)
    assert [(batch.rows_read, batch.accepted, batch.rejected) for batch in load.batches] == [(2, 2, 0)]
    assert shop.ask("select message_id from staging._messages_versions order by 1") == [("m2",), ("m3",)]
    assert shop.refused("messages") == []


def test_a_vanished_file_is_told_and_its_rows_stay(shop, a_message_feed, a_message):
    path = shop.land("mail", A, [a_message(1)])
    feed = a_message_feed()
    shop.load(feed)
    content = path.read_bytes()
    path.unlink()
    assert pending_batches(shop.warehouse, shop.project, feed) == (date(2026, 1, 5),)
    assert shop.load(feed).vanished == (A,)
    assert shop.ask("select status from ops.files union all select status from ops.batches") == [("vanished",)] * 2
    assert versions(shop) == [(A, 1)]
    assert shop.load(feed).vanished == ()
    shop.land("mail", A, content)
    assert shop.load(feed).batches == ()
    assert shop.ask("select status from ops.files") == [("loaded",)]


def test_exact_repeats_are_duplicates_within_and_across_files(shop, a_message_feed, a_message):
    shop.land("mail", B, [a_message(1), a_message(2), a_message(2)])
    feed = a_message_feed()
    shop.load(feed)
    assert shop.counts("mail") == {B: (3, 2, 1, 0)}
    shop.land("mail", A, [a_message(1), a_message(3)])
    shop.load(feed)
    assert shop.counts("mail") == {A: (2, 2, 0, 0), B: (3, 1, 2, 0)}
    assert versions(shop) == [(A, 1), (A, 2), (B, 2)]
    assert shop.ask("select batch_on, rows_accepted, rows_duplicate from ops.batches order by 1") == [
        (date(2026, 1, 5), 2, 0),
        (date(2026, 1, 6), 1, 2),
    ]


def test_when_the_kept_row_goes_the_next_one_takes_its_place(shop, a_message_feed, a_message):
    shop.land("mail", A, [a_message(1), a_message(2)])
    shop.land("mail", B, [a_message(1), a_message(2)])
    feed = a_message_feed()
    shop.load(feed)
    assert shop.counts("mail") == {A: (2, 2, 0, 0), B: (2, 0, 2, 0)}
    shop.land("mail", A, [a_message(9), a_message(2)])
    shop.load(feed)
    assert shop.counts("mail") == {A: (2, 2, 0, 0), B: (2, 1, 1, 0)}
    assert versions(shop) == [(A, 1), (A, 2), (B, 1)]


def test_batches_outside_the_window_wait(shop, a_message_feed, a_message):
    for day in (4, 5, 6, 7):
        shop.land("mail", f"dt=2026-01-0{day}/a.jsonl", [a_message(day)])
    feed = a_message_feed()
    load = shop.load(feed, first=date(2026, 1, 5), last=date(2026, 1, 6))
    assert [batch.batch_on.day for batch in load.batches] == [5, 6]
    assert [day.day for day in pending_batches(shop.warehouse, shop.project, feed)] == [4, 7]


def test_a_changed_declaration_makes_its_batches_stale(shop, a_message_feed, a_message):
    row = a_message(1)
    del row["message_channel"]
    shop.land("mail", A, [row])
    feed = a_message_feed(constants={"message_channel": "sms"})
    shop.load(feed)
    changed = a_message_feed(constants={"message_channel": "push"}, owner="team:mail")
    assert pending_batches(shop.warehouse, shop.project, changed) == (date(2026, 1, 5),)
    shop.load(changed)
    assert shop.ask("select message_channel from staging._messages_versions") == [("push",)]
    assert pending_batches(shop.warehouse, shop.project, a_message_feed(constants={"message_channel": "push"})) == ()


def test_a_changed_contract_makes_its_batches_stale_and_the_next_run_judges_them_again(
    shop, a_message_feed, a_message, monkeypatch
):
    shop.land("mail", A, [a_message(1), a_message(2, email=None), a_message(3, email=None)])
    shop.land("mail", B, [a_message(4)])
    feed = a_message_feed()
    shop.load(feed)
    assert shop.counts("mail") == {A: (3, 3, 0, 0), B: (1, 1, 0, 0)}

    class StricterMessage(Message):
        email: PersonalLine = Field(description="E-mail address it went to: without one nobody can be written to.")

    changed = {**CONTRACTS, "messages": StricterMessage}
    for module in list(sys.modules.values()):
        if vars(module).get("CONTRACTS") is CONTRACTS:
            monkeypatch.setattr(module, "CONTRACTS", changed)
    assert pending_batches(shop.warehouse, shop.project, feed) == (date(2026, 1, 5), date(2026, 1, 6))
    shop.load(feed)
    assert shop.counts("mail") == {A: (3, 1, 0, 2), B: (1, 1, 0, 0)}
    assert shop.refused("messages") == [(A, 2, "email", "missing"), (A, 3, "email", "missing")]
    assert versions(shop) == [(A, 1), (B, 1)]
    assert pending_batches(shop.warehouse, shop.project, feed) == ()


def test_too_many_rejects_stop_the_batch_and_only_the_batch(shop, a_message_feed, a_message, stopped):
    shop.land("mail", A, [a_message(1), a_message(2)])
    shop.land("mail", B, [a_message(3)])
    feed = a_message_feed(max_reject_ratio=0.5)
    shop.load(feed)
    shop.land("mail", A, [{"broken": 1}, {"broken": 2}, a_message(2)])
    shop.land("mail", B, [a_message(3), a_message(4)])
    error = stopped(lambda: shop.load(feed))
    assert isinstance(error, InputError)
    assert "2 of 3 rows break the contract" in error.reason
    assert "2026-01-05" in error.reason
    assert versions(shop) == [(A, 1), (A, 2), (B, 1), (B, 2)]
    assert "0.67 of the batch, max_reject_ratio is 0.5" in error.reason
    assert {(file, row) for file, row, *_ in shop.refused("messages")} == {(A, 1), (A, 2)}
    assert shop.ask("select file, status from ops.files order by 1") == [(A, "stopped"), (B, "loaded")]
    assert shop.counts("mail") == {A: (3, 1, 0, 2), B: (2, 2, 0, 0)}
    before = shop.ask("select * from quarantine.messages order by all")
    stopped(lambda: shop.load(feed))
    assert shop.ask("select * from quarantine.messages order by all") == before
    assert shop.counts("mail") == {A: (3, 1, 0, 2), B: (2, 2, 0, 0)}
    shop.land("mail", A, [a_message(1)])
    shop.load(feed)
    assert shop.refused("messages") == []
    assert shop.ask("select file, status, rows_accepted from ops.files order by 1") == [
        (A, "loaded", 1),
        (B, "loaded", 2),
    ]


def test_the_rows_that_stop_a_new_file_wait_in_quarantine_until_its_mapping_is_mended(
    shop, a_message_feed, a_message, stopped
):
    shop.land("mail", A, [a_message(1, message_event="SENT"), a_message(2)])
    stopped(lambda: shop.load(a_message_feed(max_reject_ratio=0.2)))
    assert shop.counts("mail") == {A: (2, 1, 0, 1)}
    assert [(file, row) for file, row, *_ in shop.refused("messages")] == [(A, 1)]
    shop.load(
        a_message_feed(max_reject_ratio=0.2, fields={"message_event": {"path": "message_event", "then": ["lower"]}})
    )
    assert shop.counts("mail") == {A: (2, 2, 0, 0)}
    assert shop.ask("select status from quarantine.messages") == [("replayed",)]


def test_new_source_fields_are_told(shop, a_message_feed, a_message):
    shop.land(
        "mail", A, [a_message(1, tag="a"), a_message(2), a_message(3, tag="b", more={"deep": 1}), a_message(4, debug=1)]
    )
    load = shop.load(a_message_feed(ignore=("debug",)))
    assert load.batches[0].unknown_columns == ("more", "tag")
    assert shop.ask("select source_column, rows from ops.source_columns where status = 'unknown' order by 1") == [
        ("more", 1),
        ("tag", 2),
    ]
    assert ("email", "mapped", 4) in shop.ask("select source_column, status, rows from ops.source_columns")


def test_new_columns_of_a_csv_are_told(shop, a_message_feed):
    shop.land(
        "mail",
        "a-2026-01-05.csv",
        "message_id,message_channel,message_event,occurred_at,note,raw_url\nm1,email,sent,2026-01-05,x,\n",
    )
    load = shop.load(a_message_feed(mapping="csv", ignore=("*_url",)))
    assert load.batches[0].unknown_columns == ("note",)
    assert shop.ask(
        "select source_column, status, rows from ops.source_columns where status not in ('mapped') order by 1"
    ) == [
        ("note", "unknown", 1),
        ("raw_url", "ignored", 0),
    ]


def test_new_columns_may_stop_a_batch(shop, a_message_feed, a_message, stopped):
    shop.land("mail", A, [a_message(1, tag="a")])
    shop.land("mail", B, [a_message(2)])
    error = stopped(lambda: shop.load(a_message_feed(on_new_column="stop")))
    assert "new source fields: tag" in error.reason
    assert "2026-01-05" in error.reason
    assert versions(shop) == [(B, 1)]


def test_new_columns_may_be_kept(shop, a_message_feed, a_message):
    shop.land("mail", A, [a_message(1, tag="a", n=1.5), a_message(2)])
    shop.land(
        "mail2",
        "a-2026-01-05.csv",
        "message_id,message_channel,message_event,occurred_at,note\nm3,email,sent,2026-01-05,x\nm4,email,sent,2026-01-05,\n",
    )
    shop.load(a_message_feed(on_new_column="keep"))
    shop.load(a_message_feed("mail2", mapping="csv", on_new_column="keep"))
    assert shop.ask("select message_id, cast(extra as varchar) from staging._messages_versions order by 1") == [
        ("m1", '{"tag":"a","n":1.5}'),
        ("m2", None),
        ("m3", '{"note":"x"}'),
        ("m4", None),
    ]


def test_progress_is_told_in_rows_and_bytes(shop, a_message_feed, a_message):
    sizes = [shop.land("mail", name, [a_message(n), a_message(n + 10)]).stat().st_size for n, name in enumerate((A, B))]
    told = []
    shop.load(a_message_feed(), progress=lambda *figures: told.append(figures))
    assert told[-1] == (4, sum(sizes), sum(sizes))
    assert [rows for rows, _, _ in told] == sorted(rows for rows, _, _ in told)


@pytest.mark.parametrize("mapping", ["jsonl", "csv"])
def test_progress_is_told_inside_a_large_file_too(shop, a_message_feed, a_message, mapping):
    count, fill = 150_000, "x" * 150
    rows = [a_message(number, email=fill) for number in range(count)]
    text = "\n".join([",".join(rows[0]), *(",".join(row.values()) for row in rows)]) if mapping == "csv" else rows
    path = shop.land("mail", A, text)
    told = []
    shop.load(a_message_feed(mapping=mapping), progress=lambda *figures: told.append(figures))
    size = path.stat().st_size
    assert told[-1] == (count, size, size)
    assert any(0 < rows < count and 0 < done < size for rows, done, _ in told)
    assert told == sorted(told)


def test_a_declaration_that_does_not_fit_is_told_before_anything_is_read(shop, a_message_feed):
    with pytest.raises(DeclarationError, match="not a field of messages"):
        shop.load(a_message_feed(fields={"message_idd": "id"}))


def test_a_contract_that_grew_keeps_rows_whose_files_are_gone(shop, a_message_feed, a_message):
    path = shop.land("mail", A, [a_message(1)])
    feed = a_message_feed()
    shop.load(feed)
    path.unlink()
    connection = shop.warehouse.cursor()
    connection.execute("drop view staging._messages_versions")
    connection.execute("alter table staging._messages_rows drop column account_id")
    connection.execute("alter table staging._messages_rows add column bygone varchar")
    shop.load(feed)
    assert shop.ask("select message_id, account_id from staging._messages_versions") == [("m1", None)]


def test_the_feed_is_known_to_sql(shop, a_message_feed):
    shop.load(a_message_feed(id_space="shop", time_zone="Asia/Shanghai", country="CN", owner="team:mail"))
    assert shop.ask("select feed, kind, mapping, id_space, time_zone, country, currency, owner from ops.feeds") == [
        ("mail", "messages", "jsonl", "shop", "Asia/Shanghai", "CN", None, "team:mail")
    ]


def test_a_moved_file_takes_its_rows_along(shop, a_message_feed, a_message):
    path = shop.land("mail", A, [a_message(1), a_message(2), {"broken": 1}])
    feed = a_message_feed()
    shop.load(feed)
    moved = shop.root / "landing" / "mail" / B
    moved.parent.mkdir()
    path.rename(moved)
    assert pending_batches(shop.warehouse, shop.project, feed) == (date(2026, 1, 5), date(2026, 1, 6))
    load = shop.load(feed)
    assert (load.moved, load.vanished) == ((A,), ())
    assert versions(shop) == [(B, 1), (B, 2)]
    assert shop.counts("mail") == {B: (3, 2, 0, 1)}
    assert {(file, row) for file, row, *_ in shop.refused("messages")} == {(B, 3)}
    assert shop.ask("select batch_on, rows_read from ops.batches") == [(date(2026, 1, 6), 3)]
    assert pending_batches(shop.warehouse, shop.project, feed) == ()


def test_a_moved_file_that_must_stop_leaves_the_old_rows(shop, a_message_feed, a_message, stopped):
    path = shop.land("mail", A, [a_message(1), {"broken": 1}])
    shop.load(a_message_feed())
    moved = shop.root / "landing" / "mail" / B
    moved.parent.mkdir()
    path.rename(moved)
    feed = a_message_feed(max_reject_ratio=0.1)
    assert stopped(lambda: shop.load(feed)).load.moved == ()
    assert versions(shop) == [(A, 1)]
    assert shop.load(a_message_feed()).moved == (A,)
    assert versions(shop) == [(B, 1)]


def test_a_copy_brings_nothing_new_and_stands_for_the_original_when_that_goes(shop, a_message_feed, a_message):
    path = shop.land("mail", A, [a_message(1)])
    shop.land("mail", B, path.read_bytes())
    feed = a_message_feed()
    shop.load(feed)
    assert shop.counts("mail") == {A: (1, 1, 0, 0), B: (1, 0, 1, 0)}
    path.unlink()
    assert shop.load(feed).moved == (A,)
    assert (versions(shop), shop.counts("mail")) == ([(B, 1)], {B: (1, 1, 0, 0)})


def test_a_window_that_leaves_the_old_day_out_moves_nothing(shop, a_message_feed, a_message):
    path = shop.land("mail", A, [a_message(1)])
    feed = a_message_feed()
    shop.load(feed)
    moved = shop.root / "landing" / "mail" / B
    moved.parent.mkdir()
    path.rename(moved)
    shop.load(feed, first=date(2026, 1, 6), last=date(2026, 1, 6))
    assert shop.counts("mail") == {A: (1, 1, 0, 0), B: (1, 0, 1, 0)}
    shop.load(feed)
    assert shop.counts("mail") == {B: (1, 1, 0, 0)}


def test_reprocessing_one_day_touches_only_that_day(shop, a_message_feed, a_message):
    days = [date(2026, 1, day) for day in (5, 6, 7)]
    for day in days:
        shop.land("mail", f"dt={day}/a.jsonl", [a_message(day.day), a_message(5), {"broken": 1}])
    feed = a_message_feed()
    shop.load(feed)
    state = [
        f"select * from ops.{table} where batch_on <> date '2026-01-06' order by all"
        for table in ("files", "batches", "source_columns", "schema_changes")
    ]
    state += [
        "select * from staging._messages_rows where _batch_on <> date '2026-01-06' order by all",
        "select * from quarantine.messages where batch_on <> date '2026-01-06' order by all",
    ]
    before = [shop.ask(question) for question in state]
    rows = shop.ask("select * from staging._messages_versions order by all")
    load = shop.load(feed, first=days[1], last=days[1], full_refresh=True)
    assert [(batch.batch_on, batch.files) for batch in load.batches] == [(days[1], 1)]
    assert [shop.ask(question) for question in state] == before
    assert shop.ask("select * from staging._messages_versions order by all") == rows
    assert shop.ask("select batch_on from ops.files where run_id = 'run-2'") == [(days[1],)]
