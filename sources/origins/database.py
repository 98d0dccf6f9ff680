"""Rows of a table or view of a SQL database, as Parquet, or as JSON lines where the feed's form is JSON.

One read-only statement brings all rows from the cursor on, a chunk at a time. Values stay what they are: numbers
without a declared scale travel as text, because no decimal type would hold them all.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from datetime import time as clock_time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from sources.origin_declaration import SqlOrigin
from sources.origins.extraction import State, require_dlt
from sources.origins.fetched import OriginError, causes_of, disk_error
from sources.origins.row_file import Read
from sources.secret import Secrets, filled, is_secret

if TYPE_CHECKING:
    from dlt.extract import Incremental
    from sqlalchemy import Engine, Select, Table
    from sqlalchemy.types import TypeEngine

Form = Literal["parquet", "jsonl"]

_PAUSE_SECONDS = 1.0
_WAIT = "Fetch again later; nothing was lost: the next fetch begins where the last one that succeeded ended."


def read_table(origin: SqlOrigin, secrets: Secrets, form: Form, path: Path, cursor: str) -> Read:
    """Write the rows from ``cursor`` on into ``path``, durably; begin anew when the database goes away.

    Raises:
        OriginError: it cannot be reached, refuses, or has no such table or column.
    """
    require_dlt()
    for attempt in range(origin.attempts):
        if attempt:
            time.sleep(_PAUSE_SECONDS * 2 ** (attempt - 1))
        try:
            return _read(origin, secrets, form, path, cursor)
        except Exception as error:  # noqa: BLE001 - told below in our own words: theirs repeat addresses and values
            failure, may_pass = _told(origin, error)
        if not may_pass:
            break
    raise failure


def _read(origin: SqlOrigin, secrets: Secrets, form: Form, path: Path, cursor: str) -> Read:
    state = State(cursor)
    engine = _engine(origin, secrets)
    try:
        table = _Table.reflected(origin, engine)
        items = state.items(table.resource(form))
        rows = _write_parquet(items, path, table.names) if form == "parquet" else _write_lines(items, path)
    finally:
        engine.dispose()
    return Read(rows, state.text)


def _engine(origin: SqlOrigin, secrets: Secrets) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.engine import make_url

    url = make_url(filled(origin.url, secrets) if is_secret(origin.url) else origin.url)
    if not is_secret(origin.url):
        url = url.set(
            username=_filled(url.username, secrets),
            password=_filled(str(url.password) if url.password else None, secrets),
            host=_filled(url.host, secrets),
            database=_filled(url.database, secrets),
        )
    if url.drivername in {"postgresql", "postgres"}:
        url = url.set(drivername="postgresql+psycopg")
    return create_engine(url, hide_parameters=True)


def _filled(text: str | None, secrets: Secrets) -> str | None:
    return filled(text, secrets) if text else None


@dataclass(frozen=True)
class _Table:
    """The table as the database describes it."""

    origin: SqlOrigin
    engine: Engine
    table: Table

    @classmethod
    def reflected(cls, origin: SqlOrigin, engine: Engine) -> _Table:
        from sqlalchemy import MetaData, Table

        schema, _, name = origin.table.rpartition(".")
        return cls(origin, engine, Table(name, MetaData(schema=schema or None), autoload_with=engine))

    @property
    def names(self) -> list[str]:
        """The columns that are fetched."""
        return list(self.origin.columns) or [column.name for column in self.table.columns]

    def resource(self, form: Form) -> Iterable[Any]:
        """The rows as dlt reads them."""
        from dlt.sources.sql_database import sql_table

        return sql_table(
            credentials=self.engine,
            table=self.table.name,
            schema=self.table.schema,
            metadata=self.table.metadata,
            incremental=self._incremental(),
            included_columns=list(self.origin.columns) or None,
            chunk_size=self.origin.chunk_rows,
            backend="pyarrow" if form == "parquet" else "sqlalchemy",
            reflection_level="full_with_precision",
            type_adapter_callback=lambda kind: _text() if _is_unbounded(kind) else kind,
            query_adapter_callback=_with_unbounded_as_text,
        )

    def _incremental(self) -> Incremental[Any] | None:
        """The cursor.

        A row that was seen with the cursor's last value is known by all its values, not by its key: it may have
        changed within the same moment.
        """
        import dlt

        cursor = self.origin.cursor
        if cursor is None:
            return None
        return dlt.sources.incremental(
            cursor.column,
            initial_value=self._start(cursor.start),
            on_cursor_value_missing="exclude",
            primary_key=self.names,
        )

    def _start(self, start: str | int | float | None) -> object:
        """The first value, as the column's type wants it: a moment for a timestamp, a day for a date."""
        from sqlalchemy import Date, DateTime

        assert self.origin.cursor is not None
        column = self.table.columns.get(self.origin.cursor.column)
        if not isinstance(start, str) or column is None:
            return start
        if isinstance(column.type, DateTime):
            moment = datetime.fromisoformat(start)
            return moment if column.type.timezone else moment.replace(tzinfo=None)
        return datetime.fromisoformat(start).date() if isinstance(column.type, Date) else start


