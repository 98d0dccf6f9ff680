"""A process that is killed while it loads loses nothing and doubles nothing: the next run goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sources.feed import Feed
from sources.loading import load_feed
from warehouse.database import open_warehouse
from warehouse.project import Project

FEED = {"kind": "messages", "mapping": "jsonl", "max_reject_ratio": 1}

LOADER = """
import os, signal, sys
from datetime import date, datetime
from pathlib import Path
from sources import loading
from sources.feed import Feed
from warehouse.business import Business
from warehouse.database import open_warehouse
from warehouse.project import Project
from warehouse.step import Run

root, after = Path(sys.argv[1]), int(sys.argv[2])
loading.GROUP_BYTES = 2_000
told = 0

def kill(*_):
    global told
    told += 1
    if told == after:
        os.kill(os.getpid(), signal.SIGKILL)

business = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
run = Run("killed", date(2026, 1, 31), datetime(2026, 2, 1), business)
feed = Feed.named("mail", kind="messages", mapping="jsonl", max_reject_ratio=1)
with open_warehouse(root / "state" / "warehouse.duckdb") as warehouse:
    loading.load_feed(warehouse, Project(root), feed, run, progress=kill)
"""


def state(warehouse):
    cursor = warehouse.cursor()
    return [
        cursor.execute("select * from staging._messages_rows order by all").fetchall(),
        cursor.execute(
            "select file, rows_read, rows_accepted, rows_duplicate, rows_rejected from ops.files order by 1"
        ).fetchall(),
        cursor.execute("select * exclude (first_seen_at) from quarantine.messages order by all").fetchall(),
    ]


@pytest.mark.parametrize("after", [1, 5, 12])
def test_a_killed_load_is_finished_by_the_next(tmp_path: Path, run, a_message, after):
    for day in range(1, 13):
        path = tmp_path / "landing" / "mail" / f"dt=2026-01-{day:02d}" / "part.jsonl"
        path.parent.mkdir(parents=True)
        rows = [a_message(day * 10 + n % 4) for n in range(6)] + [a_message(1), {"broken": day}]
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    killed = subprocess.run(
        [sys.executable, "-c", LOADER, str(tmp_path), str(after)], check=False, cwd=Path(__file__).parents[2]
    )
    assert killed.returncode == -9
    feed, project = Feed.named("mail", **FEED), Project(tmp_path)
    with open_warehouse(tmp_path / "state" / "warehouse.duckdb") as warehouse, open_warehouse() as other:
        load_feed(warehouse, project, feed, run)
        load_feed(other, project, feed, run)
        assert state(warehouse) == state(other)
