"""A DBAPI over one of our own DuckDB connections, for a library that speaks SQLAlchemy.

The connection underneath is the caller's, with the caller's transaction: nothing is opened, begun or committed here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from quality.results import columns_of
from warehouse.database import Connection

Row = tuple[object, ...]


class Bridge:
    """The connection that SQLAlchemy sees: whatever our connection is at the moment."""

    def __init__(self) -> None:
        self.notices: list[str] = []
        self._connection: Connection | None = None

    @contextmanager
    def over(self, connection: Connection) -> Iterator[None]:
        """Lead to ``connection`` inside the block."""
        self._connection = connection
        try:
            yield
        finally:
            self._connection = None

    @property
    def current(self) -> Connection:
        """Our connection; only inside ``over``."""
        assert self._connection is not None, "asked outside of a suite"
        return self._connection

    def cursor(self) -> EagerCursor:
        """A DBAPI cursor."""
        return EagerCursor(self)

    def begin(self) -> None:
        """Transactions are the caller's."""

    def commit(self) -> None:
        """Transactions are the caller's."""

    def rollback(self) -> None:
        """Transactions are the caller's."""

    def close(self) -> None:
        """The connection is the caller's."""


class EagerCursor:
    """A cursor that has fetched everything when ``execute`` returns, so that cursors never disturb each other."""

    arraysize = 1
    rowcount = -1

    def __init__(self, bridge: Bridge) -> None:
        self.connection = bridge
        self.description: object = None
        self._rows: list[Row] = []

    def execute(self, statement: str, parameters: Sequence[object] | None = None) -> None:
        """Run one statement and keep all its rows."""
        connection = self.connection.current
        found = connection.execute(statement, parameters) if parameters else connection.execute(statement)
        self.description = found.description
        self._rows = found.fetchall() if found.description else []

    def fetchone(self) -> Row | None:
        """The next row."""
        return self._rows.pop(0) if self._rows else None

    def fetchmany(self, size: int = 1) -> list[Row]:
        """The next rows."""
        taken, self._rows = self._rows[:size], self._rows[size:]
        return taken

    def fetchall(self) -> list[Row]:
        """The remaining rows."""
        return self.fetchmany(len(self._rows))

    def close(self) -> None:
        """Let the rows go."""
        self._rows = []


class TableColumns:
    """What is asked of an SQLAlchemy inspector here: names of columns. Reflection through pg_catalog takes 0.1 s."""

    def __init__(self, bridge: Bridge, dialect: object, any_type: object) -> None:
        self.dialect = dialect
        self._bridge, self._type = bridge, any_type

    def get_pk_constraint(self, table_name: str, schema: str) -> dict[str, object]:
        """Our tables have no primary keys."""
        del table_name, schema
        return {}

    def get_columns(self, table_name: str, schema: str) -> list[dict[str, object]]:
        """Names of columns; their types are looked at in the contracts, not here."""
        names = columns_of(self._bridge.current, f"{schema}.{table_name}")
        return [{"name": name, "type": self._type} for name in names]
