"""How commands open the warehouse of a project: as the settings say, briefly when they only read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cdp.settings import read_settings
from warehouse.database import Connection, Warehouse, open_warehouse
from warehouse.project import Project

_PATIENCE_OF_A_READER = 20.0


@contextmanager
def reading(project: Project) -> Iterator[Connection]:
    """A read-only cursor; the file is let go of at the end. Raises as ``open_to_read`` does."""
    with open_to_read(project) as warehouse:
        yield warehouse.cursor()


def open_to_read(project: Project) -> Warehouse:
    """The warehouse, read-only.

    Raises:
        WarehouseError: there is no warehouse yet, or a run holds it for longer than a reader waits.
    """
    wait = min(read_settings().lock_wait_seconds, _PATIENCE_OF_A_READER)
    return open_warehouse(project.database, read_only=True, wait_seconds=wait)


def writing(project: Project) -> Warehouse:
    """The warehouse to write, opened as the settings say."""
    settings = read_settings()
    return open_warehouse(
        project.database,
        wait_seconds=settings.lock_wait_seconds,
        memory_limit=settings.memory_limit,
        threads=settings.threads,
    )
