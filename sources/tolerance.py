"""Whether so many rows of a batch break the contract that it must not replace what was there before.

The share is that of the whole batch: files that are not read now count as they were loaded, so that a late file with
one bad row, or one file that is read again, is measured like the same batch loaded at once. Files that were changed
since they were loaded are measured by themselves too: they replace good rows with what they hold now. Rows that someone
discarded are left out on purpose and do not count as rejected; nor do those of a file that is gone, which nobody can
mend any more: of such a file only what stands counts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Protocol

from quality.quarantine import on_kind
from sources.file_ledger import FileRecord
from sources.landing import LandingFile
from sources.mapped_feed import MappedFeed
from sources.source_rows import Reading
from warehouse.database import Connection
from warehouse.foreign_text import shown

_DISCARDED: Final = """
select file, count(*) from quarantine.kind where feed = $feed and status = 'discarded' group by file
"""
_REFUSED: Final = """
create or replace temp view _refused_now as
select n.file, n.row, n.reasons, o.quarantine_id is not null as is_left_out
from _rejects as n
left join quarantine.kind as o
    on o.quarantine_id = n.quarantine_id and o.feed = n.feed and o.status = 'discarded' and o.raw = n.raw
"""
_LEFT_OUT: Final = "select file, count(*) from _refused_now where is_left_out group by file"
_MOST: Final = """
select reason.field, reason.code, count(*) as times
from (select unnest(reasons) as reason from _refused_now where not is_left_out and list_contains($files, file))
group by all order by times desc, reason.field, reason.code limit 3
"""
_FIRST: Final = """
select file, row from _refused_now where not is_left_out and list_contains($files, file)
order by list_position($files, file), row limit 3
"""


class LoadedFile(Protocol):
    """What the rule needs to know of a file that was read."""

    file: LandingFile
    reading: Reading
    rows_read: int
    rejected: int


@dataclass(frozen=True)
class Tolerance:
    """The rule for one feed: what its files brought before, and what someone discarded of it.

    What is refused now stands in ``_rejects`` on the connection.
    """

    connection: Connection
    mapped: MappedFeed
    known: Mapping[str, FileRecord]
    discarded: Mapping[str, int]
    """File → its rows that someone discarded."""
    left_out: Mapping[str, int]
    """File → how many of those were refused again just so."""

    @classmethod
    def of(cls, connection: Connection, mapped: MappedFeed, known: Mapping[str, FileRecord]) -> Tolerance:
        """The rule as things stand in the warehouse."""
        discarded = dict(connection.execute(on_kind(mapped.kind, _DISCARDED), {"feed": mapped.feed.name}).fetchall())
        connection.execute(on_kind(mapped.kind, _REFUSED))
        left_out = dict(connection.execute(_LEFT_OUT).fetchall()) if discarded else {}
        return cls(connection, mapped, known, discarded, left_out)

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
        rejected = beside[1] + sum(load.rejected - self.left_out.get(load.file.file, 0) for load in loads)
        if not loads or rejected <= self.mapped.feed.max_reject_ratio * read:
            return ""
        where = self._where([load.file.file for load in loads])
        share = f"{rejected / read:.2f} of the batch, max_reject_ratio is {self.mapped.feed.max_reject_ratio:g}"
        return f"{rejected:,} of {read:,} rows break the contract ({share}){where}"

    def _where(self, files: Sequence[str]) -> str:
        """For what most rows of these files are refused, and where the first ones are."""
        most, first = (self.connection.execute(query, {"files": files}).fetchall() for query in (_MOST, _FIRST))
        if not first:
            return ", all of them in files that were read before"
        reasons = ", ".join(f"{field or 'row'} {code} ({count:,})" for field, code, count in most)
        places = ", ".join(f"{shown(file)} row {row:,}" for file, row in first)
        return f": {reasons}; the first are {places}"

    def _beside(self, day: date, loads: Sequence[LoadedFile]) -> tuple[int, int]:
        """Rows, and rejected rows, of the batch's files that are not read now."""
        names = {load.file.file for load in loads}
        others = [item for item in self.known.values() if item.batch_on == day and item.file not in names]
        here = [item for item in others if item.status != "vanished" and not _is_nothing(item)]
        standing = sum(item.rows_accepted + item.rows_duplicate for item in others)
        rejected = sum(item.rows_rejected for item in here)
        return standing + rejected, rejected - sum(self.discarded.get(item.file, 0) for item in here)

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