def _text() -> TypeEngine[Any]:
    from sqlalchemy import Text

    return Text()


def _is_unbounded(kind: TypeEngine[Any]) -> bool:
    from sqlalchemy import Float, Numeric

    return isinstance(kind, Numeric) and not isinstance(kind, Float) and kind.precision is None


def _with_unbounded_as_text(query: Select[Any], table: Table) -> Select[Any]:
    from sqlalchemy import Text, cast

    columns = [cast(item, Text).label(item.name) if _is_unbounded(item.type) else item for item in table.columns]
    return query.with_only_columns(*columns, maintain_column_froms=True)


def _write_parquet(tables: Iterator[Any], path: Path, names: Sequence[str]) -> int:
    """Write the rows; a table without any is a file without any, which has its columns all the same."""
    import pyarrow as pa
    from pyarrow import parquet

    rows, writer = 0, None
    with path.open("wb") as file:
        try:
            for table in tables:
                writer = writer or parquet.ParquetWriter(file, table.schema, compression="zstd")
                writer.write_table(table)
                rows += table.num_rows
            writer = writer or parquet.ParquetWriter(file, pa.schema([(name, pa.string()) for name in names]))
        finally:
            if writer is not None:
                writer.close()
        file.flush()
        os.fsync(file.fileno())
    return rows


def _write_lines(rows: Iterator[Any], path: Path) -> int:
    count = 0
    with path.open("wb") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False, separators=(",", ":"), default=_plain).encode() + b"\n")
            count += 1
        file.flush()
        os.fsync(file.fileno())
    return count


def _plain(value: object) -> str:
    if isinstance(value, date | clock_time):
        return value.isoformat()
    return value.hex() if isinstance(value, bytes | memoryview) else str(value)


def _told(origin: SqlOrigin, error: Exception) -> tuple[OriginError, bool]:
    """What went wrong in words that repeat nothing of the data, and whether trying again may help."""
    from sqlalchemy import exc

    what, causes = f"The table {origin.table}", causes_of(error)
    if (of_the_disk := disk_error(error)) is not None:
        return of_the_disk, False
    if any(isinstance(item, exc.NoSuchTableError) for item in causes):
        return OriginError(f"{what} does not exist, or may not be seen.", "Check `table` and the user's rights."), False
    if origin.cursor and any(isinstance(item, KeyError) for item in causes):
        fix = "Check `cursor.column` and `columns` of the origin."
        return OriginError(f"{what} has no column `{origin.cursor.column}` to go by.", fix), False
    found = next((item for item in causes if isinstance(item, exc.DBAPIError)), None)
    state = getattr(found.orig, "sqlstate", None) if found is not None else None
    said = f" (SQLSTATE {state})" if state else f" ({type(causes[-1]).__name__})"
    if isinstance(found, exc.OperationalError | exc.InterfaceError):
        is_refused = str(state or "").startswith("28")
        fix = "Check the user and the environment variables that `url` names." if is_refused else _WAIT
        return OriginError(f"{what} could not be read: the database refuses or went away{said}.", fix), not is_refused
    return OriginError(
        f"{what} could not be read{said}.", "Check `origin`, and that its user may read the table."
    ), False
