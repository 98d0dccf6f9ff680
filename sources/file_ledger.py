"""What was loaded: ``ops.feeds``, ``ops.files``, ``ops.batches`` and ``ops.source_columns``.

For every file, always: ``rows_read = rows_accepted + rows_duplicate + rows_rejected``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, Literal, TypeAlias

import pyarrow as pa

from sources.feed_declaration import Feed
from warehouse.database import Connection
from warehouse.errors import WarehouseError
from warehouse.step import TableSpec, comment_on

FileStatus: TypeAlias = Literal["loaded", "stopped", "vanished"]

FILES: Final = TableSpec(
    "ops",
    "files",
    "Every file that a feed brought, and what became of its rows.",
    ("feed", "file"),
    {
        "feed": "The feed that brought it.",
        "batch_on": "The day of its batch.",
        "file": "Its path below the feed's landing folder.",
        "sha256": "SHA-256 of the file as it was loaded; empty when it never was.",
        "bytes": "Its size when it was loaded.",
        "rows_read": "Source rows it holds: rows_accepted + rows_duplicate + rows_rejected.",
        "rows_accepted": "Source rows that are in staging.",
        "rows_duplicate": "Source rows that repeat exactly what another row brought.",
        "rows_rejected": "Source rows that broke the contract: in quarantine.",
        "rows_collapsed": "Of rows_duplicate: repeats inside the file that were dropped before they were grouped.",
        "declaration_hash": "Hash of the declarations and the contract that it was loaded by.",
        "status": "loaded, stopped (too many rows broke the contract: what was loaded before stays) or vanished.",
        "modified_ns": "When the file was last changed, in nanoseconds since 1970.",
        "loaded_at": "When it was loaded, UTC.",
        "run_id": "The run that loaded it.",
    },
)
BATCHES: Final = TableSpec(
    "ops",
    "batches",
    "Every batch of a feed: the sums over its files.",
    ("feed", "batch_on"),
    {
        "files": "How many files it has.",
        "bytes": "Their size.",
        "status": "stopped when a file of it is, else vanished when all are gone, else loaded.",
        "loaded_at": "When a file of it was last loaded, UTC.",
    }
    | {name: text for name, text in FILES.columns.items() if name.startswith("rows_") or name in {"feed", "batch_on"}},
)
SOURCE_COLUMNS: Final = TableSpec(
    "ops",
    "source_columns",
    "The source fields of every file, and whether the mapping reads them.",
    ("feed", "file", "source_column"),
    {
        "feed": "The feed.",
        "batch_on": "The day of the batch.",
        "file": "The file.",
        "source_column": "Name or path of the source field.",
        "status": "mapped, ignored, unknown (nobody mentions it) or missing (the mapping reads it, no row has it).",
        "rows": "In how many rows it holds something; absent where that was not counted.",
    },
)
FEEDS: Final = TableSpec(
    "ops",
    "feeds",
    "The declared feeds, as SQL needs to know them.",
    ("feed",),
    {
        "feed": "Name of the feed.",
        "kind": "The contract its rows satisfy.",
        "mapping": "The mapping that reads it.",
        "id_space": "Feeds of one id space share their customer ids.",
        "owner": "Who answers for it.",
        "purpose": "What its data may be used for.",
        "description": "What arrives.",
        "time_zone": "The zone of moments written without one.",
        "country": "Country of rows that name none.",
        "currency": "Currency of rows that name none.",
        "declaration_hash": "Hash of its declarations and contract as they are now.",
    },
)
TABLES: Final = (FILES, BATCHES, SOURCE_COLUMNS, FEEDS)

_DDL: Final = (
    "create table if not exists ops.files (feed varchar, batch_on date, file varchar, sha256 varchar, bytes bigint, "
    "rows_read bigint, rows_accepted bigint, rows_duplicate bigint, rows_rejected bigint, rows_collapsed bigint, "
    "declaration_hash varchar, status varchar, modified_ns bigint, loaded_at timestamp, run_id varchar)",
    "create table if not exists ops.batches (feed varchar, batch_on date, files bigint, bytes bigint, rows_read bigint, "
    "rows_accepted bigint, rows_duplicate bigint, rows_rejected bigint, status varchar, loaded_at timestamp)",
    "create table if not exists ops.source_columns (feed varchar, batch_on date, file varchar, source_column varchar, "
    "status varchar, rows bigint)",
    "create table if not exists ops.feeds (feed varchar, kind varchar, mapping varchar, id_space varchar, owner varchar, "
    "purpose varchar, description varchar, time_zone varchar, country varchar, currency varchar, declaration_hash varchar)",
)
_BATCHES: Final = """
insert into ops.batches by name
select
    feed, batch_on, count(*) as files, sum(bytes) as bytes, sum(rows_read) as rows_read,
    sum(rows_accepted) as rows_accepted, sum(rows_duplicate) as rows_duplicate, sum(rows_rejected) as rows_rejected,
    case
        when bool_or(status = 'stopped') then 'stopped'
        when bool_and(status = 'vanished') then 'vanished'
        else 'loaded'
    end as status,
    max(loaded_at) as loaded_at
