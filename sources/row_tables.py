"""The physical tables of staging: every accepted row of a kind, also re-sent ones, with its nested rows as lists.

``staging._<kind>_rows`` is written by the loader only. ``staging._<kind>_versions`` shows each distinct version
of a source id once: of equal ones the one that stands first by batch, file and row, in whatever order they came.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import pyarrow as pa
from sqlglot import exp

from quality.contracts.columns import columns
from quality.contracts.contract import Contract
from quality.contracts.registry import CONTRACTS
from quality.contracts.table import LINEAGE
from sources.nested_rows import list_type
from sources.operations.operation import call
from sources.statement import column, named, select
from warehouse.database import Connection

CONTENT = "_content"
SOURCE_ROWS = "_source_rows"


def rows_table(kind: str) -> exp.Table:
    """The physical table of a kind."""
    return exp.table_(f"_{kind}_rows", db="staging")


def versions_table(kind: str) -> exp.Table:
    """Each accepted version of a kind once."""
    return exp.table_(f"_{kind}_versions", db="staging")


@cache
def value_types(contract: type[Contract]) -> dict[str, str]:
    """Column → SQL type of what a contract row holds, its nested rows among them."""
    types = {item.name: item.sql_type for item in columns(contract)}
    for child in contract.children.values():
        types[child.field] = list_type(child, contract)
        types[f"_{child.field}_rows"] = "BIGINT[]"
    return types


def row_types(contract: type[Contract]) -> dict[str, str]:
    """Column → SQL type of the physical table."""
    lineage = {item.name: item.sql_type for item in LINEAGE}
    return value_types(contract) | lineage | {SOURCE_ROWS: "BIGINT", CONTENT: "UBIGINT"}


def create_row_tables(connection: Connection, kinds: Iterable[str] = CONTRACTS) -> None:
    """Make the physical tables, and the views over them, of kinds that have none yet.

    A table that an older contract laid out is laid out anew; its batches are stale and will be read again, and what
    can no longer be read again stays as far as it fits.
    """
    for kind in kinds:
        layout = _layout(kind)
        connection.execute(layout.create)
        connection.execute(layout.create_model)
        if _columns(connection, "staging", f"_{kind}_rows") != (model := _columns(connection, "temp", _MODEL)):
            connection.execute(_relaid(kind, _columns(connection, "staging", f"_{kind}_rows"), model))
        connection.execute(layout.create_view)


_MODEL = "_row_layout"


@dataclass(frozen=True)
class _Layout:
    create: str
    create_model: str
    create_view: str


@cache
def _layout(kind: str) -> _Layout:
    types = row_types(CONTRACTS[kind])
    view = exp.Create(this=versions_table(kind), kind="VIEW", replace=True, expression=_versions(kind, types))
    model = _created(exp.table_(_MODEL), types)
    model.set("exists", False)
    model.set("replace", True)
    model.set("properties", exp.Properties(expressions=[exp.TemporaryProperty()]))
    created = _created(rows_table(kind), types)
    return _Layout(created.sql(dialect="duckdb"), model.sql(dialect="duckdb"), view.sql(dialect="duckdb"))


def _created(table: exp.Table, types: dict[str, str]) -> exp.Create:
    definitions = [
        exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=exp.DataType.build(kind, dialect="duckdb"))
        for name, kind in types.items()
    ]
    return exp.Create(this=exp.Schema(this=table, expressions=definitions), kind="TABLE", exists=True)


def _columns(connection: Connection, schema: str, table: str) -> dict[str, str]:
    catalog, schema = ("temp", "main") if schema == "temp" else (None, schema)
    found = connection.execute(
        "select column_name, data_type from duckdb_columns() where schema_name = $schema and table_name = $table "
        "and ($catalog is null or database_name = $catalog) order by column_index",
        {"schema": schema, "table": table, "catalog": catalog},
    ).fetchall()
    return {str(name): str(kind) for name, kind in found}


def _relaid(kind: str, old: dict[str, str], new: dict[str, str]) -> str:
    """The table with the columns of ``new``, filled from the old ones as far as their values fit."""
    items: list[exp.Expr] = []
    for name, type_ in new.items():
        target = exp.DataType.build(type_, dialect="duckdb")
        value: exp.Expr = column(name) if old.get(name) == type_ else exp.TryCast(this=column(name), to=target)
        items.append(named(value if name in old else exp.Cast(this=exp.null(), to=target), name))
    laid = select([item for item in items if item.alias != CONTENT], rows_table(kind).sql(dialect="duckdb"))
    rows = select([column(item.alias) if item.alias != CONTENT else content(kind) for item in items], laid)
    return exp.Create(this=rows_table(kind), kind="TABLE", replace=True, expression=rows).sql(dialect="duckdb")


def content(kind: str) -> exp.Expr:
    """The hash of all values of a row, nested rows among them, but not of where it came from.

    The database's own: other versions of it hash otherwise, so a new version of it makes every batch stale.
    """
    names = [name for name in value_types(CONTRACTS[kind]) if not name.startswith("_")]
    return named(call("hash", *(column(name) for name in names)), CONTENT)


def kept_rank(contract: type[Contract], *within: str) -> exp.Expr:
    """1 for the row that stands for its equals: the first by batch, file and row; ``within`` equal values of columns.

    Equal are rows of one id with one hash: of 64 bits, it tells versions of an id apart, not a hundred million rows.
    """
    order = [exp.Ordered(this=column(name)) for name in ("_batch_on", "_file", "_row")]
    return exp.Window(
        this=exp.RowNumber(),
        partition_by=[column(name) for name in ("_feed", *contract.key, CONTENT, *within)],
        order=exp.Order(expressions=order),
    )


def _versions(kind: str, types: dict[str, str]) -> exp.Select:
    """Contract columns and lineage come first, as in ``staging.<kind>``; then what only versions have."""
    contract = CONTRACTS[kind]
    first = [item.name for item in (*columns(contract), *LINEAGE)]
    names = [*first, *(name for name in types if name not in first)]
    ranked = exp.select("*", named(kept_rank(contract), "_rank")).from_(rows_table(kind))
    first_of_equals = exp.EQ(this=column("_rank"), expression=exp.Literal.number(1))
    return exp.select(*(column(name) for name in names)).from_(ranked.subquery("ranked")).where(first_of_equals)


@cache
def arrow_type(sql_type: str) -> pa.DataType:
    """The Arrow type in which values of a SQL type are handed over."""
    return _arrow(exp.DataType.build(sql_type, dialect="duckdb"))


_SCALARS = {
    exp.DataType.Type.TEXT: pa.large_string(),
    exp.DataType.Type.VARCHAR: pa.large_string(),
    exp.DataType.Type.JSON: pa.large_string(),
    exp.DataType.Type.TIMESTAMP: pa.timestamp("us"),
    exp.DataType.Type.TIMESTAMPNTZ: pa.timestamp("us"),
    exp.DataType.Type.DATE: pa.date32(),
    exp.DataType.Type.BIGINT: pa.int64(),
    exp.DataType.Type.INT: pa.int32(),
    exp.DataType.Type.DOUBLE: pa.float64(),
    exp.DataType.Type.BOOLEAN: pa.bool_(),
}


def _arrow(kind: exp.DataType) -> pa.DataType:
    if kind.is_type(exp.DataType.Type.DECIMAL):
        precision, scale = (int(item.name) for item in kind.expressions)
        return pa.decimal128(precision, scale)
    if kind.is_type(exp.DataType.Type.ARRAY, exp.DataType.Type.LIST):
        return pa.list_(_arrow(kind.expressions[0]))
    if kind.is_type(exp.DataType.Type.STRUCT):
        return pa.struct([(item.name, _arrow(item.args["kind"])) for item in kind.expressions])
    return _SCALARS[kind.this]
