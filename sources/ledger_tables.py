"""What was loaded: ``ops.feeds``, ``ops.files``, ``ops.batches``, ``ops.source_columns`` and ``ops.schema_changes``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import pyarrow as pa
from sqlglot import exp

from sources.row_tables import arrow_type
from warehouse.database import Connection
from warehouse.step import TableSpec, comment_on


@dataclass(frozen=True)
class LedgerTable(TableSpec):
    """A table of the schema ops, with the SQL types of its columns."""

    types: Mapping[str, str] = field(default_factory=dict)

    @property
    def arrow(self) -> pa.Schema:
        """How rows are handed over."""
        return pa.schema([(name, arrow_type(kind)) for name, kind in self.types.items()])

    @property
    def create_statement(self) -> str:
        """Makes the table where there is none."""
        definitions = [
            exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=exp.DataType.build(kind, dialect="duckdb"))
            for name, kind in self.types.items()
        ]
        table = exp.Schema(this=exp.table_(self.name, db="ops"), expressions=definitions)
        return exp.Create(this=table, kind="TABLE", exists=True).sql(dialect="duckdb")

    def add_statement(self, column: str) -> str:
        """Adds one column."""
        kind = exp.DataType.build(self.types[column], dialect="duckdb")
        added = exp.ColumnDef(this=exp.to_identifier(column, quoted=True), kind=kind)
        return exp.Alter(this=exp.table_(self.name, db="ops"), kind="TABLE", actions=[added]).sql(dialect="duckdb")


def _table(name: str, description: str, grain: tuple[str, ...], columns: Mapping[str, tuple[str, str]]) -> LedgerTable:
    """A table by its columns: name → type and meaning."""
    texts = {column: text for column, (_, text) in columns.items()}
    types = {column: kind for column, (kind, _) in columns.items()}
    return LedgerTable("ops", name, description, grain, texts, types)


_FEED: Final = ("VARCHAR", "The feed.")
_BATCH: Final = ("DATE", "The day of the batch.")
_FILE: Final = ("VARCHAR", "The file, as a path below the feed's landing folder.")
_COUNTS: Final = {
    "rows_read": ("BIGINT", "Source rows it holds: rows_accepted + rows_duplicate + rows_rejected."),
    "rows_accepted": (
        "BIGINT",
        "Source rows that keep the contract: in staging, but those of stopped files, which wait in the landing folder.",
    ),
    "rows_duplicate": (
        "BIGINT",
        "Source rows that repeat exactly what another row brought; of a stopped file, another row of that file.",
    ),
    "rows_rejected": ("BIGINT", "Source rows that broke the contract: in quarantine."),
}

FILES: Final = _table(
    "files",
    "Every file that a feed brought, as it was read last, and what became of its rows.",
    ("feed", "file"),
    {
        "feed": _FEED,
        "batch_on": _BATCH,
        "file": _FILE,
        "sha256": ("VARCHAR", "SHA-256 of the file as it was read; empty when it could not be read to its end."),
        "bytes": ("BIGINT", "Its size when it was read."),
        **_COUNTS,
        "is_unusable": ("BOOLEAN", "Whether nothing of it can be read: it is empty, or no file of the feed's form."),
        "broken_off": ("VARCHAR", "Why it could not be read to its end; empty when it could."),
        "rows_collapsed": ("BIGINT", "Of rows_duplicate: repeats inside the file, dropped before they were grouped."),
        "rows_staged": (
            "BIGINT",
            "Source rows of it in staging, repeats included: of a stopped file those that it brought before.",
        ),
        "staged_sha256": ("VARCHAR", "SHA-256 of the file as it was when it brought them; empty when it brought none."),
        "declaration_hash": ("VARCHAR", "Hash of the declarations and the contract it was read by."),
        "status": (
            "VARCHAR",
            "loaded; stopped (not taken: what it brought before stays); vanished; withdrawn (stopped, then gone).",
        ),
        "modified_ns": ("BIGINT", "When the file was last changed, in nanoseconds since 1970."),
        "loaded_at": ("TIMESTAMP", "When it was read, UTC."),
        "run_id": ("VARCHAR", "The run that read it."),
    },
)
BATCHES: Final = _table(
    "batches",
    "Every batch of a feed: the sums over its files.",
    ("feed", "batch_on"),
    {
        "feed": _FEED,
        "batch_on": _BATCH,
        "files": ("BIGINT", "How many files it has."),
        "bytes": ("BIGINT", "Their size."),
        **_COUNTS,
        "status": ("VARCHAR", "stopped when a file of it is, else vanished when all are gone, else loaded."),
        "loaded_at": ("TIMESTAMP", "When a file of it was last read, UTC."),
    },
)
SOURCE_COLUMNS: Final = _table(
    "source_columns",
    "The source fields of every file, and whether the mapping reads them.",
    ("feed", "file", "source_column"),
    {
        "feed": _FEED,
        "batch_on": _BATCH,
        "file": _FILE,
        "source_column": ("VARCHAR", "Name or path of the source field."),
        "status": (
            "VARCHAR",
            "mapped, ignored, unknown (nobody mentions it), missing (in no row) or absent (declared, no such column).",
        ),
        "rows": ("BIGINT", "In how many rows it holds something."),
        "type": (
            "VARCHAR",
            "What its values are: text, integer, number, boolean, date, timestamp, object, list, mixed.",
        ),
        "is_typed": ("BOOLEAN", "Whether the file says so itself; else the texts look like it."),
        "is_named": ("BOOLEAN", "Whether the header names it; NULL in files without one."),
        "nearest": ("VARCHAR", "Of an absent one: the most similar column of the file that nothing reads."),
    },
)
SCHEMA_CHANGES: Final = _table(
    "schema_changes",
    "Source fields that changed in a batch against the batches of the feed before it.",
    ("feed", "batch_on", "source_column", "change"),
    {
        "feed": _FEED,
        "batch_on": _BATCH,
        "source_column": ("VARCHAR", "Name or path of the source field."),
        "change": (
            "VARCHAR",
            "new, missing (it was there before, or the feed declares it), returned (after it was missing) or retyped.",
        ),
        "from_type": ("VARCHAR", "What its values were before."),
        "to_type": ("VARCHAR", "What they are in this batch."),
        "file": ("VARCHAR", "The first file of the batch with the change."),
        "nearest": ("VARCHAR", "Of a missing one: the most similar column of the file that nothing reads."),
        "handling": ("VARCHAR", "What the feed declared for new fields then: report, stop or keep."),
        "run_id": ("VARCHAR", "The run that found it first."),
        "found_at": ("TIMESTAMP", "When it was found first, UTC."),
    },
)
QUARANTINE_REASONS: Final = _table(
    "quarantine_reasons",
    "Why rows of a batch are refused: how many for each reason, their share, and one of them. A row may have several.",
    ("feed", "batch_on", "field", "code"),
    {
        "feed": _FEED,
        "batch_on": _BATCH,
        "field": ("VARCHAR", "The field to blame; empty: the row as a whole."),
        "code": ("VARCHAR", "The code of the reason."),
        "rows": ("BIGINT", "Rows refused for it, discarded ones among them; replayed ones are not."),
        "open_rows": ("BIGINT", "Of these, rows that wait for a repair."),
        "rows_read": ("BIGINT", "Source rows of the batch."),
        "share_ratio": ("DOUBLE", "rows of rows_read."),
        "sample_id": ("VARCHAR", "The first of the rows, in quarantine."),
        "sample": ("VARCHAR", "Its source text; personal values are masked."),
    },
)
FEEDS: Final = _table(
    "feeds",
    "The declared feeds, as SQL needs to know them.",
    ("feed",),
    {
        "feed": ("VARCHAR", "Name of the feed."),
        "kind": ("VARCHAR", "The contract its rows satisfy."),
        "mapping": ("VARCHAR", "The mapping that reads it."),
        "id_space": ("VARCHAR", "Feeds of one id space share their customer ids."),
        "owner": ("VARCHAR", "Who answers for it."),
        "purpose": ("VARCHAR", "What its data may be used for."),
        "description": ("VARCHAR", "What arrives."),
        "time_zone": ("VARCHAR", "The zone of moments written without one."),
        "country": ("VARCHAR", "Country of rows that name none."),
        "currency": ("VARCHAR", "Currency of rows that name none."),
        "declaration_hash": ("VARCHAR", "Hash of its declarations and contract as they are now."),
    },
)
TABLES: Final = (FILES, BATCHES, SOURCE_COLUMNS, SCHEMA_CHANGES, QUARANTINE_REASONS, FEEDS)


def is_laid_out(connection: Connection, *tables: LedgerTable) -> bool:
    """Whether these tables are there with all their columns; a run makes them, and adds what an older layout lacks."""
    found = connection.execute(
        "select table_name, column_name from duckdb_columns() where schema_name = 'ops'"
    ).fetchall()
    return {(table.name, column) for table in tables for column in table.columns} <= set(found)


def create_ledger(connection: Connection) -> None:
    """Make the tables that are not there yet, and add columns that an older layout did not have."""
    found = connection.execute(
        "select table_name, list(column_name) from duckdb_columns() where schema_name = 'ops' group by table_name"
    ).fetchall()
    present = {str(name): set(columns) for name, columns in found}
    for table in TABLES:
        if table.name not in present:
            connection.execute(table.create_statement)
            comment_on(connection, table)
            continue
        missing = [name for name in table.types if name not in present[table.name]]
        for name in missing:
            connection.execute(table.add_statement(name))
        if missing:
            comment_on(connection, table)
