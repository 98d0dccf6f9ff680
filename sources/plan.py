"""Which files must be read: new, changed, declared anew, or stopped before; and which have vanished.

Files are known by path, size and SHA-256. A file whose size and time of change are as before is taken as unchanged
without being read; after that its hash decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from sources.file_ledger import FileRecord
from sources.landing import LandingFile
from sources.readers.file_reader import file_hash


@dataclass(frozen=True)
class Plan:
    """``batches``: day → files to read, oldest first. ``touched`` files only changed their time."""

    batches: tuple[tuple[date, tuple[LandingFile, ...]], ...]
    touched: tuple[LandingFile, ...]
    vanished: tuple[FileRecord, ...]
    returned: tuple[LandingFile, ...]

    @property
    def days(self) -> tuple[date, ...]:
        """The days on which something has to be done."""
        return tuple(sorted({day for day, _ in self.batches} | {record.batch_on for record in self.vanished}))

    @property
    def bytes(self) -> int:
        """Size of all files to read."""
        return sum(file.bytes for _, files in self.batches for file in files)


def plan_files(
    present: Sequence[LandingFile],
    known: dict[str, FileRecord],
    declaration_hash: str,
    *,
    first: date | None = None,
    last: date | None = None,
    full_refresh: bool = False,
) -> Plan:
    """Compare what is there with what was loaded, for batches from ``first`` to ``last``."""
    to_read: dict[date, list[LandingFile]] = {}
    touched: list[LandingFile] = []
    returned: list[LandingFile] = []
    for file in present:
        record = known.get(file.file)
        is_same = record is not None and _is_same(file, record)
        found = replace(file, batch_on=record.batch_on) if is_same and record is not None else file
        if not _is_within(found.batch_on, first, last):
            continue
        if record is None or not is_same or full_refresh or _is_stale(record, declaration_hash):
            to_read.setdefault(found.batch_on, []).append(found)
            continue
        if record.modified_ns != found.modified_ns:
            touched.append(found)
        if record.status == "vanished":
            returned.append(found)
    vanished = _vanished({file.file for file in present}, known, first, last)
    batches = tuple((day, tuple(files)) for day, files in sorted(to_read.items()))
    return Plan(batches, tuple(touched), tuple(vanished), tuple(returned))


def _is_same(file: LandingFile, record: FileRecord) -> bool:
    if record.bytes != file.bytes:
        return False
    return record.modified_ns == file.modified_ns or record.sha256 == file_hash(file.path)


def _is_stale(record: FileRecord, declaration_hash: str) -> bool:
    return record.status == "stopped" or record.declaration_hash != declaration_hash


def _is_within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or day >= first) and (last is None or day <= last)


def _vanished(
    present: set[str], known: dict[str, FileRecord], first: date | None, last: date | None
) -> Iterator[FileRecord]:
    for file, record in sorted(known.items()):
        if file not in present and record.status != "vanished" and _is_within(record.batch_on, first, last):
            yield record


def groups(plan: Plan, most_bytes: int) -> Iterator[tuple[tuple[date, tuple[LandingFile, ...]], ...]]:
    """Whole batches that share a transaction: small ones together, a large one alone."""
    waiting: list[tuple[date, tuple[LandingFile, ...]]] = []
    size = 0
    for day, files in plan.batches:
        more = sum(file.bytes for file in files)
        if waiting and size + more > most_bytes:
            yield tuple(waiting)
            waiting, size = [], 0
        waiting.append((day, files))
        size += more
    if waiting:
        yield tuple(waiting)
