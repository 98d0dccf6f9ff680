"""Defects to seed: how one expectation is broken, by its kind or as ``defects.yml`` says."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import sqlglot
import yaml
from sqlglot import exp

from quality.vocabulary import (
    Between,
    Expectation,
    InSet,
    Length,
    Matches,
    Median,
    NoRows,
    Present,
    RowCount,
    Rule,
    Unique,
    tables_read,
)

HERE = Path(__file__).parent
WRITTEN: dict[str, dict[str, str]] = yaml.safe_load((HERE / "defects.yml").read_text(encoding="utf-8"))
_EARLIER = (
    "insert into ops.quality_results by name select 'run-0' as run_id, date '2025-12-31' as as_of,"
    " '{table}' as table_name, '{name}' as expectation, 'row_count' as expects, 'warn' as severity, true as passed,"
    " 0 as unexpected_count, 1 as element_count, {value} as observed_value, 'It holds.' as message,"
    " timestamp '2026-01-01' as checked_at"
)


def defect(table: str, item: Expectation, key: frozenset[str]) -> tuple[str, ...] | None:
    """Statements that break ``item`` of ``table`` with this key; None when nobody has said how."""
    written = WRITTEN.get(table, {}).get(item.name)
    if written is not None:
        return tuple(part.strip() for part in written.split(";"))
    return _by_kind(table, item, key)


def _by_kind(table: str, item: Expectation, key: frozenset[str]) -> tuple[str, ...] | None:
    if isinstance(item, Present) and item.column in key:
        copied = f'select copied.* replace (null as "{item.column}") from {table} as copied'
        return (f"insert into {table} by name {copied} where rowid = (select max(rowid) from {table})",)
    if isinstance(item, Present):
        return (_set(table, item.column, "null", item.share),)
    if isinstance(item, InSet):
        return (_set(table, item.column, "'never heard of'", item.share),)
    if isinstance(item, Matches):
        return (_set(table, item.column, "'###'", item.share),)
    if isinstance(item, Length):
        return (_set(table, item.column, f"repeat('x', {item.at_most + 1})", item.share),)
    if isinstance(item, Between):
        value = item.at_least - 1 if item.at_least is not None else (item.at_most or 0) + 1
        return (_set(table, item.column, str(value), item.share),)
    if isinstance(item, Unique):
        return (f"insert into {table} select * from {table} where rowid = (select max(rowid) from {table})",)
    if isinstance(item, RowCount | Median):
        value = 1e12 if item.may_fall is not None else 1e-9
        return (_EARLIER.format(table=table, name=item.name, value=value),)
    return None


def _set(table: str, column: str, value: str, share: float) -> str:
    last = f" where rowid = (select max(rowid) from {table})" if share == 1 else ""
    return f'update {table} set "{column}" = {value}{last}'


@dataclass(frozen=True)
class Change:
    """What a statement writes: a table, and of its rows certain columns only; None for rows that come or go."""

    table: str
    columns: frozenset[str] | None

    def may_change(self, table: str, item: Expectation) -> bool:
        """Whether an answer can change: it looks at the table, and names a written column or depends on the rows."""
        if self.table not in tables_read(item, table):
            return False
        return self.columns is None or bool(self.columns & _columns_named(item))


def changes(statements: tuple[str, ...]) -> tuple[Change, ...]:
    """What the statements write."""
    return tuple(_change(sqlglot.parse_one(statement, read="duckdb")) for statement in statements)


def _change(tree: exp.Expr) -> Change:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    columns = frozenset(item.this.name for item in tree.expressions) if isinstance(tree, exp.Update) else None
    return Change(f"{target.db}.{target.name}", columns)


@cache
def _columns_named(item: Expectation) -> frozenset[str]:
    if isinstance(item, Rule | NoRows):
        tree = sqlglot.parse_one(item.rule if isinstance(item, Rule) else item.query, read="duckdb")
        return frozenset(column.name for column in tree.find_all(exp.Column))
    return frozenset(item.columns_read)
