"""The closed vocabulary in which expectations are declared, in feeds, in ``config/quality.yml`` and in our defaults.

One entry says what must hold (``expect:`` and its words), how grave a breach is (``error`` blocks what is downstream,
``warn`` tells) and why (``description``). ``name`` is the stable id of the expectation inside its table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Annotated, ClassVar, Final, Literal, TypeAlias

import sqlglot
from pydantic import AfterValidator, Field
from sqlglot import exp
from sqlglot.errors import SqlglotError

from warehouse.declaration import Declaration, MisfitError, Name, Text
from warehouse.misfit import Misfit

Severity: TypeAlias = Literal["error", "warn"]
Share = Annotated[float, Field(gt=0, le=1, description="At least this share of the rows must hold it.")]


@cache
def parsed(text: str) -> exp.Expr:
    """The tree of a condition or select. It is shared: look at it, or copy it, but do not change it."""
    return sqlglot.parse_one(text, read="duckdb")


def _condition(text: str) -> str:
    try:
        tree = parsed(text)
    except SqlglotError:
        tree = None
    if not isinstance(tree, exp.Condition) or isinstance(tree, exp.Query):
        raise MisfitError("it is not a SQL condition", "Write one such as `amount >= 0`.")
    return text


def _selection(text: str) -> str:
    try:
        tree = parsed(text)
    except SqlglotError:
        tree = None
    if not isinstance(tree, exp.Query):
        raise MisfitError("it is not a SQL select", "Write one such as `select 1 from staging.purchases where …`.")
    return text


@cache
def _columns_of_row(condition: str) -> tuple[str, ...]:
    """Columns that a condition takes from its own row: unqualified outside of subqueries, or called ``this``."""
    own = (
        column.name
        for column in parsed(condition).find_all(exp.Column)
        if column.table == "this" or (not column.table and column.find_ancestor(exp.Select) is None)
    )
    return tuple(sorted(set(own)))


class _Expectation(Declaration):
    name: Name = Field(description="Stable id inside the table.")
    severity: Severity = Field(description="error: a breach blocks what is downstream. warn: a breach is told.")
    description: Text = Field(description="What must hold, for a business reader.")
    feed: Text | None = Field(None, description="Only rows of this feed; for staging tables.")
    remedy: Text = Field(
        "", validate_default=False, description="What to do about a breach, where mending the rows is not the way."
    )
    if_declared: bool = Field(
        False,
        description="Holds where the table has no such column: for columns that a business declares or leaves out.",
    )

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns of the table that must exist before it can be asked."""
        return ()


class _OfColumn(_Expectation):
    column: Text = Field(description="The column that is looked at; absent values count only for `present`.")

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns of the table that must exist before it can be asked."""
        return (self.column,)


class Present(_OfColumn):
    """The column has a value."""

    expect: Literal["present"]
    share: Share = 1.0


class InSet(_OfColumn):
    """The column's values are among those named."""

    expect: Literal["in_set"]
    values: tuple[str, ...] = Field(min_length=1, description="The values that may stand.")
    share: Share = 1.0


class Between(_OfColumn):
    """The column's values lie between two numbers, both included."""

    expect: Literal["between"]
    at_least: float | None = Field(None, description="Smallest value that may stand.")
    at_most: float | None = Field(None, description="Largest value that may stand.")
    share: Share = 1.0

    def misfits(self) -> Iterator[Misfit]:
        """There is a bound."""
        if self.at_least is None and self.at_most is None:
            what, fix = "nothing says how small or large a value may be", "Add `at_least:`, `at_most:` or both."
            yield Misfit(what, fix, (("at_least",), ("at_most",)))


class Length(_OfColumn):
    """The column's texts have a length between two numbers of characters, both included."""

    expect: Literal["length"]
    at_least: int = Field(1, ge=0, description="Fewest characters.")
    at_most: int = Field(ge=1, description="Most characters.")
    share: Share = 1.0


class Matches(_OfColumn):
    """The column's whole text matches a regular expression (RE2)."""

    expect: Literal["matches"]
    pattern: Text = Field(description="The pattern; it must match from the first to the last character.")
    share: Share = 1.0


