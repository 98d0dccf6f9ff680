"""Rows that broke their contract: kept with their reasons and their source text until someone repairs or discards them.

``quarantine.<kind>`` holds one row per rejected source row. What becomes of the rows of a file that is read again, and
who discards one, stands in ``quality/resolution.py``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import cache
from typing import Any, Final, Literal

from sqlglot import exp

from quality.contracts.check import CODES, Reason
from quality.contracts.registry import CONTRACTS
from quality.masking import mask_raw
from quality.quarantine_history import create_history
from warehouse.database import Connection
from warehouse.errors import InputError
from warehouse.personal_text import mask_certain
from warehouse.step import TableSpec, comment_on

Status = Literal["open", "replayed", "discarded"]

COLUMNS: Final = {
    "quarantine_id": ("VARCHAR", "Our id of the rejected row: the same whenever its file is read again."),
    "feed": ("VARCHAR", "The feed that brought the row."),
    "batch_on": ("DATE", "The day of the batch."),
    "file": ("VARCHAR", "The file, as a path below the feed's landing folder."),
    "row": (
        "BIGINT",
        "Where in the file, from 1: line, row below the header (0: the first line is none), or index in a list.",
    ),
    "reasons": (
        "STRUCT(field VARCHAR, code VARCHAR, message VARCHAR)[]",
        f"Why it was refused: field, code ({', '.join(CODES)}) and words without the value.",
    ),
    "raw": (
        "VARCHAR",
        "The source row as it arrived; personal. Of one of more than a million letters the first million.",
    ),
    "status": ("VARCHAR", "open, replayed (accepted after a repair) or discarded."),
    "first_seen_at": ("TIMESTAMP", "When the row was first refused, UTC."),
    "resolved_at": ("TIMESTAMP", "When it was replayed or discarded, UTC."),
    "resolved_by": ("VARCHAR", "Who did so."),
    "resolution": ("VARCHAR", "What was done, in words."),
    "attempts": ("INTEGER", "How often it was judged again: asked for, or by changed declarations."),
}
"""Column → SQL type and meaning, in order."""


def quarantine_id(kind: str, feed: str, file: str, row: int) -> str:
    """The same for the same place: q and 16 hexadecimal digits."""
    place = "|".join((kind, feed, file, str(row)))
    return "q" + hashlib.md5(place.encode(), usedforsecurity=False).hexdigest()[:16]


@dataclass(frozen=True)
class RowFilter:
    """Which rows of the quarantine: every word narrows; ``ids`` are whole ids, None for all."""

    feed: str | None = None
    code: str | None = None
    field: str | None = None
    status: Status | None = "open"
    ids: tuple[str, ...] | None = None

    def told(self) -> str:
        """The filter in words, for logs."""
        words = [f"{name} {value}" for name in ("feed", "code", "field", "status") if (value := getattr(self, name))]
        return ", ".join([*words, *(self.ids or ())]) or "all rows"


@dataclass(frozen=True)
class QuarantinedRow:
    """A row of ``quarantine.<kind>``. ``raw`` is masked unless it was asked to be revealed, None in lists."""

    kind: str
    quarantine_id: str
    feed: str
    batch_on: date
    file: str
    row: int
    reasons: tuple[Reason, ...]
    status: Status
    first_seen_at: datetime
    resolved_at: datetime | None
    resolved_by: str | None
    resolution: str | None
    attempts: int
    raw: str | None = None


@dataclass(frozen=True)
class ReasonCount:
    """How many open rows of a feed were refused for a code in a field."""

    kind: str
    feed: str
    code: str
    field: str
    rows: int


def spec(kind: str) -> TableSpec:
    """How readers know ``quarantine.<kind>``."""
    words = kind.replace("_", " ")
    meaning = (
        f"Source rows that broke the contract of {words}: with reasons, to be repaired and replayed, or discarded."
    )
    return TableSpec(
        "quarantine", kind, meaning, ("quarantine_id",), {name: text for name, (_, text) in COLUMNS.items()}
    )


def create_tables(connection: Connection, kinds: Iterable[str] = CONTRACTS) -> None:
    """Make the quarantine of every kind that has none yet, and its history."""
    create_history(connection)
    for kind in kinds:
        definitions = [
            exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=exp.DataType.build(type_, dialect="duckdb"))
            for name, (type_, _) in COLUMNS.items()
        ]
        target = exp.Schema(this=exp.table_(kind, db="quarantine"), expressions=definitions)
        connection.execute(exp.Create(this=target, kind="TABLE", exists=True).sql(dialect="duckdb"))
        comment_on(connection, spec(kind))


def _kept(connection: Connection, kinds: Iterable[str]) -> list[str]:
    """The kinds that have a quarantine: none has before the first load."""
    found = connection.execute("select table_name from duckdb_tables() where schema_name = 'quarantine'").fetchall()
    return [kind for kind in kinds if (kind,) in found]


def list_rows(
    connection: Connection,
    chosen: RowFilter | None = None,
    *,
    kinds: Iterable[str] = CONTRACTS,
    limit: int | None = None,
    with_raw: bool = False,
) -> tuple[QuarantinedRow, ...]:
    """Rejected rows by feed, batch, file and row; with their source text as it arrived only when that is asked for."""
    chosen = chosen or RowFilter()
    values = vars(chosen) | {"ids": chosen.ids and list(chosen.ids), "limit": limit or _ALL, "raw": with_raw}
    found: list[QuarantinedRow] = []
    for kind in _kept(connection, kinds):
        if chosen.ids != ():
            found += (_row(kind, row) for row in connection.execute(on_kind(kind, _LIST), values).fetchall())
    found.sort(key=lambda row: (row.feed, row.batch_on, row.file, row.row))
    return tuple(found[:limit])


def count_rows(connection: Connection, chosen: RowFilter, *, kinds: Iterable[str] = CONTRACTS) -> int:
    """How many rejected rows there are of those chosen."""
    values = vars(chosen) | {"ids": chosen.ids and list(chosen.ids)}
    found = [connection.execute(on_kind(kind, _COUNT), values).fetchone() for kind in _kept(connection, kinds)]
    return sum(row[0] for row in found if row is not None)


def whole_ids(connection: Connection, beginnings: Iterable[str]) -> tuple[str, ...]:
    """The ids that begin so; the beginning of an id, ``SHORTEST`` letters or more, is enough.

    Raises:
        InputError: a beginning is too short, no row has such an id, or several begin with it.
    """
    return tuple(dict.fromkeys(_whole_id(connection, beginning) for beginning in beginnings))


def _whole_id(connection: Connection, beginning: str) -> str:
    if len(beginning) < SHORTEST:
        raise InputError(
            f"{beginning!r} is too short for the beginning of an id: it has to be {SHORTEST} letters or more.",
            "Look it up with `cdp quarantine list --status all`.",
        )
    found = sorted(
        {
            str(row[0])
            for kind in _kept(connection, CONTRACTS)
            for row in connection.execute(on_kind(kind, _BEGINNING), {"id": beginning}).fetchall()
        }
    )
    if len(found) == 1:
        return found[0]
    if beginning in found:
        return beginning
    if not found:
        raise InputError(f"No row in quarantine is {beginning}.", "Look it up with `cdp quarantine list --status all`.")
    some = ", ".join(found[:_NAMED]) + (" …" if len(found) > _NAMED else "")
    raise InputError(f"{len(found)} rows in quarantine begin with {beginning}: {some}.", "Give more of the id.")


def find_row(connection: Connection, quarantine_id: str) -> QuarantinedRow:
    """One rejected row with its source text as it arrived. The beginning of an id is enough.

    Raises:
        InputError: no row has that id, or several begin with it.
    """
    [row] = list_rows(connection, RowFilter(status=None, ids=whole_ids(connection, [quarantine_id])), with_raw=True)
    return row


def masked(row: QuarantinedRow, personal_keys: Iterable[str] = ()) -> QuarantinedRow:
    """The row as it may be shown."""
    raw = None if row.raw is None else mask_raw(row.kind, row.raw, personal_keys)
    return replace(row, raw=raw, file=mask_certain(row.file))


def statuses(connection: Connection, kind: str, feed: str) -> dict[str, Status]:
    """What became of every row of a feed that was ever refused and still stands in its file."""
    return dict(connection.execute(on_kind(kind, _STATUSES), {"feed": feed}).fetchall())


def count_reasons(connection: Connection, kinds: Iterable[str] = CONTRACTS) -> tuple[ReasonCount, ...]:
    """Open rows by feed, code and field. A row with two reasons counts under both."""
    counts = (
        ReasonCount(kind, *row)
        for kind in _kept(connection, kinds)
        for row in connection.execute(on_kind(kind, _COUNT_REASONS)).fetchall()
    )
    return tuple(sorted(counts, key=lambda count: (count.feed, -count.rows, count.code, count.field)))


_ALL: Final = 2**62
SHORTEST: Final = 6
"""Letters of an id that are the least to name it by."""
_NAMED: Final = 5
_CHOSEN: Final = """
from quarantine.kind
where
    ($feed is null or feed = $feed)
    and ($status is null or status = $status)
    and ($ids is null or list_contains($ids, quarantine_id))
    and len(list_filter(reasons, lambda reason: ($code is null or reason.code = $code)
        and ($field is null or reason.field = $field))) > 0
