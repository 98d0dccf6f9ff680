"""Parts that statements over blocks of source rows are put together from, without copying what is already built."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sqlglot import exp

SOURCE: Final = "source_rows"
"""The block, as statements name it: ``_file_id``, ``_row``, then the columns of the reader."""

PLACE: Final = ("_file_id", "_row")
"""What identifies a source row inside a block."""


def column(name: str, table: str | None = None) -> exp.Column:
    """A quoted column."""
    return exp.column(name, table=table, quoted=True)


def named(value: exp.Expr, name: str) -> exp.Expr:
    """``value as "name"``."""
    return exp.Alias(this=value, alias=exp.to_identifier(name, quoted=True))


def select(items: Iterable[exp.Expr], source: exp.Query | str) -> exp.Select:
    """``select items from source``."""
    if isinstance(source, str):
        table: exp.Expr = exp.to_table(source)
    else:
        table = exp.Subquery(this=source, alias=exp.TableAlias(this=exp.to_identifier("stage")))
    return exp.Select(expressions=list(items), from_=exp.From(this=table))


def stage(query: exp.Query | str, items: Iterable[exp.Expr]) -> exp.Select:
    """The next select over ``query``, its place carried along."""
    return select([*(column(name) for name in PLACE), *items], query)


def everything(query: exp.Query | str, *more: exp.Expr) -> exp.Select:
    """All columns of ``query``, and some more."""
    return select([exp.Star(), *more], query)


def temporary(name: str, query: exp.Query, kind: str = "TABLE") -> str:
    """The statement that makes a table or view of the connection's own."""
    made = exp.Create(
        this=exp.to_table(name),
        kind=kind,
        replace=True,
        expression=query,
        properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
    )
    return made.sql(dialect="duckdb", copy=False)


def filled_in(statement: str, **names: str) -> str:
    """A fixed statement with names of our own tables in the places of ``{words}``; never with values."""
    return statement.format(**names)


def member(name: str, value: exp.Expr) -> exp.Expr:
    """A member of a struct."""
    return exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=value)
