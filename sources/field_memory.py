"""What contract fields come to be, remembered by the source texts they are made of.

Rows that are looked at one by one repeat nearly all their texts: a kind of event, a country, nothing at all. Of each
field the value, or why there is none, and the contract's word on it follow from what stands at the places that its
expression reads, so both are found out once for the same texts, for many rows at a time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from quality.contracts.check import Reason, check_field
from sources.evaluation import PlacedError, RowScope, evaluate, walk
from sources.expression import Cleared, Each, Expression, Parent, RowNumber, parts, paths_of, segments_of
from sources.mapped_feed import MappedFeed
from sources.operations.operation import UnreadableError, Value

_MOST: Final = 1_000
"""Texts that are remembered of a field: those of an id are all different."""
_MOST_LETTERS: Final = 200
_DEPEND_ON_MORE: Final = (Cleared, Each, Parent, RowNumber)
"""Expressions that read more than the values at their paths."""
_NEW: Final = object()
"""Stands for what is not remembered: it is found nowhere."""

_Key: TypeAlias = Any  # a text, None, a kind with a value, or a tuple of these


@dataclass(frozen=True, slots=True, eq=False)
class Said:
    """What a field is in a row: its value, or why it has none; and what the contract finds wrong with the value.

    Equal only to itself, so that those that stand for many rows are quickly found among them.
    """

    value: object
    unread: Reason | None = None
    faults: tuple[Reason, ...] = ()

    @property
    def is_wrong(self) -> bool:
        """Whether this alone is enough to refuse the row."""
        return self.unread is not None or self.faults != ()


def said(kind: str, name: str, value: object) -> Said:
    """What a field of this value is."""
    return Said(value, None, check_field(kind, name, value))


def unread(name: str, error: UnreadableError) -> Said:
    """What a field is whose value cannot be read."""
    place = error.place if isinstance(error, PlacedError) else ""
    return Said(None, Reason(name + place, error.code, error.message))  # type: ignore[arg-type]  # a known code


@dataclass
class _Field:
    """A field, the places that it reads, and what is known of it."""

    name: str
    expression: Expression
    places: tuple[int, ...]
    is_kept: bool
    known: dict[_Key, Said] = field(default_factory=dict)


class FieldMemory:
    """What the fields of a mapped feed are in its rows; those that make rows of child tables are not among them."""

    def __init__(self, mapped: MappedFeed) -> None:
        self._kind = mapped.kind
        read = {name: dict.fromkeys(path.text for path in paths_of(item)) for name, item in mapped.fields.items()}
        self._paths = list(dict.fromkeys(path for paths in read.values() for path in paths))
        self._steps, self._ends = _steps(self._paths)
        index = {path: place for place, path in enumerate(self._paths)}
        self._fields = [
            _Field(name, item, tuple(index[path] for path in read[name]), _depends_on_paths(item))
            for name, item in mapped.fields.items()
        ]

    def say(self, scopes: Sequence[RowScope]) -> dict[str, list[Said]]:
        """By field what it is in each of the rows, which are all flat or all objects."""
        keys = self._keys(scopes)
        return {item.name: self._said(item, keys, scopes) for item in self._fields}

    def _said(self, item: _Field, keys: Sequence[Sequence[_Key]], scopes: Sequence[RowScope]) -> list[Said]:
        own = [keys[place] for place in item.places]
        joined = own[0] if len(own) == 1 else list(zip(*own, strict=True)) if own else [None] * len(scopes)
        found = list(map(item.known.get, joined))
        if None in found:
            for row, known in enumerate(found):
                if known is None:
                    found[row] = item.known.get(joined[row]) or self._found_out(item, joined[row], scopes[row])
        return found  # type: ignore[return-value]  # none is None any more

    def _found_out(self, item: _Field, key: _Key, scope: RowScope) -> Said:
        try:
            value = evaluate(item.expression, scope)
        except UnreadableError as error:
            found = unread(item.name, error)
        else:
            value = value or None if type(item.expression) is Each else value  # no answers: no list, as in SQL
            found = said(self._kind, item.name, value)
        if item.is_kept and len(item.known) < _MOST and _is_short(key):
            item.known[key] = found
        return found

    def _keys(self, scopes: Sequence[RowScope]) -> list[list[_Key]]:
        """What stands at each place of the rows, in a form in which only equals are equal."""
        if scopes[0].is_flat:
            found = [_column(path, scopes) for path in self._paths]
        else:
            held: list[list[Value]] = [[scope.row for scope in scopes]]
            for holder, name in self._steps:
                held.append(_inside(held[holder], name))
            found = [held[end] for end in self._ends]
        return [[value if value is None or type(value) is str else _key(value) for value in row] for row in found]


def _column(path: str, scopes: Sequence[RowScope]) -> list[Value]:
    """What stands at a path of flat rows. Those of one file have the same columns."""
    return [row[path] if path in (row := scope.row) else scope.read(path) for scope in scopes]  # type: ignore[index,operator,call-overload]


def _inside(holders: list[Value], name: str) -> list[Value]:
    """What stands under a name in objects, or in lists by number; None in anything else."""
    kinds = set(map(type, holders))
    if list in kinds:
        return [walk(holder, (name,)) for holder in holders]
    if dict in kinds:
        return [holder.get(name) if type(holder) is dict else None for holder in holders]
    return [None] * len(holders)


def _key(value: Value) -> _Key:
    """True and 1.0 equal 1, which they are not here; 0.0 and -0.0 differ. Lists and objects are no keys."""
    return (type(value), value) if isinstance(value, int) else _NEW


def _is_short(key: _Key) -> bool:
    texts = key if type(key) is tuple else (key,)
    return _NEW not in texts and sum(len(text) for text in texts if type(text) is str) <= _MOST_LETTERS


def _depends_on_paths(expression: Expression) -> bool:
    return not any(isinstance(part, _DEPEND_ON_MORE) for part in parts(expression))


def _steps(paths: Sequence[str]) -> tuple[list[tuple[int, str]], list[int]]:
    """How to walk to all paths at once: each step into what an earlier one found (0: the row). Where each path ends."""
    steps: list[tuple[int, str]] = []
    reached: dict[tuple[str, ...], int] = {(): 0}
    for path in paths:
        segments = segments_of(path)
        for length in range(1, len(segments) + 1):
            if segments[:length] not in reached:
                steps.append((reached[segments[: length - 1]], segments[length - 1]))
                reached[segments[:length]] = len(steps)
    return steps, [reached[segments_of(path)] for path in paths]
