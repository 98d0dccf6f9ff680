"""``ops.access_log``: who has looked at personal values that are masked otherwise, when, at what, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from warehouse.database import Connection
from warehouse.step import TableSpec, comment_on

ACCESS_LOG: Final = TableSpec(
    "ops",
    "access_log",
    "Every time that personal values were shown unmasked; append-only. It holds none of them.",
    (),
    {
        "accessed_at": "When, UTC.",
        "accessed_by": "Who.",
        "command": "By which command.",
        "looked_at": "Which rows: an id, or the filters they were chosen by.",
        "rows": "How many rows.",
        "why": "Why, in the words of who looked; empty when nothing was said.",
    },
)
_CREATE: Final = """
create table if not exists ops.access_log
(accessed_at timestamp, accessed_by varchar, command varchar, looked_at varchar, rows bigint, why varchar)
"""


@dataclass(frozen=True)
class Access:
    """One look at unmasked values."""

    accessed_at: datetime
    accessed_by: str
    command: str
    looked_at: str
    rows: int
    why: str


def create_table(connection: Connection) -> None:
    """Make the table where there is none."""
    connection.execute(_CREATE)
    comment_on(connection, ACCESS_LOG)


def log_access(connection: Connection, access: Access) -> None:
    """Note a look; call it before anything is shown."""
    create_table(connection)
    connection.execute(
        "insert into ops.access_log values ($accessed_at, $accessed_by, $command, $looked_at, $rows, $why)",
        vars(access),
    )
