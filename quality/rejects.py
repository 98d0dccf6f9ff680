"""Refused rows while their files are read: they go to a table as they come, for there may be any number of them.

``_rejects`` is a temporary table of the connection that judges them. The database can write it out; only a few thousand
rows wait to be put there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import accumulate
from typing import Final

import pyarrow as pa

from quality.contracts.check import Reason
from quality.quarantine import quarantine_id, readable
from warehouse.arrow_view import shown_as
from warehouse.database import Connection

MOST_WAITING: Final = 10_000
MOST_LETTERS: Final = 16 << 20
"""So many refused rows, or letters of them, may wait in memory wherever they wait."""

_CREATE: Final = """
create or replace temp table _rejects (
    quarantine_id varchar, feed varchar, batch_on date, file varchar, row bigint,
    reasons struct(field varchar, code varchar, message varchar)[], raw varchar, first_seen_at timestamp, number bigint
)
"""
_ADD: Final = "insert into _rejects by name select * from _arriving_rejects"
_DROP_EARLIER: Final = """
delete from _rejects where number not in (select max(number) from _rejects group by quarantine_id)
"""


@dataclass(frozen=True)
class Reject:
    """A source row that broke its contract."""

    feed: str
    batch_on: date
    file: str
    row: int
    reasons: tuple[Reason, ...]
    raw: str
    first_seen_at: datetime

    def quarantine_id(self, kind: str) -> str:
        """Its id in the quarantine of its kind."""
        return quarantine_id(kind, self.feed, self.file, self.row)


@dataclass
class Rejects:
    """The rows of one kind that were refused since this was made, in ``_rejects`` once they are ``settled``."""

    connection: Connection
    kind: str
    count: int = field(default=0, init=False)
    _waiting: list[Reject] = field(default_factory=list, init=False)
    _letters: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        self.connection.execute(_CREATE)

    def add(self, reject: Reject) -> None:
        """One row more."""
        self._waiting.append(reject)
        self._letters += len(reject.raw)
        if len(self._waiting) >= MOST_WAITING or self._letters >= MOST_LETTERS:
            self.settle()

    def settle(self) -> None:
        """Let statements see all rows that were added."""
        if not self._waiting:
            return
        with shown_as(self.connection, "_arriving_rejects", _table(self.kind, self._waiting, self.count)):
            self.connection.execute(_ADD)
        self.count += len(self._waiting)
        self._waiting, self._letters = [], 0

    def keep_last(self) -> None:
        """Of two rows in one place keep the later."""
        self.settle()
        self.connection.execute(_DROP_EARLIER)


def _table(kind: str, rejects: Sequence[Reject], first: int) -> pa.Table:
    """Rejected rows as they are handed over, numbered as they came."""
    return pa.table(
        {
            "quarantine_id": pa.array([reject.quarantine_id(kind) for reject in rejects], pa.string()),
            "feed": pa.array([reject.feed for reject in rejects], pa.string()),
            "batch_on": pa.array([reject.batch_on for reject in rejects], pa.date32()),
            "file": pa.array([reject.file for reject in rejects], pa.string()),
            "row": pa.array([reject.row for reject in rejects], pa.int64()),
            "reasons": _reasons([reject.reasons for reject in rejects]),
            "raw": pa.array([readable(reject.raw) for reject in rejects], pa.large_string()),
            "first_seen_at": pa.array([reject.first_seen_at for reject in rejects], pa.timestamp("us")),
            "number": pa.array(range(first, first + len(rejects)), pa.int64()),
        }
    )


def _reasons(found: Sequence[tuple[Reason, ...]]) -> pa.Array:
    """A list of structures a row."""
    every = [reason for reasons in found for reason in reasons]
    members = {
        "field": pa.array([readable(reason.field) for reason in every], pa.string()),
        "code": pa.array([reason.code for reason in every], pa.string()),
        "message": pa.array([reason.message for reason in every], pa.string()),
    }
    offsets = pa.array(accumulate((len(reasons) for reasons in found), initial=0), pa.int32())
    return pa.ListArray.from_arrays(offsets, pa.StructArray.from_arrays(list(members.values()), list(members)))
