"""Keeps ``ops.schema_changes`` in step with ``ops.source_columns``: a change keeps the run that found it first."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any, Final

from sources.column_types import joined
from sources.drift import EXPECTED_ROWS, BatchColumns, Field, SchemaChange, schema_changes
from sources.feed_declaration import Feed
from sources.file_ledger import insert_rows
from sources.ledger_tables import SCHEMA_CHANGES
from warehouse.database import Connection
from warehouse.foreign_text import shown
from warehouse.step import Run

_FIELDS: Final = """
with fields as (
    select
        batch_on, source_column, sum(rows) as rows,
        list(distinct type order by type) filter (where type is not null) as types,
        bool_or(is_named) as is_named, bool_or(is_typed) as is_typed, bool_or(status = 'unknown') as is_unknown,
        coalesce(min(file) filter (where coalesce(is_named, rows > 0)), min(file)) as first_file,
        min(file) filter (where status = 'absent') as absent_from, min(nearest) as similar
    from ops.source_columns
    where feed = $feed
    group by batch_on, source_column
), batches as (
    select batch_on, sum(rows_read) as rows_read, min(file) as first_file
    from ops.files
    where feed = $feed
    group by batch_on
)
select
    batch_on, coalesce(b.rows_read, 0), coalesce(b.first_file, f.first_file), f.source_column, f.rows, f.types,
    f.is_named, f.is_typed, f.is_unknown, f.first_file, f.absent_from, f.similar
from fields as f
left join batches as b using (batch_on)
order by batch_on, source_column
"""
_KEPT: Final = """
select batch_on, source_column, change, from_type, to_type, file, nearest, handling, run_id, found_at
from ops.schema_changes
where feed = $feed
"""
_FOUND: Final = """
select
    feed, batch_on, source_column, change, from_type, to_type, file, nearest, handling
from ops.schema_changes
where (run_id = $run_id or $run_id is null) and (feed = $feed or $feed is null)
order by feed, batch_on desc, source_column, change
"""
_ABSENT: Final = """
with read as (
    select feed, file, rows_read
    from ops.files
    where (run_id = $run_id or $run_id is null) and (feed = $feed or $feed is null)
), seen as (
    select c.feed, c.source_column, sum(f.rows_read) as rows_read
    from ops.source_columns as c
    inner join ops.files as f on c.feed = f.feed and c.file = f.file
    group by c.feed, c.source_column
    having bool_and(c.status = 'absent')
)
select c.feed, c.source_column, count(*) as files, min(c.file) as first_file, min(c.nearest) as similar
from ops.source_columns as c
inner join read on c.feed = read.feed and c.file = read.file
left join seen on c.feed = seen.feed and c.source_column = seen.source_column
where c.status = 'absent' and (c.is_named is not null or coalesce(seen.rows_read, 0) >= $expected)
group by c.feed, c.source_column
order by c.feed, c.source_column
"""
_BROKEN: Final = """
with last as (
    select batch_on from ops.batches where feed = $feed order by batch_on desc limit $batches
), changed as (
    select * from ops.schema_changes as c
    where
        feed = $feed and batch_on in (select batch_on from last)
        and (
            (change = 'retyped' and to_type <> 'mixed')
            or (
                change = 'missing' and not exists (
                    select 1 from ops.schema_changes as later
                    where
                        later.feed = c.feed and later.source_column = c.source_column
                        and later.change = 'returned' and later.batch_on > c.batch_on
                )
            )
        )
), before as (
    select
        c.source_column, c.batch_on, bool_or(s.status in ('mapped', 'missing')) as is_read,
        coalesce(bool_or(s.is_named), false) or 2 * sum(s.rows) >= sum(f.rows_read) as is_usual
    from changed as c
    inner join ops.source_columns as s
        on s.feed = c.feed and s.source_column = c.source_column and s.batch_on < c.batch_on
    inner join ops.files as f on f.feed = s.feed and f.file = s.file
    group by c.source_column, c.batch_on
), now as (
    select source_column, batch_on, bool_or(is_typed) as is_typed
    from ops.source_columns
    where feed = $feed
    group by source_column, batch_on
)
select distinct source_column
from changed
inner join before using (source_column, batch_on)
left join now using (source_column, batch_on)
where
    is_read
    and case when change = 'missing' then is_usual else is_typed or not list_contains($texts, source_column) end
