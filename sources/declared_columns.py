"""The source columns that a feed names itself, and which of them a file lacks.

A vendor's mapping reads hundreds of columns that a file need not have. What people write under ``fields:`` and
``rename:`` of their own feed is meant to be there: where it is not, a name is misspelt or the export has changed, and
the contract field it fills stays empty without a word.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeAlias

from sources.expression import Coalesce, Expression, parts, paths_of
from sources.feed_declaration import Feed
from warehouse.declaration import nearest

Choices: TypeAlias = tuple[str, ...]
"""Source columns of which one is enough, as in ``first: [a, b]``; most are one column."""

_LEAST_LETTERS = 3


def declared_columns(feed: Feed) -> frozenset[Choices]:
    """What the feed's own ``fields:`` and ``rename:`` name."""
    own = (choices for expression in feed.fields.values() for choices in _choices(expression))
    return frozenset((*own, *((source,) for source in feed.rename)))


def lacking(
    declared: Iterable[Choices], headers: Collection[str], filled: Mapping[str, int], others: Collection[str]
) -> dict[str, str | None]:
    """The declared columns of which a file has none, each with the most similar of the ``others`` it has.

    Of a file without headers, whose objects hold what they hold, a column that is one of several choices tells nothing.
    """
    found: dict[str, str | None] = {}
    for choices in declared:
        if any(filled.get(name) or name in headers for name in choices) or (not headers and len(choices) > 1):
            continue
        like = {name: similar(name, others) for name in choices}
        name = next((name for name in choices if like[name]), choices[0])
        found[name] = like[name]
    return found


def similar(name: str, others: Collection[str]) -> str | None:
    """The name that is most like this one, in whichever case; also one that holds it, or that it holds."""
    folded = {other.casefold(): other for other in sorted(others, reverse=True)}
    word = name.casefold()
    near = nearest(word, folded)
    if near is None:
        inside = (other for other in folded if min(len(other), len(word)) >= _LEAST_LETTERS)
        near = min((other for other in inside if word in other or other in word), key=len, default=None)
    return None if near is None else folded[near]


def _choices(expression: Expression) -> Iterator[Choices]:
    firsts = [_names(part) for part in parts(expression) if isinstance(part, Coalesce)]
    outer = [names for names in firsts if not any(set(names) < set(more) for more in firsts)]
    yield from (names for names in outer if names)
    taken = {name for names in outer for name in names}
    yield from ((name,) for name in _names(expression) if name not in taken)


def _names(expression: Expression) -> Choices:
    return tuple(dict.fromkeys(path.text for path in paths_of(expression)))
