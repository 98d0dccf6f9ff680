"""``cdp tables``: what stands in the warehouse, and what it means."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from cdp.warehouses import reading
from warehouse.database import Connection
from warehouse.declaration import suggestion
from warehouse.edition import SNAPSHOT_NAME
from warehouse.errors import WarehouseError
from warehouse.project import Project
from warehouse.query import ask, tables_in

app = typer.Typer(help="Tables of the warehouse.", no_args_is_help=True)


@app.command("list")
def list_tables(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Every table with its rows and meaning, and whether it is published, which is what `query` reads.

    Steps that start with `_` are left out.
    """
    where = find_project(project)
    with reading(where) as cursor:
        rows = _tables(cursor)
    published = _published(where)
    show(
        [
            row | {"published": row["name"] in published}
            for row in rows
            if not row["name"].split(".")[1].startswith("_")
        ],
        ["name", "rows", "published", "meaning"],
        as_json=json,
    )


@app.command("show")
def show_table(
    name: Annotated[str, typer.Argument(metavar="NAME", help="schema.table, or the table alone.")],
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """One table: its meaning, rows and columns."""
    with reading(find_project(project)) as cursor:
        tables = {row["name"]: row for row in _tables(cursor)}
        full_name = _resolve(name, list(tables))
        columns = _columns(cursor, full_name)
    if json:
        show_json(tables[full_name] | {"columns": columns})
        return
    rows = tables[full_name]["rows"]
    size = "a view" if rows is None else counted(rows, "row")
    say(f"{full_name}: {tables[full_name]['meaning'] or ''} ({size})")
    show(columns, ["column", "type", "meaning"], as_json=False)


@app.command("query")
def query(
    statement: Annotated[str, typer.Argument(metavar="SQL", help="One query, in DuckDB's words.")],
    project: ProjectOption = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many rows.")] = 100,
    json: JsonOption = False,
) -> None:
    """Ask the published tables: a complete snapshot, also while a run writes.

    Rows that are wider than the terminal are shown one below the other, a line for each column.
    """
    where = find_project(project)
    link = where.published / SNAPSHOT_NAME
    if not link.exists():
        raise WarehouseError("Nothing is published yet.", "Run `cdp run` first.")
    found = ask(link, statement, limit, whole=where.database.relative_to(where.root))
    rows = [dict(zip(found.columns, row, strict=True)) for row in found.rows]
    show(rows, found.columns, as_json=json, may_turn=True)
    if found.is_cut and not json:
        say(f"… and more; --limit shows more than {limit:,}")


def _published(project: Project) -> frozenset[str]:
    """The tables that readers may ask; none before the first run came to its end."""
    link = project.published / SNAPSHOT_NAME
    return tables_in(link) if link.exists() else frozenset()


def _tables(cursor: Connection) -> list[dict[str, Any]]:
    found = cursor.execute(
        "select schema_name || '.' || table_name, estimated_size, comment from duckdb_tables() "
        "where database_name = current_database() and not internal "
        "union all select schema_name || '.' || view_name, null, comment from duckdb_views() "
        "where database_name = current_database() and not internal order by 1"
    ).fetchall()
    return [{"name": name, "rows": rows, "meaning": meaning} for name, rows, meaning in found]


def _columns(cursor: Connection, full_name: str) -> list[dict[str, Any]]:
    schema, table = full_name.split(".", 1)
    found = cursor.execute(
        "select column_name, data_type, comment from duckdb_columns() "
        "where schema_name = $schema and table_name = $table order by column_index",
        {"schema": schema, "table": table},
    ).fetchall()
    return [{"column": column, "type": kind, "meaning": meaning} for column, kind, meaning in found]


def _resolve(name: str, known: list[str]) -> str:
    matches = [full for full in known if name in (full, full.split(".", 1)[1])]
    if len(matches) == 1:
        return matches[0]
    if matches:
        raise typer.BadParameter(f"{name!r} could be {' or '.join(matches)}.", param_hint="NAME")
    public = [full for full in known if "._" not in full]
    raise typer.BadParameter(f"There is no table {name!r}. {suggestion(name, public)}", param_hint="NAME")
