"""One measured loading, in a process of its own: ``python -m benchmarks.ingest.measured raw|load ...``.

CPU seconds are those of all threads from the first statement until the database is closed; what importing costs is
left out on both sides. The peak memory is the whole process's.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from benchmarks.ingest.rows import FORMS, statement
from sources.feed import Feed
from sources.loading import load_feed
from warehouse.business import Business
from warehouse.database import open_warehouse
from warehouse.project import Project
from warehouse.step import Run

_SQL = {"jsonl": "segment", "json": "shopify", "csv": "csv", "parquet": "parquet"}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def raw(form: str, project: Path, files: str) -> dict[str, float]:
    """DuckDB reads the files into a plain table of the contract's columns, unchecked."""
    with duckdb.connect(str(project / "raw.duckdb")) as connection:
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            f"create table plain as {statement(_SQL[form])}", {"file": f"{project}/landing/feed/{files}"}
        )
        [(rows,)] = connection.execute("select count(*) from plain").fetchall()
    return {"rows": rows}


def load(form: str, project: Path, files: str) -> dict[str, float]:
    """Our way: plan, hash, read, check, quarantine, ledger."""
    declared = FORMS[form]
    feed = Feed.named("feed", kind=declared.kind, mapping=declared.mapping, files=[files])
    run = Run("benchmark", date(2026, 11, 21), NOW.replace(tzinfo=None), _business())
    with open_warehouse(project / "ours.duckdb") as warehouse:
        done = load_feed(warehouse, Project(project), feed, run)
    batch = done.batches[0]
    return {"rows": done.rows_read, "accepted": batch.accepted, "rejected": batch.rejected}


def _business() -> Business:
    return Business(name="benchmark", default_country="GB", base_currency="GBP", time_zone="Europe/London")


def main(way: str, form: str, project: str, files: str) -> None:
    """Measure and print JSON."""
    before, began = time.process_time(), time.perf_counter()
    found = {"raw": raw, "load": load}[way](form, Path(project), files)
    found["cpu_seconds"] = time.process_time() - before
    found["seconds"] = time.perf_counter() - began
    found["peak_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
