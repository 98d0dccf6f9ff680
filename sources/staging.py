"""``staging.<kind>``: of every source id the winning version, and its nested rows as tables of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from quality.contracts.contract import Contract
from quality.contracts.registry import CONTRACTS
from quality.contracts.table import ContractTable, tables
from sources.feed_declaration import Feed
from sources.row_tables import CONTENT, create_row_tables, rows_table
from sources.statement import column, named, select, temporary
from warehouse.database import Connection
from warehouse.step import Run, Step

_SUPERSEDED: Final = "_superseded"
_PLACE: Final = ("_feed", "_file", "_row")


def staging_steps(feeds: Mapping[str, Feed]) -> tuple[Step, ...]:  # noqa: ARG001 - tables of all kinds exist, whatever is declared
    """One step per kind, in the order of the data dictionary; also of kinds that no feed brings."""
    return tuple(staging_step(kind) for kind in CONTRACTS)


def staging_step(kind: str) -> Step:
    """The step that makes the staging tables of a kind from its accepted rows."""
    contract = CONTRACTS[kind]
    own, *nested = tables(kind)
    superseded = temporary(_SUPERSEDED, _superseded(contract))
    statements = [_replaced(own, _own(own, contract, exp.to_table(_SUPERSEDED)))]
    statements += [_replaced(table, _nested(table, contract)) for table in nested]

    def execute(connection: Connection, _: Run) -> None:
        create_row_tables(connection, (kind,))
        connection.execute(superseded)
        for statement in statements:
            connection.execute(statement)
        connection.execute(f"drop table {_SUPERSEDED}")

    main = _own(own, contract, _superseded(contract).subquery(_SUPERSEDED)).sql(dialect="duckdb", pretty=True)
    specs = tuple(table.spec() for table in (own, *nested))
    return Step(f"staging.{kind}", specs, frozenset({f"staging._{kind}_rows"}), execute, main)


def _superseded(contract: type[Contract]) -> exp.Select:
    """The places of rows that another row of the same id stands before.

    First is the highest ``updated_at``, then ``received_at``, then content; of equal content the first by batch, file
    and row.
    """
    newest = [exp.Ordered(this=column(name), desc=True, nulls_first=False) for name in contract.version_order]
    content = exp.Ordered(this=column(CONTENT), desc=True)
    place = [exp.Ordered(this=column(name)) for name in ("_batch_on", "_file", "_row")]
    rank = exp.Window(
        this=exp.RowNumber(),
        partition_by=[column("_feed"), *(column(name) for name in contract.key)],
        order=exp.Order(expressions=[*newest, content, *place]),
    )
    places = [column(name) for name in _PLACE]
    ranked = exp.select(*places, named(rank, "_rank")).from_(rows_table(contract.kind))
    later = exp.GT(this=column("_rank"), expression=exp.Literal.number(1))
    return select([column(name) for name in _PLACE], ranked).where(later, copy=False)


def _winning(items: list[exp.Expr], contract: type[Contract], superseded: exp.Expr) -> exp.Select:
    same = [exp.EQ(this=column(name, _SUPERSEDED), expression=column(name, "r")) for name in _PLACE]
    beaten = exp.select("1").from_(superseded).where(*same)
    rows = exp.select(*items).from_(rows_table(contract.kind).as_("r"))
    return rows.where(exp.Not(this=exp.Exists(this=beaten)))


def _own(table: ContractTable, contract: type[Contract], superseded: exp.Expr) -> exp.Select:
    return _winning([column(item.name, "r") for item in table.all_columns], contract, superseded)


def _nested(table: ContractTable, contract: type[Contract]) -> exp.Select:
    """The nested rows of the winners, each with its parent's id and the source row it was made from."""
    field = str(table.field)
    keys = [name for name in contract.key if name in table.key]
    lineage = ["_feed", "_batch_on", "_file"]
    opened: list[exp.Expr] = [
        *(column(name, "r") for name in (*lineage, *keys)),
        named(column("_row", "r"), "_parent_row"),
        named(exp.Anonymous(this="unnest", expressions=[column(field, "r")]), "_item"),
        named(exp.Anonymous(this="unnest", expressions=[column(f"_{field}_rows", "r")]), "_own_row"),
    ]
    rows = _winning(opened, contract, exp.to_table(_SUPERSEDED))
    values = [column(item.name) if item.name in keys else _of_item(item.name) for item in table.columns]
    own_row = exp.Coalesce(this=column("_own_row"), expressions=[column("_parent_row")])
    return select([*values, *(column(name) for name in lineage), named(own_row, "_row")], rows)


def _of_item(name: str) -> exp.Expr:
    return named(exp.Dot(this=column("_item"), expression=exp.to_identifier(name, quoted=True)), name)


def _replaced(table: ContractTable, query: exp.Select) -> str:
    target = exp.table_(table.name, db="staging")
    return exp.Create(this=target, kind="TABLE", replace=True, expression=query).sql(dialect="duckdb")