order by source_column
"""
_LAST_BATCHES: Final = 7


@dataclass(frozen=True)
class AbsentColumn:
    """A source column that the feed names itself and that files of it lack.

    ``files``: how many; ``file``: the first; ``nearest``: the most similar column there that nothing reads.
    """

    source_column: str
    files: int
    file: str
    nearest: str | None

    def told(self) -> str:
        """A sentence for people."""
        more = f" and {self.files - 1:,} more" if self.files > 1 else ""
        return (
            f"{shown(self.source_column)} is declared, but not in {shown(self.file)}{more}{_meant(self.nearest) or '.'}"
        )


def absent_columns(
    connection: Connection, *, feed: str | None = None, run_id: str | None = None
) -> dict[str, list[AbsentColumn]]:
    """Feed → the columns of its own ``fields:`` and ``rename:`` that files lack: files that a run read, or all."""
    values = {"feed": feed, "run_id": run_id, "expected": EXPECTED_ROWS}
    found: dict[str, list[AbsentColumn]] = {}
    for name, *row in connection.execute(_ABSENT, values).fetchall():
        found.setdefault(name, []).append(AbsentColumn(*row))
    return found


def write_schema_changes(connection: Connection, feed: Feed, run: Run) -> int:
    """Compare all batches of a feed with those before them; how many changes were not known yet."""
    changes = list(schema_changes(list(_batches(connection, feed.name))))
    kept = {row[:7]: row[7:] for row in connection.execute(_KEPT, {"feed": feed.name}).fetchall()}
    rows: list[dict[str, object]] = []
    for change in changes:
        first = (feed.on_new_column, run.run_id, run.now)
        handling, run_id, found_at = kept.get(tuple(vars(change).values()), first)
        more = {"feed": feed.name, "handling": handling, "run_id": run_id, "found_at": found_at}
        rows.append(vars(change) | more)
    connection.execute("delete from ops.schema_changes where feed = $feed", {"feed": feed.name})
    insert_rows(connection, SCHEMA_CHANGES, rows)
    return sum(tuple(vars(change).values()) not in kept for change in changes)


def found_changes(
    connection: Connection, *, feed: str | None = None, run_id: str | None = None
) -> list[tuple[str, SchemaChange, str]]:
    """(feed, change, handling) of a feed or of all, found by a run or by any; the newest batch first."""
    rows = connection.execute(_FOUND, {"feed": feed, "run_id": run_id}).fetchall()
    return [(name, SchemaChange(*values), handling) for name, *values, handling in rows]


def broken_fields(connection: Connection, feed: str, texts: Collection[str] = ()) -> tuple[str, ...]:
    """The fields that a mapping reads and that one of the last batches lost, or holds in another type.

    Fields of objects that stood in fewer than half of the rows come and go. One that is of several types at once has
    odd values among others: these are the contract's matter. So are the ``texts``, of which
    the mapping makes nothing but texts, where the file itself does not say what they are.
    """
    found = connection.execute(_BROKEN, {"feed": feed, "batches": _LAST_BATCHES, "texts": sorted(texts)}).fetchall()
    return tuple(name for (name,) in found)


def told(change: SchemaChange) -> str:
    """A change in words, for people."""
    name = shown(change.source_column)
    match change.change:
        case "retyped":
            return f"{name} was {change.from_type} and is {change.to_type}"
        case "new":
            return f"{name} is new" + (f" ({change.to_type})" if change.to_type else "")
        case "missing":
            return f"{name} is missing{_meant(change.nearest)}"
        case _:
            return f"{name} is back"


def _meant(nearest: str | None) -> str:
    return f"; did you mean {shown(nearest)}?" if nearest else ""


def _batches(connection: Connection, feed: str) -> Iterator[BatchColumns]:
    found: list[tuple[Any, ...]] = connection.execute(_FIELDS, {"feed": feed}).fetchall()
    for (day, rows_read, first_file), rows in groupby(found, key=lambda row: row[:3]):
        yield BatchColumns(day, int(rows_read), first_file, {row[3]: _field(row[4:]) for row in rows})


def _field(values: tuple[Any, ...]) -> Field:
    rows, types, is_named, is_typed, is_unknown, *files = values
    kind = joined(types or ())
    return Field(int(rows or 0), kind, is_named, bool(is_typed), bool(is_unknown), *files)
