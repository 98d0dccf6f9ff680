"""How the many rows of a customer become one value: each aggregate of the trait language, with its SQL.

``Rows`` knows which rows count (the condition of the trait); an aggregate only says what is made of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from sqlglot import exp

from profiles.fields import FieldType
from profiles.predicate_operators import days_before_as_of
from profiles.trait_sources import TraitSource

AggregateName = Literal[
    "count", "exists", "sum", "min", "max", "distinct", "distinct_days", "average", "share", "days_since",
    "latest", "earliest", "top",
]  # fmt: skip


@dataclass(frozen=True)
class Rows:
    """The rows of a source that count for one trait; ``among`` are those that a share is taken of."""

    source: TraitSource
    condition: exp.Expr | None
    among: exp.Expr | None = None

    def column(self, name: str) -> exp.Expr:
        """A column of the source."""
        return exp.column(name, table=self.source.table)

    def where_counted(self, value: exp.Expr) -> exp.Expr:
        """``value`` on rows that count, NULL on the others."""
        return _where(self.condition, value)

    def count(self) -> exp.Expr:
        """How many rows count."""
        return exp.func("count", _where(self.condition, exp.Literal.number(1)))

    def count_among(self) -> exp.Expr:
        """How many rows a share is taken of."""
        return exp.func("count", _where(self.among, exp.Literal.number(1)))


@dataclass(frozen=True)
class Aggregate:
    """``takes`` are the types of the field it needs (empty: it takes no field); ``gives`` the type of its value.

    ``gives`` None means the type of the field. ``nothing`` is the value of customers without a row that counts (None:
    unknown). ``sql`` is None for aggregates that choose one row instead (``latest``, ``earliest``, ``top``).
    """

    meaning: str
    takes: frozenset[FieldType]
    gives: FieldType | None
    nothing: Literal["zero", "false"] | None
    sql: Callable[[Rows, exp.Expr | None], exp.Expr] | None

    @property
    def described(self) -> str:
        """Its meaning, the fields it takes and what customers have of whom no row counts, for a reader."""
        takes = f"Field: {', '.join(sorted(self.takes))}." if self.takes else "Takes no field."
        nothing = {"zero": "0", "false": "false", None: "unknown"}[self.nothing]
        return f"{self.meaning} {takes} Without a row: {nothing}."

    def result(self, field: FieldType | None) -> FieldType:
        """The type of the value made of a field of type ``field``."""
        return self.gives or field or "text"


_NUMBERS: frozenset[FieldType] = frozenset({"integer", "decimal", "float"})
_ORDERED: frozenset[FieldType] = _NUMBERS | {"date"}
_SINGLE: frozenset[FieldType] = _ORDERED | {"text", "boolean"}
_NONE: frozenset[FieldType] = frozenset()


def _where(condition: exp.Expr | None, value: exp.Expr) -> exp.Expr:
    return value if condition is None else exp.Case().when(condition.copy(), value)


def _needed(field: exp.Expr | None) -> exp.Expr:
    assert field is not None, "the declaration was checked to name a field"
    return field


def _exact(value: exp.Expr) -> exp.Expr:
    """Decimals add up to the same sum in any order; floating-point numbers do not."""
    return exp.cast(value, "DECIMAL(18,4)")


def _ratio(part: exp.Expr, whole: exp.Expr) -> exp.Expr:
    whole_or_null = exp.func("nullif", whole, exp.Literal.number(0))
    return exp.Div(this=exp.cast(part, "DOUBLE"), expression=whole_or_null)


def _sum(rows: Rows, field: exp.Expr | None) -> exp.Expr:
    """Unknown once a row that counts has no value (a missing rate): the sum would look complete and be too low."""
    value = rows.where_counted(_needed(field))
    complete = exp.EQ(this=rows.count(), expression=exp.func("count", value))
    total = exp.func("coalesce", exp.func("sum", _exact(value.copy())), exp.Literal.number(0))
    return exp.Case().when(complete, _exact(total))


def _average(rows: Rows, field: exp.Expr | None) -> exp.Expr:
    value = rows.where_counted(_needed(field))
    return _ratio(exp.func("sum", _exact(value)), exp.func("count", value.copy()))


def _of_field(function: str) -> Callable[[Rows, exp.Expr | None], exp.Expr]:
    return lambda rows, field: exp.func(function, rows.where_counted(_needed(field)))


def _distinct(rows: Rows, value: exp.Expr) -> exp.Expr:
    return exp.Count(this=exp.Distinct(expressions=[rows.where_counted(value)]))


def _days_since(rows: Rows, _: exp.Expr | None) -> exp.Expr:
    return days_before_as_of(exp.func("max", rows.where_counted(rows.column(rows.source.day))))


def _exists(rows: Rows, _: exp.Expr | None) -> exp.Expr:
    return exp.GT(this=rows.count(), expression=exp.Literal.number(0))


AGGREGATES: Mapping[AggregateName, Aggregate] = MappingProxyType(
    {
        "count": Aggregate("How many rows count.", _NONE, "integer", "zero", lambda rows, _: rows.count()),
        "exists": Aggregate("Whether any row counts.", _NONE, "boolean", "false", _exists),
        "sum": Aggregate(
            "Sum of the field; unknown once a row that counts has none.", _NUMBERS, "decimal", "zero", _sum
        ),
        "min": Aggregate("The smallest value, or the earliest day.", _ORDERED, None, None, _of_field("min")),
        "max": Aggregate("The largest value, or the latest day.", _ORDERED, None, None, _of_field("max")),
        "distinct": Aggregate(
            "How many different values.",
            _SINGLE,
            "integer",
            "zero",
            lambda rows, field: _distinct(rows, _needed(field)),
        ),
        "distinct_days": Aggregate(
            "On how many different days.",
            _NONE,
            "integer",
            "zero",
            lambda rows, _: _distinct(rows, rows.column(rows.source.day)),
        ),
        "average": Aggregate("Mean of the field, over the rows that have one.", _NUMBERS, "float", None, _average),
        "share": Aggregate(
            "Rows of `where` among those of `among`, 0 to 1.",
            _NONE,
            "float",
            None,
            lambda rows, _: _ratio(rows.count(), rows.count_among()),
        ),
        "days_since": Aggregate("Days from the newest row to the as-of date.", _NONE, "integer", None, _days_since),
        "latest": Aggregate("The field on the newest row that has one.", _SINGLE, None, None, None),
        "earliest": Aggregate("The field on the oldest row that has one.", _SINGLE, None, None, None),
        "top": Aggregate(
            "The most frequent value; of equals the one seen last, then the smallest.", _SINGLE, None, None, None
        ),
    }
)
