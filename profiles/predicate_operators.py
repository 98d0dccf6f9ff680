"""What each operator of the predicate language means: in SQL and in Python, side by side.

A property test holds the two forms equal. The Python form is never asked about an unknown value (``is_null`` alone
answers that), the SQL form gives NULL for one.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from sqlglot import exp

from profiles.fields import FieldType

Operand = Literal["value", "values", "days", "flag"]
Sql = Callable[[exp.Expr, Sequence[exp.Expr]], exp.Expr]
Python = Callable[[Any, Sequence[Any], date], bool]


@dataclass(frozen=True)
class Operator:
    """``types`` are the field types it takes; ``operand`` says whether values are of the field's type or of its own."""

    types: frozenset[FieldType]
    operand: Operand
    sql: Sql
    python: Python


AS_OF = exp.Placeholder(this="as_of")

_NUMBERS: frozenset[FieldType] = frozenset({"integer", "decimal", "float"})
_ORDERED: frozenset[FieldType] = _NUMBERS | {"date"}
_SINGLE: frozenset[FieldType] = _ORDERED | {"text", "boolean"}
_ANY: frozenset[FieldType] = _SINGLE | {"texts"}
_LISTED: frozenset[FieldType] = _NUMBERS | {"text", "date"}
_WORDS: frozenset[FieldType] = frozenset({"text", "texts"})
_DATES: frozenset[FieldType] = frozenset({"date"})


def days_before_as_of(day: exp.Expr) -> exp.Expr:
    """Days from ``day`` to the as-of date; negative when it is still to come."""
    return exp.DateDiff(this=AS_OF.copy(), expression=day, unit=exp.var("DAY"))


def _binary(node: type[exp.Binary]) -> Sql:
    return lambda field, values: node(this=field, expression=values[0])


def _has(field: exp.Expr, part: exp.Expr) -> exp.Expr:
    """Lists are told from text by the field's type, which the compiler leaves on the column."""
    node: type[exp.Expr] = exp.ArrayContains if field.meta.get("is_list") else exp.Contains
    return node(this=field.copy(), expression=part)


def _within(field: exp.Expr, values: Sequence[exp.Expr]) -> exp.Expr:
    age = days_before_as_of(field)
    return exp.and_(exp.GTE(this=age, expression=exp.Literal.number(0)), exp.LT(this=age.copy(), expression=values[0]))


def _is_null(field: exp.Expr, values: Sequence[exp.Expr]) -> exp.Expr:
    return exp.EQ(this=exp.paren(exp.Is(this=field, expression=exp.null())), expression=values[0])


PARTS = frozenset({"contains", "contains_any", "starts_with"})
"""Operators that ask for a part of a text."""

OPERATORS: Mapping[str, Operator] = {
    "eq": Operator(_SINGLE, "value", _binary(exp.EQ), lambda value, given, _: value == given[0]),
    "ne": Operator(_SINGLE, "value", _binary(exp.NEQ), lambda value, given, _: value != given[0]),
    "in": Operator(
        _LISTED,
        "values",
        lambda field, values: exp.In(this=field, expressions=list(values)),
        lambda value, given, _: value in given,
    ),
    "not_in": Operator(
        _LISTED,
        "values",
        lambda field, values: exp.not_(exp.In(this=field, expressions=list(values))),
        lambda value, given, _: value not in given,
    ),
    "contains": Operator(
        _WORDS, "value", lambda field, values: _has(field, values[0]), lambda value, given, _: given[0] in value
    ),
    "contains_any": Operator(
        _WORDS,
        "values",
        lambda field, values: exp.paren(exp.or_(*(_has(field, part) for part in values))),
        lambda value, given, _: any(part in value for part in given),
    ),
    "starts_with": Operator(
        frozenset({"text"}),
        "value",
        lambda field, values: exp.StartsWith(this=field, expression=values[0]),
        lambda value, given, _: value.startswith(given[0]),
    ),
    "gt": Operator(_ORDERED, "value", _binary(exp.GT), lambda value, given, _: value > given[0]),
    "gte": Operator(_ORDERED, "value", _binary(exp.GTE), lambda value, given, _: value >= given[0]),
    "lt": Operator(_ORDERED, "value", _binary(exp.LT), lambda value, given, _: value < given[0]),
    "lte": Operator(_ORDERED, "value", _binary(exp.LTE), lambda value, given, _: value <= given[0]),
    "between": Operator(
        _ORDERED,
        "values",
        lambda field, values: exp.Between(this=field, low=values[0], high=values[1]),
        lambda value, given, _: given[0] <= value <= given[1],
    ),
    "is_null": Operator(_ANY, "flag", _is_null, lambda value, given, _: (value is None) == given[0]),
    "within_days": Operator(_DATES, "days", _within, lambda value, given, as_of: 0 <= (as_of - value).days < given[0]),
    "older_than_days": Operator(
        _DATES,
        "days",
        lambda field, values: exp.GTE(this=days_before_as_of(field), expression=values[0]),
        lambda value, given, as_of: (as_of - value).days >= given[0],
    ),
}
