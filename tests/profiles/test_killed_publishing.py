"""Whenever the process that publishes is killed, readers find one whole set, and the next run publishes."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import re
import signal
import sys
from datetime import date, datetime
from pathlib import Path

import duckdb
import pytest

from assets.run_log import RUNS, begin
from profiles.publishing.publish import publish
from quality.results import create_tables
from warehouse.business import Business
from warehouse.database import open_warehouse
from warehouse.project import Project
from warehouse.step import Run, TableSpec

BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
THINGS = TableSpec("profiles", "things", "One thing.", ("thing_id",), {"thing_id": "Key.", "made_by": "The run."})
CHANGES = {"os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink"}
"""What Python tells of before it changes names in a folder."""

processes = multiprocessing.get_context("forkserver")
processes.set_forkserver_preload([__name__, "pandas"])  # the database looks for it, and importing it takes a second


def publish_until(root: Path, run_id: str, last: int | None) -> None:
    """Publish what a run made; before the change of that number the process is killed."""
    changes = 0

    def count(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal changes
        if event in CHANGES or (event == "open" and "w" in str(arguments[1])):
            changes += 1
            if changes == last:
                os.kill(os.getpid(), signal.SIGKILL)

    with open_warehouse() as warehouse:
        with warehouse.transaction() as connection:
            begin(connection, run_id, datetime(2026, 2, 1), full_refresh=False)
            create_tables(connection)
            connection.execute(
                "insert into ops.quality_results (run_id, table_name, expectation, expects, description, severity, "
                "passed, unexpected_count, element_count, message, as_of, checked_at) "
                "values ($run, 'profiles.things', 'there', 'present', '', 'warn', true, 0, 1, '', "
                "date '2026-01-31', timestamp '2026-02-01')",
                {"run": run_id},
            )
            made = "create table profiles.things as select range as thing_id, $run as made_by from range(1000)"
            connection.execute(made, {"run": run_id})
        sys.addaudithook(count)
        run = Run(run_id, date(2026, 1, 31), datetime(2026, 2, 1), BUSINESS)
        publish(warehouse, Project(root), run, [THINGS, RUNS])


def start(root: Path, run_id: str, last: int | None = None) -> multiprocessing.process.BaseProcess:
    process = processes.Process(target=publish_until, args=(root, run_id, last))
    process.start()
    return process


def look(root: Path) -> set[str]:
    """The runs whose tables readers find: in the snapshot, in the exports and on the pages, each whole."""
    published = root / "published"
    with duckdb.connect(str((published / "cdp.duckdb").resolve(strict=True)), read_only=True) as reader:
        [(made_by,)] = reader.sql("select distinct made_by from profiles.things").fetchall()
        assert reader.sql("select run_id, status from ops.runs").fetchall() == [(made_by, "published")]
    exports = published / "exports"
    manifest = json.loads((exports / "manifest.json").read_text(encoding="utf-8"))
    for table in manifest["tables"]:
        assert hashlib.sha256((exports / table["file"]).read_bytes()).hexdigest() == table["sha256"]
    assert {path.name for path in exports.iterdir()} == {
        "manifest.json",
        *(f"{name}.{kind}" for name in ("ops.runs", "profiles.things") for kind in ("csv", "parquet")),
    }
    runs = duckdb.read_csv(exports / "ops.runs.csv").project("run_id, status").fetchall()
    assert runs == [(manifest["run_id"], "published")]
    pages = {path.name: path.read_text(encoding="utf-8") for path in (published / "quality").iterdir()}
    assert pages.keys() == {"index.html", "profiles.things.html"}
    [shown] = {found for page in pages.values() for found in re.findall("run <code>(.*?)</code>", page)}
    return {made_by, manifest["run_id"], shown}


def publishes_at_last(root: Path) -> None:
    process = start(root, "last")
    process.join()
    assert process.exitcode == 0
    assert look(root) == {"last"}
    published = root / "published"
    assert {path.name for path in published.iterdir()} == {"cdp.duckdb", "editions", "exports", "quality", "snapshots"}
    for kept in ("editions", "snapshots"):
        names = [path.name for path in (published / kept).iterdir()]
        assert len(names) <= 3
        assert not [name for name in names if name.startswith(".")]


def test_killed_before_any_change_to_the_folder_readers_find_one_whole_set(tmp_path: Path) -> None:
    start(tmp_path, "first").join()
    before = {"first"}
    for last in range(1, 200):
        process = start(tmp_path, f"run-{last}", last)
        process.join()
        found = look(tmp_path)
        assert found <= before | {f"run-{last}"}
        before = found
        if process.exitcode == 0:
            break
        assert process.exitcode == -signal.SIGKILL
    assert last > 20, "the process was killed at too few places"
    publishes_at_last(tmp_path)


@pytest.mark.parametrize("seed", [1, 2])
def test_killed_at_any_moment_readers_find_one_whole_set(tmp_path: Path, seed: int) -> None:
    start(tmp_path, "first").join()
    moments = random.Random(seed)
    for number in range(6):
        process = start(tmp_path, f"run-{number}")
        process.join(moments.uniform(0.05, 0.4))
        process.kill()
        process.join()
        look(tmp_path)
    publishes_at_last(tmp_path)
