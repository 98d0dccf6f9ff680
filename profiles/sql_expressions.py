"""The few expressions that the generated statements of this package are made of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp


def column(name: str, table: str | None = None) -> exp.Column:
    """A column, quoted: ``row`` and ``on`` are words of SQL."""
    return exp.column(exp.to_identifier(name, quoted=True), table=table)


def literal(value: str | int) -> exp.Expr:
    """A constant of the statement. What a declaration says comes as a parameter."""
    return exp.Literal.number(value) if isinstance(value, int) else exp.Literal.string(value)


def parameter(name: str) -> exp.Parameter:
    """``$name``."""
    return exp.Parameter(this=exp.var(name))


def call(name: str, *arguments: exp.Expr | int) -> exp.Expr:
    """A function call. Arguments are copied, so that one expression may stand in several places."""
    parts = [literal(item) if isinstance(item, int) else item.copy() for item in arguments]
    return exp.func(name, *parts, dialect="duckdb")


def cast(value: exp.Expr, sql_type: str) -> exp.Expr:
    """``cast(value as sql_type)``."""
    return exp.cast(value.copy(), exp.DataType.build(sql_type, dialect="duckdb"))


def equal(left: exp.Expr, right: exp.Expr) -> exp.Expr:
    """``left = right``."""
    return exp.EQ(this=left.copy(), expression=right.copy())


def all_of(*conditions: exp.Expr) -> exp.Expr:
    """All conditions hold."""
    return exp.and_(*(condition.copy() for condition in conditions))


def case(*branches: tuple[exp.Expr, exp.Expr], otherwise: exp.Expr | None = None) -> exp.Case:
    """``case when … then … else … end``."""
    made = exp.Case()
    for condition, value in branches:
        made = made.when(condition.copy(), value.copy())
    return made.else_(otherwise.copy()) if otherwise is not None else made


def is_null(value: exp.Expr) -> exp.Is:
    """``value is null``."""
    return exp.Is(this=value.copy(), expression=exp.null())


def union_all(selects: Sequence[exp.Query]) -> exp.Query:
    """The selects one below the other."""
    made = selects[0]
    for select in selects[1:]:
        made = exp.union(made, select, distinct=False, copy=False)
    return made
