"""Writes tables for readers: a DuckDB file, and of its rows one file per table and format, with a manifest.

The exports are made of what the DuckDB file holds, so that both say the same. Putting them where readers look is
another matter (``warehouse/edition.py``).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from sqlglot import exp

from warehouse.database import Connection, Warehouse
from warehouse.step import TableSpec, comments, quoted

_ATTACHED = "snapshot"
_COPY_OPTIONS = {"parquet": "format parquet, compression zstd", "csv": "format csv, header true{quoted}"}
_BARE = re.compile(
    r"BOOLEAN|DATE|TIMESTAMP( WITH TIME ZONE)?|U?(TINY|SMALL|BIG|HUGE)INT|U?INTEGER|DECIMAL\([0-9,]+\)|DOUBLE|FLOAT"
)
"""Types whose values never need quotes in CSV."""
_AT_ONCE = 2
"""Tables exported beside each other: most are so small that one thread alone works on them."""


@dataclass(frozen=True)
class Published:
    """A table to publish, and its columns that readers see; some are ``shown`` otherwise than the table has them."""

    spec: TableSpec
    columns: tuple[str, ...]
    shown: Mapping[str, exp.Expr] = field(default_factory=dict)

    @property
    def select(self) -> exp.Select:
        """The rows and columns that are published, in the order of the table."""
        columns = [
            self.shown[name].as_(name, quoted=True) if name in self.shown else exp.column(name, quoted=True)
            for name in self.columns
        ]
        return exp.select(*columns).from_(exp.table_(self.spec.name, db=self.spec.schema))

    @property
    def exported(self) -> exp.Select:
        """The same, as the attached snapshot holds it, in the order of its grain."""
        order = [exp.column(name, quoted=True) for name in self.spec.grain if name in self.columns]
        columns = [exp.column(name, quoted=True) for name in self.columns]
        table = exp.table_(self.spec.name, db=self.spec.schema, catalog=_ATTACHED)
        return exp.select(*columns).from_(table).order_by(*order)


def write_tables(
    warehouse: Warehouse,
    tables: Sequence[Published],
    *,
    snapshot: Path,
    exports: Path,
    formats: Sequence[str],
    head: Mapping[str, object],
) -> None:
    """Write the DuckDB file ``snapshot``, and into the folder ``exports`` files of the given formats.

    The ``head`` stands in the manifest above the tables.
    """
    with _attached(warehouse, snapshot) as cursor:
        _copy_tables(cursor, tables)
        _export_tables(warehouse, exports, tables, formats, head)


@contextmanager
def _attached(warehouse: Warehouse, snapshot: Path) -> Iterator[Connection]:
    cursor = warehouse.cursor()
    try:
        cursor.execute(f"attach {quoted(str(snapshot))} as {_ATTACHED}")
        try:
            yield cursor
        finally:
            cursor.execute(f"detach {_ATTACHED}")
    finally:
        cursor.close()


def _copy_tables(cursor: Connection, tables: Sequence[Published]) -> None:
    cursor.begin()  # else every comment would be a transaction of its own
    try:
        for schema in sorted({table.spec.schema for table in tables}):
            cursor.execute(f"create schema if not exists {_ATTACHED}.{schema}")
        for table in tables:
            target = f"{_ATTACHED}.{table.spec.full_name}"
            cursor.execute(f"create table {target} as {table.select.sql(dialect='duckdb')}")
            cursor.execute(comments(table.spec, table.columns, target))
    except BaseException:
        cursor.rollback()
        raise
    cursor.commit()
    cursor.execute(f"checkpoint {_ATTACHED}")  # what is in a log beside the file would not be published


def _export_tables(
    warehouse: Warehouse, folder: Path, tables: Sequence[Published], formats: Sequence[str], head: Mapping[str, object]
) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    cursors = [warehouse.cursor() for _ in tables]
    try:
        types = _types(cursors[0]) if cursors else {}
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="export") as exporting:
            exported = exporting.map(
                lambda cursor, table: _exported(cursor, table, types[table.spec.full_name], folder, formats),
                cursors,
                tables,
            )
            entries = [entry for found in exported for entry in found]
    finally:
        for cursor in cursors:
            cursor.close()
    text = json.dumps({**head, "tables": entries}, ensure_ascii=False, indent=1) + "\n"
    (folder / "manifest.json").write_text(text, encoding="utf-8")


def _in_quotes(columns: Sequence[Mapping[str, str]]) -> str:
    """Texts stand in quotes from the first row on, since readers guess from the first rows whether there are any."""
    texts = [exp.to_identifier(item["name"], quoted=True) for item in columns if not _BARE.fullmatch(item["type"])]
    return f", force_quote ({', '.join(text.sql('duckdb') for text in texts)})" if texts else ""


def _exported(
    cursor: Connection, table: Published, types: Mapping[str, str], folder: Path, formats: Sequence[str]
) -> list[Mapping[str, object]]:
    """Write a table as files; their entries in the manifest."""
    name = table.spec.full_name
    columns = [
        {"name": column, "type": types[column], "description": table.spec.columns.get(column, "")}
        for column in table.columns
    ]
    rows = table.exported.sql("duckdb")
    entries: list[Mapping[str, object]] = []
    for kind in formats:
        path = folder / f"{name}.{kind}"
        count = _export(cursor, rows, path, _COPY_OPTIONS[kind].format(quoted=_in_quotes(columns)))
        entries.append({"name": name, "file": path.name, "rows": count, "sha256": _sha256(path), "columns": columns})
        if kind == "parquet":
            rows = _ordered(cursor, path, columns) or rows
    return entries


def _ordered(cursor: Connection, path: Path, columns: Sequence[Mapping[str, str]]) -> str | None:
    """A select of the rows of a Parquet file, which spares ordering them again.

    None where Parquet does not hold every type of them, or the name of a folder would be read as a pattern.
    """
    if set("*?[") & set(str(path)):
        return None
    rows = f"from read_parquet({quoted(str(path))}, hive_partitioning = false)"
    held = [(name, kind) for name, kind, *_ in cursor.execute(f"describe {rows}").fetchall()]
    return rows if held == [(column["name"], column["type"]) for column in columns] else None


def _export(cursor: Connection, rows: str, path: Path, options: str) -> int:
    copied = cursor.execute(f"copy ({rows}) to {quoted(str(path))} ({options})").fetchone()
    assert copied is not None
    return int(copied[0])


def _types(cursor: Connection) -> Mapping[str, Mapping[str, str]]:
    """Table (``schema.table``) → column → SQL type."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in cursor.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = $database",
        {"database": _ATTACHED},
    ).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
