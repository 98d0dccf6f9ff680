"""What Dagster is told of a table that was made: rows, columns with their meaning, and where each column comes from."""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import TypeAlias

import dagster as dg
from sqlglot import exp

from warehouse.database import MissingTableError, Warehouse
from warehouse.step import TableSpec

Columns: TypeAlias = Mapping[str, Mapping[str, str]]
"""Table (``schema.table``) → column → SQL type."""

Sources: TypeAlias = Mapping[str, Iterable[tuple[dg.AssetKey, str]]]
"""Column → assets and their columns that it is made from."""


def read_columns(warehouse: Warehouse, tables: Iterable[str]) -> dict[str, dict[str, str]]:
    """The columns of tables as they stand, in their order; a table that does not exist has none."""
    cursor = warehouse.cursor()
    found: dict[str, dict[str, str]] = {}
    try:
        for table in sorted(tables):
            with suppress(MissingTableError):
                described = cursor.execute(f"describe {exp.to_table(table).sql(dialect='duckdb')}").fetchall()
                found[table] = {column: kind for column, kind, *_ in described}
    finally:
        cursor.close()
    return found


def column_schema(spec: TableSpec, columns: Mapping[str, str]) -> dg.TableSchema:
    """The columns of a table with types, meanings and what identifies a row."""
    grain = ", ".join(spec.grain)
    return dg.TableSchema(
        columns=[
            dg.TableColumn(
                name=name,
                type=kind,
                description=spec.columns.get(name),
                constraints=dg.TableColumnConstraints(unique=spec.grain == (name,)),
            )
            for name, kind in columns.items()
        ],
        constraints=dg.TableConstraints(other=[f"unique ({grain})"]) if grain else None,
    )


def column_lineage(sources: Sources) -> dg.TableColumnLineage:
    """The columns that each column is made from; columns without any are left out."""
    return dg.TableColumnLineage(
        deps_by_column={
            column: [dg.TableColumnDep(asset_key=key, column_name=name) for key, name in sorted(set(found))]
            for column, found in sources.items()
            if found
        }
    )
