"""What becomes of rejected rows: when their file is read again, and when someone discards them.

A row leaves quarantine once: what is accepted on a later reading of the same bytes is ``replayed``. A discarded row
stays so while its source text is the same. Every such change is one event of ``ops.quarantine_history``, written in the
caller's transaction together with the rows themselves.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import pyarrow as pa

from quality.quarantine import on_kind
from quality.quarantine_history import add_events
from quality.rejects import Rejects
from warehouse.arrow_view import shown_as
from warehouse.database import Connection

PIPELINE: Final = "pipeline"
"""Who acts when nobody asked: a run that reads a file again."""


@dataclass(frozen=True)
class Attempt:
    """Rows are judged again, or discarded: when, in which run, by whom and why.

    ``asked``: the rows that were asked for. None are when a file is simply read again.
    """

    at: datetime
    run_id: str
    by: str = PIPELINE
    why: str = ""
    asked: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Reread:
    """A file that was read: whether its bytes are as before, whether it was read by other declarations than before,
    and the rows that were corrected: row → who declared it, and why."""

    is_same: bool = False
    is_anew: bool = False
    corrected: Mapping[int, tuple[str, str]] = field(default_factory=dict)


def replace_rejects(rejects: Rejects, feed: str, files: Mapping[str, Reread], attempt: Attempt) -> None:
    """After ``files`` of a feed were read: its refused rows are exactly ``rejects``; the others leave quarantine."""
    connection, kind = rejects.connection, rejects.kind
    rejects.keep_last()
    values = {"feed": feed, "asked": sorted(attempt.asked), "by": attempt.by, "why": attempt.why}
    with (
        shown_as(connection, "_reread", _reread(files)),
        shown_as(connection, "_corrected", _corrected(files)),
    ):
        connection.execute(on_kind(kind, _JUDGE), values)
    connection.execute(_EVENTS)
    add_events(connection, kind, attempt.at, attempt.run_id)
    connection.execute(on_kind(kind, _RELEASE), {"at": attempt.at})
    connection.execute(on_kind(kind, _CLEAR))
    connection.execute(on_kind(kind, _TAKE_OVER))
    for name in ("_judged_rejects", "_quarantine_events", "_rejects"):
        connection.execute(f"drop table {name}")


def discard_rows(connection: Connection, kind: str, ids: Collection[str], attempt: Attempt) -> int:
    """Discard those of ``ids`` that are open; how many were."""
    connection.execute(on_kind(kind, _DISCARDED), {"ids": sorted(ids), "by": attempt.by, "why": attempt.why})
    add_events(connection, kind, attempt.at, attempt.run_id)
    found = connection.execute(on_kind(kind, _DISCARD), {"at": attempt.at}).fetchone()
    connection.execute("drop table _quarantine_events")
    return int(found[0]) if found else 0


def move_rows(connection: Connection, kind: str, feed: str, moved: Mapping[str, str], attempt: Attempt) -> None:
    """Files lie under other paths now (old → new), which are loaded: what was discarded there stays so here."""
    if not moved:
        return
    with shown_as(connection, "_moved_files", pa.table({"old": list(moved), "new": list(moved.values())})):
        for events, change in ((_CARRIED, _CARRY), (_LEFT, _LEAVE)):
            connection.execute(on_kind(kind, events), {"feed": feed})
            add_events(connection, kind, attempt.at, attempt.run_id)
            connection.execute(on_kind(kind, change), {"feed": feed})
        connection.execute("drop table _quarantine_events")


def withdraw_rows(connection: Connection, kind: str, feed: str, files: Collection[str], attempt: Attempt) -> None:
    """Files are gone of which nothing was taken: nobody can mend their rows any more, so none of them is open."""
    if not files:
        return
    values = {"feed": feed, "files": sorted(files), "by": PIPELINE}
    connection.execute(on_kind(kind, _GONE), values)
    add_events(connection, kind, attempt.at, attempt.run_id)
    connection.execute(on_kind(kind, _LEAVE), {"feed": feed})
    connection.execute("drop table _quarantine_events")


_JUDGE: Final = """
create or replace temp table _judged_rejects as
with known as (
    select quarantine_id, raw from _rejects
    where quarantine_id in (select quarantine_id from quarantine.kind where feed = $feed)
)
select
    *,
    case
        when is_refused and not is_same then 'replaced'
        when is_refused and was = 'replayed' then 'reopened'
        when is_refused and was = 'open' and is_attempt then 'refused_again'
        when is_refused or was = 'replayed' then null
        when is_same then 'replayed'
        else 'withdrawn'
    end as event
