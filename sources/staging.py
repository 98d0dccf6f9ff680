"""``staging.<kind>``: of every source id the winning version, and its nested rows as tables of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from quality.contracts.contract import Contract
from quality.contracts.registry import CONTRACTS
from quality.contracts.table import ContractTable, tables
from sources.feed_declaration import Feed
from sources.operations.operation import own
from sources.row_tables import CONTENT, create_row_tables, rows_table
from sources.statement import column, named
from warehouse.database import Connection
from warehouse.step import Run, Step

_WINNERS: Final = "_winners"


def staging_steps(feeds: Mapping[str, Feed]) -> tuple[Step, ...]:  # noqa: ARG001 - tables of all kinds exist, whatever is declared
    """One step per kind, in the order of the data dictionary; also of kinds that no feed brings."""
    return tuple(staging_step(kind) for kind in CONTRACTS)


def staging_step(kind: str) -> Step:
    """The step that makes the staging tables of a kind from its accepted rows."""
    contract = CONTRACTS[kind]
    own, *nested = tables(kind)
    winners = _winners(contract)
    statements = [_replaced(own, _own(own, exp.to_table(_WINNERS)))]
    statements += [_replaced(table, _nested(table, contract)) for table in nested]

    def execute(connection: Connection, _: Run) -> None:
        create_row_tables(connection, (kind,))
        connection.execute(f"create or replace temp table {_WINNERS} as {winners.sql(dialect='duckdb')}")
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"drop table {_WINNERS}")

    main = _own(own, winners.subquery("winners")).sql(dialect="duckdb", pretty=True)
    specs = tuple(table.spec() for table in (own, *nested))
    return Step(f"staging.{kind}", specs, frozenset({f"staging._{kind}_rows"}), execute, main)


def _winners(contract: type[Contract]) -> exp.Select:
    """Highest ``updated_at``, then ``received_at``, then content; of equal content the first by batch, file and row."""
    newest = [exp.Ordered(this=column(name), desc=True, nulls_first=False) for name in contract.version_order]
    content = exp.Ordered(this=column(CONTENT), desc=True)
    place = [exp.Ordered(this=column(name)) for name in ("_batch_on", "_file", "_row")]
    rank = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column("_feed"), *(column(name) for name in contract.key)],
        order=exp.Order(expressions=[*newest, content, *place]),
    )
    ranked = exp.select("*", named(rank, "_rank")).from_(rows_table(contract.kind))
    first = exp.EQ(this=column("_rank"), expression=exp.Literal.number(1))
    return exp.select("*").from_(ranked.subquery("ranked")).where(first)


def _own(table: ContractTable, source: exp.Expr) -> exp.Select:
    return exp.select(*(column(item.name) for item in table.all_columns)).from_(source)


def _nested(table: ContractTable, contract: type[Contract]) -> exp.Select:
    """The nested rows of the winners, each with its parent's id and the source row it was made from."""
    field = str(table.field)
    lineage = [column(name) for name in ("_feed", "_batch_on", "_file")]
    keys = [column(name) for name in contract.key if name in table.key]
    item = exp.Anonymous(this="unnest", expressions=[column(field)])
    row = exp.Anonymous(this="unnest", expressions=[column(f"_{field}_rows")])
    opened = exp.select(
        *lineage, *keys, named(column("_row"), "_parent_row"), named(item, "_item"), named(row, "_own_row")
    )
    source = opened.from_(_WINNERS).subquery("opened")
    key_names = {key.name for key in keys}
    values = [
        column(col.name)
        if col.name in key_names
        else named(exp.Dot(this=column("_item"), expression=exp.to_identifier(col.name, quoted=True)), col.name)
        for col in table.columns
    ]
    own_row = exp.Coalesce(this=column("_own_row"), expressions=[column("_parent_row")])
    return exp.select(*values, *(own(item) for item in lineage), named(own_row, "_row")).from_(source)


def _replaced(table: ContractTable, query: exp.Select) -> str:
    target = exp.table_(table.name, db="staging")
    return exp.Create(this=target, kind="TABLE", replace=True, expression=query).sql(dialect="duckdb")
