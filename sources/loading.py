"""Loads what is pending of a feed, batch by batch: each is in staging wholly or not at all, and loading again is safe.

Small batches share a transaction and its statements, so that four hundred daily files take seconds.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from quality.contracts.registry import CONTRACTS
from quality.quarantine import create_tables as create_quarantine
from quality.resolution import Attempt, move_rows
from sources.corrections import FeedCorrections, corrections_of
from sources.feed_declaration import Feed
from sources.file_ledger import (
    FileRecord,
    forget_files,
    known_files,
    set_modified,
    set_status,
    set_stopped,
    write_feed,
    write_files,
)
from sources.group_load import Batch, FileLoad, GroupLoad, StoppedBatch
from sources.landing import LandingFile, discover
from sources.lateness import Lateness, lateness_of
from sources.ledger_tables import create_ledger
from sources.mapped_feed import MappedFeed, map_feed
from sources.plan import Plan, groups, plan_files
from sources.readers.file_reader import FileReader
from sources.reason_ledger import write_reasons
from sources.replacement import Replacement
from sources.row_tables import create_row_tables
from sources.schema_ledger import write_schema_changes
from warehouse.database import Connection, Warehouse
from warehouse.errors import InputError
from warehouse.project import Project
from warehouse.step import Run

GROUP_BYTES: Final = 128 << 20

Progress = Callable[[int, int, int], None]
"""Called with rows done, bytes done, bytes in all."""


@dataclass(frozen=True)
class BatchLoad:
    """What one load did to one batch: the files it read, their rows, and source fields nobody mentions.

    ``absent_columns``: those that the feed names itself, where the header of a file does not.
    ``reasons``: rejected rows per code; a row that was rejected for two counts under both. ``seconds``: the batch's
    share, by its bytes, of the time that its group took.
    """

    batch_on: date
    files: int
    bytes: int
    rows_read: int
    accepted: int
    duplicate: int
    rejected: int
    unknown_columns: tuple[str, ...] = ()
    absent_columns: tuple[str, ...] = ()
    reasons: Mapping[str, int] = field(default_factory=dict)
    lateness: Lateness = field(default_factory=Lateness)
    seconds: float = 0


@dataclass(frozen=True)
class Replay:
    """Files that are read again, whatever is known of them, so that rows of theirs are judged again."""

    files: frozenset[str]
    attempt: Attempt


@dataclass(frozen=True)
class FeedLoad:
    """What one load did to one feed. Rows of ``vanished`` files stay; ``moved`` ones are known by their new paths."""

    feed: str
    batches: tuple[BatchLoad, ...]
    vanished: tuple[str, ...] = ()
    stopped: tuple[StoppedBatch, ...] = ()
    moved: tuple[str, ...] = ()

    @property
    def rows_read(self) -> int:
        """Source rows that were read."""
        return sum(batch.rows_read for batch in self.batches)


class BatchesStoppedError(InputError):
    """Some batches were not loaded; ``load`` is what was done besides."""

    def __init__(self, load: FeedLoad) -> None:
        texts = [f"batch {stop.batch_on} of feed {load.feed} was not loaded: {stop.reason}." for stop in load.stopped]
        told = " ".join(texts[:5]) + (f" And {len(texts) - 5} more." if len(texts) > 5 else "")
        super().__init__(
            told[0].upper() + told[1:],
            f"Look at the files below landing/{load.feed}/; correct them or config/feeds/{load.feed}.yml "
            "(max_reject_ratio, on_new_column). What was loaded before is unchanged.",
        )
        self.load = load


def create_tables(connection: Connection, kinds: Iterable[str] = CONTRACTS) -> None:
    """Make every table that loading rows of these kinds writes, where it is not there yet."""
    create_ledger(connection)
    create_row_tables(connection, kinds)
    create_quarantine(connection)


def pending_batches(
    warehouse: Warehouse, project: Project, feed: Feed, *, full_refresh: bool = False
) -> tuple[date, ...]:
    """The days on which a feed has files that are new, changed, vanished, or loaded by other declarations."""
    with warehouse.transaction() as connection:
        create_ledger(connection)
        mapped = map_feed(feed)
        corrections = corrections_of(project, mapped)
        plan = _plan(connection, project, mapped, corrections, (None, None), full_refresh=full_refresh)
    return plan.days


def describe_feeds(warehouse: Warehouse, feeds: Iterable[Feed]) -> None:
    """Let SQL know feeds as they are declared now, also those of which nothing is read."""
    with warehouse.transaction() as connection:
        create_ledger(connection)
        for feed in feeds:
            write_feed(connection, feed, map_feed(feed).declaration_hash)


def load_feed(
    warehouse: Warehouse,
    project: Project,
    feed: Feed,
    run: Run,
    *,
    first: date | None = None,
    last: date | None = None,
    full_refresh: bool = False,
    replay: Replay | None = None,
    progress: Progress | None = None,
) -> FeedLoad:
    """Load what is pending of a feed in batches from ``first`` to ``last``; or read the files of a replay again.

    Raises:
        DeclarationError: the feed, its mapping and its contract do not fit.
        BatchesStoppedError: batches in which too many rows break the contract, or with new source fields where the
            feed says stop. Their earlier rows stay; all other batches are loaded.
    """
    mapped = map_feed(feed)
    corrections = corrections_of(project, mapped)
    warehouse.prepare(f"rows of {mapped.kind}", partial(create_tables, kinds=(mapped.kind,)))
    with warehouse.transaction() as connection:
        write_feed(connection, feed, mapped.declaration_hash)
        plan = _plan(connection, project, mapped, corrections, (first, last), full_refresh=full_refresh, replay=replay)
        _note_what_stays(connection, feed.name, plan)
    attempt = replay.attempt if replay else Attempt(run.now, run.run_id)
    told = _Told(progress or (lambda *_: None), plan.bytes)
    batches: list[BatchLoad] = []
    stopped: list[StoppedBatch] = []
    for group in groups(plan, GROUP_BYTES):
        started = time.monotonic()
        reader = FileReader.of(mapped)
        with warehouse.one_thread(), closing(warehouse.cursor()) as scratch, warehouse.transaction() as connection:
            known = known_files(connection, feed.name)
            loads, stops = GroupLoad(connection, scratch, mapped, corrections, reader, run, told.add, attempt).load(
                group, known
            )
            _note_stopped(connection, corrections, mapped, run, group, stops, known)
            done = _batches(loads, known_files(connection, feed.name))
            size = sum(item.bytes + 1 for item in done)
            write_reasons(connection, mapped, {*(item.batch_on for item in done), *(stop.batch_on for stop in stops)})
            late = lateness_of(connection, mapped, [item.batch_on for item in done], run.business.time_zone)
        seconds = time.monotonic() - started
        batches += [
            replace(item, lateness=late.get(item.batch_on, Lateness()), seconds=seconds * (item.bytes + 1) / size)
            for item in done
        ]
        stopped += stops
    with warehouse.transaction() as connection:
        moved = _forget_moved(connection, mapped, plan, attempt)
        write_reasons(connection, mapped, plan.days if moved else ())
        write_schema_changes(connection, feed, run)
    load = FeedLoad(feed.name, tuple(batches), tuple(record.file for record in plan.vanished), tuple(stopped), moved)
    if stopped:
        raise BatchesStoppedError(load)
    return load


class _Told:
    """Adds up progress."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total = progress, total
        self._rows = self._bytes = 0

    def add(self, rows: int, size: int) -> None:
        """So many rows and bytes more are read."""
        self._rows += rows
        self._bytes += size
        self._progress(self._rows, self._bytes, self._total)


