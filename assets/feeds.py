"""One asset per feed, one partition per batch day.

A batch that cannot be loaded stops neither the other batches of its feed nor the feeds beside it, and the tables below
are made of what is there. So the step that loads a feed never fails on its data, nor on a bug that they bring to light:
it leaves the day without a materialization and notes the error. The check ``loaded`` then fails, and with it the run,
so that the day is shown as failed and alerts go out; nothing waits for that check.
"""

import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from pathlib import Path

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION

from assets.broken_batches import BrokenBatch, broken, forget_all_but, note, told_batches
from assets.failure import failure_of, shown_in_dagster
from assets.feed_columns import source_fields
from assets.feed_metadata import Metadata, batch_metadata, feed_metadata, told_changes
from assets.origins import origin_key
from assets.resources import BEFORE_OTHERS, LOADING, ProjectRun
from sources.batch_load import BatchLoad, Progress
from sources.drift import CHANGES, SchemaChange
from sources.feed import Feed, identifier_of
from sources.landing_report import misdated
from sources.loading import FeedLoad, load_feed, pending_batches
from sources.reason_ledger import ReasonShare, found_reasons
from sources.schema_ledger import AbsentColumn, absent_columns, found_changes
from warehouse.bug import told_bug
from warehouse.errors import CdpError, InputError, WarehouseBusyError

POOL = "duckdb_writer"
GROUP = "feeds"
LOADED = "loaded"
"""Name of the check on every feed: each of its batches is loaded."""

COLUMNS = "columns_as_before"
"""Name of the check on every feed: no source field is new, missing or of another type, and what the feed declares is
there. It warns."""

LOADED_STEP = "feeds_loaded"
"""The step of these checks, for all feeds."""

_LOADED_MEANS = "Every batch that arrived is loaded."
_COLUMNS_MEANS = (
    "The run found no source field that is new, missing, back again or of another type, and its files have every "
    "column that the feed's own `fields:` and `rename:` name."
)

_MOST_ABSENT = 20
_SECONDS_BETWEEN = 10
"""Between two lines of a run's log that tell how far a feed is."""

_WITHOUT_MATERIALIZATION: Mapping[str, bool] = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
"""Marks an output whose step has said itself which partitions it materialized."""

Window = tuple[date | None, date | None]
"""First and last batch day to load; None is open."""


@dataclass(frozen=True)
class Loaded:
    """What became of a feed's pending batches in a window."""

    batches: tuple[BatchLoad, ...]
    errors: Mapping[date, CdpError]
    changes: tuple[SchemaChange, ...] = ()
    reasons: tuple[ReasonShare, ...] = ()

    def metadata(self) -> dict[str, Metadata]:
        """What is told of each batch, by its partition."""
        return {
            batch.batch_on.isoformat(): batch_metadata(
                batch,
                [change for change in self.changes if change.batch_on == batch.batch_on],
                [reason for reason in self.reasons if reason.batch_on == batch.batch_on],
            )
            for batch in self.batches
        }


def feed_key(name: str) -> dg.AssetKey:
    """The asset of a feed; Dagster knows no hyphens in names."""
    return dg.AssetKey([GROUP, identifier_of(name)])


def owner_of(declared: str) -> str | None:
    """An owner as Dagster knows them: an address, or a team."""
    if not declared.strip():
        return None
    return declared.strip() if "@" in declared else f"team:{declared.strip().removeprefix('team:')}"


def feed_asset(
    feed: Feed, partitions: dg.PartitionsDefinition[str], default_owner: str, pool: str | None
) -> dg.AssetsDefinition:
    """The asset that loads a feed's pending batches."""
    key = feed_key(feed.name)
    spec = dg.AssetSpec(
        key,
        description=feed.description or f"Rows of {feed.kind} as {feed.mapping} sends them.",
        group_name=GROUP,
        owners=[owner_of(feed.owner) or default_owner],
        kinds={"file", "duckdb"},
        tags={"kind": feed.kind, "mapping": feed.mapping, "id_space": feed.ids_from},
        metadata={"purpose": feed.purpose or "not declared", "dagster/column_schema": _source_schema(feed)},
        partitions_def=partitions,
        deps=[origin_key(feed.name)] if feed.origin is not None else [],
    )

    @dg.multi_asset(
        name=f"{LOADING}{identifier_of(feed.name)}",
        specs=[spec],
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=pool,
        op_tags=BEFORE_OTHERS,
    )
    def load(
        context: dg.AssetExecutionContext, project_run: dg.ResourceParam[ProjectRun]
    ) -> Iterator[dg.MaterializeResult[None] | dg.AssetMaterialization | dg.Output[None]]:
        with shown_in_dagster():
            loaded = load_pending(project_run, feed, _window(context), partial(_log, context.log, [0.0]))
        yield from _told(context, key, loaded)

    return load