class Unique(_Expectation):
    """No two rows have the same values in these columns together."""

    expect: Literal["unique"]
    columns: tuple[Text, ...] = Field(min_length=1, description="Columns that identify a row.")

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns of the table that must exist before it can be asked."""
        return self.columns


class Rule(_Expectation):
    """A condition on the row, in SQL; the row is called ``this``, other tables may be looked at with ``exists``.

    Where the condition is NULL because something is absent, it is not broken.
    """

    stand_ins: ClassVar[Mapping[str, object]] = {"told_by": "select 1"}

    expect: Literal["rule"]
    rule: Annotated[str, AfterValidator(_condition)] = Field(description="SQL condition that holds for each row.")
    share: Share = 1.0
    told_by: Annotated[str, AfterValidator(_selection)] | None = Field(
        None,
        description="SQL select of a `currency` and a `day`, which are nothing personal: a breach says which they are.",
    )

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns of the table that must exist before it can be asked."""
        return _columns_of_row(self.rule)


class NoRows(_Expectation):
    """A select finds nothing: for what is missing from the table, or holds over groups of rows."""

    stand_ins: ClassVar[Mapping[str, object]] = {"query": "select 1"}

    expect: Literal["no_rows"]
    query: Annotated[str, AfterValidator(_selection)] = Field(
        description="SQL select of what breaks the expectation. Breaches are named by their source rows where it"
        " selects what leads to them: `_feed, _batch_on, _file, _row`, or `feed, order_id`, or `record_id`."
    )


_BOUNDS: Final = ("at_least", "at_most", "may_fall", "may_rise")


class _Measured(_Expectation):
    at_least: float | None = Field(None, description="Smallest value that may be observed.")
    at_most: float | None = Field(None, description="Largest value that may be observed.")
    may_fall: float | None = Field(
        None, ge=0, le=1, description="Share by which it may fall below the observation of the run before."
    )
    may_rise: float | None = Field(
        None, ge=0, description="Share by which it may rise above the observation of the run before (1 = doubled)."
    )

    def misfits(self) -> Iterator[Misfit]:
        """There is a bound."""
        if self.at_least is self.at_most is self.may_fall is self.may_rise is None:
            what, fix = "nothing says what may be observed", f"Add one of {', '.join(_BOUNDS)}."
            yield Misfit(what, fix, tuple((bound,) for bound in _BOUNDS))

    def bounds(self, previous: float | None) -> tuple[float | None, float | None]:
        """The smallest and the largest value that may be observed, given what the run before observed."""
        lowest, highest = self.at_least, self.at_most
        if previous:
            size = abs(previous)
            if self.may_fall is not None:
                fallen = previous - self.may_fall * size
                lowest = fallen if lowest is None else max(lowest, fallen)
            if self.may_rise is not None:
                risen = previous + self.may_rise * size
                highest = risen if highest is None else min(highest, risen)
        return lowest, highest


class RowCount(_Measured):
    """The number of rows, by itself or against the run before."""

    expect: Literal["row_count"]


class Median(_Measured):
    """The median of a column, by itself or against the run before; not asked where there are fewer rows than said."""

    expect: Literal["median"]
    column: Text = Field(description="The column whose median is observed.")
    rows_needed: int = Field(30, ge=1, description="Fewer rows than this say nothing about a median.")

    @property
    def columns_read(self) -> tuple[str, ...]:
        """Columns of the table that must exist before it can be asked."""
        return (self.column,)


Expectation: TypeAlias = Annotated[
    Present | InSet | Between | Length | Matches | Unique | Rule | NoRows | RowCount | Median,
    Field(discriminator="expect"),
]


def tables_read(expectation: Expectation, table: str) -> frozenset[str]:
    """The tables (``schema.table``) whose rows decide about the expectation: its own, and those its SQL names."""
    if isinstance(expectation, Rule):
        return _tables_of(expectation.rule) | {table}
    if isinstance(expectation, NoRows):
        return _tables_of(expectation.query) | {table}
    return frozenset((table,))


@cache
def _tables_of(text: str) -> frozenset[str]:
    return frozenset(f"{found.db}.{found.name}" for found in parsed(text).find_all(exp.Table) if found.db)