from ops.files
where feed = $feed
group by feed, batch_on
"""
_FILE_FIELDS: Final = pa.schema(
    [
        ("feed", pa.string()),
        ("batch_on", pa.date32()),
        ("file", pa.string()),
        ("sha256", pa.string()),
        ("bytes", pa.int64()),
        ("rows_read", pa.int64()),
        ("rows_accepted", pa.int64()),
        ("rows_duplicate", pa.int64()),
        ("rows_rejected", pa.int64()),
        ("rows_collapsed", pa.int64()),
        ("declaration_hash", pa.string()),
        ("status", pa.string()),
        ("modified_ns", pa.int64()),
        ("loaded_at", pa.timestamp("us")),
        ("run_id", pa.string()),
    ]
)
_COLUMN_FIELDS: Final = pa.schema(
    [
        ("feed", pa.string()),
        ("batch_on", pa.date32()),
        ("file", pa.string()),
        ("source_column", pa.string()),
        ("status", pa.string()),
        ("rows", pa.int64()),
    ]
)


@dataclass(frozen=True)
class FileRecord:
    """A row of ``ops.files``."""

    feed: str
    batch_on: date
    file: str
    sha256: str
    bytes: int
    rows_read: int
    rows_accepted: int
    rows_duplicate: int
    rows_rejected: int
    rows_collapsed: int
    declaration_hash: str
    status: FileStatus
    modified_ns: int
    loaded_at: datetime
    run_id: str


@dataclass(frozen=True)
class SourceColumn:
    """A row of ``ops.source_columns``."""

    batch_on: date
    file: str
    source_column: str
    status: Literal["mapped", "ignored", "unknown", "missing"]
    rows: int | None


def create_ledger(connection: Connection) -> None:
    """Make the tables that are not there yet."""
    present = {
        str(name)
        for (name,) in connection.execute(
            "select table_name from information_schema.tables where table_schema = 'ops'"
        ).fetchall()
    }
    for spec, statement in zip(TABLES, _DDL, strict=True):
        if spec.name not in present:
            connection.execute(statement)
            comment_on(connection, spec)


def write_feed(connection: Connection, feed: Feed, declaration_hash: str) -> None:
    """Let SQL know the feed as it is declared now."""
    connection.execute("delete from ops.feeds where feed = $feed", {"feed": feed.name})
    connection.execute(
        "insert into ops.feeds values ($feed, $kind, $mapping, $id_space, $owner, $purpose, $description, $time_zone, "
        "$country, $currency, $declaration_hash)",
        {
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
        },
    )


def known_files(connection: Connection, feed: str) -> dict[str, FileRecord]:
    """What is known of a feed's files, by path."""
    names = ", ".join(_FILE_FIELDS.names)
    rows = connection.execute(f"select {names} from ops.files where feed = $feed", {"feed": feed}).fetchall()
    return {record.file: record for record in (FileRecord(*row) for row in rows)}


def write_files(connection: Connection, feed: str, records: Sequence[FileRecord]) -> None:
    """Replace the rows of these files, and the sums over all batches of the feed.

    Raises:
        WarehouseError: a file's rows do not add up; a bug, and nothing is written.
    """
    if records:
        connection.register("_file_records", pa.Table.from_pylist([vars(item) for item in records], _FILE_FIELDS))
        connection.execute(
            "delete from ops.files where feed = $feed and file in (select file from _file_records)", {"feed": feed}
        )
        connection.execute("insert into ops.files by name select * from _file_records")
        connection.unregister("_file_records")
    check_sums(connection, feed)
    connection.execute("delete from ops.batches where feed = $feed", {"feed": feed})
    connection.execute(_BATCHES, {"feed": feed})


def check_sums(connection: Connection, feed: str) -> None:
    """Every row that was read is accounted for.

    Raises:
        WarehouseError: it is not.
    """
    wrong = connection.execute(
        "select file from ops.files where feed = $feed and (rows_read <> rows_accepted + rows_duplicate + rows_rejected "
        "or least(rows_accepted, rows_duplicate, rows_rejected) < 0) order by file limit 1",
        {"feed": feed},
    ).fetchone()
    if wrong is not None:
        raise WarehouseError(
            f"Rows of {feed}/{wrong[0]} were lost or doubled while loading; nothing was changed.",
            "This is a bug: report it with the file.",
        )


def set_status(connection: Connection, feed: str, files: Iterable[str], status: FileStatus) -> None:
    """Say what became of files whose rows stay as they are."""
    connection.execute(
        "update ops.files set status = $status where feed = $feed and list_contains($files, file)",
        {"feed": feed, "files": list(files), "status": status},
    )


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
    if columns:
        rows = [vars(item) | {"feed": feed} for item in columns]
        connection.register("_column_records", pa.Table.from_pylist(rows, _COLUMN_FIELDS))
        connection.execute("insert into ops.source_columns by name select * from _column_records")
        connection.unregister("_column_records")