def _log(log: dg.DagsterLogManager, last: list[float], rows: int, done: int, total: int) -> None:
    """How far the loading is, in the log of the run, every few seconds; ``last`` holds when that was told."""
    now = time.monotonic()
    if now - last[0] >= _SECONDS_BETWEEN:
        last[0] = now
        log.info(f"{done:,} of {total:,} bytes, {rows:,} rows")


def load_pending(current: ProjectRun, feed: Feed, window: Window, progress: Progress | None = None) -> Loaded:
    """Load the batches of a window that are pending, and note those that stopped."""
    run = current.to_load()
    errors: dict[date, CdpError] = {}
    done = _load(current, feed, window, partial(current.told, feed.name) if current.told else progress, errors)
    with current.warehouse.transaction() as connection:
        note(connection, feed.name, run.run_id, window, errors)
        changes = tuple(change for _, change, _ in found_changes(connection, feed=feed.name))
        reasons = found_reasons(connection, feed.name)
    return Loaded(done.batches, errors, changes, reasons)


def _load(
    current: ProjectRun, feed: Feed, window: Window, progress: Progress | None, errors: dict[date, CdpError]
) -> FeedLoad:
    """Load what can be loaded; ``errors`` then says of each other batch why it was not."""
    first, last = window

    def note_error(day: date, error: Exception) -> None:
        errors[day] = told_error(feed.name, error)

    try:
        return load_feed(
            current.warehouse,
            current.project,
            feed,
            current.to_load(),
            first=first,
            last=last,
            full_refresh=current.full_refresh,
            progress=progress,
            broken=note_error,
        )
    except WarehouseBusyError:
        raise
    except Exception as error:
        days = pending_batches(current.warehouse, current.project, feed, full_refresh=current.full_refresh)
        untold = [day for day in days if (first or day) <= day <= (last or day) and day not in errors]
        if not untold:  # each batch is loaded or has its own reason, so none could tell of it
            raise
        errors |= dict.fromkeys(untold, told_error(feed.name, error))
        return FeedLoad(feed.name, ())


def told_error(feed: str, error: Exception) -> CdpError:
    """What is kept of an error that loading a feed was not written for: ours as it is, of a bug only kind and place.

    The traceback of a bug goes to standard error, without the values that it quotes.
    """
    if isinstance(error, CdpError):
        return error
    sys.stderr.write(told_bug(error))
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return CdpError(
        f"Loading has a bug: {type(error).__name__} in {Path(frame.filename).name}, line {frame.lineno}.",
        f"Report it with the traceback; until then, take the file out of landing/{feed}/ or correct its declaration.",
    )


def loaded_check(feeds: Iterable[Feed], pool: str | None) -> dg.AssetChecksDefinition:
    """Checks that every batch of every feed is loaded and its source fields are as before.

    A batch that could not be loaded fails the run.
    """
    of_key = {feed_key(feed.name): feed for feed in feeds}
    names = [feed.name for feed in of_key.values()]
    specs = [
        *(dg.AssetCheckSpec(LOADED, asset=feed_key(name), description=_LOADED_MEANS) for name in names),
        *(dg.AssetCheckSpec(COLUMNS, asset=feed_key(name), description=_COLUMNS_MEANS) for name in names),
    ]

    @dg.multi_asset_check(name=LOADED_STEP, specs=specs, can_subset=True, pool=pool)
    def check(
        context: dg.AssetCheckExecutionContext, project_run: dg.ResourceParam[ProjectRun]
    ) -> Iterator[dg.AssetCheckResult]:
        with project_run.warehouse.transaction() as connection:
            forget_all_but(connection, names)
            found = broken(connection)
            changes = found_changes(connection, run_id=project_run.run_id)
            absent = absent_columns(connection, run_id=project_run.run_id)
        errors: list[CdpError] = []
        for key in sorted(context.selected_asset_check_keys):
            if key.name == COLUMNS:
                yield _columns_result(
                    key.asset_key,
                    [item for feed, item, _ in changes if feed_key(feed) == key.asset_key],
                    [item for feed, found in absent.items() if feed_key(feed) == key.asset_key for item in found],
                )
            else:
                batches = [item for item in found if feed_key(item.feed) == key.asset_key]
                left_out = misdated(project_run.project, of_key[key.asset_key])
                errors += [left_out] if left_out is not None else []
                yield _loaded_result(key.asset_key, batches, left_out)
        mine = [item for item in found if item.run_id == project_run.run_id]
        errors = [errors_of_feeds(mine), *errors] if mine else errors
        if errors:
            raise failure_of(errors[0])

    return check


