"""Loads groups of batches, one after the other: each wholly, or as if it had never been begun."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date

from quality.resolution import Attempt
from sources.corrections import FeedCorrections
from sources.file_ledger import FileRecord, known_files
from sources.group_load import Batch, FileLoad, GroupLoad, StoppedBatch
from sources.lateness import Lateness, lateness_of
from sources.mapped_feed import MappedFeed
from sources.readers.file_reader import FileReader
from sources.reason_ledger import write_reasons
from warehouse.database import Warehouse
from warehouse.errors import InputError
from warehouse.step import Run

Progress = Callable[[int, int, int], None]
"""Called with rows done, bytes done, bytes in all."""

Broken = Callable[[date, Exception], object]
"""Called for a batch that could not be loaded, with the reason."""


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


@dataclass
class Told:
    """Adds up progress."""

    progress: Progress
    total: int
    rows: int = 0
    bytes: int = 0

    def add(self, rows: int, size: int) -> None:
        """So many rows and bytes more are read."""
        self.rows += rows
        self.bytes += size
        self.progress(self.rows, self.bytes, self.total)


@dataclass
class BatchLoader:
    """Loads the groups of a feed, one after the other: each wholly, or as if it had never been begun."""

    warehouse: Warehouse
    mapped: MappedFeed
    corrections: FeedCorrections
    run: Run
    attempt: Attempt
    told: Told
    batches: list[BatchLoad] = field(default_factory=list)
    stopped: list[StoppedBatch] = field(default_factory=list)

    def load_what_can_be(self, group: Sequence[Batch], broken: Broken) -> None:
        """Load a group; where that fails its batches one by one, so that only those are missing that cannot be."""
        before = self.told.rows, self.told.bytes
        try:
            stops = self.load(group)
        except Exception as error:  # noqa: BLE001 - whatever one batch brings to light, the others are loaded
            self.warehouse.cursor().close()  # there is none when it was the user who ended this
            self.told.rows, self.told.bytes = before
            if len(group) == 1:
                broken(group[0][0], error)
                return
            for batch in group:
                self.load_what_can_be([batch], broken)
        else:
            for stop in stops:
                broken(stop.batch_on, InputError(f"{stop.reason}.", stop.fix))

    def load(self, group: Sequence[Batch]) -> list[StoppedBatch]:
        """Load a group, in one transaction; the batches of it that had to stop."""
        started = time.monotonic()
        warehouse, mapped = self.warehouse, self.mapped
        reader = FileReader.of(mapped)
        with warehouse.one_thread(), closing(warehouse.cursor()) as scratch, warehouse.transaction() as connection:
            known = known_files(connection, mapped.feed.name)
            loading = GroupLoad(
                connection, scratch, mapped, self.corrections, reader, self.run, self.told.add, self.attempt
            )
            loads, stops = loading.load(group, known)
            done = _batches(loads, known_files(connection, mapped.feed.name))
            size = sum(item.bytes + 1 for item in done)
            write_reasons(connection, mapped, {*(item.batch_on for item in done), *(stop.batch_on for stop in stops)})
            late = lateness_of(connection, mapped, [item.batch_on for item in done], self.run.business.time_zone)
        seconds = time.monotonic() - started
        self.batches += [
            replace(item, lateness=late.get(item.batch_on, Lateness()), seconds=seconds * (item.bytes + 1) / size)
            for item in done
        ]
        self.stopped += stops
        return stops


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
