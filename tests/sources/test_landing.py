"""Which files are a feed's, and on which day their batch stands."""

from __future__ import annotations

import os
from datetime import UTC, datetime

import pytest

from sources.feed import Feed
from sources.landing import discover


def feed(**declared):
    return Feed.named("mail", kind="messages", mapping="jsonl", **declared)


@pytest.mark.parametrize(
    ("file", "day"),
    [
        ("dt=2026-01-05/part.jsonl", "2026-01-05"),
        ("dt=2026-01-05/export-2026-02-01.jsonl", "2026-01-05"),
        ("2025/2025-12-31/part.jsonl", "2025-12-31"),
        ("export-2026-02-01.jsonl", "2026-02-01"),
        ("2026-01-01_to_2026-01-31.jsonl", "2026-01-31"),
        ("part.jsonl", "2026-03-04"),
        ("dt=2026-02-30/part.jsonl", "2026-03-04"),
        ("order-12026-01-05.jsonl", "2026-03-04"),
    ],
)
def test_the_batch_day_is_in_the_path_else_it_is_the_day_of_the_last_change(shop, file, day):
    shop.touch(shop.land("mail", file, "{}"), "2026-03-04")
    [found] = discover(shop.project, feed())
    assert (found.file, found.batch_on.isoformat(), found.bytes) == (file, day, 2)


def test_the_day_of_the_last_change_is_a_day_of_the_business(shop):
    (shop.root / "config").mkdir()
    business = "name: 店\nbase_currency: CNY\ntime_zone: Asia/Shanghai\ndefault_country: CN\n"
    (shop.root / "config" / "business.yml").write_text(business, encoding="utf-8")
    path = shop.land("mail", "part.jsonl", "{}")
    for moment, day in ((datetime(2026, 3, 3, 15, 59, 59), "2026-03-03"), (datetime(2026, 3, 3, 16), "2026-03-04")):
        seconds = moment.replace(tzinfo=UTC).timestamp()
        os.utime(path, (seconds, seconds))
        [found] = discover(shop.project, feed())
        assert found.batch_on.isoformat() == day


def test_hidden_and_unfinished_files_are_left_alone(shop):
    for name in (
        ".hidden",
        "_SUCCESS",
        "_tmp/part.jsonl",
        ".git/part.jsonl",
        "part.jsonl.part",
        "part.jsonl.tmp",
        "good.jsonl",
    ):
        shop.land("mail", f"dt=2026-01-05/{name}", "{}")
    assert [file.file for file in discover(shop.project, feed())] == ["dt=2026-01-05/good.jsonl"]


def test_a_name_that_is_no_utf_8_is_escaped_and_its_file_loaded_like_any_other(shop, a_message_feed, a_message):
    shop.land("mail", "dt=2026-01-05/good.jsonl", [a_message(1)])
    place = os.fsencode(shop.land("mail", "dt=2026-01-05/other.jsonl", [a_message(2)]))
    os.rename(place, os.path.dirname(place) + b"/" + "订单.jsonl".encode("gbk"))
    shop.load(a_message_feed())
    assert shop.counts("mail") == {
        "dt=2026-01-05/good.jsonl": (1, 1, 0, 0),
        r"dt=2026-01-05/\xb6\xa9\xb5\xa5.jsonl": (1, 1, 0, 0),
    }
    assert not shop.load(a_message_feed()).batches


def test_globs_choose_files_and_a_file_two_globs_name_is_one(shop):
    for name in ("a.jsonl", "b.json", "deep/c.jsonl"):
        shop.land("mail", name, "{}")
    assert [file.file for file in discover(shop.project, feed(files=["**/*.jsonl", "a.*"]))] == [
        "a.jsonl",
        "deep/c.jsonl",
    ]
    assert discover(shop.project, Feed.named("other", kind="messages", mapping="jsonl")) == ()


def test_an_undated_file_keeps_its_batch_while_its_content_is_the_same(shop, a_message_feed, a_message):
    path = shop.land("mail", "part.jsonl", [a_message(1)])
    shop.touch(path, "2026-01-05")
    shop.load(a_message_feed())
    shop.touch(path, "2026-02-01")
    shop.load(a_message_feed())
    shop.load(a_message_feed(), full_refresh=True)
    assert [str(day) for (day,) in shop.ask("select batch_on from ops.files")] == ["2026-01-05"]
    path.write_text("")
    shop.land("mail", "part.jsonl", [a_message(2)])
    shop.touch(path, "2026-03-01")
    shop.load(a_message_feed())
    assert [str(day) for (day,) in shop.ask("select _batch_on from staging._messages_versions")] == ["2026-03-01"]
