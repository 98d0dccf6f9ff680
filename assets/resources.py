"""What every step of a run shares: the project, the run's day and clock, and the warehouse.

A run keeps the DuckDB file open from its first step to its last. DuckDB lets one process write, so runs follow one
another and the tables of two runs never mix; the lock is the process's, so however it ends, the next run gets it.
(Opening the file for each step would let commands read between steps, at 45 ms a step: a tenth of a whole run.)
"""

from collections.abc import Callable, Collection, Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from threading import Condition

import dagster as dg
from pydantic import Field

from assets import broken_batches
from assets.run_log import begin, newest_batch, note_day, note_outcome
from quality.expectations import import_library
from sources.data_days import DataDays, data_days
from sources.gate import import_scanner
from sources.ledger_tables import create_ledger
from warehouse.business import Business, load_business
from warehouse.database import Warehouse, open_warehouse
from warehouse.errors import InputError
from warehouse.project import Project
from warehouse.step import Run

PROJECT_RUN = "project_run"
"""Key of the resource, in run config too: ``resources: {project_run: {config: {as_of: 2026-01-31}}}``."""

LOADING = "feeds__"
"""How the names of steps that load a feed begin."""

FETCHING = "origins__"
"""How the names of steps that fetch from an origin begin."""

BEFORE_OTHERS = {"dagster/priority": "1"}
"""Tags of steps that begin before others that are ready: the day of a run hangs on what is loaded."""

CHECKING = "check__"
"""How the names of steps that check a table begin."""

Loading = Callable[[str, int, int, int], None]
"""Called while a feed is loaded: its name, rows done, bytes done, bytes in all."""

_BEFORE_ANY_BATCH = date(2000, 1, 1)


@dataclass
class _Day:
    """The day of a run, once it is decided, and the steps that run side by side meanwhile."""

    as_of: date | None = None
    steps: frozenset[str] = frozenset()
    changed: Condition = field(default_factory=Condition)

    def set(self, steps: frozenset[str]) -> None:
        """These steps run now."""
        with self.changed:
            self.steps = steps
            self.changed.notify_all()

    def is_settled(self) -> bool:
        """No feed is being fetched or loaded, so the newest batch date stays."""
        return not any(step.startswith((FETCHING, LOADING)) for step in self.steps)


@dataclass(frozen=True)
class ProjectRun:
    """One run over one project, as steps see it."""

    project: Project
    business: Business
    run_id: str
    started_at: datetime
    as_of: date | None
    full_refresh: bool
    warehouse: Warehouse
    told: Loading | None = None
    _day: _Day = field(default_factory=_Day)

    def prepare(self, steps: Collection[str]) -> None:
        """Import what steps import when they need it: two threads that import at once meet half made modules."""
        if any(step.startswith(CHECKING) for step in steps):
            import_library()
        if any(step.startswith(LOADING) for step in steps):
            import_scanner()

    def at_work(self, steps: frozenset[str]) -> None:
        """Know which steps run side by side."""
        self._day.set(steps)

    def stop(self) -> None:
        """End the steps that are at work, those among them that wait for others too."""
        self.warehouse.stop()
        self._day.set(frozenset())

    def to_load(self) -> Run:
        """The run as loading sees it: batches are loaded whatever the day, so there need not be one yet."""
        return self._on(self.as_of or self._newest() or _BEFORE_ANY_BATCH)

    def to_make_tables(self) -> Run:
        """The run as of its day: the one that was asked for, else the newest batch date when all feeds are loaded.

        Raises:
            InputError: no day was asked for and there is no batch.
            UsageError: a day was asked for that lies before all data.
        """
        with self._day.changed:
            if self._day.as_of is None:
                self._day.as_of = self._decided()
            return self._on(self._day.as_of)

    def _decided(self) -> date:
        if self.as_of is None:
            self._day.changed.wait_for(self._day.is_settled)
            as_of = self._newest()
        else:
            as_of = self._within_data(self.as_of)
        if as_of is None:
            raise nothing_loaded()
        with self.warehouse.transaction() as connection:
            note_day(connection, self.run_id, as_of)
        return as_of

    def _within_data(self, asked: date) -> date:
        """The day that was asked for: at once where there are data by then, else when all feeds are loaded."""
        days = self._data_days()
        if days is None or asked < days.first:
            self._day.changed.wait_for(self._day.is_settled)
            days = self._data_days()
        if days is not None and (error := days.before_all(asked)) is not None:
            raise error
        return asked

    def _data_days(self) -> DataDays | None:
        with closing(self.warehouse.cursor()) as cursor:
            return data_days(cursor, self.business.time_zone)

    def note_published(self) -> None:
        """Note that readers get the tables of this run."""
        with self.warehouse.transaction() as connection:
            note_outcome(connection, self.run_id, "published")

    def _on(self, as_of: date) -> Run:
        return Run(self.run_id, as_of, self.started_at, self.business, self.full_refresh)

    def _newest(self) -> date | None:
        with closing(self.warehouse.cursor()) as cursor:
            return newest_batch(cursor)


def nothing_loaded() -> InputError:
    """The error of a run that has nothing to make tables of."""
    return InputError(
        "No batch has been loaded, so there is no day to run as of.",
        "Put files of a declared feed (`cdp feeds list`) into landing/<feed>/, or name a day with --as-of.",
    )


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
    told: Loading | None = None

    def open(self) -> Warehouse:
        """Open the file to write; waits while another process has it."""
        return open_warehouse(
            self.project.database,
            wait_seconds=self.wait_seconds,
            memory_limit=self.memory_limit,
            threads=self.threads,
        )


def project_run_resource(settings: WarehouseSettings) -> dg.ResourceDefinition:
    """The resource ``project_run``: a `ProjectRun` that holds the project for the length of a Dagster run.

    The clock is read here, once for the run, and passed down.
    """

    @dg.resource(config_schema=RunOptions.to_config_schema(), description="The project's warehouse, for one run.")
    def project_run(context: dg.InitResourceContext) -> Generator[ProjectRun, None, None]:
        options = RunOptions(**context.resource_config)
        with settings.open() as opened:
            run = ProjectRun(
                project=settings.project,
                business=load_business(settings.project),
                run_id=context.run.run_id if context.run else "outside-any-run",
                started_at=datetime.now(UTC).replace(tzinfo=None),
                as_of=date.fromisoformat(options.as_of) if options.as_of else None,
                full_refresh=options.full_refresh,
                warehouse=opened,
                told=settings.told,
            )
            with opened.transaction() as connection:
                begin(connection, run.run_id, run.started_at, run.full_refresh)
                broken_batches.create_table(connection)
                create_ledger(connection)
            yield run
            with opened.transaction() as connection:
                note_outcome(connection, run.run_id, "unpublished")

    return project_run