"""
_COUNT: Final = f"select count(*) {_CHOSEN}"
_LIST: Final = f"""
select
    quarantine_id, feed, batch_on, file, row, reasons, status, first_seen_at, resolved_at, resolved_by, resolution,
    attempts, case when $raw then raw end
{_CHOSEN}
order by feed, batch_on, file, row
limit $limit
"""
_STATUSES: Final = "select quarantine_id, status from quarantine.kind where feed = $feed"
_BEGINNING: Final = """
select quarantine_id from quarantine.kind
where starts_with(quarantine_id, $id) and $id <> '' order by quarantine_id
"""
_COUNT_REASONS: Final = """
select feed, reason.code as code, reason.field as field, count(*) as rows
from (select feed, unnest(reasons) as reason from quarantine.kind where status = 'open')
group by all
"""


@cache
def on_kind(kind: str, statement: str) -> str:
    """A statement about ``quarantine.kind`` for the quarantine of one kind."""
    assert kind in CONTRACTS
    return statement.replace("quarantine.kind", f"quarantine.{kind}")


def content_hash(text: str) -> str:
    """Says whether a source row is still the one that was seen: 16 hexadecimal digits of its text."""
    return hashlib.sha256(readable(text).encode()).hexdigest()[:16]


def readable(text: str) -> str:
    """Text that can be stored as UTF-8: half surrogate pairs are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _row(kind: str, row: Sequence[Any]) -> QuarantinedRow:
    found = dict(zip(_LISTED, row, strict=True))
    found["reasons"] = tuple(Reason(**reason) for reason in found["reasons"])
    return QuarantinedRow(kind=kind, **found)


_LISTED: Final = (
    *("quarantine_id", "feed", "batch_on", "file", "row", "reasons", "status"),
    *("first_seen_at", "resolved_at", "resolved_by", "resolution", "attempts", "raw"),
)