def _plan(
    connection: Connection,
    project: Project,
    mapped: MappedFeed,
    corrections: FeedCorrections,
    days: tuple[date | None, date | None],
    *,
    full_refresh: bool,
    replay: Replay | None = None,
) -> Plan:
    feed = mapped.feed
    present, known = discover(project, feed), known_files(connection, feed.name)
    if replay is not None:
        present = tuple(file for file in present if file.file in replay.files)
        known = {file: record for file, record in known.items() if file in replay.files}
    return plan_files(
        present,
        known,
        corrections.hash_of,
        first=days[0],
        last=days[1],
        full_refresh=full_refresh or replay is not None,
    )


def _note_what_stays(connection: Connection, feed: str, plan: Plan) -> None:
    set_modified(connection, feed, {file.file: file.modified_ns for file in plan.touched})
    set_status(connection, feed, [record.file for record in plan.vanished], "vanished")
    set_status(connection, feed, [file.file for file in plan.returned], "loaded")
    if plan.vanished or plan.returned:
        write_files(connection, feed, ())


def _forget_moved(connection: Connection, mapped: MappedFeed, plan: Plan, attempt: Attempt) -> tuple[str, ...]:
    """Take away what moved files brought under their old paths, where the new ones are loaded."""
    known = known_files(connection, mapped.feed.name)
    moved = [
        old
        for old, path in plan.moved
        if (new := known.get(path)) is not None and new.status == "loaded" and new.sha256 == old.sha256
    ]
    if not moved:
        return ()
    names = [old.file for old in moved]
    now = {old.file: path for old, path in plan.moved if old.file in names}
    gone = [LandingFile(old.feed, old.batch_on, old.file, Path(), old.bytes, old.modified_ns) for old in moved]
    replacement = Replacement(connection, mapped, gone)
    replacement.begin()
    replacement.finish(())
    move_rows(connection, mapped.kind, mapped.feed.name, now, attempt)
    forget_files(connection, mapped.feed.name, names)
    return tuple(names)


