"""Loads a group of whole batches inside one transaction: reads, checks, and replaces what their files brought before."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Final

import pyarrow as pa

from quality.contracts.check import Reason
from quality.quarantine import Reject, replace_rejects
from sources.block_check import INCOMING, BlockCheck, RefusedRow
from sources.drift import columns_of
from sources.file_ledger import FileRecord, SourceColumn, write_columns, write_files
from sources.landing import LandingFile
from sources.mapped_feed import MappedFeed
from sources.readers.file_reader import FileReader
from sources.readers.source_rows import Block, Header, Reading, Refusal
from sources.replacement import replace_rows
from warehouse.database import Connection
from warehouse.step import Run

MOST_BYTES: Final = 64 << 20
MOST_ROWS: Final = 200_000

Batch = tuple[date, tuple[LandingFile, ...]]
Progress = Callable[[int, int], None]


@dataclass
class FileLoad:
    """What is known of a file while it is loaded."""

    file: LandingFile
    reading: Reading = field(default_factory=Reading)
    rows_read: int = 0
    collapsed: int = 0
    headers: set[Header] = field(default_factory=set)
    filled: Counter[str] = field(default_factory=Counter)
    rejects: list[Reject] = field(default_factory=list)
    unknown: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoppedBatch:
    """A batch that was not loaded, and why. What it held before stays."""

    batch_on: date
    reason: str
    files: tuple[str, ...]


@dataclass
class GroupLoad:
    """Loads one group on one connection."""

    connection: Connection
    mapped: MappedFeed
    reader: FileReader
    run: Run
    progress: Progress

    def load(self, batches: Sequence[Batch], known: dict[str, FileRecord]) -> tuple[list[FileLoad], list[StoppedBatch]]:
        """Load all files; the batches that had to stop are told, and nothing of them is changed."""
        files = [file for _, found in batches for file in found]
        self._loads = [FileLoad(file) for file in files]
        self._check = BlockCheck(self.connection, self.mapped, self.reader.gate)
        self._read_all()
        stopped = [stop for day, _ in batches if (stop := self._stop(day, known)) is not None]
        self._leave_out({stop.batch_on for stop in stopped})
        kept_out = {stop.batch_on for stop in stopped}
        loaded = [load for load in self._loads if load.file.batch_on not in kept_out]
        self._write(loaded)
        return loaded, stopped

    def _read_all(self) -> None:
        waiting: list[pa.Table] = []
        header: Header | None = None
        rows = size = 0
        for file_id, load in enumerate(self._loads):
            for block in self._blocks(load):
                is_whole_file_needed = self.mapped.group_by is not None and waiting and rows_of(waiting[-1]) == file_id
                is_full = size > MOST_BYTES or rows > MOST_ROWS
                if waiting and (block.header != header or (is_full and not is_whole_file_needed)):
                    self._flush(waiting, header)
                    waiting, rows, size = [], 0, 0
                header = block.header
                waiting.append(_placed(block.rows, file_id))
                rows, size = rows + block.rows.num_rows, size + block.bytes
            self.progress(load.rows_read, load.file.bytes)
        if waiting:
            self._flush(waiting, header)

    def _blocks(self, load: FileLoad) -> Iterator[Block]:
        for item in self.reader.read(load.file.path, load.reading):
            if isinstance(item, Refusal):
                load.rows_read += 1
                reasons = (Reason("", "unreadable", item.message),)
                load.rejects.append(self._reject(load, RefusedRow(0, item.row, item.raw, reasons)))
                continue
            load.rows_read += item.rows.num_rows
            if item.header is not None:
                load.headers.add(item.header)
            if item.rows.num_rows:
                yield item

    def _reject(self, load: FileLoad, refused: RefusedRow) -> Reject:
        file = load.file
        return Reject(file.feed, file.batch_on, file.file, refused.row, refused.reasons, refused.raw, self.run.now)

    def _flush(self, waiting: list[pa.Table], header: Header | None) -> None:
        refused, collapsed = self._check.check(pa.concat_tables(waiting), header)
        for row in refused:
            load = self._loads[row.file_id]
            load.rejects.append(self._reject(load, row))
        for file_id, count in collapsed.items():
            self._loads[file_id].collapsed += count
        for file_id, name, count in self._check.filled(header):
            self._loads[file_id].filled[name] += count

    def _stop(self, day: date, known: dict[str, FileRecord]) -> StoppedBatch | None:
        """Why a batch must not replace what was there before; None when it may."""
        loads = [load for load in self._loads if load.file.batch_on == day]
        reason = self._too_many(loads, known) or self._new_columns(loads)
        return StoppedBatch(day, reason, tuple(load.file.file for load in loads)) if reason else None

    def _too_many(self, loads: Sequence[FileLoad], known: dict[str, FileRecord]) -> str:
        """More rejected rows than allowed. A new file that holds nothing readable replaces nothing, so it may."""
        counted = [load for load in loads if not (load.reading.is_unusable and not _had_rows(load, known))]
        read = sum(load.rows_read for load in counted)
        rejected = sum(len(load.rejects) for load in counted)
        if not read or rejected <= self.mapped.feed.max_reject_ratio * read:
            return ""
        reasons = Counter(
            (reason.field, reason.code) for load in counted for item in load.rejects for reason in item.reasons
        )
        most = ", ".join(f"{field or 'row'} {code} ({count:,})" for (field, code), count in reasons.most_common(3))
        return f"{rejected:,} of {read:,} rows break the contract: {most}"

    def _new_columns(self, loads: Sequence[FileLoad]) -> str:
        if self.mapped.feed.on_new_column != "stop":
            return ""
        found = {name for load in loads for name in self._unknown(load)}
        return f"new source fields: {', '.join(sorted(found)[:10])}" if found else ""

    def _unknown(self, load: FileLoad) -> set[str]:
        names = {name for header in load.headers for name in self.reader.gate.unknown_columns(header.names)}
        return names | set(load.reading.unknown)

    def _leave_out(self, days: set[date]) -> None:
        out = [file_id for file_id, load in enumerate(self._loads) if load.file.batch_on in days]
        if out:
            self.connection.execute(f"delete from {INCOMING} where list_contains($out, _file_id)", {"out": out})  # noqa: S608 - our own name

    def _write(self, loaded: Sequence[FileLoad]) -> None:
        connection, mapped = self.connection, self.mapped
        names = [load.file.file for load in loaded]
        places = [(file_id, load.file) for file_id, load in enumerate(self._loads)]
        accepted = replace_rows(connection, mapped, places, names)
        rejects = [item for load in loaded for item in load.rejects]
        replace_rejects(connection, mapped.kind, mapped.feed.name, names, rejects)
        records = [self._record(load, accepted.get(load.file.file, 0)) for load in loaded]
        write_files(connection, mapped.feed.name, records)
        columns: list[SourceColumn] = []
        for load in loaded:
            load.unknown = tuple(sorted(self._unknown(load)))
            columns += self._columns(load)
        write_columns(connection, mapped.feed.name, names, columns)

    def _columns(self, load: FileLoad) -> Iterator[SourceColumn]:
        return columns_of(
            self.reader.gate, load.file.batch_on, load.file.file, load.headers, load.filled, load.reading.unknown
        )

    def _record(self, load: FileLoad, accepted: int) -> FileRecord:
        file, rejected = load.file, len(load.rejects)
        return FileRecord(
            feed=file.feed,
            batch_on=file.batch_on,
            file=file.file,
            sha256=load.reading.sha256,
            bytes=load.reading.bytes,
            rows_read=load.rows_read,
            rows_accepted=accepted,
            rows_duplicate=load.rows_read - accepted - rejected,
            rows_rejected=rejected,
            rows_collapsed=load.collapsed,
            declaration_hash=self.mapped.declaration_hash,
            status="loaded",
            modified_ns=file.modified_ns,
            loaded_at=self.run.now,
            run_id=self.run.run_id,
        )


def _had_rows(load: FileLoad, known: dict[str, FileRecord]) -> bool:
    record = known.get(load.file.file)
    return record is not None and record.rows_accepted + record.rows_duplicate > 0


def rows_of(table: pa.Table) -> int:
    """The file id of a waiting table."""
    return int(table.column("_file_id")[0].as_py())


def _placed(rows: pa.Table, file_id: int) -> pa.Table:
    """The rows with the file they came from."""
    ids = pa.repeat(pa.scalar(file_id, pa.int32()), rows.num_rows)
    return rows.rename_columns(["_row", *rows.column_names[1:]]).add_column(0, "_file_id", ids)
