"""Which rows break an expectation, as SQL: to count them where Great Expectations has no words, and to name them.

Rows are named by where they came from (feed, batch, file, row) and never by what they hold.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time
from functools import lru_cache

from sqlglot import exp

from quality.vocabulary import Between, Expectation, InSet, Length, Matches, NoRows, Present, Rule, Unique, parsed
from warehouse.business import Business
from warehouse.database import Connection
from warehouse.step import Run

_ROW = "this"
_MOST_TOLD = 20
_TOLD = """
    with pairs as (
        select distinct found.currency, cast(found.day as date) as day from ({rows}) as found
        where regexp_full_match(found.currency, '[A-Z]{{3}}') and found.day is not null
    )

    select currency, day, count(*) over () as pairs from pairs
    order by row_number() over (partition by currency order by day), currency
    limit $most
"""
"""Some days of every currency come before more of one."""


def offending_rows(
    expectation: Expectation, table: exp.Table, parameters: Mapping[str, object], columns: tuple[str, ...] = ()
) -> exp.Select | None:
    """A select with one row per breach; of ``columns`` of the table, or of nothing but the fact.

    None for expectations about the whole table (its number of rows, a median), which no single row breaks. For
    `no_rows`, columns are those of what its query finds, which need not be rows of the table (``columns_told``).
    For `unique`, every row of a group that shares its key is a breach when columns are asked for, else the group is.
    ``table`` is where the rows stand: the table itself, or a placeholder that stands for it.
    """
    selected = [exp.column(column, table=_ROW, quoted=True) for column in columns]
    if isinstance(expectation, NoRows):
        found = _parse(expectation.query, parameters)
        assert isinstance(found, exp.Query)
        told = exp.select(*(exp.column(column, quoted=True) for column in columns)) if columns else exp.select("1")
        return told.from_(found.subquery("found")).with_(_ROW, as_=_all_of(table, expectation.feed))
    if isinstance(expectation, Unique):
        return _repeated(expectation, table, selected)
    broken = _broken(expectation, parameters)
    if broken is None:
        return None
    rows = (exp.select(*selected) if selected else exp.select("1")).from_(_ROW).where(broken)
    return rows.with_(_ROW, as_=_all_of(table, expectation.feed))


def columns_told(expectation: Expectation, table_columns: tuple[str, ...]) -> tuple[str, ...]:
    """The columns that breaches can be asked for: those of the table, or those that a query of `no_rows` names."""
    if not isinstance(expectation, NoRows):
        return table_columns
    found = parsed(expectation.query)
    assert isinstance(found, exp.Query)
    return tuple(found.named_selects)


def count_breaches(connection: Connection, expectation: Expectation, table: str, run: Run) -> int | None:
    """How often an expectation is broken, counted without Great Expectations; None where no single row breaks it."""
    statement = _count_statement(expectation, table, run.as_of, run.business)
    if statement is None:
        return None
    found = connection.execute(statement).fetchone()
    return int(found[0]) if found else 0


def told_breaches(connection: Connection, expectation: Expectation, table: str, run: Run) -> str:
    """Which currencies and days a rule's breaches are about, where the rule says how to find them; else nothing."""
    if not isinstance(expectation, Rule) or expectation.told_by is None:
        return ""
    said = _parse(expectation.told_by, parameters_of(run.as_of, run.business))
    assert isinstance(said, exp.Query)
    rows = said.with_(_ROW, as_=_all_of(exp.to_table(table), expectation.feed)).sql(dialect="duckdb")
    found = connection.execute(_TOLD.format(rows=rows), {"most": _MOST_TOLD}).fetchall()
    days: dict[str, list[str]] = {}
    for currency, day, _ in found:
        days.setdefault(currency, []).append(str(day))
    more = found[0][2] - len(found) if found else 0
    told = [f"{currency} on {', '.join(sorted(on))}" for currency, on in sorted(days.items())]
    return f"It is about {'; '.join(told)}{f'; and {more:,} more' if more else ''}." if told else ""


def breaches_allowed(expectation: Expectation, rows: int) -> int:
    """How many of so many rows may break it and it still holds."""
    share = getattr(expectation, "share", 1.0)
    return int((1 - share) * rows + 1e-9)


@lru_cache(maxsize=2048)
def _count_statement(expectation: Expectation, table: str, as_of: date, business: Business) -> str | None:
    select = offending_rows(expectation, exp.to_table(table), parameters_of(as_of, business))
    if select is None:
        return None
    return exp.select("count(*)").from_(select.subquery("breaches")).sql(dialect="duckdb")


def parameters_of(as_of: date, business: Business) -> dict[str, object]:
    """What an expectation may name as ``$parameter``: the day and what the business decides, not run and clock."""
    parameters = Run(run_id="", as_of=as_of, now=datetime.combine(as_of, time()), business=business).parameters()
    return {name: value for name, value in parameters.items() if name not in {"run_id", "now"}}


def _all_of(table: exp.Table, feed: str | None) -> exp.Select:
    rows = exp.select("*").from_(table)
    return rows if feed is None else rows.where(exp.column("_feed").eq(exp.convert(feed)))


def _broken(expectation: Expectation, parameters: Mapping[str, object]) -> exp.Expr | None:
    """The condition of a row that breaks the expectation; NULL and false mean that it does not."""
    if isinstance(expectation, Rule):
        rule = _parse(expectation.rule, parameters)
        return exp.not_(exp.paren(rule))
    if not isinstance(expectation, Present | InSet | Between | Length | Matches):
        return None
    column = exp.column(expectation.column, table=_ROW, quoted=True)
    if isinstance(expectation, Present):
        return column.is_(exp.null())
    if isinstance(expectation, InSet):
        return exp.not_(column.isin(*expectation.values))
    if isinstance(expectation, Matches):
        return exp.not_(exp.func("regexp_full_match", column, exp.convert(expectation.pattern)))
    measured = exp.func("length", column) if isinstance(expectation, Length) else column
    bounds: list[exp.Expr] = []
    if expectation.at_least is not None:
        bounds.append(exp.LT(this=measured.copy(), expression=exp.convert(expectation.at_least)))
    if expectation.at_most is not None:
        bounds.append(exp.GT(this=measured.copy(), expression=exp.convert(expectation.at_most)))
    return exp.or_(*bounds)


def _repeated(expectation: Unique, table: exp.Table, selected: list[exp.Column]) -> exp.Select:
    key = [exp.column(column, table=_ROW, quoted=True) for column in expectation.columns]
    rows = _all_of(table, expectation.feed)
    if not selected:
        groups = exp.select("1").from_(_ROW).group_by(*key).having(_more_than_one(exp.func("count", exp.Star())))
        return groups.with_(_ROW, as_=rows)
    counted = exp.Window(this=exp.func("count", exp.Star()), partition_by=key)
    numbered = exp.select(*selected, exp.alias_(counted, "_alike")).from_(_ROW)
    found = exp.select(*(column.name for column in selected)).from_(numbered.subquery("numbered"))
    return found.where(_more_than_one(exp.column("_alike"))).with_(_ROW, as_=rows)


def _more_than_one(count: exp.Expr) -> exp.GT:
    return exp.GT(this=count, expression=exp.convert(1))


def _parse(text: str, parameters: Mapping[str, object]) -> exp.Expr:
    """Parsed SQL with the run's parameters put in as literals, since Great Expectations binds none."""

    def bound(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Placeholder) and node.name in parameters:
            return exp.convert(parameters[node.name])
        return node

    return parsed(text).transform(bound)
