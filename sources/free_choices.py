"""Which fields may take their value from free-form places, choice by choice: found out once, not for every row."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from sources.expression import Coalesce, Expression, Then, When, parts, paths_of
from sources.globs import is_ignored


@dataclass(frozen=True)
class Choice:
    """One of the expressions that may fill a field. ``places``: where its value comes from, and which are free-form."""

    expression: Expression
    places: Mapping[str, bool]


def free_choices(fields: Mapping[str, Expression], free_form: Sequence[str]) -> dict[str, tuple[Choice, ...]]:
    """The choices of those fields that any free-form place may fill."""
    found: dict[str, tuple[Choice, ...]] = {}
    for name, expression in fields.items():
        choices = tuple(Choice(item, _places(item, free_form)) for item in _choices(expression))
        if any(any(choice.places.values()) for choice in choices):
            found[name] = choices
    return found


def sources_of(expression: Expression) -> list[str]:
    """The paths that an expression takes its value from, but for those it only tests."""
    counts = Counter(path.text for path in paths_of(expression))
    tests = (part.test for part in parts(expression) if isinstance(part, When))
    counts.subtract(path.text for test in tests for path in paths_of(test))
    return [path for path, count in counts.items() if count > 0]


def _places(expression: Expression, free_form: Sequence[str]) -> dict[str, bool]:
    return {path: is_ignored(path, free_form) for path in sources_of(expression)}


def _choices(expression: Expression) -> Iterator[Expression]:
    """The choices that come from the source: what the feed says of rows without a word is no answer to a wrong one."""
    match expression:
        case Coalesce(choices):
            for item in choices:
                yield from _choices(item)
        case Then(Coalesce() as inner, operations):
            yield from (Then(item, operations) for item in _choices(inner))
        case _ if next(paths_of(expression), None) is not None:
            yield expression
