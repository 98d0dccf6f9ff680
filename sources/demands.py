"""What kinds of values a mapping can make use of at each source path, beyond text and whole numbers.

``number``: fractions, for amounts. ``boolean``: true and false, for flags and words. ``json``: lists and objects. Where
none is demanded, a value of another kind is for Python to judge, and statements may take the text as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeAlias

from quality.contracts.columns import columns
from quality.contracts.contract import ContractPart
from sources.expression import (
    Coalesce,
    Concat,
    Each,
    Expression,
    Find,
    Join,
    ListOf,
    Object,
    Path,
    Pick,
    Product,
    Quotient,
    Sum,
    SumOf,
    Then,
    When,
    operands,
)

Demands: TypeAlias = Mapping[str, frozenset[str]]

NOTHING_ELSE: Final[frozenset[str]] = frozenset()
_NUMBERS: Final = frozenset({"number"})
_WORDS: Final = frozenset({"boolean"})
_LISTS: Final = frozenset({"json"})
_OF_SHAPE: Final = {
    "decimal": frozenset({"number"}),
    "count": frozenset({"number"}),
    "double": frozenset({"number"}),
    "flag": _WORDS,
    "json": _LISTS,
}


def demands_of(fields: Mapping[str, Expression], model: type[ContractPart]) -> dict[str, frozenset[str]]:
    """Source path → kinds, for all paths that the fields of a model read from their own row."""
    shapes = {item.name: item.shape.name if item.shape else "json" for item in columns(model)}
    found: dict[str, frozenset[str]] = defaultdict(frozenset)
    for name, expression in fields.items():
        for path, kinds in _demands(expression, _OF_SHAPE.get(shapes.get(name, "json"), NOTHING_ELSE)):
            found[path] |= kinds
    return dict(found)


def number_demands(expression: Expression) -> Iterator[tuple[str, frozenset[str]]]:
    """Source path → kinds, for an expression that is read as a number."""
    return _demands(expression, _NUMBERS)


def _demands(expression: Expression, wanted: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    match expression:
        case Path(text):
            yield text, wanted
        case Then(source, operations):
            more = frozenset().union(wanted, *(operation.accepts for operation in operations))
            yield from _demands(source, more)
            yield from ((path, NOTHING_ELSE) for operation in operations for path in operation.paths)
        case Coalesce(choices):
            yield from _all_demands(choices, wanted)
        case When(test, _, value, otherwise):
            yield from _demands(test, _WORDS)
            yield from _demands(value, wanted)
            yield from _demands(otherwise, wanted)
        case Sum() | Product() | Quotient():
            yield from _all_demands(operands(expression), _NUMBERS)
        case Concat(items) | ListOf(items):
            yield from _all_demands(items, NOTHING_ELSE)
        case Object(members):
            yield from _all_demands(members.values(), NOTHING_ELSE)
        case Find(each, _, equals, is_around=is_around):
            yield from (() if is_around else ((each.text, _LISTS),))
            yield from _demands(equals, _WORDS)
        case SumOf(each) | Pick(each) | Join(each) | Each(Path() as each):
            yield each.text, _LISTS
        case _:
            return


def _all_demands(expressions: Iterable[Expression], wanted: frozenset[str]) -> Iterator[tuple[str, frozenset[str]]]:
    for expression in expressions:
        yield from _demands(expression, wanted)
