"""From which columns a column of a table is made: derived from the statement of a SQL model, else as declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.qualify import qualify
from sqlglot.optimizer.scope import Scope, traverse_scope

from warehouse.step import Step, TableSpec

Column = tuple[str, str]
"""A table (``schema.table``) and one of its columns."""

Output = tuple[str, frozenset[Column]]
"""A column of a query, and the columns of tables it is made of."""

TableColumns = Mapping[str, Mapping[str, str]]
"""Table (``schema.table``) → column → SQL type, as the database knows them."""


Known = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
"""The same, as a key."""


def column_lineage(step: Step, spec: TableSpec, tables: TableColumns) -> dict[str, frozenset[Column]]:
    """Column of a table of the step → columns it is computed from; a constant has none.

    ``tables`` must know the tables the statement reads. Empty for a statement that cannot be resolved against
    ``tables`` (a table that was never made).
    """
    if step.statement is None:
        return {column: frozenset(origins) for column, origins in spec.origins.items()}
    read = tuple((name, tuple(tables[name].items())) for name in sorted(step.reads) if name in tables)
    return dict(_derived(step.statement, read))


@lru_cache(maxsize=512)
def _derived(statement: str, read: Known) -> tuple[Output, ...]:
    """Remembered, because a process that runs several days asks the same again and again."""
    try:
        tree = qualify(
            sqlglot.parse_one(statement, read="duckdb"),
            schema=_nested(read),
            dialect="duckdb",
            validate_qualify_columns=False,
            identify=False,
            quote_identifiers=False,
        )
        scopes = traverse_scope(tree)
    except SqlglotError:
        return ()
    return (
        _Walk(scopes, {name: columns[0][0] for name, columns in read if columns}).outputs(scopes[-1]) if scopes else ()
    )


class _Walk:
    """Follows columns through the scopes of one statement, each scope once.

    ``sqlglot.lineage`` finds the same, but starts anew for every column: minutes over a hundred wide tables.
    """

    def __init__(self, scopes: Sequence[Scope], subjects: Mapping[str, str]) -> None:
        self._subjects = subjects
        self._scopes = {id(scope.expression): scope for scope in scopes}
        self._known: dict[int, tuple[Output, ...]] = {}

    def outputs(self, scope: Scope) -> tuple[Output, ...]:
        """The columns of a query, in order."""
        key = id(scope)
        if key not in self._known:
            self._known[key] = ()  # a recursive query that reads itself adds no new origin
            self._known[key] = self._derived(scope)
        return self._known[key]

    def _derived(self, scope: Scope) -> tuple[Output, ...]:
        if scope.set_operation_scopes:
            first, second = (self.outputs(part) for part in scope.set_operation_scopes)
            return tuple((name, one | other) for (name, one), (_, other) in zip(first, second, strict=False))
        if not isinstance(scope.expression, exp.Query):
            return ()
        return tuple(
            (select.alias_or_name, frozenset(self._columns_in(select, scope))) for select in scope.expression.selects
        )

    def _columns_in(self, node: exp.Expr, scope: Scope) -> Iterator[Column]:
        for column in node.find_all(exp.Column):
            yield from self._origins(column, self._around(column, scope))
        for count in node.find_all(exp.Count):
            if isinstance(count.this, exp.Star):
                yield from self._subject(self._around(count, scope))

    def _around(self, node: exp.Expr, scope: Scope) -> Scope:
        return self._scopes.get(id(node.find_ancestor(exp.Query, exp.UDTF)), scope)

    def _subject(self, scope: Scope) -> Iterator[Column]:
        """What ``count(*)`` counts: the rows of the first relation, which its first column stands for."""
        first = scope.expression.args.get("from_")
        source = scope.sources.get(first.this.alias_or_name) if first is not None else None
        if isinstance(source, exp.Table):
            name = f"{source.db}.{source.name}"
            if name in self._subjects:
                yield name, self._subjects[name]
        elif source is not None:
            yield from next((found for _, found in self.outputs(source) if found), ())

    def _origins(self, column: exp.Column, scope: Scope | None) -> Iterator[Column]:
        while scope is not None and column.table not in scope.sources:
            scope = scope.parent
        if scope is None:
            return
        source = scope.sources[column.table]
        if isinstance(source, exp.Table):
            if source.db:
                yield f"{source.db}.{source.name}", column.name
        elif isinstance(source.expression, exp.UDTF):
            yield from self._columns_in(source.expression, scope)
        else:
            yield from (origin for name, found in self.outputs(source) if name == column.name for origin in found)


def _nested(read: Known) -> dict[str, object]:
    nested: dict[str, dict[str, dict[str, str]]] = {}
    for full_name, columns in read:
        schema, name = full_name.split(".", 1)
        nested.setdefault(schema, {})[name] = dict(columns)
    return {**nested}
