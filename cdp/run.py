"""``run_project``: the job `everything` in this process, recorded in the project's own Dagster instance.

The same assets and checks as in the UI, but not through its queue: the project's lock orders this run among others.
Only batches that are pending are loaded, and only the days they span are partitions of the run.
"""

from __future__ import annotations

import os
import socket
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from importlib.resources import as_file, files
from itertools import chain
from pathlib import Path
from typing import Any

import dagster as dg
from dagster._core.events.log import EventLogEntry
from dagster._core.instance.ref import InstanceRef

from assets.broken_batches import create_table, forget_all_but
from assets.declared import Declared, read_project
from assets.failure import Failed, failures_of
from assets.feeds import LOADED_STEP, feed_key, told_error
from assets.jobs import EVERYTHING, FETCH
from assets.origins import FETCHED_STEP, origin_key, with_origin
from assets.partitions import range_tags
from assets.project_definitions import definitions_of
from assets.published import SNAPSHOT
from assets.reason_check import REASONS_STEP
from assets.resources import FETCHING, LOADING, PROJECT_RUN, Loading, nothing_loaded
from assets.run_log import newest_batch
from assets.side_by_side import execute_side_by_side
from assets.tables import names_of, table_key
from cdp.definitions import warehouse_settings
from cdp.interrupts import noticed_interrupts
from cdp.progress import Progress
from cdp.run_summary import Errors, gate_error, load_error, summarise
from cdp.settings import read_settings
from sources.data_days import data_days
from sources.landing_report import misdated, unread_files
from sources.loading import describe_feeds, pending_batches
from sources.origins.memory import recall
from sources.summary import incomplete_files
from warehouse.database import Warehouse
from warehouse.declaration import suggestion
from warehouse.errors import CdpError, InputError, UsageError, WarehouseBusyError
from warehouse.project import Project

_HOST, _PROCESS = "cdp/host", "cdp/process"
_QUIET = {"console": {"config": {"log_level": "CRITICAL"}}}
_NO_STEP_LOGS = {
    "compute_logs": {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
        "config": {},
    }
}
"""Capturing what steps print would take the terminal away from the progress bar."""


Pending = Mapping[str, Iterable[date]]
"""The days each feed has something to load for."""

Tell = Callable[[dict[str, Any]], object]
"""Is told what a run did."""


@dataclass(frozen=True)
class Asked:
    """What one run is asked for."""

    as_of: date | None
    feeds: tuple[str, ...]
    first: date | None
    last: date | None
    full_refresh: bool
    fetch: bool


def run_project(
    project: Project,
    *,
    as_of: date | None = None,
    feeds: Iterable[str] | None = None,
    first: date | None = None,
    last: date | None = None,
    full_refresh: bool = False,
    fetch: bool = True,
    progress: Progress | None = None,
    instance: dg.DagsterInstance | None = None,
    declared: Declared | None = None,
    tell: Tell | None = None,
) -> dict[str, Any]:
    """Fetch what is new, load what is pending, make and check every table as of a day, publish.

    Returns what `cdp run --json` prints; ``tell`` gets it too, also where the quality gate then stops the run.

    ``declared`` spares reading the declarations again when several runs follow each other.
    ``errors`` holds, by feed, why batches could not be loaded; everything else was made and published all the same,
    as far as anything was ever loaded.
    ``bugs`` names the feeds among them whose files brought a bug to light.

    Raises:
        KeyboardInterrupt: the user interrupted the run; what it had begun is undone.
        DeclarationError: something in ``config/`` is wrong.
        UsageError: an unknown feed was named, or a day before all data.
        InputError: nothing was ever loaded, and there was nothing to load.
        QualityGateError: an expectation of severity error does not hold; what is made from its table was not.
        WarehouseError: the warehouse is held by another process, or refused something.
    """
    declared = declared or read_project(project)
    asked = Asked(as_of, _known_feeds(declared, feeds), first, last, full_refresh, fetch)
    with noticed_interrupts(), _dagster_of(project, instance) as opened:
        _end_dead_runs(opened)
        return _run(declared, asked, opened, progress, tell)


