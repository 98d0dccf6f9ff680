"""Loads what is pending of a feed, batch by batch: each is in staging wholly or not at all, and loading again is safe.
Only files that are broken are left out alone.

Small batches share a transaction and its statements, so that four hundred daily files take seconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path
from typing import Final

from quality.contracts.registry import CONTRACTS
from quality.quarantine import create_tables as create_quarantine
from quality.resolution import Attempt, move_rows, withdraw_rows
from sources.batch_load import BatchLoad, BatchLoader, Broken, Progress, Told
from sources.corrections import FeedCorrections, corrections_of
from sources.feed_declaration import Feed
from sources.file_ledger import FileRecord, forget_files, known_files, set_modified, set_status, write_feed, write_files
from sources.group_load import StoppedBatch
from sources.landing import LandingFile, discover
from sources.ledger_tables import create_ledger
from sources.mapped_feed import MappedFeed, map_feed
from sources.plan import Plan, groups, plan_files
from sources.reason_ledger import write_reasons
from sources.replacement import Replacement
from sources.row_tables import create_row_tables
from sources.schema_ledger import write_schema_changes
from warehouse.database import Connection, Warehouse
from warehouse.errors import InputError
from warehouse.project import Project
from warehouse.step import Run

GROUP_BYTES: Final = 128 << 20


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
        fixes = dict.fromkeys(stop.fix for stop in load.stopped[:5])
        super().__init__(told[0].upper() + told[1:], " ".join([*fixes, "What was loaded before is unchanged."]))
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
    broken: Broken | None = None,
) -> FeedLoad:
    """Load what is pending of a feed in batches from ``first`` to ``last``; or read the files of a replay again.

    ``broken`` is told of the batches that could not be loaded, and why; of nothing else that goes wrong. Without it:

    Raises:
        DeclarationError: the feed, its mapping and its contract do not fit.
        BatchesStoppedError: batches in which too many rows break the contract, or with new source fields where the
            feed says stop. Their earlier rows stay; all other batches are loaded.
    """
    mapped = map_feed(feed)
    corrections = corrections_of(project, mapped)
    attempt = replay.attempt if replay else Attempt(run.now, run.run_id)
    warehouse.prepare(f"rows of {mapped.kind}", partial(create_tables, kinds=(mapped.kind,)))
    with warehouse.transaction() as connection:
        write_feed(connection, feed, mapped.declaration_hash)
        plan = _plan(connection, project, mapped, corrections, (first, last), full_refresh=full_refresh, replay=replay)
        _note_what_stays(connection, mapped, plan, attempt)
    loading = BatchLoader(warehouse, mapped, corrections, run, attempt, Told(progress or (lambda *_: None), plan.bytes))
    for group in groups(plan, GROUP_BYTES):
        if broken is None:
            loading.load(group)
        else:
            loading.load_what_can_be(group, broken)
    with warehouse.transaction() as connection:
        moved = _forget_moved(connection, mapped, plan, attempt)
        left = _note_gone(connection, mapped, [old for old, _ in plan.moved if old.file not in moved], attempt)
        write_reasons(connection, mapped, plan.days if moved else ())
        write_schema_changes(connection, feed, run)
    vanished = (*(record.file for record in plan.vanished), *left)
    load = FeedLoad(feed.name, tuple(loading.batches), vanished, tuple(loading.stopped), moved)
    if load.stopped and broken is None:
        raise BatchesStoppedError(load)
    return load


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


def _note_what_stays(connection: Connection, mapped: MappedFeed, plan: Plan, attempt: Attempt) -> None:
    feed = mapped.feed.name
    set_modified(connection, feed, {file.file: file.modified_ns for file in plan.touched})
    set_status(connection, feed, [file.file for file in plan.returned], "loaded")
    _note_gone(connection, mapped, plan.vanished, attempt)
    if plan.returned:
        write_files(connection, feed, ())


def _note_gone(
    connection: Connection, mapped: MappedFeed, records: Sequence[FileRecord], attempt: Attempt
) -> tuple[str, ...]:
    """Say that files are gone, where that is not known yet; which they are."""
    feed = mapped.feed.name
    gone = [record for record in records if not record.is_gone]
    withdrawn = [record for record in gone if record.is_held_back]
    set_status(connection, feed, [record.file for record in gone if not record.is_held_back], "vanished")
    set_status(connection, feed, [record.file for record in withdrawn], "withdrawn")
    withdraw_rows(connection, mapped.kind, feed, [record.file for record in withdrawn], attempt)
    if gone:
        write_files(connection, feed, ())
    write_reasons(connection, mapped, {record.batch_on for record in withdrawn})
    return tuple(record.file for record in gone)


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
