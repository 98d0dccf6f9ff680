"""How each feed stands: what came in, what waits, what was stopped, which source fields nobody reads."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from sources.corrections import corrections_of
from sources.drift import SchemaChange
from sources.feed_declaration import Feed
from sources.file_ledger import FileRecord, known_files
from sources.landing import discover
from sources.landing_report import misdated_files
from sources.ledger_tables import BATCHES, FILES, SCHEMA_CHANGES, SOURCE_COLUMNS, is_laid_out
from sources.mapped_feed import map_feed
from sources.plan import plan_files
from sources.schema_ledger import AbsentColumn, absent_columns, broken_fields, found_changes
from warehouse.database import Connection
from warehouse.foreign_text import shown
from warehouse.project import Project

_UNKNOWN: Final = """
select source_column, cast(sum(rows) as bigint) as rows
from ops.source_columns
where feed = $feed and status = 'unknown'
group by source_column
order by rows desc, source_column
"""
_INCOMPLETE: Final = """
select feed, file, broken_off, rows_accepted + rows_duplicate as rows
from ops.files
where list_contains($feeds, feed) and status = 'loaded' and (broken_off <> '' or is_unusable)
order by feed, file
"""


@dataclass(frozen=True)
class FeedSummary:
    """One feed.

    ``waiting``: days with files that the next load will read; ``stale_files`` were loaded by other declarations or
    another contract and will be read again. ``rows_held_back``: rows that keep the contract in files that were
    stopped, which are not in staging. ``incomplete`` files could not be read to their end (the rows before it count)
    or not at all.
    ``misdated`` files lie in a folder of no day and are not loaded. ``vanished`` files are gone and their rows stay;
    ``stranded`` of them were loaded by other declarations and cannot be read again.
    ``unknown``: source fields nobody mentions, with their rows; ``absent``: columns that the feed names itself and that
    files lack; ``broken``: fields that a mapping reads and that the last batches lost, or hold in another type;
    ``changes``: how source fields changed, the newest batch first.
    """

    feed: str
    kind: str
    mapping: str
    owner: str
    files: int
    rows_read: int
    rows_accepted: int
    rows_duplicate: int
    rows_rejected: int
    rows_held_back: int
    newest_batch: date | None
    waiting: tuple[date, ...]
    stale_files: int
    stopped: tuple[str, ...]
    incomplete: tuple[str, ...]
    misdated: tuple[str, ...]
    vanished: tuple[str, ...]
    stranded: tuple[str, ...]
    unknown: Mapping[str, int]
    absent: tuple[AbsentColumn, ...]
    broken: tuple[str, ...]
    changes: tuple[SchemaChange, ...]


def feed_summaries(
    connection: Connection, project: Project, feeds: Mapping[str, Feed], first: date | None = None
) -> tuple[FeedSummary, ...]:
    """The declared feeds by name; the connection may be read-only, and nothing may have been loaded yet.

    ``first``: the day of the business's first batch; what lies before it waits for nothing.
    """
    is_loaded = is_laid_out(connection, FILES, BATCHES, SOURCE_COLUMNS, SCHEMA_CHANGES)
    return tuple(_summary(connection, project, feed, first, is_loaded=is_loaded) for _, feed in sorted(feeds.items()))


def incomplete_files(connection: Connection, feeds: Collection[str]) -> list[str]:
    """Files of these feeds that could not be read to their end, or not at all, and that stopped nothing."""
    found = connection.execute(_INCOMPLETE, {"feeds": list(feeds)}).fetchall()
    return [
        f"landing/{feed}/{shown(file)} "
        + (f"is not complete ({why}): {rows:,} rows before that were taken" if why else "is empty or cannot be read")
        + ". Deliver it again."
        for feed, file, why, rows in found
    ]


def _summary(
    connection: Connection, project: Project, feed: Feed, first: date | None, *, is_loaded: bool
) -> FeedSummary:
    known = known_files(connection, feed.name) if is_loaded else {}
    mapped = map_feed(feed)
    hash_of = corrections_of(project, mapped).hash_of
    plan = plan_files(discover(project, feed), known, hash_of, first=first)
    records = known.values()
    taken = [record for record in records if not record.is_held_back]
    stale = [record for record in records if record.declaration_hash != hash_of(record.file, record.batch_on)]
    changes = found_changes(connection, feed=feed.name) if is_loaded else []
    absent = absent_columns(connection, feed=feed.name).get(feed.name, []) if is_loaded else []
    unknown = connection.execute(_UNKNOWN, {"feed": feed.name}).fetchall() if is_loaded else []
    return FeedSummary(
        feed=feed.name,
        kind=feed.kind,
        mapping=feed.mapping,
        owner=feed.owner,
        files=len(known),
        rows_read=sum(record.rows_read for record in records),
        rows_accepted=sum(record.rows_accepted for record in taken),
        rows_duplicate=sum(record.rows_duplicate for record in taken),
        rows_rejected=sum(record.rows_rejected for record in records),
        rows_held_back=sum(record.rows_accepted + record.rows_duplicate for record in records if record.is_held_back),
        newest_batch=max((record.batch_on for record in records), default=None),
        waiting=tuple(day for day, _ in plan.batches),
        stale_files=sum(not record.is_gone for record in stale),
        stopped=tuple(sorted(record.file for record in records if record.status == "stopped")),
        incomplete=tuple(
            sorted(record.file for record in taken if (record.broken_off or record.is_unusable) and not record.is_gone)
        ),
        misdated=misdated_files(project, feed),
        vanished=tuple(sorted(record.file for record in records if _is_missed(record))),
        stranded=tuple(sorted(record.file for record in stale if record.status == "vanished")),
        unknown=dict(unknown),
        absent=tuple(absent),
        broken=broken_fields(connection, feed.name, mapped.text_fields) if is_loaded else (),
        changes=tuple(change for _, change, _ in changes),
    )


def _is_missed(record: FileRecord) -> bool:
    """Whether a file is gone that was loaded once: one that never was is not missed."""
    return record.status == "vanished" or (record.is_gone and record.rows_staged > 0)