def _run(
    declared: Declared, asked: Asked, instance: dg.DagsterInstance, progress: Progress | None, tell: Tell | None
) -> dict[str, Any]:
    settings = warehouse_settings(declared.project, read_settings())
    unreached = _fetch(declared, asked, instance) if asked.fetch else {}
    left_out = [(name, error) for name in asked.feeds if (error := misdated(declared.project, declared.feeds[name]))]
    with settings.open() as warehouse:
        pending, errors = _pending(warehouse, declared, asked)
        if not pending:  # else what is loaded may be older than all that is there
            _check_day(warehouse, declared, asked)
        describe_feeds(warehouse, declared.feeds.values())
        with warehouse.transaction() as connection:
            create_table(connection)
            forget_all_but(connection, declared.feeds)
            newest = newest_batch(connection)
    if not (pending or errors or left_out or unreached or asked.as_of or newest):
        raise nothing_loaded()  # known before anything is made, which takes long
    run_id = str(uuid.uuid4())
    selection = [*map(feed_key, pending), *map(table_key, names_of(declared.steps)), SNAPSHOT]
    if progress is not None:
        settings = replace(settings, told=_loading(progress))
    days = chain.from_iterable(pending.values())
    job = definitions_of(declared, settings, datetime.now(UTC), pool=None, days=days).resolve_job_def(EVERYTHING)
    if progress is not None:
        instance.add_event_listener(run_id, _counting(progress, _steps(job, pending)))
    result = execute_side_by_side(
        job,
        instance=instance,
        run_id=run_id,
        assets=selection,
        tags=_tags(pending),
        run_config={"loggers": _QUIET, "resources": {PROJECT_RUN: {"config": _config(asked)}}},
    )
    failures = [failed for failed in failures_of(result.all_events) if failed.step != LOADED_STEP]
    with settings.open() as warehouse:
        cursor = warehouse.cursor()
        _raise_first(failed for failed in failures if not isinstance(failed.error, InputError))
        summary = summarise(cursor, run_id, asked.feeds, errors)
        found = [*unreached.items(), *summary["errors"].items(), *((name, str(error)) for name, error in left_out)]
        summary["errors"] = {name: " ".join(told for of, told in found if of == name) for name, _ in found}
        summary["warnings"] = unread_files(declared.project, declared.feeds) + incomplete_files(cursor, declared.feeds)
        not_loaded = load_error(summary)
        if summary["as_of"] is not None or not_loaded is None:  # else tables failed for want of what was not loaded
            _raise_first(failures)
        gate = gate_error(cursor, run_id, declared.suites) if any(failed.is_check for failed in failures) else None
    if tell is not None:
        tell(summary)
    if gate is not None:
        raise gate if not_loaded is None else _both(gate, not_loaded)
    return summary


def _both(gate: CdpError, not_loaded: CdpError) -> CdpError:
    """One error for what checks held back and what was not loaded; a bug among it is the graver one."""
    kind = CdpError if not_loaded.exit_code == CdpError.exit_code else type(gate)
    return kind(f"{gate.reason} {not_loaded.reason}", f"{gate.fix} {not_loaded.fix}")


def _fetch(declared: Declared, asked: Asked, instance: dg.DagsterInstance) -> dict[str, str]:
    """Bring what is new at the origins, in a run of its own that holds no warehouse; why some failed, by feed."""
    feeds = with_origin(declared.feeds[name] for name in asked.feeds)
    if not feeds:
        return {}
    settings = warehouse_settings(declared.project, read_settings())
    definitions = definitions_of(declared, settings, datetime.now(UTC), pool=None, secrets=os.environ)
    result = definitions.resolve_job_def(FETCH).execute_in_process(
        instance=instance,
        raise_on_error=False,
        asset_selection=[origin_key(feed.name) for feed in feeds],
        tags=_tags({}),
        run_config={"loggers": _QUIET},
    )
    bugs = [failed for failed in failures_of(result.all_events) if failed.step != FETCHED_STEP]
    if bugs:
        raise RuntimeError(f"The step {bugs[0].step} has a bug.\n{bugs[0].told}")
    endings = {feed.name: recall(declared.project, feed.name).last for feed in feeds}
    return {
        name: f"not fetched: {last.reason} {last.fix}".strip() for name, last in endings.items() if last and last.reason
    }


def _known_feeds(declared: Declared, names: Iterable[str] | None) -> tuple[str, ...]:
    if names is None:
        return tuple(declared.feeds)
    chosen = tuple(dict.fromkeys(names))
    for name in chosen:
        if name not in declared.feeds:
            raise UsageError(f"`{name}` is not a feed of this project.", suggestion(name, list(declared.feeds)))
    return chosen


