"""``cdp quarantine``, as a data engineer or a script calls it."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cdp.actor import attempt_of, run_of
from cdp.command import run_command
from quality.quarantine_export import read_export
from sources.feed import load_feeds
from sources.loading import BatchesStoppedError, load_feed
from warehouse.database import open_warehouse
from warehouse.declaration import Problems
from warehouse.project import Project

FEED = """
kind: messages
mapping: jsonl
max_reject_ratio: 1
"""


def a_message(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "message_id": f"m{number}",
        "message_channel": "email",
        "message_event": "sent",
        "occurred_at": "2026-01-05T10:00:00Z",
        "email": f"person{number}@shop.example",
    } | changed


class Shop:
    """A project whose mail feed holds two good rows and two bad ones."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.root, self.capsys = root, capsys

    def make(self) -> None:
        root = self.root
        (root / "config" / "feeds").mkdir(parents=True)
        (root / "config" / "business.yml").write_text(
            "name: A shop\nbase_currency: GBP\ntime_zone: Europe/London\ndefault_country: GB\n", encoding="utf-8"
        )
        self.declare(FEED)
        rows = [
            a_message(1),
            a_message(2, message_channel="pigeon"),
            a_message(3),
            a_message(4, occurred_at="yesterday"),
        ]
        self.land("dt=2026-01-05/a.jsonl", rows)
        self.load()

    def declare(self, text: str, name: str = "feeds/mail.yml") -> None:
        path = self.root / "config" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def land(self, file: str, rows: list[dict[str, Any]]) -> None:
        path = self.root / "landing" / "mail" / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def load(self) -> None:
        project = Project(self.root)
        feed = load_feeds(project, Problems())["mail"]
        with open_warehouse(project.database) as warehouse:
            load_feed(warehouse, project, feed, run_of(project, attempt_of("the test", "")))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        with open_warehouse(Project(self.root).database) as warehouse:
            return warehouse.cursor().execute(query).fetchall()

    def call(self, *arguments: str, code: int = 0) -> str:
        """What a command prints, after its exit code was as expected."""
        self.capsys.readouterr()
        assert run_command(["quarantine", *arguments, "--project", str(self.root)]) == code
        printed = self.capsys.readouterr()
        return printed.err if code else printed.out

    def json(self, *arguments: str) -> Any:
        return json.loads(self.call(*arguments, "--json"))

    @property
    def ids(self) -> list[str]:
        return [row["quarantine_id"] for row in self.json("list")]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("made") / "shop"
    Shop(root, None).make()  # type: ignore[arg-type]  # nothing is printed
    return root


