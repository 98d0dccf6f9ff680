"""A feed of one's own with every kind of bad file: the rest still runs, nothing is lost, errors say what to do."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
from pathlib import Path

import pytest

from cdp.command import run_command
from cdp.commands.run import show_summary
from warehouse.database import open_warehouse

pytestmark = pytest.mark.end_to_end

FEED = """\
kind: purchases
mapping: csv
files: ["**/*.csv", "**/*.csv.gz"]
time_zone: Europe/Berlin
country: DE
currency: EUR
max_reject_ratio: 0.5
fields:
  order_id: Order
  placed_at: {path: Date, then: [{time: "%d.%m.%Y %H:%M"}]}
  status: {constant: paid}
  email: Mail
  full_name: Name
  gross_amount: Total
  currency: {setting: currency}
"""
HEADER = "Order,Date,Mail,Name,Total\n"


def row(order: int, day: int, name: str = "Kim", total: str = "1") -> str:
    return f"{order},{day:02}.01.2026 10:00,p{order}@example.com,{name},{total}\n"


@pytest.fixture
def project(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
    folder = tmp_path / "mine"
    assert run_command(["init", str(folder)]) == 0
    (folder / "config" / "feeds" / "orders.yml").write_text(FEED, encoding="utf-8")
    many = HEADER + "".join(row(100 + n, 4, hashlib.sha256(b"%d" % n).hexdigest()) for n in range(2000))
    whole = gzip.compress(many.encode(), mtime=0)
    files = {
        "dt=2026-01-01/odd.csv": (HEADER + row(1, 1) + row(1, 1) + row(2, 1) + row(3, 1, total="oops")).encode(),
        "dt=2026-01-02/empty.csv": b"",
        "dt=2026-01-03/moved.csv": b"Total,Mail,Name,Date,Order\n7.5,f@example.com,Fi,03.01.2026 09:00,6\n",
        "dt=2026-01-04/cut.csv.gz": whole[: len(whole) // 2],
        "dt=2026-01-05/latin.csv": (HEADER + row(10, 5, "Jürgen") + row(11, 5) + row(12, 5)).encode("latin-1"),
        "dt=2026-01-06/long.csv": (HEADER + row(13, 6, "x" * 50_000_000) + row(14, 6)).encode(),
        "dt=2026-01-07/other.csv": b"Bestellung,Datum\n1,2\n",
    }
    for name, content in files.items():
        path = folder / "landing" / "orders" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    capsys.readouterr()
    return folder


def test_bad_files_end_in_quarantine_or_an_error_the_rest_is_published_and_a_mended_file_is_loaded_by_the_next_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["run", "--project", str(project), "--json"]) == 11
    told = capsys.readouterr()
    summary = json.loads(told.out)
    counts = summary["feeds"]["orders"]
    assert counts["rows_read"] == counts["accepted"] + counts["duplicate"] + counts["rejected"]
    assert counts["duplicate"] == 1
    assert summary["published"] == "published/cdp.duckdb"
    assert "error: " in told.err
    assert "2026-01-07" in told.err
    assert "fix: " in told.err
    assert "Traceback" not in told.err

    assert run_command(["quarantine", "list", "--project", str(project), "--json"]) == 0
    refused = {(item["file"].split("/")[1], tuple(item["reasons"])) for item in json.loads(capsys.readouterr().out)}
    assert refused == {
        ("odd.csv", ("gross_amount: wrong_type",)),
        ("empty.csv", ("unreadable",)),
        ("cut.csv.gz", ("unreadable",)),
        ("latin.csv", ("unreadable",)),
        ("long.csv", ("full_name: too_long",)),
        ("other.csv", ("order_id: missing", "placed_at: missing")),
    }

    mended = HEADER.replace("Total", "Total EUR") + row(20, 7)
    (project / "landing" / "orders" / "dt=2026-01-07" / "other.csv").write_text(mended, encoding="utf-8")
    assert run_command(["run", "--project", str(project), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    counts = summary["feeds"]["orders"]
    assert (counts["rows_read"], counts["accepted"]) == (1, 1)
    warning = "Total is declared, but not in dt=2026-01-07/other.csv; did you mean Total EUR?"
    assert summary["absent_fields"] == {"orders": [warning]}
    show_summary(summary)
    assert f"warning: orders: {warning} Correct" in capsys.readouterr().out


def test_a_bug_that_one_feed_brings_to_light_breaks_that_feed_only(
    project: Path, codec_with_a_bug: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for day in range(2, 8):
        shutil.rmtree(project / "landing" / "orders" / f"dt=2026-01-0{day}")
    feeds = project / "config" / "feeds"
    (feeds / "till.yml").write_text(FEED + f"encoding: {codec_with_a_bug}\n", encoding="utf-8")
    path = project / "landing" / "till" / "dt=2026-01-02" / "rows.csv"
    path.parent.mkdir(parents=True)
    path.write_bytes((HEADER + row(50, 2, "Jürgen")).encode("latin-1"))
    assert run_command(["run", "--project", str(project), "--json"]) == 1
    told = capsys.readouterr()
    summary = json.loads(told.out)
    assert summary["bugs"] == ["till"]
    assert (summary["feeds"]["orders"]["accepted"], summary["feeds"]["till"]["accepted"]) == (2, 0)
    assert (project / summary["published"]).exists()
    assert "ZeroDivisionError" in told.err.split("error: ")[0]
    assert "error: Not everything could be loaded. till, 2026-01-02: Loading has a bug: ZeroDivisionError" in told.err

    (feeds / "till.yml").unlink()
    assert run_command(["run", "--project", str(project), "--json"]) == 0
    with open_warehouse(project / "state" / "warehouse.duckdb") as warehouse:
        assert warehouse.cursor().execute("select feed from ops.broken_batches").fetchall() == []


def test_a_missing_rate_is_named_with_its_days_and_what_to_do(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(project / "landing" / "orders")
    declared = project / "config" / "feeds" / "orders.yml"
    feed = FEED.replace("currency: EUR", "currency: CHF").replace("{constant: paid}", "State")
    when = '  updated_at: {path: Changed, then: [{time: "%d.%m.%Y"}]}\n'
    declared.write_text(feed + when, encoding="utf-8")
    (project / "config" / "feeds" / "no-files-yet.yml").write_text(FEED, encoding="utf-8")
    path = project / "landing" / "orders" / "dt=2026-01-09" / "rows.csv"
    path.parent.mkdir(parents=True)
    header = HEADER.replace("Total", "Total,State,Changed")
    states = (",paid,02.01.2026\n", ",refunded,05.01.2026\n", ",paid,03.01.2026\n")
    rows = [row(number, 2 + number % 2).strip() + state for number, state in enumerate(states)]
    path.write_text(header + "".join(rows), encoding="utf-8")
    assert run_command(["run", "--project", str(project), "--json"]) == 12
    printed, told = capsys.readouterr()
    summary = json.loads(printed)
    assert (summary["feeds"]["orders"]["accepted"], summary["published"]) == (3, None)
    assert summary["checks"]["failed"] > 0
    assert "profiles.order_refunds.base_amount_has_a_rate" in told
    assert "It is about CHF on 2026-01-02, 2026-01-03, 2026-01-05." in told
    assert "fix: Declare a feed of kind exchange_rates" in told
    assert run_command(["status", "--project", str(project), "--json"]) == 0
    feeds = {item["feed"]: item["files"] for item in json.loads(capsys.readouterr().out)["feeds"]}
    assert feeds == {"orders": 1, "no-files-yet": 0}