def _pending(warehouse: Warehouse, declared: Declared, asked: Asked) -> tuple[Pending, Errors]:
    """The days each feed has something to load for, inside what was asked, and why that is not known of some."""
    start = max(filter(None, [asked.first, declared.business.first_batch_on]), default=date.min)
    end = asked.last or date.max
    found: dict[str, list[date]] = {}
    errors: dict[str, CdpError] = {}
    for name in asked.feeds:
        feed = declared.feeds[name]
        try:
            days = pending_batches(warehouse, declared.project, feed, full_refresh=asked.full_refresh)
        except WarehouseBusyError:
            raise
        except Exception as error:  # noqa: BLE001 - the other feeds are loaded all the same
            errors[name] = told_error(name, error)
            continue
        if inside := [day for day in days if start <= day <= end]:
            found[name] = inside
    return found, errors


def _check_day(warehouse: Warehouse, declared: Declared, asked: Asked) -> None:
    """End before anything is made as of a day that is before all data."""
    with closing(warehouse.cursor()) as cursor:
        days = data_days(cursor, declared.business.time_zone)
    if asked.as_of and days and (error := days.before_all(asked.as_of)):
        raise error


def _tags(pending: Pending) -> dict[str, str]:
    days = [day for found in pending.values() for day in found]
    process = {_HOST: socket.gethostname(), _PROCESS: str(os.getpid())}
    return process | (range_tags(min(days), max(days)) if days else {})


def _config(asked: Asked) -> dict[str, object]:
    return {"as_of": asked.as_of.isoformat() if asked.as_of else None, "full_refresh": asked.full_refresh}


def _raise_first(failures: Iterable[Failed]) -> None:
    """Raise what ended the run before its time, a bug or an error of ours; what checks held back is no such thing."""
    for failed in failures:
        if failed.error is not None:
            raise failed.error
        if not failed.is_check:
            raise RuntimeError(f"The step {failed.step} has a bug.\n{failed.told}")


def _steps(job: dg.JobDefinition, pending: Pending) -> int:
    """Steps of a run that loads what is pending: without a feed nothing is asked of feeds, and nothing is fetched."""
    names = {node.name for node in job.nodes if not node.name.startswith(FETCHING)} - {FETCHED_STEP}
    about_feeds = {REASONS_STEP, LOADED_STEP} & names if pending else set()
    of_tables = {name for name in names if not name.startswith(LOADING)} - {REASONS_STEP, LOADED_STEP}
    return len(pending) + len(about_feeds) + len(of_tables)


def _loading(progress: Progress) -> Loading:
    """Shows how far a feed is while it is loaded: bytes, which say how long it will take, and rows."""

    def tell(feed: str, rows: int, done: int, total: int) -> None:
        progress(done, total, f"bytes of {feed}, {rows:,} rows")

    return tell


def _counting(progress: Progress, total: int) -> Callable[[EventLogEntry], None]:
    done = 0

    def listen(entry: EventLogEntry) -> None:
        nonlocal done
        event = entry.dagster_event
        if event is None:
            return
        if event.is_step_success or event.is_step_failure or event.is_step_skipped:
            done += 1
        elif not event.is_step_start:
            return
        progress(done, total, f"steps, now {(event.step_key or '').replace('__', '.')}")

    return listen


@contextmanager
def _dagster_of(project: Project, instance: dg.DagsterInstance | None) -> Iterator[dg.DagsterInstance]:
    """The instance to record in: the one given, else the project's own as its dagster.yaml describes it."""
    if instance is not None:
        yield instance
        return
    os.environ["DAGSTER_HOME"] = os.environ["CDP_PROJECT"] = str(project.root)
    with as_file(files("cdp") / "templates") as templates:
        home = project.root if (project.root / "dagster.yaml").is_file() else Path(templates)
        reference = InstanceRef.from_dir(str(project.root), config_dir=str(home), overrides=_NO_STEP_LOGS)
        with dg.DagsterInstance.from_ref(reference) as opened:
            yield opened


def _end_dead_runs(instance: dg.DagsterInstance) -> None:
    """Mark runs of this command as failed whose process is gone: nobody else watches over them."""
    mine = dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED], tags={_HOST: socket.gethostname()})
    for run in instance.get_runs(filters=mine):
        if not _is_alive(int(run.tags.get(_PROCESS, "0"))):
            instance.report_run_failed(run, "The process of this run ended before the run did.")


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return process != 0
