"""What one run did, read from the tables it left: the object that `cdp run --json` prints."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from assets.broken_batches import broken, told_batches
from quality.suites import Suite
from sources.schema_ledger import absent_columns, found_changes, told
from warehouse.database import Connection
from warehouse.edition import SNAPSHOT_NAME
from warehouse.errors import CdpError, InputError, QualityGateError
from warehouse.foreign_text import shown

Errors = Mapping[str, CdpError]
"""Feeds of which nobody knows what there was to load, and why."""

_LONGEST_NAME = 300
_LOOK = "Look at `cdp quality check`; mend the data, or the expectation in config/quality.yml."


def summarise(cursor: Connection, run_id: str, feeds: Iterable[str], errors: Errors) -> dict[str, Any]:
    """What this run read of these feeds and checked, how many records and customers stand now, and where they are.

    Of a file whose batch was stopped the rows are told as they were read: ``errors`` says that they were not taken.
    """
    as_of, status = _run(cursor, run_id)
    mine = [item for item in broken(cursor) if item.run_id == run_id]
    return {
        "run_id": run_id,
        "as_of": as_of.isoformat() if as_of else None,
        "feeds": _read(cursor, run_id, feeds),
        "records": _rows(cursor, "identity.records"),
        "customers": _rows(cursor, "profiles.customers"),
        "checks": _checks(cursor, run_id),
        "published": f"published/{SNAPSHOT_NAME}" if status == "published" else None,
        "errors": {name: str(error) for name, error in errors.items()}
        | {
            feed: " ".join(told_batches(item for item in mine if item.feed == feed)).strip()
            for feed in {item.feed for item in mine}
        },
        "changed_fields": _changed(cursor, run_id),
        "unknown_fields": _unknown(cursor, run_id),
        "absent_fields": _absent(cursor, run_id),
        "bugs": sorted(
            {name for name, error in errors.items() if error.exit_code == CdpError.exit_code}
            | {item.feed for item in mine if item.is_bug}
        ),
    }


def _changed(cursor: Connection, run_id: str) -> list[str]:
    """Changes worth a word at the end of a run; odd values among others are the contract's matter."""
    if not _exists(cursor, "ops.schema_changes"):
        return []
    return [
        f"{feed}: {told(change)}"
        for feed, change, _ in found_changes(cursor, run_id=run_id)
        if change.to_type != "mixed"
    ]


def _unknown(cursor: Connection, run_id: str) -> dict[str, list[str]]:
    """Feed → source fields of files that this run read which its declaration neither maps nor ignores."""
    if not _exists(cursor, "ops.source_columns"):
        return {}
    found = cursor.execute(
        "select feed, list_sort(list(distinct source_column)) from ops.source_columns"
        " where status = 'unknown'"
        " and (feed, file) in (select (feed, file) from ops.files where run_id = $run_id)"
        " group by feed order by feed",
        {"run_id": run_id},
    ).fetchall()
    return {feed: [shown(name, _LONGEST_NAME) for name in names] for feed, names in found}


def _absent(cursor: Connection, run_id: str) -> dict[str, list[str]]:
    """Feed → columns that its own declaration names and that files of this run lack, in words."""
    if not _exists(cursor, "ops.source_columns"):
        return {}
    return {feed: [item.told() for item in found] for feed, found in absent_columns(cursor, run_id=run_id).items()}


def load_error(summary: Mapping[str, Any]) -> CdpError | None:
    """What could not be loaded, in one error: a bug if any of it is one. None where everything was loaded."""
    errors: Mapping[str, str] = summary["errors"]
    if not errors:
        return None
    told_of = " ".join(f"{name}, {error}" for name, error in sorted(errors.items()))
    rest = f"; all else of {', '.join(sorted(errors))} was loaded and published" if summary["published"] else ""
    return (CdpError if summary["bugs"] else InputError)(
        f"Not everything could be loaded. {told_of}", f"Mend what is named, then run again{rest}."
    )


def gate_error(cursor: Connection, run_id: str, suites: Mapping[str, Suite]) -> QualityGateError:
    """The expectations of severity error that do not hold, in one error, with what helps against them."""
    found = cursor.execute(
        "select table_name, expectation, message from ops.quality_results"
        " where run_id = $run_id and not passed and severity = 'error' order by table_name, expectation",
        {"run_id": run_id},
    ).fetchall()
    told = [f"{table}.{name}: {message}" for table, name, message in found]
    remedies = {
        item.remedy: None
        for table, name, _ in found
        for item in (suites[table].expectations if table in suites else ())
        if item.name == name and item.remedy
    }
    more = f" And {len(told) - 5} more." if len(told) > 5 else ""
    broken = "1 check of severity error does" if len(told) == 1 else f"{len(told)} checks of severity error do"
    return QualityGateError(
        f"{broken} not hold; nothing new was published. {' '.join(told[:5])}{more}",
        " ".join([*remedies, _LOOK]),
    )


def _run(cursor: Connection, run_id: str) -> tuple[date | None, str | None]:
    found = cursor.execute("select as_of, status from ops.runs where run_id = $run_id", {"run_id": run_id}).fetchone()
    return (found[0], found[1]) if found else (None, None)


def _read(cursor: Connection, run_id: str, feeds: Iterable[str]) -> dict[str, dict[str, int]]:
    """Feed → the sums over the files that this run read."""
    names = ("files", "rows_read", "accepted", "duplicate", "rejected")
    found = cursor.execute(
        "select feed, count(*), sum(rows_read), sum(rows_accepted), sum(rows_duplicate), sum(rows_rejected)"
        " from ops.files where run_id = $run_id group by feed",
        {"run_id": run_id},
    ).fetchall()
    sums = {feed: dict(zip(names, map(int, counts), strict=True)) for feed, *counts in found}
    return {feed: sums.get(feed, dict.fromkeys(names, 0)) for feed in feeds}


def _checks(cursor: Connection, run_id: str) -> dict[str, int]:
    names = ("passed", "failed", "warned")
    if not _exists(cursor, "ops.quality_results"):
        return dict.fromkeys(names, 0)
    found = cursor.execute(
        "select count(*) filter (where passed), count(*) filter (where not passed and severity = 'error'),"
        " count(*) filter (where not passed and severity = 'warn') from ops.quality_results where run_id = $run_id",
        {"run_id": run_id},
    ).fetchone()
    assert found is not None
    return {name: int(value) for name, value in zip(names, found, strict=True)}


def _rows(cursor: Connection, table: str) -> int:
    if not _exists(cursor, table):
        return 0
    found = cursor.execute(f"select count(*) from {table}").fetchone()  # noqa: S608 - one of two names of ours
    assert found is not None
    return int(found[0])


def _exists(cursor: Connection, table: str) -> bool:
    schema, _, name = table.partition(".")
    found = cursor.execute(
        "select 1 from duckdb_tables() where database_name = current_database()"
        " and schema_name = $schema and table_name = $name",
        {"schema": schema, "name": name},
    ).fetchone()
    return found is not None
