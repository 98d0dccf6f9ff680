"""From which columns a column of a SQL model is made, derived from the statement itself."""

from __future__ import annotations

from collections.abc import Mapping

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.lineage import Node, lineage
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import build_scope

from warehouse.step import Step

Column = tuple[str, str]
"""A table (``schema.table``) and one of its columns."""

TableColumns = Mapping[str, Mapping[str, str]]
"""Table (``schema.table``) → column → SQL type, as the database knows them."""


def column_lineage(step: Step, tables: TableColumns) -> dict[str, frozenset[Column]]:
    """Column of the step's table → columns it is computed from; a constant has none.

    ``tables`` must know the tables the statement reads. Empty for a step without a statement, and for one
    that cannot be resolved against ``tables`` (a table that was never made).
    """
    if step.statement is None:
        return {}
    schema = _nested(tables, step.reads)
    try:
        tree = qualify(
            sqlglot.parse_one(step.statement, read="duckdb"),
            schema=schema,
            dialect="duckdb",
            validate_qualify_columns=False,
            identify=False,
        )
        scope = build_scope(tree)
        if scope is None or not isinstance(tree, exp.Query):
            return {}
        return {
            name: frozenset(_leaves(lineage(name, tree, schema=schema, dialect="duckdb", scope=scope, copy=False)))
            for name in tree.named_selects
        }
    except SqlglotError:
        return {}


def _nested(tables: TableColumns, reads: frozenset[str]) -> dict[str, object]:
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for full_name in sorted(reads):
        if full_name in tables:
            schema, name = full_name.split(".", 1)
            nested.setdefault(schema, {})[name] = dict(tables[full_name])
    return {**nested}


def _leaves(node: Node) -> set[Column]:
    found: set[Column] = set()
    for child in node.walk():
        source = child.expression
        if isinstance(source, exp.Table) and source.db:
            found.add((f"{source.db}.{source.name}", child.name.rsplit(".", 1)[-1].strip('"')))
    return found