@pytest.fixture
def shop(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Shop:
    return Shop(Path(shutil.copytree(made, tmp_path / "shop")), capsys)


CALLS: list[Callable[[str], list[str]]] = [
    lambda _: ["list", "--feed", "mial"],
    lambda _: ["list", "--code", "missin"],
    lambda _: ["export", "rows.xlsx"],
    lambda _: ["discard", "--why", "tests"],
    lambda row: ["discard", row],
]


@pytest.mark.parametrize("arguments", CALLS)
def test_a_call_that_makes_no_sense_is_a_usage_error(shop: Shop, arguments: Callable[[str], list[str]]) -> None:
    assert shop.call(*arguments(shop.ids[0]), code=2)
    assert len(shop.ids) == 2


@pytest.mark.parametrize("arguments", [["show", "q0"], ["replay", "--id", "q0"], ["discard", "q0", "--why", "tests"]])
def test_an_unknown_id_is_told_with_what_to_do(shop: Shop, arguments: list[str]) -> None:
    assert "fix: Look it up with `cdp quarantine list" in shop.call(*arguments, code=11)


def test_rows_are_listed_by_feed_code_field_and_status(shop: Shop) -> None:
    assert [(row["feed"], row["row"], row["codes"]) for row in shop.json("list")] == [
        ("mail", 2, ["not_in_set"]),
        ("mail", 4, ["bad_format"]),
    ]
    assert [row["row"] for row in shop.json("list", "--feed", "mail", "--code", "not_in_set")] == [2]
    assert [row["row"] for row in shop.json("list", "--field", "occurred_at")] == [4]
    assert shop.json("list", "--status", "discarded") == []
    assert "message_channel: not_in_set" in shop.call("list")


def test_a_long_list_is_cut_and_says_how_many_more_there_are(shop: Shop) -> None:
    shop.land("dt=2026-01-06/a.jsonl", [a_message(100 + n, message_channel="owl") for n in range(60)])
    shop.load()
    page = shop.call("list")
    assert page.count("not_in_set") + page.count("bad_format") == 50
    assert "… and 12 more: --limit" in page
    assert "… and" not in shop.call("list", "--limit", "62")
    assert "… and 1 more" in shop.call("list", "--code", "not_in_set", "--limit", "60")
    assert (len(shop.json("list")), len(shop.json("list", "--limit", "3"))) == (62, 3)


def test_a_binary_row_is_shown_without_control_codes_and_cut(shop: Shop) -> None:
    path = shop.root / "landing" / "mail" / "dt=2026-01-06" / "junk.jsonl"
    path.parent.mkdir()
    path.write_bytes(b"\x1b[2J\x07" + b"\x01\x02" * 20_000)
    shop.load()
    [row] = [row for row in shop.json("list") if row["codes"] == ["unreadable"]]
    page = shop.call("show", row["quarantine_id"], "--reveal", "--why", "junk")
    assert "\x1b" not in page
    assert "\\x1b[2J\\x07" in page
    assert len(page) < 20_000


def test_a_row_is_shown_with_the_source_fields_that_a_repair_takes(shop: Shop) -> None:
    shop.declare(FEED + "fields:\n  occurred_at: {coalesce: [sent at, sent.at, occurred_at]}\n")
    lines = [{"sent at": "yesterday"}, {"sent": {"at": "yesterday"}}, {}]
    path = shop.root / "landing" / "mail" / "dt=2026-01-07" / "more.jsonl"
    path.parent.mkdir()
    rows = [
        {key: value for key, value in a_message(n).items() if key != "occurred_at"} | line
        for n, line in enumerate(lines)
    ]
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    shop.load()
    found = {row["row"]: row["quarantine_id"] for row in shop.json("list") if row["file"].endswith("more.jsonl")}
    pages = {row: shop.call("show", name) for row, name in found.items()}
    assert "occurred_at (from sent at): bad_format" in pages[1]
    assert "--set 'sent at'=VALUE" in pages[1]
    assert "occurred_at (from sent.at): bad_format" in pages[2]
    assert "occurred_at (from sent at, sent.at, occurred_at): missing" in pages[3]
    assert shop.json("show", found[2])["source_fields"] == {"occurred_at": ["sent.at"]}
    shop.call("repair", found[2], "--set", "sent.at=2026-01-07T10:00:00Z", "--why", "asked")
    assert found[2] not in {row["quarantine_id"] for row in shop.json("list")}


def test_personal_values_are_masked_and_every_look_at_them_is_noted(shop: Shop) -> None:
    first = shop.ids[0]
    assert "person2@" not in shop.call("show", first)
    assert shop.json("show", first)["raw"].count("•••") == 1
    revealed = shop.json("show", first[:6], "--reveal", "--by", "mei", "--why", "the shop asked")
    assert "person2@shop.example" in revealed["raw"]
    file = shop.root / "rows.jsonl"
    shop.call("export", str(file), "--reveal", "--by", "mei", "--feed", "mail")
    assert shop.ask("select accessed_by, command, looked_at, rows, why from ops.access_log order by accessed_at") == [
        ("mei", "quarantine show", first, 1, "the shop asked"),
        ("mei", "quarantine export", "feed mail, status open", 2, ""),
    ]


def test_rows_are_exported_in_the_form_that_the_name_says(shop: Shop) -> None:
    made: dict[str, list[dict[str, Any]]] = {}
    for ending in ("csv", "jsonl", "parquet"):
        file = shop.root / f"rows.{ending}"
        assert shop.json("export", str(file)) == {"file": str(file), "rows": 2, "is_masked": True}
        assert b"person2@" not in file.read_bytes()
    with (shop.root / "rows.csv").open(encoding="utf-8", newline="") as lines:
        made["csv"] = [row | {"reasons": json.loads(row["reasons"])} for row in csv.DictReader(lines)]
    made["jsonl"] = [json.loads(line) for line in (shop.root / "rows.jsonl").read_text("utf-8").splitlines()]
    made["parquet"] = pq.read_table(shop.root / "rows.parquet").to_pylist()
    for rows in made.values():
        assert [(row["quarantine_id"], int(row["row"]), row["reasons"][0]["code"]) for row in rows] == [
            (shop.ids[0], 2, "not_in_set"),
            (shop.ids[1], 4, "bad_format"),
        ]
        assert json.loads(rows[0]["raw"])["message_channel"] == "pigeon"


def test_a_row_that_the_mended_declaration_reads_leaves_quarantine_once(shop: Shop) -> None:
    first, second = shop.ids
    unchanged = shop.json("replay", "--by", "mei", "--why", "just to see")
    assert (unchanged["attempted"], unchanged["replayed"], unchanged["still_open"]) == (2, 0, 2)
    shop.declare(FEED + "fields: {message_channel: {constant: email}}\n")
    done = shop.json("replay", "--feed", "mail", "--code", "not_in_set", "--by", "mei", "--why", "all of it is mail")
    assert (done["attempted"], done["replayed"], done["still_open"], done["gone"]) == (1, 1, 0, 0)
    again = shop.json("replay", "--id", first)
    assert (again["attempted"], again["replayed"]) == (0, 0)
    assert shop.ids == [second]
    shown = shop.json("show", first)
    assert (shown["status"], shown["resolved_by"], shown["attempts"]) == ("replayed", "mei", 2)
    assert [(event["event"], event["acted_by"], event["why"]) for event in shown["history"]] == [
        ("refused_again", "mei", "just to see"),
        ("replayed", "mei", "all of it is mail"),
    ]
    assert shop.ask("select count(*) from staging.messages where message_id = 'm2'") == [(1,)]
    assert shop.ask("select rows_read, rows_accepted, rows_duplicate, rows_rejected from ops.batches") == [(4, 3, 0, 1)]


def test_the_history_of_a_row_is_told_on_the_clock_of_the_business(shop: Shop) -> None:
    first, _ = shop.ids
    business = (shop.root / "config" / "business.yml").read_text(encoding="utf-8")
    shop.declare(business.replace("Europe/London", "Asia/Shanghai"), "business.yml")
    shop.call("discard", first, "--why", "a test", "--by", "mei")
    [event] = shop.json("show", first)["history"]
    there = datetime.fromisoformat(event["happened_at"]) + timedelta(hours=8)
    page = shop.call("show", first)
    assert f"{there:%Y-%m-%d %H:%M} discarded by mei: a test" in page
    assert "times are those of Asia/Shanghai" in page


def test_a_row_is_repaired_by_hand_and_the_repair_outlives_a_rebuild(shop: Shop) -> None:
    first, second = shop.ids
    done = shop.json("repair", first, "--set", "message_channel=sms", "--why", "it was a text message", "--by", "mei")
    assert (done["corrections"], done["attempted"], done["replayed"]) == (1, 1, 1)
    assert shop.ids == [second]
    shown = shop.json("show", first)
    assert (shown["status"], shown["resolved_by"]) == ("replayed", "mei")
    assert "fix: " in shop.call("repair", first, "--set", "message_channel=email", "--why", "again", code=11)
    (shop.root / "state" / "warehouse.duckdb").unlink()
    shop.load()
    assert shop.ids == [second]


def test_a_repair_that_helps_nothing_is_told_with_the_reason_and_not_kept(shop: Shop) -> None:
    second = shop.ids[1]
    by_hand = shop.root / "config" / "corrections" / "by_hand.yml"
    for _ in range(2):
        told = shop.call("repair", second, "--set", "occurred_at=soon", "--why", "x", "--by", "mei", code=11)
        assert "occurred_at" in told
        assert not by_hand.exists()
    shop.json("repair", second, "--set", "occurred_at=2026-01-05T11:00:00Z", "--why", "now it is right", "--by", "li")
    kept = by_hand.read_bytes()
    shop.call("repair", shop.ids[0], "--set", "message_channel=dove", "--why", "x", code=11)
    assert by_hand.read_bytes() == kept
    history = shop.json("show", second)["history"]
    assert [(event["event"], event["acted_by"]) for event in history] == [
        ("refused_again", "mei"),
        ("refused_again", "mei"),
        ("replayed", "li"),
    ]


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet"])
def test_rows_are_repaired_by_editing_an_export_that_is_masked(shop: Shop, ending: str) -> None:
    first, second = shop.ids
    file = shop.root / f"rows.{ending}"
    shop.call("export", str(file))
    rows = read_export(file)
    rows[0]["raw"] = rows[0]["raw"].replace("pigeon", "sms")
    if ending == "csv":
        with file.open("w", encoding="utf-8", newline="") as lines:
            writer = csv.DictWriter(lines, rows[0])
            writer.writeheader()
            writer.writerows(rows)
    elif ending == "jsonl":
        file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    else:
        pq.write_table(pa.Table.from_pylist(rows), file)
    assert shop.json("repair", "--from", str(file), "--why", "text messages")["replayed"] == 1
    assert shop.ids == [second]
    assert shop.ask("select email from staging.messages where message_id = 'm2'") == [("person2@shop.example",)]
    assert "person2" not in (shop.root / "config" / "corrections" / "by_hand.yml").read_text("utf-8")
    assert shop.json("show", first)["status"] == "replayed"


def test_a_repair_that_cannot_be_is_refused_and_writes_nothing(shop: Shop) -> None:
    first = shop.ids[0]
    told = shop.call("repair", first, "--set", "message_chanel=sms", "--why", "x", code=11)
    assert "--set message_chanel" in told
    assert "Did you mean" in told
    assert "by_hand" not in told
    assert shop.call("repair", first, "--set", "message_channel", "--why", "x", code=11)
    assert shop.call("repair", first, "--why", "x", code=2)
    assert shop.call("repair", first, "--set", "message_channel=sms", code=2)
    assert shop.call("repair", "--from", str(shop.root / "absent.csv"), "--why", "x", code=11)
    assert not (shop.root / "config" / "corrections").exists()


def test_a_repair_is_added_to_entries_that_somebody_wrote(shop: Shop) -> None:
    said = "  author: li\n  on: 2026-02-01\n  why: the sender's mistake\n"
    shop.declare(
        f"corrections:\n- feed: mail\n  where: {{message_id: m9}}\n{said}  remove: [email]", "corrections/by_hand.yml"
    )
    shop.json("repair", shop.ids[0], "--set", "message_channel=sms", "--why", "text: 'no' # yes", "--by", "mei")
    assert len(shop.ids) == 1
    written = (shop.root / "config" / "corrections" / "by_hand.yml").read_text("utf-8")
    assert written.count("- feed: mail") == 2


def test_a_discarded_row_stays_discarded_until_its_content_changes(shop: Shop) -> None:
    first, second = shop.ids
    done = shop.json("discard", first, "--why", "a test of the sender", "--by", "mei")
    assert done == {"discarded": 1, "quarantine_ids": [first]}
    assert shop.json("discard", first, "--why", "again")["discarded"] == 0
    shop.json("replay")
    assert shop.ids == [second]
    [discarded] = shop.json("list", "--status", "discarded")
    assert (discarded["resolved_by"], discarded["resolution"]) == ("mei", "a test of the sender")
    rows = [a_message(1), a_message(2, message_channel="raven"), a_message(3), a_message(4, occurred_at="yesterday")]
    shop.land("dt=2026-01-05/a.jsonl", rows)
    shop.load()
    assert shop.ids == [first, second]


def test_reasons_of_a_batch_that_was_stopped_are_told(shop: Shop) -> None:
    shop.declare(FEED.replace("max_reject_ratio: 1", "max_reject_ratio: 0.1"))
    shop.land("dt=2026-01-06/b.jsonl", [a_message(7, message_channel="pigeon"), a_message(8)])
    with pytest.raises(BatchesStoppedError):
        shop.load()
    found = [row for row in shop.json("reasons", "--feed", "mail") if row["batch_on"] == "2026-01-06"]
    assert [(row["field"], row["rows"], row["open_rows"]) for row in found] == [("message_channel", 1, 1)]
    shop.declare(FEED)
    shop.land("dt=2026-01-06/b.jsonl", [a_message(7), a_message(8)])
    shop.load()
    assert not [row for row in shop.json("reasons") if row["batch_on"] == "2026-01-06" and row["open_rows"]]
