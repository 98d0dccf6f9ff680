"""What was loaded of every feed, file by file.

For every file, always: ``rows_read = rows_accepted + rows_duplicate + rows_rejected``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

import pyarrow as pa
from sqlglot import exp

from sources.feed_declaration import Feed
from sources.ledger_tables import FEEDS, FILES, SOURCE_COLUMNS, LedgerTable
from warehouse.arrow_view import shown_as
from warehouse.database import Connection
from warehouse.errors import WarehouseError

FileStatus: TypeAlias = Literal["loaded", "stopped", "vanished", "withdrawn"]
ColumnStatus: TypeAlias = Literal["mapped", "ignored", "unknown", "missing", "absent"]

_BATCHES: Final = """
insert into ops.batches by name
select
    feed, batch_on, count(*) as files, sum(bytes) as bytes, sum(rows_read) as rows_read,
    sum(rows_accepted) as rows_accepted, sum(rows_duplicate) as rows_duplicate, sum(rows_rejected) as rows_rejected,
    case
        when bool_or(status = 'stopped') then 'stopped'
        when bool_and(status in ('vanished', 'withdrawn')) then 'vanished'
        else 'loaded'
    end as status,
    max(loaded_at) as loaded_at
from ops.files
where feed = $feed
group by feed, batch_on
"""
_OLDER: Final = {
    "broken_off": "coalesce(broken_off, '')",
    "rows_staged": "coalesce(rows_staged, rows_accepted + rows_duplicate)",
    "staged_sha256": "coalesce(staged_sha256, sha256)",
}
"""What an older layout says in other columns."""
_KNOWN: Final = (
    exp.select(*(_OLDER.get(name, name) for name in FILES.columns))
    .from_("ops.files")
    .where("feed = $feed")
    .sql(dialect="duckdb")
)
_LOST: Final = """
select file, rows_read, rows_accepted + rows_duplicate + rows_rejected from ops.files
where
    feed = $feed
    and (
        rows_read <> rows_accepted + rows_duplicate + rows_rejected
        or least(rows_accepted, rows_duplicate, rows_rejected) < 0
    )
order by file limit 1
"""


@dataclass(frozen=True)
class FileRecord:
    """A row of ``ops.files``: the file as it was read last, whether or not its rows were taken then."""

    feed: str
    batch_on: date
    file: str
    sha256: str
    bytes: int
    rows_read: int
    rows_accepted: int
    rows_duplicate: int
    rows_rejected: int
    is_unusable: bool
    broken_off: str
    rows_collapsed: int
    rows_staged: int
    staged_sha256: str
    declaration_hash: str
    status: FileStatus
    modified_ns: int
    loaded_at: datetime
    run_id: str

    @property
    def is_gone(self) -> bool:
        """Whether the file lay there no more when the feed was looked at last."""
        return self.status in {"vanished", "withdrawn"}

    @property
    def is_held_back(self) -> bool:
        """Whether its rows were not taken when it was read last."""
        return self.status in {"stopped", "withdrawn"}


@dataclass(frozen=True)
class SourceColumn:
    """A row of ``ops.source_columns``."""

    batch_on: date
    file: str
    source_column: str
    status: ColumnStatus
    rows: int | None
    type: str | None
    is_typed: bool
    is_named: bool | None
    nearest: str | None = None


def write_feed(connection: Connection, feed: Feed, declaration_hash: str) -> None:
    """Let SQL know the feed as it is declared now."""
    connection.execute("delete from ops.feeds where feed = $feed", {"feed": feed.name})
    row = {
        "feed": feed.name,
        "kind": feed.kind,
        "mapping": feed.mapping,
        "id_space": feed.ids_from,
        "owner": feed.owner,
        "purpose": feed.purpose,
        "description": feed.description,
        "time_zone": feed.time_zone,
        "country": feed.country,
        "currency": feed.currency,
        "declaration_hash": declaration_hash,
    }
    insert_rows(connection, FEEDS, [row])


def known_files(connection: Connection, feed: str) -> dict[str, FileRecord]:
    """What is known of a feed's files, by path."""
    rows = connection.execute(_KNOWN, {"feed": feed}).fetchall()
    return {record.file: record for record in (FileRecord(*row) for row in rows)}


def write_files(connection: Connection, feed: str, records: Sequence[FileRecord]) -> None:
    """Replace the rows of these files, and the sums over all batches of the feed.

    Raises:
        WarehouseError: a file's rows do not add up; a bug, and nothing is written.
    """
    if records:
        connection.execute(
            "delete from ops.files where feed = $feed and list_contains($files, file)",
            {"feed": feed, "files": [item.file for item in records]},
        )
        insert_rows(connection, FILES, [vars(item) for item in records])
    check_sums(connection, feed)
    connection.execute("delete from ops.batches where feed = $feed", {"feed": feed})
    connection.execute(_BATCHES, {"feed": feed})


def check_sums(connection: Connection, feed: str) -> None:
    """Every row that was read is accounted for.

    Raises:
        WarehouseError: it is not.
    """
    wrong = connection.execute(_LOST, {"feed": feed}).fetchone()
    if wrong is not None:
        raise lost_rows(feed, *wrong)


def lost_rows(feed: str, file: str, read: int, known: int) -> WarehouseError:
    """The error of a file whose rows do not add up."""
    return WarehouseError(
        f"Rows of {feed}/{file} were lost or doubled while loading ({read:,} read, {known:,} accounted for); "
        "nothing was changed.",
        "This is a bug: report it with the file.",
    )


def set_status(connection: Connection, feed: str, files: Iterable[str], status: FileStatus) -> None:
    """Say what became of files whose rows stay as they are."""
    connection.execute(
        "update ops.files set status = $status where feed = $feed and list_contains($files, file)",
        {"feed": feed, "files": list(files), "status": status},
    )


def forget_files(connection: Connection, feed: str, files: Sequence[str]) -> None:
    """Leave files out of the ledger whose content is known under other names, once their rows are gone."""
    values = {"feed": feed, "files": list(files)}
    connection.execute("delete from ops.files where feed = $feed and list_contains($files, file)", values)
    write_columns(connection, feed, files, ())
    write_files(connection, feed, ())


def set_modified(connection: Connection, feed: str, modified: Mapping[str, int]) -> None:
    """Note that files were touched but not changed."""
    for file, modified_ns in modified.items():
        connection.execute(
            "update ops.files set modified_ns = $modified_ns where feed = $feed and file = $file",
            {"feed": feed, "file": file, "modified_ns": modified_ns},
        )


def write_columns(connection: Connection, feed: str, files: Sequence[str], columns: Sequence[SourceColumn]) -> None:
    """Replace what is known of the source fields of these files."""
    connection.execute(
        "delete from ops.source_columns where feed = $feed and list_contains($files, file)",
        {"feed": feed, "files": list(files)},
    )
    insert_rows(connection, SOURCE_COLUMNS, [vars(item) | {"feed": feed} for item in columns])


def insert_rows(connection: Connection, table: LedgerTable, rows: Sequence[Mapping[str, object]]) -> None:
    """Add rows to a table of the ledger."""
    if not rows:
        return
    target = exp.table_(table.name, db="ops").sql(dialect="duckdb")
    with shown_as(connection, "_ledger_rows", pa.Table.from_pylist(list(rows), table.arrow)):
        connection.execute(f"insert into {target} by name from _ledger_rows")
