"""Rows that broke their contract: kept with their reasons and their source text until someone repairs or discards them.

``quarantine.<kind>`` holds one row per rejected source row. When a file is read again its open rows are replaced; what
someone decided about a row (discarded) and when it was first seen outlive that, as long as the row itself is the same.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Any, Final, Literal

import pyarrow as pa
from sqlglot import exp

from quality.contracts.check import CODES, Reason
from quality.contracts.registry import CONTRACTS
from quality.masking import mask_raw
from warehouse.database import Connection
from warehouse.errors import InputError
from warehouse.step import TableSpec

Status = Literal["open", "replayed", "discarded"]

COLUMNS: Final = {
    "quarantine_id": ("VARCHAR", "Our id of the rejected row: the same whenever its file is read again."),
    "feed": ("VARCHAR", "The feed that brought the row."),
    "batch_on": ("DATE", "The day of the batch."),
    "file": ("VARCHAR", "The file, as a path below the feed's landing folder."),
    "row": ("BIGINT", "Where in the file: line, data row or index, counted from 1."),
    "reasons": (
        "STRUCT(field VARCHAR, code VARCHAR, message VARCHAR)[]",
        f"Why it was refused: field, code ({', '.join(CODES)}) and words without the value.",
    ),
    "raw": ("VARCHAR", "The source row as it arrived; personal."),
    "status": ("VARCHAR", "open, replayed (accepted after a repair) or discarded."),
    "first_seen_at": ("TIMESTAMP", "When the row was first refused, UTC."),
    "resolved_at": ("TIMESTAMP", "When it was replayed or discarded, UTC."),
    "resolved_by": ("VARCHAR", "Who did so."),
    "resolution": ("VARCHAR", "What was done, in words."),
    "attempts": ("INTEGER", "How often it was replayed."),
}
"""Column → SQL type and meaning, in order."""

_ARROW: Final = pa.schema(
    [
        ("quarantine_id", pa.string()),
        ("feed", pa.string()),
        ("batch_on", pa.date32()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("reasons", pa.list_(pa.struct([("field", pa.string()), ("code", pa.string()), ("message", pa.string())]))),
        ("raw", pa.large_string()),
        ("first_seen_at", pa.timestamp("us")),
    ]
)


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
        """The same for the same place: q and 16 hexadecimal digits."""
        place = "|".join((kind, self.feed, self.file, str(self.row)))
        return "q" + hashlib.md5(place.encode(), usedforsecurity=False).hexdigest()[:16]


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
    """Make the quarantine of every kind that has none yet."""
    for kind in kinds:
        definitions = [
            exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=exp.DataType.build(type_, dialect="duckdb"))
            for name, (type_, _) in COLUMNS.items()
        ]
        target = exp.Schema(this=exp.table_(kind, db="quarantine"), expressions=definitions)
        connection.execute(exp.Create(this=target, kind="TABLE", exists=True).sql(dialect="duckdb"))


def write_rejects(connection: Connection, kind: str, rejects: Sequence[Reject]) -> None:
    """Add rejected rows inside the caller's transaction; a row that is there already is replaced, not doubled.

    A discarded row stays discarded while its source text is the same; ``first_seen_at`` and ``attempts`` stay.
    """
    if not rejects:
        return
    connection.register("_rejects", _arrow(kind, rejects))
    try:
        connection.execute(_of(kind, _MERGE))
        connection.execute(
            _of(kind, "delete from quarantine.kind where quarantine_id in (select quarantine_id from _rejects)")
        )
        connection.execute(_of(kind, "insert into quarantine.kind by name select * from _merged_rejects"))
        connection.execute("drop table _merged_rejects")
    finally:
        connection.unregister("_rejects")


def replace_rejects(
    connection: Connection, kind: str, feed: str, files: Sequence[str], rejects: Sequence[Reject]
) -> None:
    """After ``files`` of a feed were read again: their open rows are exactly ``rejects``."""
    write_rejects(connection, kind, rejects)
    kept = [reject.quarantine_id(kind) for reject in rejects]
    connection.execute(
        _of(
            kind,
            "delete from quarantine.kind where feed = $feed and status = 'open' and list_contains($files, file) "
            "and not list_contains($kept, quarantine_id)",
        ),
        {"feed": feed, "files": list(files), "kept": kept},
    )


def drop_open(connection: Connection, kind: str, feed: str, files: Sequence[str]) -> None:
    """Forget the open rows of files that are gone."""
    replace_rejects(connection, kind, feed, files, ())


def list_rows(
    connection: Connection,
    *,
    kinds: Iterable[str] = CONTRACTS,
    feed: str | None = None,
    code: str | None = None,
    status: Status | None = "open",
    limit: int | None = None,
) -> tuple[QuarantinedRow, ...]:
    """Rejected rows by feed, batch, file and row, without their source text."""
    found: list[QuarantinedRow] = []
    for kind in kinds:
        rows = connection.execute(
            _of(kind, _LIST), {"feed": feed, "code": code, "status": status, "limit": limit or _ALL}
        ).fetchall()
        found += (_row(kind, row) for row in rows)
    found.sort(key=lambda row: (row.feed, row.batch_on, row.file, row.row))
    return tuple(found[:limit])


def show_row(
    connection: Connection, quarantine_id: str, *, reveal: bool = False, personal_keys: Iterable[str] = ()
) -> QuarantinedRow:
    """One rejected row with its source text, masked unless ``reveal``. The beginning of an id is enough.

    Raises:
        InputError: no row has that id, or several begin with it.
    """
    found = [
        _row(kind, row, reveal=reveal, personal_keys=tuple(personal_keys))
        for kind in CONTRACTS
        for row in connection.execute(_of(kind, _SHOW), {"id": quarantine_id}).fetchall()
    ]
    if len(found) != 1:
        words = "Several rows in quarantine begin with that id." if found else "No row in quarantine has that id."
        raise InputError(words, "Look it up with `cdp quarantine list`.")
    return found[0]


def count_reasons(connection: Connection, kinds: Iterable[str] = CONTRACTS) -> tuple[ReasonCount, ...]:
    """Open rows by feed, code and field. A row with two reasons counts under both."""
    counts = (
        ReasonCount(kind, *row) for kind in kinds for row in connection.execute(_of(kind, _COUNT_REASONS)).fetchall()
    )
    return tuple(sorted(counts, key=lambda count: (count.feed, -count.rows, count.code, count.field)))


_ALL: Final = 2**62
_MERGE: Final = """
create temporary table _merged_rejects as
select
    n.*,
    case when o.status = 'discarded' and o.raw = n.raw then 'discarded' else 'open' end as status,
    case when o.status = 'discarded' and o.raw = n.raw then o.resolved_at end as resolved_at,
    case when o.status = 'discarded' and o.raw = n.raw then o.resolved_by end as resolved_by,
    case when o.status = 'discarded' and o.raw = n.raw then o.resolution end as resolution,
    coalesce(o.attempts, 0) as attempts
