"""Whether so many rows of a batch break the contract that it must not replace what was there before.

The share is that of the whole batch: files that are not read now count as they were loaded, so that a late file with
one bad row, or one file that is read again, is measured like the same batch loaded at once. Files that were changed
since they were loaded are measured by themselves too: they replace good rows with what they hold now. Rows that someone
discarded are left out on purpose and do not count as rejected; nor do those of a file that is gone, which nobody can
mend any more: of such a file only what stands counts.

A file that cannot be read to its end is measured by itself, and so is one of which nothing can be read any more: when
it is too bad it alone is left out, for it says nothing about the files beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
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
class Breach:
    """Why some files of a batch must not be taken, and what to do about it; none where all may."""

    reason: str = ""
    fix: str = ""
    files: frozenset[str] = frozenset()


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

    def breach(self, day: date, loads: Sequence[LoadedFile], other: str = "") -> Breach:
        """Why files read of a batch must not be taken, and which: none, some that are broken, or all.

        A new file that holds nothing at all replaces nothing, so it may be taken. ``other``: what else speaks against.
        """
        broken = [load for load in loads if self._is_broken(load)]
        set_apart = {load.file.file for load in broken}
        rest = [load for load in loads if load.file.file not in set_apart]
        counted = [load for load in rest if not load.reading.is_unusable or self._had_rows(load)]
        changed = [load for load in counted if self._is_changed(load)]
        beside = self._beside(day, loads, set_apart)
        reason = self._too_many(counted, beside) or self._too_many(changed, (0, 0)) or other
        unread = [load.file.file for load in rest if load.reading.is_unusable and not self._had_rows(load)]
        if reason and unread:
            reason = f"{reason}; besides, nothing can be read of {_named(unread)}"
        files = frozenset(load.file.file for load in loads) if reason else frozenset(set_apart)
        feed = self.mapped.feed.name
        if not broken:
            return Breach(reason, _remedy(feed), files) if reason else Breach()
        told = f"{_unreadable(broken)}; {reason or 'all other files of the batch are loaded'}"
        fix = f"Mend {_named(sorted(set_apart))} below landing/{feed}/, or take it away."
        return Breach(told, f"{fix} {_remedy(feed)}" if reason else fix, files)

    def _is_broken(self, load: LoadedFile) -> bool:
        """Whether a file must be left out, whatever the files beside it hold.

        Of a new file that cannot be read to its end the rows before the break are better than none. One that brought
        rows before would take away those behind it, unless someone discarded what was refused of it.
        """
        if load.reading.broken and self._had_rows(load):
            return load.rejected > self.left_out.get(load.file.file, 0)
        is_worse = load.reading.is_unusable and self._had_rows(load)
        return bool((load.reading.broken or is_worse) and self._too_many([load], (0, 0)))

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

    def _beside(self, day: date, loads: Sequence[LoadedFile], set_apart: Collection[str]) -> tuple[int, int]:
        """Rows, and rejected rows, of the batch's files that are not read now; of those set apart, what stands."""
        read = {load.file.file for load in loads if load.file.file not in set_apart}
        others = [item for item in self.known.values() if item.batch_on == day and item.file not in read]
        standing = sum(item.rows_staged for item in others if item.is_gone or item.file in set_apart)
        here = [item for item in others if not (item.is_gone or item.file in set_apart)]
        kept = sum(item.rows_accepted + item.rows_duplicate for item in here)
        counted = [item for item in here if not _is_nothing(item)]
        rejected = sum(item.rows_rejected for item in counted)
        return standing + kept + rejected, rejected - sum(self.discarded.get(item.file, 0) for item in counted)

    def _is_changed(self, load: LoadedFile) -> bool:
        return self._had_rows(load) and self.known[load.file.file].staged_sha256 != load.reading.sha256

    def _had_rows(self, load: LoadedFile) -> bool:
        record = self.known.get(load.file.file)
        return record is not None and record.rows_staged > 0


def _is_nothing(record: FileRecord) -> bool:
    """Whether a file never brought anything that could be read; it counts no more than a new one of that sort."""
    return bool(record.is_unusable) and record.rows_staged == 0


def _unreadable(loads: Sequence[LoadedFile]) -> str:
    causes = [load.reading.broken or "it is empty, or no file of the feed's form" for load in loads[:3]]
    named = [f"{shown(load.file.file)} is unreadable ({why})" for load, why in zip(loads, causes, strict=False)]
    more = f" and {len(loads) - 3:,} more files" if len(loads) > 3 else ""
    return ", ".join(named) + more


def _remedy(feed: str) -> str:
    return (
        f"Correct the files below landing/{feed}/, or config/feeds/{feed}.yml (max_reject_ratio, on_new_column); "
        f"`cdp quarantine reasons --feed {feed}` tells why rows are refused."
    )


def _named(files: Sequence[str]) -> str:
    return ", ".join(map(shown, files[:3])) + (f" and {len(files) - 3:,} more files" if len(files) > 3 else "")
