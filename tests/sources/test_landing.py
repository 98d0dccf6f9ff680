"""Which files are a feed's, and on which day their batch stands."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime

import pytest

from sources.feed import Feed
from sources.landing import discover
from sources.landing_report import misdated, unread_files


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
        ("dt=20260105/part.jsonl", "2026-01-05"),
        ("dt=2026-01-05T10/part.jsonl", "2026-01-05"),
        ("order-12026-01-05.jsonl", "2026-03-04"),
        ("part-1234-56-78.jsonl", "2026-03-04"),
    ],
)
def test_the_batch_day_is_in_the_path_else_it_is_the_day_of_the_last_change(shop, file, day):
    shop.touch(shop.land("mail", file, "{}"), "2026-03-04")
    [found] = discover(shop.project, feed())
    assert (found.file, found.batch_on.isoformat(), found.bytes) == (file, day, 2)


@pytest.mark.parametrize(
    ("file", "place"),
    [
        ("dt=2026-02-30/a.jsonl", "dt=2026-02-30/ (a.jsonl)"),
        ("x/dt=2026-02-30/export-2026-02-28.jsonl", "x/dt=2026-02-30/ (export-2026-02-28.jsonl)"),
        ("dt=latest/deep/a.jsonl", "dt=latest/ (deep/a.jsonl)"),
        ("dt=/a.jsonl", "dt=/ (a.jsonl)"),
        ("export-2026-13-01.jsonl", "export-2026-13-01.jsonl"),
        ("2025-02-29/a.jsonl", "2025-02-29/ (a.jsonl)"),
    ],
)
def test_a_day_that_is_none_is_an_error_that_names_the_place_and_costs_no_other_file(
    shop, a_message_feed, a_message, file, place
):
    shop.land("mail", "dt=2026-01-05/good.jsonl", [a_message(1)])
    shop.land("mail", file, [a_message(2)])
    shop.load(a_message_feed())
    assert shop.counts("mail") == {"dt=2026-01-05/good.jsonl": (1, 1, 0, 0)}
    error = misdated(shop.project, a_message_feed())
    assert error is not None
    assert error.exit_code == 11
    assert error.reason == f"landing/mail/{place} names no day of the calendar and is not loaded."
    assert error.fix.startswith("Rename it to the day of its batch")
    assert unread_files(shop.project, {"mail": a_message_feed()}) == []


def test_days_that_are_none_are_told_by_folder(shop, a_message_feed):
    for day in range(30, 38):
        for name in ("a", "b"):
            shop.land("mail", f"dt=2026-02-{day}/{name}.jsonl", "{}")
    error = misdated(shop.project, a_message_feed())
    assert error is not None
    assert "landing/mail/dt=2026-02-30/ (a.jsonl and 1 more), landing/mail/dt=2026-02-31/ (a.jsonl" in error.reason
    assert "dt=2026-02-34/ (a.jsonl and 1 more) and 3 more name no day" in error.reason
    assert misdated(shop.project, a_message_feed(files=["other/*"])) is None


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


def test_hidden_and_unfinished_files_are_left_alone_and_told_with_the_reason(shop):
    for name in (
        ".hidden",
        "_SUCCESS",
        "_tmp/part.jsonl",
        ".git/part.jsonl",
        "part.jsonl.part",
        "part.jsonl.TMP",
        "good.jsonl",
    ):
        shop.land("mail", f"dt=2026-01-05/{name}", "" if name == "_SUCCESS" else "{}")
    assert [file.file for file in discover(shop.project, feed())] == ["dt=2026-01-05/good.jsonl"]
    hidden, unfinished = unread_files(shop.project, {"mail": feed()})
    assert hidden == (
        "landing/mail/dt=2026-01-05/.hidden and 1 more are left alone: names that begin with `.` or `_` are not read."
    )
    assert unfinished == (
        "landing/mail/dt=2026-01-05/part.jsonl.TMP and 1 more are left alone: "
        "a name that ends so is that of an unfinished download."
    )
    with_marks = unread_files(shop.project, {"mail": feed()}, with_marks=True)
    assert "landing/mail/dt=2026-01-05/.hidden and 2 more are left alone" in with_marks[0]


def test_folders_behind_links_are_read_by_the_path_they_are_seen_under(shop, a_message_feed, a_message, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "a.jsonl").write_text(json.dumps(a_message(1)) + "\n", encoding="utf-8")
    landing = shop.land("mail", "dt=2026-01-05/b.jsonl", [a_message(2)]).parent.parent
    (landing / "dt=2026-01-06").symlink_to(outside)
    (landing / "dt=2026-01-07").symlink_to(outside)
    for globs in (["**/*"], ["dt=*/*.jsonl"]):
        found = {file.file: str(file.batch_on) for file in discover(shop.project, a_message_feed(files=globs))}
        assert found == {
            "dt=2026-01-05/b.jsonl": "2026-01-05",
            "dt=2026-01-06/a.jsonl": "2026-01-06",
            "dt=2026-01-07/a.jsonl": "2026-01-07",
        }
    shop.load(a_message_feed())
    assert sum(read for read, *_ in shop.counts("mail").values()) == 3


def test_links_that_lead_back_are_followed_once_and_told(shop, tmp_path):
    landing = shop.land("mail", "one/a.jsonl", "{}").parent.parent
    shop.land("mail", "two/b.jsonl", "{}")
    (landing / "one" / "again").symlink_to(landing / "one")
    (landing / "one" / "up").symlink_to(tmp_path)
    (landing / "one" / "two").symlink_to(landing / "two")
    (landing / "two" / "one").symlink_to(landing / "one")
    (landing / "two" / "gone").symlink_to(tmp_path / "nowhere")
    assert [file.file for file in discover(shop.project, feed())] == [
        "one/a.jsonl",
        "one/two/b.jsonl",
        "two/b.jsonl",
        "two/one/a.jsonl",
    ]
    told = unread_files(shop.project, {"mail": feed()})
    assert any("mail/one/again and" in item and "the link leads to a folder above it" in item for item in told)
    assert any("gone" in item and "the link leads nowhere" in item for item in told)


def test_a_feed_folder_may_be_a_link_itself(shop, tmp_path):
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    (outside / "a.jsonl").write_text("{}", encoding="utf-8")
    (outside / "back").symlink_to(shop.project.landing)
    shop.project.landing.mkdir(parents=True)
    (shop.project.landing / "mail").symlink_to(outside)
    assert [file.file for file in discover(shop.project, feed())] == ["a.jsonl"]


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