def _note_stopped(
    connection: Connection,
    corrections: FeedCorrections,
    mapped: MappedFeed,
    run: Run,
    group: Sequence[Batch],
    stops: Sequence[StoppedBatch],
    known: dict[str, FileRecord],
) -> None:
    """Rows are counted where they stand: of a stopped file those it brought before, and the refused ones of now."""
    refused = {name: count for stop in stops for name, count in stop.files.items()}
    if not refused:
        return
    files = [file for _, found in group for file in found if file.file in refused]
    unusable = frozenset(name for stop in stops for name in stop.unusable)
    changed = {name: count for name, count in refused.items() if name in known}
    set_stopped(connection, mapped.feed.name, changed, unusable)
    nothing = {"rows_accepted": 0, "rows_duplicate": 0, "rows_collapsed": 0}
    new = [
        FileRecord(
            feed=file.feed,
            batch_on=file.batch_on,
            file=file.file,
            sha256="",
            bytes=file.bytes,
            rows_read=refused[file.file],
            rows_rejected=refused[file.file],
            is_unusable=file.file in unusable,
            **nothing,
            declaration_hash=corrections.hash_of(file.file, file.batch_on),
            status="stopped",
            modified_ns=file.modified_ns,
            loaded_at=run.now,
            run_id=run.run_id,
        )
        for file in files
        if file.file not in known
    ]
    write_files(connection, mapped.feed.name, new)


def _batches(loads: Sequence[FileLoad], counts: dict[str, FileRecord]) -> list[BatchLoad]:
    of_day: dict[date, list[FileLoad]] = {}
    for load in loads:
        of_day.setdefault(load.file.batch_on, []).append(load)
    return [_batch(day, found, counts) for day, found in sorted(of_day.items())]


def _batch(day: date, loads: Sequence[FileLoad], counts: dict[str, FileRecord]) -> BatchLoad:
    records = [counts[load.file.file] for load in loads]
    return BatchLoad(
        batch_on=day,
        files=len(records),
        bytes=sum(record.bytes for record in records),
        rows_read=sum(record.rows_read for record in records),
        accepted=sum(record.rows_accepted for record in records),
        duplicate=sum(record.rows_duplicate for record in records),
        rejected=sum(record.rows_rejected for record in records),
        unknown_columns=tuple(sorted({name for load in loads for name in load.unknown})),
        absent_columns=tuple(sorted({name for load in loads for name in load.absent})),
        reasons=sum((load.reasons for load in loads), Counter()),
    )
