"""What every step of a run shares: the project, the run's day and clock, and the warehouse, one step at a time.

A run holds the project's lock from its first step to its last, so that the tables of two runs never mix, and opens the
DuckDB file for each step, so that commands can read between two steps. The lock belongs to the process: however it
ends, the next run gets it.
"""

import fcntl
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg
from pydantic import Field

from assets.run_log import begin, newest_batch, note_day, note_outcome
from warehouse.business import Business, load_business
from warehouse.database import Warehouse, open_warehouse
from warehouse.errors import InputError, WarehouseBusyError
from warehouse.project import Project
from warehouse.step import Run

_POLL_SECONDS = 0.2
_BEFORE_ANY_BATCH = date(2000, 1, 1)


@dataclass(frozen=True)
class ProjectRun:
    """One run over one project, as steps see it."""

    project: Project
    business: Business
    run_id: str
    started_at: datetime
    as_of: date | None
    full_refresh: bool
    open_file: Callable[[], Warehouse]

    @contextmanager
    def opened(self) -> Iterator[Warehouse]:
        """The warehouse, for the length of one step."""
        with self.open_file() as warehouse:
            yield warehouse

    def to_load(self, warehouse: Warehouse) -> Run:
        """The run as loading sees it: batches are loaded whatever the day, so there need not be one yet."""
        return self._on(self.as_of or self._newest(warehouse) or _BEFORE_ANY_BATCH)

    def to_make_tables(self, warehouse: Warehouse) -> Run:
        """The run as of its day: the one that was asked for, else the newest batch date.

        Raises:
            InputError: no day was asked for and there is no batch.
        """
        as_of = self.as_of or self._newest(warehouse)
        if as_of is None:
            raise InputError(
                "No batch has been loaded, so there is no day to run as of.",
                "Put files into landing/<feed>/, or name a day with --as-of.",
            )
        with warehouse.transaction() as connection:
            note_day(connection, self.run_id, as_of)
        return self._on(as_of)

    def note_published(self, warehouse: Warehouse) -> None:
        """Note that readers get the tables of this run."""
        with warehouse.transaction() as connection:
            note_outcome(connection, self.run_id, "published")

    def _on(self, as_of: date) -> Run:
        return Run(self.run_id, as_of, self.started_at, self.business, self.full_refresh)

    def _newest(self, warehouse: Warehouse) -> date | None:
        cursor = warehouse.cursor()
        try:
            return newest_batch(cursor)
        finally:
            cursor.close()


class RunOptions(dg.Config):
    """What one run may be told in the launchpad."""

    as_of: str | None = Field(default=None, description="Day (YYYY-MM-DD) of the tables; absent: the newest batch's.")
    full_refresh: bool = Field(default=False, description="Load every batch again, also those that are unchanged.")


@dataclass(frozen=True)
class WarehouseSettings:
    """How the warehouse of a project is opened, as the environment wants it."""

    project: Project
    wait_seconds: float = 600
    memory_limit: str | None = None
    threads: int | None = None

    def open(self) -> Warehouse:
        """Open the file to write; waits while another process has it."""
        return open_warehouse(
            self.project.database,
            wait_seconds=self.wait_seconds,
            memory_limit=self.memory_limit,
            threads=self.threads,
        )


def warehouse_resource(settings: WarehouseSettings) -> dg.ResourceDefinition:
    """The resource ``warehouse``: a `ProjectRun` that holds the project for the length of a Dagster run.

    The clock is read here, once for the run, and passed down.
    """

    @dg.resource(config_schema=RunOptions.to_config_schema(), description="The project's warehouse, for one run.")
    def warehouse(context: dg.InitResourceContext) -> Generator[ProjectRun, None, None]:
        options = RunOptions(**context.resource_config)
        run = ProjectRun(
            project=settings.project,
            business=load_business(settings.project),
            run_id=context.run_id or "none",
            started_at=datetime.now(UTC).replace(tzinfo=None),
            as_of=date.fromisoformat(options.as_of) if options.as_of else None,
            full_refresh=options.full_refresh,
            open_file=settings.open,
        )
        with _held(settings.project.state / "run.lock", settings.wait_seconds, context.log):
            with run.opened() as opened, opened.transaction() as connection:
                begin(connection, run.run_id, run.started_at, run.full_refresh)
            yield run
            with run.opened() as opened, opened.transaction() as connection:
                note_outcome(connection, run.run_id, "unpublished")

    return warehouse


@contextmanager
def _held(lock: Path, wait_seconds: float, log: dg.DagsterLogManager | None) -> Iterator[None]:
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a", encoding="utf-8") as handle:
        _wait_for(handle.fileno(), wait_seconds, log)
        yield


def _wait_for(handle: int, wait_seconds: float, log: dg.DagsterLogManager | None) -> None:
    deadline = time.monotonic() + wait_seconds
    is_waiting = False
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(
                    "Another run is writing the warehouse.",
                    "Wait for it to end (`cdp status`, or the Runs page of the UI), then start this one again.",
                ) from None
            if log is not None and not is_waiting:
                log.info("Another run is writing the warehouse: waiting for it to end.")
            is_waiting = True
            time.sleep(_POLL_SECONDS)
        else:
            return
