"""A process that is killed while it loads loses nothing and doubles nothing: the next run goes on."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from quality.quarantine import RowFilter, list_rows
from quality.resolution import Attempt
from sources.feed import Feed
from sources.loading import BatchesStoppedError, load_feed
from sources.replay import replay_rows
from warehouse.database import open_warehouse
from warehouse.project import Project

FEED = {"kind": "messages", "mapping": "jsonl", "max_reject_ratio": 1}

LOADER = """
import os, signal, sys
from datetime import date, datetime
from pathlib import Path
from quality.quarantine import RowFilter
from quality.resolution import Attempt
from sources import loading
from sources.feed import Feed
from sources.replay import replay_rows
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
feed = Feed.named("mail", kind="messages", mapping="jsonl", max_reject_ratio=float(sys.argv[4]))
with open_warehouse(root / "state" / "warehouse.duckdb") as warehouse:
    if sys.argv[3] == "load":
        loading.load_feed(warehouse, Project(root), feed, run, progress=kill)
    else:
        chosen, attempt = RowFilter(code="not_in_set"), Attempt(run.now, "killed")
        replay_rows(warehouse, Project(root), {"mail": feed}, chosen, run, attempt, kill)
"""
CORRECTION = """
corrections:
  - feed: mail
    lookup: {message_channel: {pigeon: email}}
    author: mei
    on: 2026-02-01
    why: there are no pigeons
"""


STAGED = "select * from staging._messages_rows order by all"
COUNTED = """
select file, rows_read, rows_accepted, rows_duplicate, rows_rejected, rows_staged, status from ops.files order by 1
"""


def state(warehouse):
    cursor = warehouse.cursor()
    return [
        cursor.execute(STAGED).fetchall(),
        cursor.execute(COUNTED).fetchall(),
        cursor.execute("select * exclude (first_seen_at) from quarantine.messages order by all").fetchall(),
    ]


def land(root: Path, a_message):
    for day in range(1, 13):
        path = root / "landing" / "mail" / f"dt=2026-01-{day:02d}" / "part.jsonl"
        path.parent.mkdir(parents=True)
        rows = [a_message(day * 10 + n % 4) for n in range(6)] + [a_message(1), {"broken": day}]
        rows.append(a_message(day * 10 + 5, message_channel="pigeon"))
        path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")


def kill(root: Path, after: int, what: str, ratio: float = 1) -> None:
    arguments = [sys.executable, "-c", LOADER, str(root), str(after), what, str(ratio)]
    assert subprocess.run(arguments, check=False, cwd=Path(__file__).parents[2]).returncode == -9


@pytest.mark.parametrize("after", [1, 5, 12])
def test_a_killed_load_is_finished_by_the_next(tmp_path: Path, run, a_message, after):
    land(tmp_path, a_message)
    kill(tmp_path, after, "load")
    feed, project = Feed.named("mail", **FEED), Project(tmp_path)
    with open_warehouse(tmp_path / "state" / "warehouse.duckdb") as warehouse, open_warehouse() as other:
        load_feed(warehouse, project, feed, run)
        load_feed(other, project, feed, run)
        assert state(warehouse) == state(other)


def test_a_load_that_is_killed_while_every_batch_must_stop_is_finished_by_the_next(tmp_path: Path, run, a_message):
    land(tmp_path, a_message)
    kill(tmp_path, 7, "load", 0.2)
    feed, project = Feed.named("mail", **FEED | {"max_reject_ratio": 0.2}), Project(tmp_path)
    with open_warehouse(tmp_path / "state" / "warehouse.duckdb") as warehouse, open_warehouse() as other:
        statuses = warehouse.cursor().execute("select status from ops.files").fetchall()
        assert 0 < len(statuses) < 12
        assert set(statuses) == {("stopped",)}
        for one in (warehouse, other):
            with pytest.raises(BatchesStoppedError):
                load_feed(one, project, feed, run)
        assert state(warehouse) == state(other)


@pytest.mark.parametrize("after", [1, 7])
def test_a_killed_replay_is_finished_by_the_next_and_every_row_leaves_once(tmp_path: Path, run, a_message, after):
    land(tmp_path, a_message)
    feed, project = Feed.named("mail", **FEED), Project(tmp_path)
    with open_warehouse(project.database) as warehouse:
        load_feed(warehouse, project, feed, run)
    corrections = tmp_path / "config" / "corrections" / "channels.yml"
    corrections.parent.mkdir(parents=True)
    corrections.write_text(CORRECTION, encoding="utf-8")
    kill(tmp_path, after, "replay")
    with open_warehouse(project.database) as warehouse:
        left = list_rows(warehouse.cursor(), RowFilter(code="not_in_set"))
        assert 0 < len(left) <= 12
        [done] = replay_rows(
            warehouse, project, {"mail": feed}, RowFilter(code="not_in_set"), run, Attempt(run.now, "run-2", "mei")
        )
        assert done.replayed == len(left)
        cursor = warehouse.cursor()
        events = cursor.execute(
            "select row, count(*), count(distinct quarantine_id) from ops.quarantine_history "
            "where event = 'replayed' group by row"
        )
        assert events.fetchall() == [(9, 12, 12)]
        assert list_rows(cursor, RowFilter(code="not_in_set")) == ()
        with open_warehouse() as other:
            load_feed(other, project, feed, run)
            for query in (STAGED, COUNTED):
                assert cursor.execute(query).fetchall() == other.cursor().execute(query).fetchall()
