"""How readers get a complete, unchanging copy while the next run writes.

A snapshot is a new DuckDB file; the name readers open is a link that is replaced in one rename. Whoever has the
old file open keeps reading it. Exports are files of one table each; their manifest is written last, so a
manifest never names a file that is not there.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sqlglot import exp

from warehouse.database import Connection, Warehouse
from warehouse.step import TableSpec, comments, quoted

SNAPSHOT_NAME = "cdp.duckdb"
_ATTACHED = "snapshot"
_COPY_OPTIONS = {"parquet": "format parquet, compression zstd", "csv": "format csv, header true"}
_AT_ONCE = 2
"""Tables exported beside each other: most are so small that one thread alone works on them."""


@dataclass(frozen=True)
class Published:
    """A table to publish, and the columns of it that readers may see."""

    spec: TableSpec
    columns: tuple[str, ...]

    @property
    def select(self) -> exp.Select:
        """The rows and columns that are published, in the order of the table."""
        columns = [exp.column(name, quoted=True) for name in self.columns]
        return exp.select(*columns).from_(exp.table_(self.spec.name, db=self.spec.schema))


def write_snapshot(warehouse: Warehouse, folder: Path, run_id: str, tables: Sequence[Published], *, keep: int) -> Path:
    """Write ``folder/snapshots/cdp-<run_id>.duckdb`` and point ``folder/cdp.duckdb`` at it; return the new file.

    The newest ``keep`` snapshots stay; older ones are unlinked (whoever reads one keeps it until it closes it).
    """
    snapshots = folder / "snapshots"
    snapshots.mkdir(parents=True, exist_ok=True)
    final = snapshots / f"cdp-{run_id}.duckdb"
    unfinished = snapshots / f".{final.name}.unfinished"
    for leftover in snapshots.glob(".*"):
        leftover.unlink()
    cursor = warehouse.cursor()
    cursor.execute(f"attach {quoted(str(unfinished))} as {_ATTACHED}")
    try:
        cursor.begin()  # else every comment would be a transaction of its own
        for schema in sorted({table.spec.schema for table in tables}):
            cursor.execute(f"create schema if not exists {_ATTACHED}.{schema}")
        for table in tables:
            _copy_table(cursor, table)
        cursor.commit()
    except BaseException:
        cursor.rollback()
        raise
    finally:
        cursor.execute(f"detach {_ATTACHED}")
        cursor.close()
    _sync(unfinished)
    os.replace(unfinished, final)
    _point(folder / SNAPSHOT_NAME, Path("snapshots") / final.name)
    _unlink_old(snapshots, final, keep)
    return final


def write_exports(
    warehouse: Warehouse,
    folder: Path,
    tables: Sequence[Published],
    *,
    formats: Sequence[str],
    run_id: str,
    as_of: date,
    schema_version: int,
) -> Path:
    """Write each table as files of the given formats, then the manifest; return the manifest's path."""
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
    manifest = {"run_id": run_id, "as_of": as_of.isoformat(), "schema_version": schema_version, "tables": entries}
    return _write_text(folder / "manifest.json", json.dumps(manifest, ensure_ascii=False, indent=1) + "\n")


def _copy_table(cursor: Connection, table: Published) -> None:
    target = f"{_ATTACHED}.{table.spec.full_name}"
    cursor.execute(f"create table {target} as {table.select.sql(dialect='duckdb')}")
    cursor.execute(comments(table.spec, table.columns, target))


def _exported(
    cursor: Connection, table: Published, types: Mapping[str, str], folder: Path, formats: Sequence[str]
) -> list[Mapping[str, object]]:
    """Write a table as files; their entries in the manifest."""
    name = table.spec.full_name
    columns = [
        {"name": column, "type": types[column], "description": table.spec.columns.get(column, "")}
        for column in table.columns
    ]
    rows = table.select.order_by(*(exp.column(column, quoted=True) for column in table.spec.grain)).sql("duckdb")
    entries: list[Mapping[str, object]] = []
    for kind in formats:
        path = folder / f"{name}.{kind}"
        count = _export(cursor, rows, path, _COPY_OPTIONS[kind])
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
    unfinished = path.with_name(f".{path.name}.unfinished")
    copied = cursor.execute(f"copy ({rows}) to {quoted(str(unfinished))} ({options})").fetchone()
    assert copied is not None
    _sync(unfinished)
    os.replace(unfinished, path)
    return int(copied[0])


def _types(cursor: Connection) -> Mapping[str, Mapping[str, str]]:
    """Table (``schema.table``) → column → SQL type."""
    found: dict[str, dict[str, str]] = {}
    for table, column, kind in cursor.execute(
        "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() "
        "where database_name = current_database()"
    ).fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def _point(link: Path, target: Path) -> None:
    waiting = link.with_name(f".{link.name}.next")
    waiting.unlink(missing_ok=True)
    waiting.symlink_to(target)
    os.replace(waiting, link)
    _sync(link.parent)


def _unlink_old(snapshots: Path, newest: Path, keep: int) -> None:
    others = sorted(
        (path for path in snapshots.glob("cdp-*.duckdb") if path != newest),
        key=lambda path: (path.stat().st_mtime_ns, path.name),
    )
    for path in others[: max(0, len(others) - (keep - 1))]:
        path.unlink()


def _write_text(path: Path, text: str) -> Path:
    unfinished = path.with_name(f".{path.name}.unfinished")
    unfinished.write_text(text, encoding="utf-8")
    _sync(unfinished)
    os.replace(unfinished, path)
    return path


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
