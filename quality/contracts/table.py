"""The staging tables of a kind: contract columns in the contract's order, then where each row came from."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final

from sqlglot import exp

from quality.contracts.columns import Column, columns
from quality.contracts.contract import ContractPart
from quality.contracts.registry import CONTRACTS
from warehouse.step import TableSpec

LINEAGE: Final = (
    Column("_feed", "VARCHAR", "The feed that brought the row.", is_nullable=False),
    Column("_batch_on", "DATE", "The day of the batch that brought the row.", is_nullable=False),
    Column("_file", "VARCHAR", "The file, as a path below the feed's landing folder.", is_nullable=False),
    Column("_row", "BIGINT", "Where in the file: line, data row or index, counted from 1.", is_nullable=False),
)
"""The columns that say which source row a row was made from. They are never exported."""


@dataclass(frozen=True)
class ContractTable:
    """A staging table. ``key`` identifies a row within a feed; ``field`` names the nested rows it holds, if it does."""

    kind: str
    name: str
    description: str
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    field: str | None = None

    @property
    def all_columns(self) -> tuple[Column, ...]:
        """Contract columns, then lineage."""
        return (*self.columns, *LINEAGE)

    def spec(self, name: str | None = None) -> TableSpec:
        """How readers know the table: one row per feed and source id."""
        texts = {column.name: column.description for column in self.all_columns}
        return TableSpec("staging", name or self.name, self.description, ("_feed", *self.key), texts)


@cache
def tables(kind: str) -> tuple[ContractTable, ...]:
    """The tables of a kind: its own, then those of its nested rows."""
    model = CONTRACTS[kind]
    own = ContractTable(kind, kind, _meaning(model), columns(model), model.key)
    nested = (
        ContractTable(
            kind, name, _meaning(child.model), _with_key(columns(child.model), child.key), child.key, child.field
        )
        for name, child in model.children.items()
    )
    return (own, *nested)


def all_tables() -> tuple[ContractTable, ...]:
    """The tables of all kinds."""
    return tuple(table for kind in CONTRACTS for table in tables(kind))


def create_statement(table: ContractTable, *, schema: str = "staging", name: str | None = None) -> exp.Create:
    """``CREATE TABLE IF NOT EXISTS`` for a contract table, under another name where one is given."""
    definitions = [
        exp.ColumnDef(
            this=exp.to_identifier(column.name, quoted=True),
            kind=exp.DataType.build(column.sql_type, dialect="duckdb"),
            constraints=[] if column.is_nullable else [exp.ColumnConstraint(kind=exp.NotNullColumnConstraint())],
        )
        for column in table.all_columns
    ]
    target = exp.Schema(this=exp.table_(name or table.name, db=schema), expressions=definitions)
    return exp.Create(this=target, kind="TABLE", exists=True)


def _meaning(model: type[ContractPart]) -> str:
    return " ".join((model.__doc__ or "").split())


def _with_key(found: tuple[Column, ...], key: tuple[str, ...]) -> tuple[Column, ...]:
    """A nested row takes its parent's id, so in the table no part of the key is null."""
    return tuple(
        Column(**(vars(column) | {"is_nullable": False})) if column.name in key else column for column in found
    )
