"""Publishes the newest tables: a read-only DuckDB file, exports with their manifest, and the pages about quality."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sqlglot import exp

from quality.data_docs import write_data_docs
from warehouse.database import Warehouse
from warehouse.edition import Edition
from warehouse.project import Project
from warehouse.publishing import Published, write_tables
from warehouse.step import Run, TableSpec

SCHEMA_VERSION = 1
"""Raised when a published table or column changes its meaning or goes away."""

KEPT_EDITIONS = 3
EXPORT_FORMATS = ("parquet", "csv")

PUBLISHED_IDENTITY: Mapping[str, frozenset[str]] = {
    "customer_links": frozenset(),
    "customer_link_history": frozenset(),
    "customer_aliases": frozenset(),
    "customer_changes": frozenset(),
    "edges": frozenset({"evidence"}),
    "scorecard": frozenset(),
}
"""Identity tables that readers see, and the columns left out because they may hold raw identifier values."""

PUBLISHED_OPS: Mapping[str, frozenset[str]] = {
    "batches": frozenset(),
    "quality_results": frozenset(),
    "quarantine_reasons": frozenset({"sample"}),
    "runs": frozenset(),
}
"""Tables about the work that readers see, and the columns left out because they show a source row, even masked."""


@dataclass(frozen=True)
class Publication:
    """What one run published: the DuckDB file, the names of manifest and pages, and how many tables."""

    snapshot: Path
    manifest: Path
    pages: Path
    tables: int


def published_tables(warehouse: Warehouse, specs: Iterable[TableSpec]) -> tuple[Published, ...]:
    """Every table that readers get and that exists, with its public columns: never ``_`` steps or ``_`` columns."""
    columns = _columns(warehouse)
    chosen = []
    for spec in sorted(specs, key=lambda item: item.full_name):
        hidden = _hidden(spec)
        if hidden is None or spec.full_name not in columns:
            continue
        public = tuple(name for name in columns[spec.full_name] if not name.startswith("_") and name not in hidden)
        chosen.append(Published(spec, public))
    return tuple(chosen)


def publish(warehouse: Warehouse, project: Project, run: Run, specs: Iterable[TableSpec]) -> Publication:
    """Write what stands now where no reader looks, then put it in the place of what was published before.

    Whoever notes that the run is published does so afterwards: a writer that dies leaves nothing that is not true.
    """
    tables = [_as_published(table, run) for table in published_tables(warehouse, specs)]
    edition = Edition(project.published, run.run_id)
    edition.begin()
    write_tables(
        warehouse,
        tables,
        snapshot=edition.snapshot,
        exports=edition.files / "exports",
        formats=EXPORT_FORMATS,
        head={"run_id": run.run_id, "as_of": run.as_of.isoformat(), "schema_version": SCHEMA_VERSION},
    )
    write_data_docs(warehouse, edition.files / "quality")
    snapshot = edition.put_in_place(keep=KEPT_EDITIONS)
    published = project.published
    return Publication(snapshot, published / "exports" / "manifest.json", published / "quality", len(tables))


def _as_published(table: Published, run: Run) -> Published:
    """Who reads of this run in ``ops.runs`` reads what it published, though the warehouse cannot say so yet."""
    if table.spec.full_name != "ops.runs":
        return table
    is_this_run = exp.column("run_id").eq(exp.convert(run.run_id))
    status = exp.case().when(is_this_run, exp.convert("published")).else_(exp.column("status"))
    return replace(table, shown={"status": status})


def _hidden(spec: TableSpec) -> frozenset[str] | None:
    """Columns of a published table that stay inside; None when the whole table does."""
    if spec.name.startswith("_"):
        return None
    if spec.schema == "profiles":
        return frozenset()
    if spec.schema == "identity":
        return PUBLISHED_IDENTITY.get(spec.name)
    return PUBLISHED_OPS.get(spec.name) if spec.schema == "ops" else None


def _columns(warehouse: Warehouse) -> dict[str, list[str]]:
    cursor = warehouse.cursor()
    rows = cursor.execute(
        "select table_schema || '.' || table_name, column_name from information_schema.columns "
        "where table_catalog = current_database() order by table_schema, table_name, ordinal_position"
    ).fetchall()
    cursor.close()
    columns: dict[str, list[str]] = {}
    for table, column in rows:
        columns.setdefault(table, []).append(column)
    return columns