from (
    select
        o.* exclude (status, reasons, raw), o.status as was, n.quarantine_id is not null as is_refused,
        case when n.quarantine_id is null then f.is_same else n.raw = o.raw end as is_same,
        f.is_anew or list_contains($asked, o.quarantine_id) as is_attempt,
        case when list_contains($asked, o.quarantine_id) then $by else coalesce(c.author, $by) end as acted_by,
        concat_ws(
            '; ',
            case when list_contains($asked, o.quarantine_id) then nullif($why, '') end,
            case when c.author is not null then c.why end,
            case
                when c.author is not null or list_contains($asked, o.quarantine_id) then null
                when not f.is_same then 'its file changed'
                when f.is_anew then 'its file was read again by changed declarations'
                else 'its file was read again'
            end
        ) as why
    from quarantine.kind as o
    join _reread as f on f.file = o.file
    left join known as n on n.quarantine_id = o.quarantine_id
    left join _corrected as c on c.file = o.file and c.row = o.row
    where o.feed = $feed
) as judged
"""
_EVENTS: Final = """
create or replace temp table _quarantine_events as
select quarantine_id, feed, file, row, event, acted_by, why from _judged_rejects where event is not null
"""
_RELEASE: Final = """
update quarantine.kind as q
set
    status = 'replayed', resolved_at = $at, resolved_by = j.acted_by, resolution = j.why, attempts = q.attempts + 1
from _judged_rejects as j
where j.quarantine_id = q.quarantine_id and j.event = 'replayed'
"""
_TAKE_OVER: Final = """
insert into quarantine.kind by name
select
    n.* exclude (number) replace (
        case when j.is_same then least(n.first_seen_at, j.first_seen_at) else n.first_seen_at end as first_seen_at
    ),
    case when j.is_same and j.was = 'discarded' then 'discarded' else 'open' end as status,
    case when j.is_same and j.was = 'discarded' then j.resolved_at end as resolved_at,
    case when j.is_same and j.was = 'discarded' then j.resolved_by end as resolved_by,
    case when j.is_same and j.was = 'discarded' then j.resolution end as resolution,
    case when j.is_same then j.attempts + cast(j.is_attempt and j.was <> 'discarded' as integer) else 0 end as attempts
from _rejects as n
left join _judged_rejects as j on j.quarantine_id = n.quarantine_id
"""
_CLEAR: Final = """
delete from quarantine.kind
where quarantine_id in (
    select quarantine_id from _rejects
    union all
    select quarantine_id from _judged_rejects where event = 'withdrawn'
)
"""
_DISCARDED: Final = """
create or replace temp table _quarantine_events as
select quarantine_id, feed, file, row, 'discarded' as event, $by as acted_by, $why as why
from quarantine.kind where status = 'open' and list_contains($ids, quarantine_id)
"""
_DISCARD: Final = """
update quarantine.kind as q
set status = 'discarded', resolved_at = $at, resolved_by = e.acted_by, resolution = e.why
from _quarantine_events as e
where e.quarantine_id = q.quarantine_id
"""
_CARRIED: Final = """
create or replace temp table _quarantine_events as
select
    n.quarantine_id, n.feed, n.file, n.row, 'discarded' as event, o.resolved_by as acted_by, o.resolution as why,
    o.resolved_at
from quarantine.kind as o
join _moved_files as m on m.old = o.file
join quarantine.kind as n on n.feed = o.feed and n.file = m.new and n.row = o.row and n.raw = o.raw
where o.feed = $feed and o.status = 'discarded' and n.status = 'open'
"""
_CARRY: Final = """
update quarantine.kind as q
set status = 'discarded', resolved_at = e.resolved_at, resolved_by = e.acted_by, resolution = e.why
from _quarantine_events as e
where e.quarantine_id = q.quarantine_id and q.feed = $feed
"""
_LEFT: Final = """
create or replace temp table _quarantine_events as
select
    o.quarantine_id, o.feed, o.file, o.row, 'withdrawn' as event, 'pipeline' as acted_by,
    'its file lies at ' || m.new || ' now' as why
from quarantine.kind as o
join _moved_files as m on m.old = o.file
where o.feed = $feed
"""
_GONE: Final = """
create or replace temp table _quarantine_events as
select
    quarantine_id, feed, file, row, 'withdrawn' as event, $by as acted_by,
    'its file was stopped and is gone' as why
from quarantine.kind
where feed = $feed and status = 'open' and list_contains($files, file)
"""
_LEAVE: Final = """
delete from quarantine.kind
where feed = $feed and quarantine_id in (select quarantine_id from _quarantine_events)
"""


def _reread(files: Mapping[str, Reread]) -> pa.Table:
    return pa.table(
        {
            "file": pa.array(list(files), pa.string()),
            "is_same": pa.array([item.is_same for item in files.values()], pa.bool_()),
            "is_anew": pa.array([item.is_anew for item in files.values()], pa.bool_()),
        }
    )


def _corrected(files: Mapping[str, Reread]) -> pa.Table:
    rows = [
        (file, row, author, why)
        for file, item in files.items()
        for row, (author, why) in sorted(item.corrected.items())
    ]
    return pa.table(
        {
            "file": pa.array([row[0] for row in rows], pa.string()),
            "row": pa.array([row[1] for row in rows], pa.int64()),
            "author": pa.array([row[2] for row in rows], pa.string()),
            "why": pa.array([row[3] for row in rows], pa.string()),
        }
    )
