"""How commands open the warehouse of a project: as the settings say, briefly when they only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cdp.settings import read_settings
from warehouse.database import Connection, MissingTableError, Warehouse, open_warehouse
from warehouse.errors import WarehouseError
from warehouse.project import Project

_PATIENCE_OF_A_READER = 20.0


@contextmanager
def reading(project: Project) -> Iterator[Connection]:
    """A read-only cursor; the file is let go of at the end. Raises as ``open_to_read`` does."""
    with open_to_read(project) as warehouse:
        yield warehouse.cursor()


@contextmanager
def open_to_read(project: Project) -> Iterator[Warehouse]:
    """The warehouse, read-only.

    Raises:
        WarehouseError: there is no warehouse yet, or no run has come so far as to make the table that is read, or a
            run holds it for longer than a reader waits.
    """
    wait = min(read_settings().lock_wait_seconds, _PATIENCE_OF_A_READER)
    with open_warehouse(project.database, read_only=True, wait_seconds=wait) as warehouse:
        try:
            yield warehouse
        except MissingTableError as error:
            if _has_published(warehouse):
                raise
            raise WarehouseError(
                "There is nothing to show yet: no run has come to its end.",
                "Put files into landing/<feed>/, then `cdp run`; `cdp status` tells how far it came.",
            ) from error


def _has_published(warehouse: Warehouse) -> bool:
    """Whether every table was made once, so that one that is missing is a bug."""
    try:
        found = warehouse.cursor().execute("select 1 from ops.runs where status = 'published' limit 1").fetchone()
    except MissingTableError:
        return False
    return found is not None


def writing(project: Project) -> Warehouse:
    """The warehouse to write, opened as the settings say."""
    settings = read_settings()
    return open_warehouse(
        project.database,
        wait_seconds=settings.lock_wait_seconds,
        memory_limit=settings.memory_limit,
        threads=settings.threads,
    )
