"""What the contracts promise of their tables, as expectations.

Rows were checked against their contract on the way in; asked again of the table, the same promises catch what happens
between (a mapping of an older version, a loader that drops a column, a table edited by hand).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

from quality.contracts.columns import Column
from quality.contracts.table import ContractTable, all_tables
from quality.vocabulary import Between, Expectation, InSet, Matches, Present, Unique


@cache
def promised_expectations() -> Mapping[str, tuple[Expectation, ...]]:
    """Expectations by staging table: its key is unique, required columns stand, sets, codes and bounds hold."""
    return {f"staging.{table.name}": tuple(_of_table(table)) for table in all_tables()}


def _of_table(table: ContractTable) -> Iterator[Expectation]:
    yield Unique(
        expect="unique",
        name="key_is_unique",
        severity="error",
        description=f"A source sends one current row of each {' and '.join(table.key)}.",
        columns=("_feed", *table.key),
    )
    for column in table.columns:
        yield from _of_column(column)


def _of_column(column: Column) -> Iterator[Expectation]:
    name = column.name
    if not column.is_nullable:
        text = f"The contract requires {name}."
        yield Present(expect="present", name=f"{name}_is_present", severity="error", description=text, column=name)
    if column.allowed:
        text = f"{name} is one of the contract's words."
        yield InSet(
            expect="in_set",
            name=f"{name}_is_known",
            severity="error",
            description=text,
            column=name,
            values=column.allowed,
        )
    if column.shape is not None and column.shape.pattern is not None:
        text = f"{name} has the form of a code."
        yield Matches(
            expect="matches",
            name=f"{name}_is_a_code",
            severity="error",
            description=text,
            column=name,
            pattern=column.shape.pattern,
        )
    if column.minimum is not None:
        text = f"{name} is not below {column.minimum}."
        yield Between(
            expect="between",
            name=f"{name}_is_not_below_{column.minimum}",
            severity="error",
            description=text,
            column=name,
            at_least=column.minimum,
        )
