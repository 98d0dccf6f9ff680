"""A feed of one's own with every kind of bad file: the rest still runs, nothing is lost, errors say what to do."""

from __future__ import annotations

import gzip
import hashlib
import json
from pathlib import Path

import pytest

from cdp.command import run_command

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


def test_bad_files_end_in_quarantine_or_in_an_error_that_says_what_to_do_and_the_rest_is_published(
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
    }


def test_a_mended_file_is_loaded_by_the_next_run(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_command(["run", "--project", str(project), "--json"])
    other = project / "landing" / "orders" / "dt=2026-01-07" / "other.csv"
    other.write_text(HEADER + row(20, 7), encoding="utf-8")
    capsys.readouterr()
    assert run_command(["run", "--project", str(project), "--json"]) == 0
    counts = json.loads(capsys.readouterr().out)["feeds"]["orders"]
    assert (counts["rows_read"], counts["accepted"]) == (1, 1)
