"""Which files must be read: new, changed, declared anew, or stopped before; and which have vanished or moved.

Files are known by path, size and SHA-256. A file whose size and time of change are as before is taken as unchanged
without being read; after that its hash decides. What a vanished file brought stays, unless its very content lies under
another path: then that path stands for it, and the old one is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal, TypeAlias

from sources.file_ledger import FileRecord
from sources.landing import LandingFile
from sources.readers.file_reader import file_hash

Why: TypeAlias = Literal["new", "changed", "stale", "stopped", "refreshed"]
"""``stale``: a declaration or the contract changed; ``refreshed``: unchanged, but everything was asked for."""


@dataclass(frozen=True)
class Plan:
    """``batches``: day → files to read, oldest first; ``why`` says the reason of each.

    ``touched`` files only changed their time. ``moved``: vanished file → where its content lies now.
    """

    batches: tuple[tuple[date, tuple[LandingFile, ...]], ...]
    why: Mapping[str, Why]
    touched: tuple[LandingFile, ...]
    vanished: tuple[FileRecord, ...]
    returned: tuple[LandingFile, ...]
    moved: tuple[tuple[FileRecord, str], ...]

    @property
    def days(self) -> tuple[date, ...]:
        """The days on which something has to be done."""
        gone = {record.batch_on for record in self.vanished} | {record.batch_on for record, _ in self.moved}
        return tuple(sorted({day for day, _ in self.batches} | gone))

    @property
    def bytes(self) -> int:
        """Size of all files to read."""
        return sum(file.bytes for _, files in self.batches for file in files)


def plan_files(
    present: Sequence[LandingFile],
    known: dict[str, FileRecord],
    hash_of: Callable[[str, date], str],
    *,
    first: date | None = None,
    last: date | None = None,
    full_refresh: bool = False,
) -> Plan:
    """Compare what is there with what was loaded, for batches from ``first`` to ``last``.

    ``hash_of``: of the declarations and corrections by which a file (its path, its batch) would be read now.
    """
    to_read: dict[date, list[LandingFile]] = {}
    why: dict[str, Why] = {}
    touched: list[LandingFile] = []
    returned: list[LandingFile] = []
    changed: list[LandingFile] = []
    for file in present:
        record = known.get(file.file)
        is_same = record is not None and _is_same(file, record)
        found = replace(file, batch_on=record.batch_on) if is_same and record is not None else file
        if not is_same or (record is not None and (record.is_held_back or not record.sha256)):
            changed.append(file)
        if not _is_within(found.batch_on, first, last):
            continue
        reason = _why(record, hash_of(found.file, found.batch_on), is_same=is_same, full_refresh=full_refresh)
        if reason is not None:
            why[found.file] = reason
            to_read.setdefault(found.batch_on, []).append(found)
            continue
        if record is not None and record.modified_ns != found.modified_ns:
            touched.append(found)
        if record is not None and record.status == "vanished":
            returned.append(found)
    gone = [record for record in known.values() if record.file not in {file.file for file in present}]
    within = [record for record in gone if _is_within(record.batch_on, first, last)]
    moved = _moved(within, _standing(present, changed, known), changed)
    vanished = [record for record in within if not record.is_gone and record.file not in moved]
    return Plan(
        batches=tuple((day, tuple(files)) for day, files in sorted(to_read.items())),
        why=why,
        touched=tuple(touched),
        vanished=tuple(sorted(vanished, key=lambda record: record.file)),
        returned=tuple(returned),
        moved=tuple((record, moved[record.file]) for record in within if record.file in moved),
    )


def _why(record: FileRecord | None, declaration_hash: str, *, is_same: bool, full_refresh: bool) -> Why | None:
    if record is None:
        return "new"
    if not is_same:
        return "changed"
    if record.is_held_back or not record.sha256:
        return "stopped"
    if record.declaration_hash != declaration_hash:
        return "stale"
    return "refreshed" if full_refresh else None


def _standing(
    present: Sequence[LandingFile], changed: Sequence[LandingFile], known: Mapping[str, FileRecord]
) -> dict[str, str]:
    """Content → the first path under which it was loaded and still lies."""
    differing = {file.file for file in changed}
    found: dict[str, str] = {}
    for file in present:
        if file.file not in differing:
            found.setdefault(known[file.file].sha256, file.file)
    return found


def _moved(gone: Sequence[FileRecord], standing: Mapping[str, str], changed: Sequence[LandingFile]) -> dict[str, str]:
    """Vanished file → the path where its content lies now. Only files of a vanished one's size are read for that."""
    sizes = {record.bytes for record in gone if record.bytes and record.sha256}
    arrived: dict[str, str] = {}
    for file in changed:
        if file.bytes in sizes:
            arrived.setdefault(_content_of(file), file.file)
    found: dict[str, str] = {}
    for record in gone:
        path = standing.get(record.sha256) or arrived.get(record.sha256)
        if path is not None and record.bytes:
            found[record.file] = path
    return found


def _is_same(file: LandingFile, record: FileRecord) -> bool:
    if record.bytes != file.bytes:
        return False
    return record.modified_ns == file.modified_ns or record.sha256 == _content_of(file)


def _content_of(file: LandingFile) -> str:
    """Its hash; empty when it cannot be opened now, which the load will tell."""
    try:
        return file_hash(file.path)
    except OSError:
        return ""


def _is_within(day: date, first: date | None, last: date | None) -> bool:
    return (first is None or day >= first) and (last is None or day <= last)


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
