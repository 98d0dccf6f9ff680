"""One YAML case for SQL: given tables and parameters, the expected rows of one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import sqlglot
import yaml
from sqlglot import exp

from warehouse.database import Connection
from warehouse.step import Step

Row = Mapping[str, Any]

_BY_ENDING = {
    "_at": "TIMESTAMP",
    "_on": "DATE",
    "_amount": "DECIMAL(18,4)",
    "_count": "BIGINT",
    "_days": "INTEGER",
    "_ratio": "DOUBLE",
    "_score": "DOUBLE",
    "rate": "DECIMAL(18,8)",
    "quantity": "DECIMAL(18,4)",
    "valid_from": "TIMESTAMP",
    "valid_to": "TIMESTAMP",
    "row": "BIGINT",
    "occurrences": "BIGINT",
}


@dataclass(frozen=True)
class Case:
    """A sentence that must hold for one table."""

    table: str
    sentence: str
    given: Mapping[str, list[Row]]
    expect: list[Row]
    through: tuple[str, ...] = ()
    parameters: Mapping[str, Any] = field(default_factory=dict)
    types: Mapping[str, Mapping[str, str]] = field(default_factory=dict)


def read_cases(folder: Path) -> list[Case]:
    """All cases below ``folder``: ``<schema>/<table>.yml`` holds the cases of ``schema.table``."""
    return [
        Case(
            table=f"{path.parent.name}.{path.stem}",
            sentence=item["case"],
            given=item.get("given") or {},
            expect=item.get("expect") or [],
            through=tuple(item.get("through", ())),
            parameters=item.get("parameters") or {},
            types=item.get("types") or {},
        )
        for path in sorted(folder.glob("*/*.yml"))
        for item in yaml.safe_load(path.read_text(encoding="utf-8"))
    ]


def give(connection: Connection, case: Case, steps: Iterable[Step], known: Mapping[str, Mapping[str, str]]) -> None:
    """Make every table that the steps read and the case does not compute, filled with what is given."""
    steps = tuple(steps)
    made = {spec.full_name for step in steps for spec in step.tables}
    needed = {table for step in steps for table in step.reads} - made
    for table in sorted(needed | set(case.given)):
        rows = case.given.get(table, [])
        columns = dict(known.get(table, {}))
        columns |= {name: _type(name, rows) for row in rows for name in row if name not in columns}
        for step in steps:
            columns = {name: _type(name, rows) for name in _named(step, table)} | columns
        columns |= case.types.get(table, {})
        if not columns:
            columns = {"_": "VARCHAR"}
        body = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        connection.execute(f"create or replace table {table} ({body})")
        for row in rows:
            names = ", ".join(f'"{name}"' for name in row)
            marks = ", ".join("?" for _ in row)
            connection.execute(f"insert into {table} ({names}) values ({marks})", list(row.values()))


def comparable(value: object) -> object:
    """Numbers by value, moments and dates by their text: what YAML can say."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int | float | Decimal):
        return round(float(value), 6)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return tuple(comparable(item) for item in value)
    if isinstance(value, dict):
        return tuple(sorted((key, comparable(item)) for key, item in value.items()))
    text = str(value)
    return text.replace("T", " ") if len(text) == 19 and text[10:11] == "T" else text


def _type(name: str, rows: Iterable[Row]) -> str:
    for ending, kind in _BY_ENDING.items():
        if name.endswith(ending):
            return kind
    if name.startswith(("is_", "has_", "can_")):
        return "BOOLEAN"
    for row in rows:
        value = row.get(name)
        if isinstance(value, bool):
            return "BOOLEAN"
        if isinstance(value, int):
            return "BIGINT"
        if isinstance(value, float):
            return "DOUBLE"
        if isinstance(value, list):
            return "VARCHAR[]"
    return "VARCHAR"


def _named(step: Step, table: str) -> set[str]:
    """Columns of ``table`` that the statement names through the table's alias."""
    if step.statement is None:
        return set()
    found: set[str] = set()
    for node in _parsed(step.statement).find_all(exp.Table):
        if f"{node.db}.{node.name}" != table:
            continue
        scope = node.find_ancestor(exp.Select)
        if scope is None:
            continue
        found |= {column.name for column in scope.find_all(exp.Column) if column.table == node.alias_or_name}
    return {name for name in found if name != "*"}


@cache
def _parsed(statement: str) -> exp.Expr:
    return sqlglot.parse_one(statement, read="duckdb")
