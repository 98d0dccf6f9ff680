"""The one statement that makes a table of traits, built from its declaration.

Each source is read once for all aggregates over it; a trait that chooses a row (latest, earliest, top) ranks the rows
of its source in a step of its own. Every customer of the golden record has a row, whatever they did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from profiles.aggregates import AGGREGATES, Rows
from profiles.fields import SQL_TYPES
from profiles.predicate_meaning import Binder, compile_predicate
from profiles.predicate_operators import days_before_as_of
from profiles.trait_sources import SOURCES, TraitSource
from profiles.traits import Trait, TraitFile
from warehouse.columns import descriptions_for
from warehouse.sql_model import generated_step
from warehouse.step import Step

CUSTOMERS = "_golden"


@dataclass(frozen=True)
class _Part:
    """A common table expression with one row per customer, and the traits it has columns for."""

    name: str
    query: exp.Query
    traits: tuple[Trait, ...]


def trait_step(table: str, traits: TraitFile) -> Step:
    """The step that makes ``profiles.<table>``: grain customer_id, one column per trait."""
    binder = Binder("trait")
    query = _statement(traits, binder)
    columns = {"customer_id": descriptions_for("profiles", table)["customer_id"]}
    columns |= {trait.name: trait.description for trait in traits.traits}
    return generated_step("profiles", table, traits.description, ("customer_id",), columns, query, binder.values)


def _statement(traits: TraitFile, binder: Binder) -> exp.Select:
    parts = list(_parts(traits, binder))
    place = {trait.name: part.name for part in parts for trait in part.traits}
    values = [_value(traits, trait, place[trait.name]) for trait in traits.traits]
    query = exp.select(exp.column("customer_id", table=CUSTOMERS), *values).from_(_table(CUSTOMERS))
    for part in parts:
        query = query.join(
            exp.to_table(part.name),
            on=exp.EQ(this=exp.column("customer_id", table=CUSTOMERS), expression=_column(part.name, "customer_id")),
            join_type="left",
        )
    for part in parts:
        query = query.with_(part.name, as_=part.query)
    return query


def _parts(traits: TraitFile, binder: Binder) -> Iterator[_Part]:
    names = dict.fromkeys(traits.source_of(trait) for trait in traits.traits)
    for name in names:
        chosen = [trait for trait in traits.traits if traits.source_of(trait) == name]
        summed = tuple(trait for trait in chosen if AGGREGATES[trait.aggregate].sql is not None)
        if summed:
            yield _Part(f"all_{name}", _summary(SOURCES[name], summed, binder), summed)
        for trait in chosen:
            if AGGREGATES[trait.aggregate].sql is None:
                yield _Part(f"of_{trait.name}", _choice(SOURCES[name], trait, binder), (trait,))


def _summary(source: TraitSource, traits: tuple[Trait, ...], binder: Binder) -> exp.Select:
    """One row per customer with every plain aggregate over one source."""
    values = []
    for trait in traits:
        make = AGGREGATES[trait.aggregate].sql
        assert make is not None, "traits that choose a row are ranked"
        field = _column(source.table, trait.field) if trait.field else None
        values.append(exp.alias_(make(_rows(source, trait, binder), field), trait.name))
    customer = _column(source.table, "customer_id")
    return exp.select(customer, *values).from_(_table(source.table)).where(*_known(source)).group_by(customer.copy())


def _choice(source: TraitSource, trait: Trait, binder: Binder) -> exp.Select:
    """One row per customer with the field of the row, or the value, that comes first."""
    ranked = _by_frequency(source, trait, binder) if trait.aggregate == "top" else _by_time(source, trait, binder)
    return (
        exp.select("ranked.customer_id", f"ranked.{trait.name}")
        .from_(ranked.subquery("ranked"))
        .where(exp.EQ(this=_column("ranked", "place"), expression=exp.Literal.number(1)))
    )


def _by_time(source: TraitSource, trait: Trait, binder: Binder) -> exp.Select:
    newest = trait.aggregate == "latest"
    order = [_ordered(_column(source.table, name), newest) for name in (source.moment, *source.key)]
    return _counted(source, trait, binder).select(
        _column(source.table, "customer_id"),
        exp.alias_(_field(source, trait), trait.name),
        _place([_column(source.table, "customer_id")], order),
    )


def _by_frequency(source: TraitSource, trait: Trait, binder: Binder) -> exp.Select:
    keys = [_column(source.table, "customer_id"), _field(source, trait)]
    values = _counted(source, trait, binder).select(
        keys[0],
        exp.alias_(keys[1], trait.name),
        exp.alias_(exp.func("count", exp.Star()), "times"),
        exp.alias_(exp.func("max", _column(source.table, source.moment)), "seen_last"),
    )
    grouped = values.group_by(*(key.copy() for key in keys)).subquery("grouped")
    order = [
        _ordered(_column("grouped", "times"), True),
        _ordered(_column("grouped", "seen_last"), True),
        _ordered(_column("grouped", trait.name), False),
    ]
    place = _place([_column("grouped", "customer_id")], order)
    return exp.select("grouped.customer_id", f"grouped.{trait.name}", place).from_(grouped)


def _counted(source: TraitSource, trait: Trait, binder: Binder) -> exp.Select:
    """The rows that count and have the field, without columns yet."""
    field_known = exp.not_(exp.paren(exp.Is(this=_field(source, trait), expression=exp.null())))
    conditions = [*_known(source), field_known]
    condition = _rows(source, trait, binder).condition
    if condition is not None:
        conditions.append(condition)
    return exp.Select().from_(_table(source.table)).where(*conditions)


def _rows(source: TraitSource, trait: Trait, binder: Binder) -> Rows:
    window = []
    if trait.window_days is not None:
        age = days_before_as_of(_column(source.table, source.day))
        window.append(exp.paren(exp.LT(this=age, expression=binder.bind(trait.window_days))))
    among, where = (
        [compile_predicate(predicate, source.fields, binder)] if predicate is not None else []
        for predicate in (trait.among, trait.where)
    )
    return Rows(source, _all([*window, *among, *where]), _all([*window, *among]))


def _all(conditions: list[exp.Expr]) -> exp.Expr | None:
    return exp.and_(*conditions) if conditions else None


def _known(source: TraitSource) -> list[exp.Expr]:
    """Rows of somebody, that are of the kind the source stands for."""
    somebody = exp.not_(exp.paren(exp.Is(this=_column(source.table, "customer_id"), expression=exp.null())))
    return [somebody] if source.only is None else [somebody, _column(source.table, source.only)]


def _value(traits: TraitFile, trait: Trait, part: str) -> exp.Expr:
    """The final column; for customers without any row of the source, what nothing means for this aggregate."""
    value: exp.Expr = _column(part, trait.name)
    nothing = AGGREGATES[trait.aggregate].nothing
    if nothing is not None:
        absent = exp.Is(this=_column(part, "customer_id"), expression=exp.null())
        empty = exp.false() if nothing == "false" else exp.Literal.number(0)
        value = exp.Case().when(absent, empty).else_(value)
    return exp.alias_(exp.cast(value, SQL_TYPES[traits.type_of(trait)]), trait.name)


def _field(source: TraitSource, trait: Trait) -> exp.Expr:
    assert trait.field is not None, "the declaration was checked to name a field"
    return _column(source.table, trait.field)


def _place(partition: list[exp.Expr], order: list[exp.Expr]) -> exp.Expr:
    window = exp.Window(this=exp.RowNumber(), partition_by=partition, order=exp.Order(expressions=order))
    return exp.alias_(window, "place")


def _ordered(column: exp.Expr, descending: bool) -> exp.Expr:
    return exp.Ordered(this=column, desc=descending, nulls_first=False)


def _column(table: str, name: str | None) -> exp.Expr:
    return exp.column(str(name), table=table)


def _table(name: str) -> exp.Table:
    """A table of the profiles schema, called by its own name."""
    return exp.alias_(exp.table_(name, db="profiles"), name, table=True)  # type: ignore[return-value]
