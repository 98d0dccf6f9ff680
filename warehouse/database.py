"""The one place that opens DuckDB.

Exactly one process may have the file open to write, and then nobody else may open it: whoever comes
second waits. Inside a process all work shares one connection through cursors.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeAlias
from weakref import WeakSet

import duckdb

from warehouse.errors import StoppedError, WarehouseBusyError, WarehouseError

Connection: TypeAlias = duckdb.DuckDBPyConnection
DatabaseError: TypeAlias = duckdb.Error

MissingTableError: TypeAlias = duckdb.CatalogException
"""A statement names a table, view or function that does not exist."""

ENGINE = f"duckdb {duckdb.__version__}"
"""What computes hashes: they may differ from version to version."""

SCHEMAS = ("staging", "quarantine", "identity", "profiles", "ops")
_RETRY_SECONDS = 0.2
_LOG_AT_MOST = "1GB"
"""Of the write-ahead log: a run of a hundred small transactions then moves it into the file once, when it ends."""

_PLACES_AT_MOST = 20_000
"""So many rows that are read by their places lead the engine to the blocks where they lie; it would pass over none."""

_COSTLY_COMPRESSION = "fsst"
"""Trying it on every text of every table that a run makes anew takes long, and makes the file little smaller."""


class Warehouse:
    """An open warehouse. Close it, or use it as a context manager, so that the next process gets the file."""

    def __init__(self, connection: Connection, path: Path | None) -> None:
        self._connection = connection
        self.path = path
        self._lock = threading.RLock()
        self._cursors: WeakSet[Connection] = WeakSet()
        self._is_stopped = False
        self._alone = 0
        self._threads = 0
        self._prepared: set[str] = set()

    def cursor(self) -> Connection:
        """A connection of its own transaction on the same database.

        Raises:
            StoppedError: the warehouse was told to stop.
        """
        with self._lock:
            if self._is_stopped:
                raise StoppedError
            cursor = self._connection.cursor()
            self._cursors.add(cursor)
        cursor.execute("set TimeZone = 'UTC'")
        return cursor

    def stop(self) -> None:
        """End what runs on the cursors now, and let nothing begin any more; whoever waits for an end calls it again."""
        with self._lock:
            self._is_stopped = True
            for cursor in self._cursors:
                with suppress(duckdb.ConnectionException):  # it is closed, and only not gone yet
                    cursor.interrupt()

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """A cursor inside one transaction: committed at the end, rolled back on any error."""
        cursor = self.cursor()
        cursor.execute("begin transaction")
        try:
            yield cursor
        except BaseException:
            cursor.execute("rollback")
            raise
        else:
            cursor.execute("commit")
        finally:
            cursor.close()

    @contextmanager
    def rehearsal(self) -> Iterator[Connection]:
        """A cursor inside a transaction of which nothing stays, whatever happens in it."""
        cursor = self.cursor()
        cursor.execute("begin transaction")
        try:
            yield cursor
        finally:
            cursor.execute("rollback")
            cursor.close()

    @contextmanager
    def one_thread(self) -> Iterator[None]:
        """For many small inserts in one transaction.

        Sharing blocks among threads costs a third more processor time than it saves, and what several threads insert
        stays in memory until the transaction ends, while one alone writes it out as it goes: as soon as a hundred
        thousand rows wait, not six.
        """
        with self._lock:
            if not self._alone:
                [(self._threads,)] = self._connection.execute("select current_setting('threads')").fetchall()
                self._connection.execute("set threads = 1")
                self._connection.execute("set write_buffer_row_group_count = 1")
            self._alone += 1
        try:
            yield
        finally:
            with self._lock:
                self._alone -= 1
                if not self._alone:
                    self._connection.execute("set threads = $threads", {"threads": self._threads})
                    self._connection.execute("reset write_buffer_row_group_count")

    def prepare(self, what: str, make: Callable[[Connection], None]) -> None:
        """Make tables that several pieces of work share, once, before any of them writes.

        Two transactions that define the same table or view at the same time would stop one another.
        """
        with self._lock:
            if what not in self._prepared:
                with self.transaction() as connection:
                    make(connection)
                self._prepared.add(what)

    def close(self) -> None:
        """Write the log into the file and let go of it."""
        self._connection.close()

    def __enter__(self) -> Warehouse:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def open_warehouse(
    path: Path | None = None,
    *,
    wait_seconds: float = 600,
    read_only: bool = False,
    memory_limit: str | None = None,
    threads: int | None = None,
) -> Warehouse:
    """Open the warehouse at ``path`` (None: in memory) with its schemas; wait while another process holds it.

    Raises:
        WarehouseError: the file stays locked longer than ``wait_seconds`` (WarehouseBusyError), is no database, or is
            absent when ``read_only``.
    """
    connection = _connect(path, wait_seconds, read_only)
    if memory_limit is not None:
        connection.execute("set memory_limit = $limit", {"limit": memory_limit})
    if threads is not None:
        connection.execute("set threads = $threads", {"threads": threads})
    connection.execute("set TimeZone = 'UTC'")
    if not read_only:
        connection.execute(f"set checkpoint_threshold = '{_LOG_AT_MOST}'")
        connection.execute(f"set global dynamic_or_filter_threshold = {_PLACES_AT_MOST}")
        connection.execute(f"set disabled_compression_methods = '{_COSTLY_COMPRESSION}'")
        for schema in SCHEMAS:
            connection.execute(f"create schema if not exists {schema}")
    return Warehouse(connection, path)


def _connect(path: Path | None, wait_seconds: float, read_only: bool) -> Connection:
    if path is None:
        return duckdb.connect(":memory:")
    if read_only and not path.exists():
        raise WarehouseError(f"There is no warehouse at {path.parent.name}/{path.name} yet.", "Run `cdp run` first.")
    path.parent.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + wait_seconds
    while True:
        try:
            return duckdb.connect(str(path), read_only=read_only)
        except duckdb.IOException as error:
            if "lock" not in str(error).lower():
                raise WarehouseError(
                    f"The warehouse {path.name} cannot be opened.", "Run `cdp doctor`; restore or rebuild it."
                ) from error
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(
                    "Another process is writing the warehouse.",
                    "Wait for its run to end (`cdp status`, or the Runs page of the UI), or read the published file.",
                ) from error
            time.sleep(_RETRY_SECONDS)