def errors_of_feeds(found: Iterable[BrokenBatch]) -> CdpError:
    """One error for all broken batches, feed by feed. A bug makes it a bug."""
    by_feed: dict[str, list[BrokenBatch]] = {}
    for item in found:
        by_feed.setdefault(item.feed, []).append(item)
    texts = {feed: told_batches(items) for feed, items in sorted(by_feed.items())}
    is_bug = any(item.is_bug for items in by_feed.values() for item in items)
    reason = " ".join(f"{feed}, {why}" for feed, (why, _) in texts.items())
    return (CdpError if is_bug else InputError)(
        reason, " ".join(dict.fromkeys(fix for _, fix in texts.values() if fix))
    )


def _loaded_result(key: dg.AssetKey, found: list[BrokenBatch], left_out: CdpError | None) -> dg.AssetCheckResult:
    """``left_out``: files of the feed belong to no batch at all."""
    days = ", ".join(str(item.batch_on) for item in found[:5])
    told = [" ".join(told_batches(found)).strip()] if found else []
    told += [str(left_out)] if left_out is not None else []
    return dg.AssetCheckResult(
        passed=not told,
        asset_key=key,
        check_name=LOADED,
        severity=dg.AssetCheckSeverity.ERROR,
        description=" ".join(told) or "Every batch is loaded.",
        metadata={"broken_batches": len(found), "days": days} if found else None,
    )


def _columns_result(key: dg.AssetKey, found: list[SchemaChange], absent: list[AbsentColumn]) -> dg.AssetCheckResult:
    kinds = Counter(change.change for change in found)
    told = [item.told() for item in absent[:_MOST_ABSENT]]
    told += [told_changes(found, with_days=True)] if found else []
    return dg.AssetCheckResult(
        passed=not found and not absent,
        asset_key=key,
        check_name=COLUMNS,
        severity=dg.AssetCheckSeverity.WARN,
        description=" ".join(told) or "Source fields are as before.",
        metadata={name: kinds[name] for name in CHANGES} | {"absent": len(absent)},
    )


def _told(
    context: dg.AssetExecutionContext, key: dg.AssetKey, loaded: Loaded
) -> Iterator[dg.MaterializeResult[None] | dg.AssetMaterialization | dg.Output[None]]:
    days = loaded.metadata()
    partitions = list(context.partition_keys) if context.has_partition_key_range or context.has_partition_key else []
    if not loaded.errors:
        for day in days.keys() & set(partitions):
            context.add_asset_metadata(days[day], asset_key=key, partition_key=day)
        yield dg.MaterializeResult(asset_key=key, metadata=None if partitions else feed_metadata(loaded.batches))
        return
    broken_days = {day.isoformat() for day in loaded.errors}
    for day in partitions:
        if day not in broken_days:
            yield dg.AssetMaterialization(key, partition=day, metadata=days.get(day))
    yield dg.Output(None, output_name=key.to_python_identifier(), metadata=dict(_WITHOUT_MATERIALIZATION))


def _window(context: dg.AssetExecutionContext) -> Window:
    if not (context.has_partition_key or context.has_partition_key_range):
        return None, None
    window = context.partition_time_window
    return window.start.date(), window.end.date() - timedelta(days=1)


def _source_schema(feed: Feed) -> dg.TableSchema:
    return dg.TableSchema(
        columns=[
            dg.TableColumn(name=field, type="source field", description=f"becomes {target}")
            for field, target in source_fields(feed)
        ]
    )