from (
    select r.* replace (least(r.first_seen_at, coalesce(s.first_seen_at, r.first_seen_at)) as first_seen_at)
    from _rejects as r
    left join quarantine.kind as s on s.quarantine_id = r.quarantine_id and s.raw = r.raw
) as n
left join quarantine.kind as o on o.quarantine_id = n.quarantine_id
"""
_LIST: Final = """
select quarantine_id, feed, batch_on, file, row, reasons, status, first_seen_at, attempts
from quarantine.kind
where
    ($feed is null or feed = $feed)
    and ($status is null or status = $status)
    and ($code is null or list_contains(list_transform(reasons, lambda reason: reason.code), $code))
order by feed, batch_on, file, row
limit $limit
"""
_SHOW: Final = """
select quarantine_id, feed, batch_on, file, row, reasons, status, first_seen_at, attempts, raw
from quarantine.kind
where starts_with(quarantine_id, $id)
order by quarantine_id
limit 2
"""
_COUNT_REASONS: Final = """
select feed, reason.code as code, reason.field as field, count(*) as rows
from (select feed, unnest(reasons) as reason from quarantine.kind where status = 'open')
group by all
"""


@cache
def _of(kind: str, statement: str) -> str:
    """The statement on the quarantine of a kind."""
    assert kind in CONTRACTS
    return statement.replace("quarantine.kind", f"quarantine.{kind}")


def _arrow(kind: str, rejects: Sequence[Reject]) -> pa.Table:
    newest = {reject.quarantine_id(kind): reject for reject in rejects}
    rows = [
        {
            "quarantine_id": quarantine_id,
            "feed": reject.feed,
            "batch_on": reject.batch_on,
            "file": reject.file,
            "row": reject.row,
            "reasons": [
                {"field": _readable(reason.field), "code": reason.code, "message": reason.message}
                for reason in reject.reasons
            ],
            "raw": _readable(reject.raw),
            "first_seen_at": reject.first_seen_at,
        }
        for quarantine_id, reject in newest.items()
    ]
    return pa.Table.from_pylist(rows, schema=_ARROW)


def _readable(text: str) -> str:
    """Text that can be stored as UTF-8: half surrogate pairs are written as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _row(kind: str, row: Sequence[Any], *, reveal: bool = False, personal_keys: tuple[str, ...] = ()) -> QuarantinedRow:
    found = dict(zip(_LISTED, row, strict=False))
    found["reasons"] = tuple(Reason(**reason) for reason in found["reasons"])
    if "raw" in found and not reveal:
        found["raw"] = mask_raw(kind, found["raw"], personal_keys)
    return QuarantinedRow(kind=kind, **found)


_LISTED: Final = (
    *("quarantine_id", "feed", "batch_on", "file", "row", "reasons"),
    *("status", "first_seen_at", "attempts", "raw"),
)
