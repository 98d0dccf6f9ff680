"""Two hundred and more malformed files of every form: no crash, no lost row, and good files beside them unharmed."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import pytest

from sources.feed import Feed
from sources.landing import discover
from sources.plan import plan_files
from tests.sources.malformed import bad_files, delimited, json_lines, messages
from warehouse.errors import WarehouseError

SEED = 7
FORMS = ("jsonl", "csv", "tsv", "parquet")
DAY = "dt=2026-01-05"


def feed_of(form: str) -> Feed:
    mapping = {"jsonl": "jsonl", "csv": "csv", "tsv": "csv", "parquet": "parquet"}[form]
    return Feed.named("mail", kind="messages", mapping=mapping, format=form, max_reject_ratio=1)


def stored(shop) -> Counter[str]:
    """Source rows that are in staging's physical table, by file."""
    return Counter(dict(shop.ask("select _file, sum(_source_rows) from staging._messages_rows group by all")))


def test_two_hundred_malformed_files_are_generated():
    names = [file.name for form in FORMS for file in bad_files(form, SEED)]
    assert len(names) == len(set(names)) >= 200


@pytest.mark.parametrize("form", FORMS)
def test_no_malformed_file_crashes_a_load_or_loses_a_row(shop, form):
    cases = {f"{DAY}/{file.name}": file for file in bad_files(form, SEED)}
    for file, case in cases.items():
        shop.land("mail", file, case.data)
    shop.load(feed_of(form))
    counts = shop.counts("mail")
    assert counts.keys() == cases.keys()
    rejected = Counter(file for (file,) in shop.ask("select file from quarantine.messages where status = 'open'"))
    kept = stored(shop)
    collapsed = dict(shop.ask("select file, rows_collapsed from ops.files"))
    for file, (read, accepted, duplicate, refused) in counts.items():
        assert read == accepted + duplicate + refused, file
        assert refused == rejected[file], file
        assert accepted + duplicate == kept[file] + collapsed[file], file
    wrong = {
        file: (case.rows, case.accepted, counts[file])
        for file, case in cases.items()
        if case.rows not in {None, counts[file][0]} or case.accepted not in {None, counts[file][1] + counts[file][2]}
    }
    assert wrong == {}
    assert shop.load(feed_of(form)).batches == ()


@pytest.mark.parametrize(("form", "write"), [("jsonl", json_lines), ("csv", delimited)])
def test_good_files_beside_malformed_ones_bring_all_their_rows(shop, form, write):
    for number, case in enumerate(bad_files(form, SEED + 1)[::7]):
        shop.land("mail", f"{DAY}/{number:03d}-bad", case.data)
        shop.land("mail", f"{DAY}/{number:03d}-good", write(messages(f"good{number}", 3)))
    shop.load(feed_of(form))
    counts = shop.counts("mail")
    assert {counts[file] for file in counts if file.endswith("-good")} == {(3, 3, 0, 0)}


def test_folders_links_and_pipes_are_told_from_files(shop):
    real = shop.land("mail", f"{DAY}/real.jsonl", json_lines(messages("a", 2)))
    folder = real.parent
    (folder / "folder.jsonl").mkdir()
    (folder / "folder.jsonl" / "inside.jsonl").write_bytes(json_lines(messages("b", 1)))
    (folder / "link.jsonl").symlink_to(real)
    (folder / "nowhere.jsonl").symlink_to(folder / "gone.jsonl")
    (folder / "loop.jsonl").symlink_to(folder / "loop.jsonl")
    os.mkfifo(folder / "pipe.jsonl")
    shop.load(feed_of("jsonl"))
    assert shop.counts("mail") == {
        f"{DAY}/folder.jsonl/inside.jsonl": (1, 1, 0, 0),
        f"{DAY}/link.jsonl": (2, 2, 0, 0),
        f"{DAY}/real.jsonl": (2, 0, 2, 0),
    }


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="needs a file that opens and cannot be read")
def test_a_file_that_cannot_be_read_is_told_and_tried_again(shop):
    path = shop.land("mail", f"{DAY}/a.jsonl", b"")
    path.unlink()
    path.symlink_to("/proc/self/mem")
    shop.land("mail", f"{DAY}/b.jsonl", json_lines(messages("a", 2)))
    shop.load(feed_of("jsonl"))
    assert shop.counts("mail")[f"{DAY}/b.jsonl"] == (2, 2, 0, 0)
    assert shop.refused("messages") == [(f"{DAY}/a.jsonl", 1, "", "unreadable")]
    path.unlink()
    path.write_bytes(json_lines(messages("b", 1)))
    shop.load(feed_of("jsonl"))
    assert shop.counts("mail")[f"{DAY}/a.jsonl"] == (1, 1, 0, 0)
    assert shop.refused("messages") == []


def test_a_reader_that_loses_a_row_is_caught_at_run_time(shop, monkeypatch):
    from sources.block_check import BlockCheck

    judge = BlockCheck._judge_doubtful
    monkeypatch.setattr(BlockCheck, "_judge_doubtful", lambda self, *block: judge(self, *block)[1:])
    shop.land("mail", f"{DAY}/a.jsonl", json_lines(messages("a", 2)) + b"{}\n")
    with pytest.raises(WarehouseError, match="3 read, 2 accounted for"):
        shop.load(feed_of("jsonl"))
    monkeypatch.undo()
    shop.load(feed_of("jsonl"))
    assert shop.counts("mail") == {f"{DAY}/a.jsonl": (3, 2, 0, 1)}


def test_a_file_that_goes_while_the_plan_is_made_is_no_error(shop):
    path = shop.land("mail", f"{DAY}/a.jsonl", json_lines(messages("a", 1)))
    found = discover(shop.project, feed_of("jsonl"))
    shop.load(feed_of("jsonl"))
    path.unlink()
    assert plan_files(found, {}, lambda *_: "now").why == {f"{DAY}/a.jsonl": "new"}
