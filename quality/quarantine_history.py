"""``ops.quarantine_history``: what was decided about rejected rows, by whom and why. Rows are only ever added."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from warehouse.database import Connection
from warehouse.step import TableSpec, comment_on

Event = Literal["refused_again", "replayed", "reopened", "discarded", "replaced", "withdrawn"]

HISTORY: Final = TableSpec(
    "ops",
    "quarantine_history",
    "What became of rejected rows, one row per event; append-only. That a row was refused at first is in quarantine.",
    ("quarantine_id", "event_number"),
    {
        "quarantine_id": "The rejected row.",
        "event_number": "Counts the events of the row from 1.",
        "event": "refused_again, replayed (accepted), reopened (refused after it was accepted or discarded), "
        "discarded, replaced (another row stands in its place), withdrawn (its file no longer holds it).",
        "happened_at": "When, UTC.",
        "acted_by": "Who asked for it: a person, the author of a correction, or pipeline.",
        "why": "Why, in the words of who asked.",
        "run_id": "The run in which it happened.",
        "kind": "The contract.",
        "feed": "The feed that brought the row.",
        "file": "The file, as a path below the feed's landing folder.",
        "row": "Where in the file.",
    },
)

_CREATE: Final = """
create table if not exists ops.quarantine_history (
    quarantine_id varchar, event_number integer, event varchar, happened_at timestamp, acted_by varchar, why varchar,
    run_id varchar, kind varchar, feed varchar, file varchar, row bigint
)
"""
_ADD: Final = """
insert into ops.quarantine_history by name
select
    e.quarantine_id, coalesce(before.events, 0) + 1 as event_number, e.event, $at as happened_at, e.acted_by, e.why,
    $run_id as run_id, $kind as kind, e.feed, e.file, e.row
from _quarantine_events as e
left join (
    select quarantine_id, count(*) as events from ops.quarantine_history
    where quarantine_id in (select quarantine_id from _quarantine_events)
    group by quarantine_id
) as before on before.quarantine_id = e.quarantine_id
order by e.feed, e.file, e.row
"""
_OF_ROW: Final = """
select event_number, event, happened_at, acted_by, why, run_id
from ops.quarantine_history where quarantine_id = $id order by event_number
"""


@dataclass(frozen=True)
class PastEvent:
    """One event in the history of a rejected row."""

    event_number: int
    event: Event
    happened_at: datetime
    acted_by: str
    why: str
    run_id: str


def create_history(connection: Connection) -> None:
    """Make the table where there is none."""
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'ops' and table_name = 'quarantine_history'"
    ).fetchone()
    if found is None:
        connection.execute(_CREATE)
        comment_on(connection, HISTORY)


def add_events(connection: Connection, kind: str, at: datetime, run_id: str) -> None:
    """Add what stands in ``_quarantine_events`` (quarantine_id, feed, file, row, event, acted_by, why)."""
    connection.execute(_ADD, {"at": at, "run_id": run_id, "kind": kind})


def history_of(connection: Connection, quarantine_id: str) -> tuple[PastEvent, ...]:
    """The events of a row, oldest first."""
    return tuple(PastEvent(*row) for row in connection.execute(_OF_ROW, {"id": quarantine_id}).fetchall())
