"""SQL models: one ``.sql`` file makes one table, and ``identity/sql/edges.sql`` *is* ``identity.edges``.

The file holds a comment for a business reader, a line ``grain: columns``, and one select. DuckDB runs its text
unchanged; what it reads is found by parsing the statement, so nothing is registered anywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

import sqlglot
from sqlglot import exp

from warehouse.columns import descriptions_for
from warehouse.database import Connection
from warehouse.errors import WarehouseError
from warehouse.step import Run, Step, TableSpec

_GRAIN = re.compile(r"^grain:\s*(?P<columns>.+)$")


def sql_step(package: str, schema: str, name: str, *, parameters: Mapping[str, object] | None = None) -> Step:
    """The step of ``<package>/sql/<name>.sql``, which makes ``schema.name``."""
    text = (files(package) / "sql" / f"{name}.sql").read_text(encoding="utf-8")
    description, grain = _header(text, f"{package}/sql/{name}.sql")
    spec = TableSpec(schema, name, description, grain, descriptions_for(package, name))
    return step_of(spec, text, parameters or {})


def sql_steps(package: str, schema: str) -> tuple[Step, ...]:
    """All SQL models of a package, by name."""
    folder = files(package) / "sql"
    names = sorted(item.name.removesuffix(".sql") for item in folder.iterdir() if item.name.endswith(".sql"))
    return tuple(sql_step(package, schema, name) for name in names)


def generated_step(
    schema: str,
    name: str,
    description: str,
    grain: tuple[str, ...],
    columns: Mapping[str, str],
    query: exp.Expr | str,
    parameters: Mapping[str, object] | None = None,
) -> Step:
    """A step whose select was built from a declaration; values of the declaration come as ``parameters``."""
    text = query if isinstance(query, str) else query.sql(dialect="duckdb", pretty=True)
    tree = query if isinstance(query, exp.Expr) else None
    return step_of(TableSpec(schema, name, description, grain, columns), text, parameters or {}, tree)


def step_of(spec: TableSpec, statement: str, parameters: Mapping[str, object], tree: exp.Expr | None = None) -> Step:
    """The step that replaces the table of ``spec`` by the rows of ``statement``; ``tree`` spares parsing it."""
    tree = tree or sqlglot.parse_one(statement, read="duckdb")
    names = _parameters_in(tree)
    create = f"create or replace table {spec.full_name} as\n{statement}"

    def execute(connection: Connection, run: Run) -> None:
        values = run.parameters() | dict(parameters)
        missing = names - values.keys()
        if missing:
            raise WarehouseError(
                f"{spec.full_name} names unknown parameters: {', '.join(sorted(missing))}.", "See warehouse.step.Run."
            )
        connection.execute(create, {name: values[name] for name in names})

    return Step(spec.full_name, (spec,), _tables_in(tree), execute, statement, parameters)


@cache
def tables_read(statement: str) -> frozenset[str]:
    """The tables (``schema.table``) a statement reads, its own common table expressions left out."""
    return _tables_in(sqlglot.parse_one(statement, read="duckdb"))


def _tables_in(tree: exp.Expr) -> frozenset[str]:
    return frozenset(f"{table.db}.{table.name}" for table in tree.find_all(exp.Table) if table.db)


def _parameters_in(tree: exp.Expr) -> frozenset[str]:
    """The names of the ``$parameters`` in a statement."""
    found = {node.name for node in tree.find_all(exp.Parameter)}
    found |= {node.name for node in tree.find_all(exp.Placeholder) if node.name}
    return frozenset(found)


def in_order(steps: tuple[Step, ...]) -> tuple[Step, ...]:
    """The steps with every table's maker before its readers; ties by name, so the order is always the same."""
    maker = {spec.full_name: step for step in steps for spec in step.tables}
    done: dict[str, Step] = {}

    def visit(step: Step, trail: tuple[str, ...]) -> None:
        if step.name in trail:
            raise WarehouseError(
                f"Tables read each other in a circle: {' → '.join((*trail, step.name))}.", "Split one."
            )
        if step.name in done:
            return
        own = {spec.full_name for spec in step.tables}
        for table in sorted(step.reads - own):
            if table in maker:
                visit(maker[table], (*trail, step.name))
        done[step.name] = step

    for step in sorted(steps, key=lambda item: item.name):
        visit(step, ())
    return tuple(done.values())


def _header(text: str, file: str) -> tuple[str, tuple[str, ...]]:
    words: list[str] = []
    grain: tuple[str, ...] | None = None
    for line in text.splitlines():
        if not line.startswith("--"):
            break
        content = line[2:].strip()
        match = _GRAIN.match(content)
        if match:
            grain = tuple(column.strip() for column in match["columns"].split(","))
        elif grain is None and content:
            words.append(content)
    if not words or grain is None:
        raise WarehouseError(
            f"{file} has no header.", "Begin with a comment that says what a row is, then `-- grain: columns`."
        )
    return " ".join(words), grain
