"""One question of a reader to a published snapshot: it may read tables, and nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb

from warehouse.errors import UsageError


@dataclass(frozen=True)
class Answer:
    """Columns and rows; ``is_cut`` when there are more than were asked for."""

    columns: tuple[str, ...]
    rows: Sequence[tuple[Any, ...]]
    is_cut: bool


def tables_in(snapshot: Path) -> frozenset[str]:
    """The tables of a snapshot, as schema.table."""
    with duckdb.connect(str(snapshot.resolve()), read_only=True) as connection:
        found = connection.execute("select schema_name || '.' || table_name from duckdb_tables()").fetchall()
    return frozenset(str(name) for (name,) in found)


def ask(snapshot: Path, statement: str, limit: int, *, whole: Path) -> Answer:
    """The first ``limit`` rows of a query over a snapshot. No files, no network, no second statement.

    ``whole`` is the database of all tables, told to whoever asks for one that is not published.

    Raises:
        UsageError: it is no single query, or the database cannot answer it.
    """
    try:
        with duckdb.connect(str(snapshot.resolve()), read_only=True) as connection:
            connection.execute("set TimeZone = 'UTC'")
            connection.execute("set enable_external_access = false")
            parts = connection.extract_statements(statement)
            if len(parts) != 1 or parts[0].type != duckdb.StatementType.SELECT:
                raise UsageError("That is not one query.", 'Write one, such as "from profiles.customers limit 10".')
            connection.execute(parts[0])
            columns = tuple(column[0] for column in connection.description or ())
            rows = connection.fetchmany(limit + 1)
    except duckdb.Error as error:
        fix = (
            "Asked are the published tables: `cdp tables list` tells which they are. "
            f"The others stand in {whole}: open it with DuckDB, read-only, while nothing runs."
        )
        raise UsageError(f"The query cannot be answered: {error}", fix) from error
    return Answer(columns, rows[:limit], len(rows) > limit)
