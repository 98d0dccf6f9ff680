"""Loads a group of whole batches in one transaction: reads, checks, and replaces what their files brought before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from quality.contracts.check import Reason
from quality.rejects import Reject, Rejects
from quality.resolution import Attempt, Reread, replace_rejects
from sources.block_check import BlockCheck, RefusedRow
from sources.column_types import ColumnTypes
from sources.corrections import Correction, FeedCorrections
from sources.corrector import Corrector
from sources.declared_columns import declared_columns
from sources.drift import columns_of, with_masked_names
from sources.file_ledger import FileRecord, SourceColumn, lost_rows, write_columns, write_files
from sources.landing import LandingFile
from sources.mapped_feed import MappedFeed
from sources.operations.operation import Value
from sources.readers.ahead import read_ahead
from sources.readers.file_reader import FileReader, is_parquet
from sources.replacement import Counted, Replacement
from sources.source_rows import Block, Header, Reading, Refusal, kept_raw, told_cut
from sources.tolerance import Tolerance
from sources.waiting import Waiting
from warehouse.database import Connection
from warehouse.foreign_text import shown
from warehouse.step import Run

_READ_AHEAD: Final = 1

Batch = tuple[date, tuple[LandingFile, ...]]
Progress = Callable[[int, int], None]


@dataclass
class FileLoad:
    """What is known of a file while it is loaded. ``reasons``: its rejected rows per code; one may count under two."""

    file: LandingFile
    reading: Reading = field(default_factory=Reading)
    rows_read: int = 0
    collapsed: int = 0
    headers: set[Header] = field(default_factory=set)
    filled: Counter[str] = field(default_factory=Counter)
    rejected: int = 0
    reasons: Counter[str] = field(default_factory=Counter)
    unknown: tuple[str, ...] = ()
    absent: tuple[str, ...] = ()
    types: ColumnTypes = field(default_factory=ColumnTypes)
    told: tuple[int, int] = (0, 0)
    reached: tuple[int, int] = (0, 0)

    def note(self) -> None:
        """What was read until now waits to be checked; of a file that is hashed first, bytes count in the end."""
        size = self.reached[1]
        now = size if self.reading.sha256 else max(size, min(self.reading.bytes, self.file.bytes))
        self.reached = self.rows_read, now

    def news(self, *, is_done: bool = False) -> tuple[int, int]:
        """Rows and bytes that were noted since this was asked last."""
        rows, size = self.told
        self.told = (self.rows_read, self.file.bytes) if is_done else self.reached
        return self.told[0] - rows, self.told[1] - size


@dataclass(frozen=True)
class StoppedBatch:
    """A batch that was not loaded, or some broken files of it, and why.

    What these ``files`` held before stays; their refused rows wait in quarantine.
    """

    batch_on: date
    reason: str
    fix: str
    files: frozenset[str]


@dataclass
class GroupLoad:
    """Loads one group: blocks are checked on ``scratch``, everything is written on ``connection``."""

    connection: Connection
    scratch: Connection
    mapped: MappedFeed
    corrections: FeedCorrections
    reader: FileReader
    run: Run
    progress: Progress
    attempt: Attempt

    def load(self, batches: Sequence[Batch], known: dict[str, FileRecord]) -> tuple[list[FileLoad], list[StoppedBatch]]:
        """Load all files; the batches that had to stop are told, and none of their rows are taken."""
        files = [file for _, found in batches for file in found]
        self._loads = [FileLoad(file, Reading(batch_on=file.batch_on)) for file in files]
        replacement = Replacement(self.connection, self.mapped, files)
        replacement.begin()
        self._corrector = Corrector(self.scratch, self.mapped, files, self._entries(files))
        self._check = BlockCheck(self.scratch, self.mapped, self.reader.gate, replacement)
        self._rejects = Rejects(self.connection, self.mapped.kind)
        self._read_all()
        self._rejects.settle()
        self._check_counts(replacement.taken)
        tolerance = Tolerance.of(self.connection, self.mapped, known)
        stopped = [stop for day, _ in batches if (stop := self._stop(day, tolerance)) is not None]
        held = {name for stop in stopped for name in stop.files}
        counted = replacement.undo(held)
        loaded = [load for load in self._loads if load.file.file not in held]
        counted |= replacement.finish([load.file.file for load in loaded])
        self._quarantine(known)
        records = [self._record(load, counted[load.file.file]) for load in self._loads]
        told = [_held_back(item, known.get(item.file)) if item.file in held else item for item in records]
        write_files(self.connection, self.mapped.feed.name, told)
        self._write_columns()
        return loaded, stopped

    def _entries(self, files: Sequence[LandingFile]) -> dict[int, tuple[Correction, ...]]:
        found = {number: self.corrections.of_file(file.file, file.batch_on) for number, file in enumerate(files)}
        return {number: entries for number, entries in found.items() if entries}

    def _read_all(self) -> None:
        for waiting in read_ahead(self._waiting(), _READ_AHEAD):
            for row in waiting.refused:
                self._refuse(row)
            if waiting.tables:
                self._flush(waiting)
            for rows, size in waiting.news:
                self.progress(rows, size)

    def _waiting(self) -> Iterator[Waiting]:
        """Blocks of many files put together until they are worth a statement. Groups need whole files."""
        waiting = Waiting()
        for file_id, load in enumerate(self._loads):
            for block in self._blocks(file_id, load):
                if isinstance(block, RefusedRow):
                    waiting.refuse(block)
                    if waiting.has_refused_enough:
                        yield waiting.without_blocks()
                    continue
                needs_whole = self.mapped.counts_rows and block.header is not None
                is_inside = needs_whole and waiting.last_id == file_id
                if waiting.tables and (not waiting.fits(block) or (waiting.is_full and not is_inside)):
                    waiting.news.append(load.news())
                    yield waiting
                    waiting = Waiting()
                waiting.add(block, file_id)
                load.note()
            waiting.news.append(load.news(is_done=True))
        yield waiting

    def _blocks(self, file_id: int, load: FileLoad) -> Iterator[Block | RefusedRow]:
        rescued: dict[int, dict[str, Value]] = {}
        beside: Block | None = None
        load.types.is_typed = not self.mapped.flat_forms or is_parquet(load.file.path)
        for item in self.reader.read(load.file.path, load.reading):
            if isinstance(item, Refusal):
                load.rows_read += 1
                value = None if load.reading.is_unusable else self._corrector.rescue(file_id, item)
                if value is not None:
                    rescued[item.row] = value
                    continue
                reasons = (Reason("", "unreadable", item.message),)
                yield RefusedRow(file_id, item.row, item.raw, reasons)
                continue
            load.rows_read += item.rows.num_rows
            load.types.is_typed = load.types.is_typed or item.header is None
            load.types.see(item, self.reader.gate.names | load.reading.unknown.keys())
            if item.header is not None:
                load.headers.add(item.header)
            if item.rows.num_rows:
                beside = item
                yield item
        if rescued:
            yield self._corrector.rescued_block(rescued, beside)

    def _refuse(self, refused: RefusedRow) -> None:
        load = self._loads[refused.file_id]
        load.rejected += 1
        load.reasons.update({reason.code for reason in refused.reasons})
        file, raw, reasons = load.file, kept_raw(refused.raw), refused.reasons
        if raw != refused.raw:
            first = replace(reasons[0], message=reasons[0].message + told_cut(refused.raw))
            reasons = (first, *reasons[1:])
        self._rejects.add(Reject(file.feed, file.batch_on, file.file, refused.row, reasons, raw, self.run.now))

    def _flush(self, waiting: Waiting) -> None:
        rows, header, refused = self._corrector.apply(waiting.in_one_piece(), waiting.header)
        result = self._check.check(rows, header)
        for row in (*refused, *result.refused):
            self._refuse(self._corrector.as_it_arrived(row))
        for file_id, count in result.collapsed.items():
            self._loads[file_id].collapsed += count
        for file_id, counts in result.filled.items():
            self._loads[file_id].filled.update(counts)

    def _check_counts(self, taken: Mapping[int, int]) -> None:
        """Every row that was read is accepted, collapsed or refused, counted where each of the three happens.

        Raises:
            WarehouseError: it is not; a bug, and nothing is written.
        """
        for file_id, load in enumerate(self._loads):
            known = taken.get(file_id, 0) + load.collapsed + load.rejected
            if load.rows_read != known:
                raise lost_rows(load.file.feed, load.file.file, load.rows_read, known)

    def _stop(self, day: date, tolerance: Tolerance) -> StoppedBatch | None:
        """Why a batch must not replace what was there before; None when it may."""
        loads = [load for load in self._loads if load.file.batch_on == day]
        breach = tolerance.breach(day, loads, self._new_columns(loads))
        return StoppedBatch(day, breach.reason, breach.fix, breach.files) if breach.files else None

    def _new_columns(self, loads: Sequence[FileLoad]) -> str:
        if self.mapped.feed.on_new_column != "stop":
            return ""
        found = {item.source_column for load in loads for item in self._columns(load) if item.status == "unknown"}
        return f"new source fields: {', '.join(map(shown, sorted(found)[:10]))}" if found else ""

    def _quarantine(self, known: dict[str, FileRecord]) -> None:
        """The refused rows of all files that were read: those of a batch that stops are what must be mended."""
        reread = {
            load.file.file: self._reread(load, known.get(load.file.file), self._corrector.said.get(number, {}))
            for number, load in enumerate(self._loads)
        }
        replace_rejects(self._rejects, self.mapped.feed.name, reread, self.attempt)

    def _reread(self, load: FileLoad, before: FileRecord | None, corrected: Mapping[int, tuple[str, str]]) -> Reread:
        if before is None:
            return Reread(corrected=corrected)
        declared = self.corrections.hash_of(load.file.file, load.file.batch_on)
        return Reread(before.sha256 == load.reading.sha256, before.declaration_hash != declared, corrected)

    def _write_columns(self) -> None:
        """The source fields of all files that were read: a batch that stops must not hide why."""
        columns: list[SourceColumn] = []
        for load in self._loads:
            found = self._columns(load)
            load.unknown = tuple(sorted(item.source_column for item in found if item.status == "unknown"))
            absent = (item for item in found if item.status == "absent" and item.is_named is not None)
            load.absent = tuple(item.source_column for item in absent)
            columns += found
        names = [load.file.file for load in self._loads]
        write_columns(self.connection, self.mapped.feed.name, names, columns)

    def _columns(self, load: FileLoad) -> list[SourceColumn]:
        """Its source fields, by names that may be told."""
        file, declared = load.file, declared_columns(self.mapped.feed)
        found = load.headers, load.filled, load.reading.unknown, load.types
        columns = list(columns_of(self.reader.gate, file.batch_on, file.file, *found, declared))
        return with_masked_names(self.reader.gate, columns)

    def _record(self, load: FileLoad, counted: Counted) -> FileRecord:
        file, duplicate = load.file, load.collapsed + counted.repeated
        return FileRecord(
            feed=file.feed,
            batch_on=file.batch_on,
            file=file.file,
            sha256=load.reading.sha256,
            bytes=load.reading.bytes,
            rows_read=load.rows_read,
            rows_accepted=counted.kept,
            rows_duplicate=duplicate,
            rows_rejected=load.rejected,
            is_unusable=load.reading.is_unusable,
            broken_off=load.reading.broken,
            rows_collapsed=load.collapsed,
            rows_staged=counted.kept + duplicate,
            staged_sha256=load.reading.sha256,
            declaration_hash=self.corrections.hash_of(file.file, file.batch_on),
            status="loaded",
            modified_ns=file.modified_ns,
            loaded_at=self.run.now,
            run_id=self.run.run_id,
        )


def _held_back(read: FileRecord, before: FileRecord | None) -> FileRecord:
    """The file as it was read; what it brought before is what staging keeps."""
    rows, sha256 = (before.rows_staged, before.staged_sha256) if before else (0, "")
    return replace(read, status="stopped", rows_staged=rows, staged_sha256=sha256)
