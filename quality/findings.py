"""What the newest checks found, table by table, read back from ``ops.quality_results`` and ``ops.quality_failures``."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from quality.results import FAILURES, RESULTS, columns_of
from warehouse.database import Connection, Warehouse
from warehouse.foreign_text import shown

RUNS_SHOWN = 12
"""As-of dates that a trend reaches back."""

Status = Literal["held", "warned", "broken"]


@dataclass(frozen=True)
class Found:
    """The newest result of one expectation, with its trend and the places of offending rows."""

    table: str
    name: str
    expects: str
    column: str | None
    feed: str | None
    description: str
    severity: str
    passed: bool
    unexpected_count: int
    element_count: int
    message: str
    run_id: str
    as_of: date
    checked_at: datetime
    trend: tuple[float, ...] = ()
    places: tuple[str, ...] = ()

    @property
    def status(self) -> Status:
        """held, warned (told) or broken (blocks what is downstream)."""
        if self.passed:
            return "held"
        return "broken" if self.severity == "error" else "warned"


@dataclass(frozen=True)
class TableFound:
    """What was found of a table: its expectations, worst first, and how many failed on recent as-of dates."""

    table: str
    found: tuple[Found, ...]
    trend: tuple[float, ...]

    @property
    def status(self) -> Status:
        """The worst of its expectations."""
        kinds = {item.status for item in self.found}
        return "broken" if "broken" in kinds else "warned" if "warned" in kinds else "held"

    @property
    def file(self) -> str:
        """Name of its page."""
        return f"{self.table}.html"

    def count(self, status: Status) -> int:
        """Expectations of that status."""
        return sum(item.status == status for item in self.found)


def read_findings(warehouse: Warehouse) -> tuple[TableFound, ...]:
    """The newest result of every expectation by table, in order of their names."""
    connection = warehouse.cursor()
    try:
        if not columns_of(connection, RESULTS.full_name):
            return ()
        trends = _trends(connection)
        places = _places(connection)
        by_table: dict[str, list[Found]] = defaultdict(list)
        for row in _newest(connection):
            key = (row.table, row.name)
            by_table[row.table].append(_complete(row, trends.get(key, ()), places.get((*key, row.run_id), ())))
        failing = _failing(connection)
    finally:
        connection.close()
    return tuple(
        TableFound(table, tuple(sorted(found, key=_worst_first)), failing.get(table, ()))
        for table, found in sorted(by_table.items())
    )


def _complete(row: Found, trend: Iterable[float], places: Iterable[str]) -> Found:
    return Found(**{**vars(row), "trend": tuple(trend), "places": tuple(places)})


def _worst_first(item: Found) -> tuple[int, str]:
    return ("broken", "warned", "held").index(item.status), item.name


def _newest(connection: Connection) -> list[Found]:
    rows = connection.execute(
        """
        select
            table_name, expectation, expects, column_name, feed, description, severity, passed, unexpected_count,
            element_count, message, run_id, as_of, checked_at
        from (
            select
                *,
                row_number() over (
                    partition by table_name, expectation order by checked_at desc, as_of desc, run_id desc
                ) as newest
            from ops.quality_results
        )
        where newest = 1
        order by table_name, expectation
        """
    ).fetchall()
    return [Found(*row) for row in rows]


def _trends(connection: Connection) -> Mapping[tuple[str, str], list[float]]:
    """What was observed, or else how many breaches were found, on the last as-of dates."""
    rows = connection.execute(
        """
        select table_name, expectation, value
        from (
            select
                *,
                row_number() over (partition by table_name, expectation order by as_of desc) as back
            from (
                select
                    table_name, expectation, as_of, coalesce(observed_value, unexpected_count, 0) as value,
                    row_number() over (
                        partition by table_name, expectation, as_of order by checked_at desc, run_id desc
                    ) as newest
                from ops.quality_results
            )
            where newest = 1
        )
        where back <= $shown
        order by table_name, expectation, back desc
        """,
        {"shown": RUNS_SHOWN},
    ).fetchall()
    trends: dict[tuple[str, str], list[float]] = defaultdict(list)
    for table, name, value in rows:
        trends[table, name].append(float(value))
    return trends


def _failing(connection: Connection) -> Mapping[str, tuple[float, ...]]:
    """Expectations that failed, by table, on the last as-of dates."""
    rows = connection.execute(
        """
        select table_name, failing
        from (
            select
                table_name, as_of, count(*) filter (where not passed) as failing,
                row_number() over (partition by table_name order by as_of desc) as back
            from (
                select
                    table_name, as_of, passed,
                    row_number() over (
                        partition by table_name, expectation, as_of order by checked_at desc, run_id desc
                    ) as newest
                from ops.quality_results
            )
            where newest = 1
            group by table_name, as_of
        )
        where back <= $shown
        order by table_name, back desc
        """,
        {"shown": RUNS_SHOWN},
    ).fetchall()
    found: dict[str, tuple[float, ...]] = {}
    for table, failing in rows:
        found[table] = (*found.get(table, ()), float(failing))
    return found


def _places(connection: Connection) -> Mapping[tuple[str, str, str], list[str]]:
    """Where offending rows came from: table, expectation, run → lines of text."""
    if not columns_of(connection, FAILURES.full_name):
        return {}
    rows = connection.execute(
        """
        select table_name, expectation, run_id, feed, batch_on, file, row
        from ops.quality_failures
        order by table_name, expectation, run_id, feed, batch_on, file, row
        """
    ).fetchall()
    places: dict[tuple[str, str, str], list[str]] = defaultdict(list)
    for table, name, run_id, feed, batch_on, file, row in rows:
        places[table, name, run_id].append(f"{feed} · {batch_on} · {shown(file)} · row {row}")
    return places
