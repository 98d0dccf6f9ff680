"""Whether so many rows of a batch break the contract that it must not replace what was there before.

The share is that of the whole batch: files that are not read now count as they were loaded, so that a late file with
one bad row, or one file that is read again, is measured like the same batch loaded at once. Files that were changed
since they were loaded are measured by themselves too: they replace good rows with what they hold now. Rows that someone
discarded are left out on purpose and do not count as rejected; nor do those of a file that is gone, which nobody can
mend any more: of such a file only what stands counts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import md5
from typing import Final, Protocol

from quality.quarantine import Reject, on_kind
from sources.file_ledger import FileRecord
from sources.landing import LandingFile
from sources.mapped_feed import MappedFeed
from sources.source_rows import Reading
from warehouse.database import Connection
from warehouse.foreign_text import shown

_DISCARDED: Final = """
select quarantine_id, file, md5(raw) from quarantine.kind where feed = $feed and status = 'discarded'
"""


class LoadedFile(Protocol):
    """What the rule needs to know of a file that was read."""

    file: LandingFile
    reading: Reading
    rows_read: int
    rejects: list[Reject]


@dataclass(frozen=True)
class Tolerance:
    """The rule for one feed: what its files brought before, and what someone discarded of it."""

    mapped: MappedFeed
    known: Mapping[str, FileRecord]
    discarded: Mapping[str, tuple[str, str]]
    """Rejected row → its file, and the hash of its text."""

    @classmethod
    def of(cls, connection: Connection, mapped: MappedFeed, known: Mapping[str, FileRecord]) -> Tolerance:
        """The rule as things stand in the warehouse."""
        found = connection.execute(on_kind(mapped.kind, _DISCARDED), {"feed": mapped.feed.name}).fetchall()
        return cls(mapped, known, {quarantine_id: (file, text) for quarantine_id, file, text in found})

    def breach(self, day: date, loads: Sequence[LoadedFile]) -> str:
        """Why the files read of a batch must not be taken; empty when they may.

        A new file that holds nothing readable replaces nothing, so it may.
        """
        counted = [load for load in loads if not (load.reading.is_unusable and not self._had_rows(load))]
        changed = [load for load in counted if self._is_changed(load)]
        beside = self._beside(day, loads)
        reason = self._too_many(counted, beside) or self._too_many(changed, (0, 0))
        unread = [load.file.file for load in loads if load not in counted]
        return f"{reason}; besides, nothing can be read of {_named(unread)}" if reason and unread else reason

    def _too_many(self, loads: Sequence[LoadedFile], beside: tuple[int, int]) -> str:
        read = beside[0] + sum(load.rows_read for load in loads)
        refused = [item for load in loads for item in self._refused(load.rejects)]
        rejected = beside[1] + len(refused)
        if not loads or rejected <= self.mapped.feed.max_reject_ratio * read:
            return ""
        reasons = Counter((reason.field, reason.code) for item in refused for reason in item.reasons)
        most = ", ".join(f"{field or 'row'} {code} ({count:,})" for (field, code), count in reasons.most_common(3))
        places = ", ".join(f"{shown(item.file)} row {item.row:,}" for item in refused[:3])
        where = f": {most}; the first are {places}" if refused else ", all of them in files that were read before"
        share = f"{rejected / read:.2f} of the batch, max_reject_ratio is {self.mapped.feed.max_reject_ratio:g}"
        return f"{rejected:,} of {read:,} rows break the contract ({share}){where}"

    def _refused(self, rejects: Iterable[Reject]) -> Iterable[Reject]:
        if not self.discarded:
            return rejects
        return (item for item in rejects if not self._is_discarded(item))

    def _is_discarded(self, item: Reject) -> bool:
        found = self.discarded.get(item.quarantine_id(self.mapped.kind))
        return found is not None and found[1] == md5(item.text.encode(), usedforsecurity=False).hexdigest()

    def _beside(self, day: date, loads: Sequence[LoadedFile]) -> tuple[int, int]:
        """Rows, and rejected rows, of the batch's files that are not read now."""
        names = {load.file.file for load in loads}
        others = [item for item in self.known.values() if item.batch_on == day and item.file not in names]
        left_out = Counter(file for file, _ in self.discarded.values())
        here = [item for item in others if item.status != "vanished" and not _is_nothing(item)]
        standing = sum(item.rows_accepted + item.rows_duplicate for item in others)
        rejected = sum(item.rows_rejected for item in here)
        return standing + rejected, rejected - sum(left_out[item.file] for item in here)

    def _is_changed(self, load: LoadedFile) -> bool:
        return self._had_rows(load) and self.known[load.file.file].sha256 != load.reading.sha256

    def _had_rows(self, load: LoadedFile) -> bool:
        record = self.known.get(load.file.file)
        return record is not None and record.rows_accepted + record.rows_duplicate > 0


def _is_nothing(record: FileRecord) -> bool:
    """Whether a file never brought anything that could be read; it counts no more than a new one of that sort."""
    return bool(record.is_unusable) and record.rows_accepted + record.rows_duplicate == 0


def _named(files: Sequence[str]) -> str:
    return ", ".join(map(shown, files[:3])) + (f" and {len(files) - 3:,} more files" if len(files) > 3 else "")
