"""What kind of values the source fields of a file hold, from a sample of its rows.

Texts of a CSV are taken for what they look like; in Parquet and JSON the file itself says whether a value is a text or
a number. A kind that fewer than a tenth of the values have is a matter for the contract, not a kind of the field.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any, Final, Literal, TypeAlias

import msgspec
import pyarrow as pa

from quality.contracts.year_first import iso_text
from sources.source_rows import Block

ColumnType: TypeAlias = Literal["text", "integer", "number", "boolean", "date", "timestamp", "object", "list", "mixed"]

_SAMPLED: Final = 32
"""Rows looked at in every block, evenly apart: all of a small file, and a bounded part of a large one."""
_ENOUGH: Final = 256
"""Rows looked at in a file, from which on fewer of each block tell of a change."""
_SAMPLED_LATER: Final = 4
_RARE: Final = 0.1
_FAMILY: Final = {"integer": "number", "date": "timestamp"}
_WIDER: Final = {frozenset({"integer", "number"}): "number", frozenset({"date", "timestamp"}): "timestamp"}
_TEXTS: Final = frozenset({"text", "date", "timestamp"})

_INTEGER = re.compile(r"[+-]?(0|[1-9][0-9]{0,17})\Z")
_NUMBER = re.compile(r"[+-]?([0-9]{1,18}|[0-9]{1,3}(,[0-9]{3})+)?\.?[0-9]+([eE][+-]?[0-9]{1,3})?\Z")
_DATE = re.compile(r"[0-9]{4}[-/.][0-9]{1,2}[-/.][0-9]{1,2}\Z")
_TIMESTAMP = re.compile(
    r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}[ T][0-9]{1,2}:[0-9]{2}[0-9:.,]*( ?(Z|UTC|[+-][0-9:]{2,6}))?\Z"
)
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]")


@dataclass
class ColumnTypes:
    """Counts kinds of values while a file is read. ``is_typed``: the file says what its values are."""

    is_typed: bool = False
    _found: defaultdict[str, Counter[ColumnType]] = field(default_factory=lambda: defaultdict(Counter))
    _looked_at: int = 0

    def see(self, block: Block, paths: Iterable[str]) -> None:
        """Look at some rows of a block; ``paths`` are the fields of objects that matter."""
        rows = block.rows.num_rows
        if not rows:
            return
        wanted = _SAMPLED if self._looked_at < _ENOUGH else _SAMPLED_LATER
        chosen = range(0, rows, max(1, rows // wanted))
        self._looked_at += len(chosen)
        if block.header is None:
            self.is_typed = True
            raw = block.rows.column("raw")
            self._see_objects([raw[index].as_py() for index in chosen], paths)
            return
        sample = block.rows.take(pa.array(chosen))
        for index, name in enumerate(block.header.names):
            self._see_column(name, sample.column(f"c{index}"))

    def type_of(self, name: str) -> ColumnType | None:
        """The kind of a field; None while it holds nothing."""
        counts = self._found.get(name)
        if not counts:
            return None
        enough = _RARE * counts.total()
        return joined(kind for kind, count in counts.items() if count >= enough)

    def _see_column(self, name: str, values: pa.ChunkedArray) -> None:
        if self.is_typed:
            filled = len(values) - values.null_count
            if filled:
                self._found[name][_arrow_type(values.type)] += filled
            return
        self._found[name].update(text_type(text) for text in values.to_pylist() if text is not None and text.strip())

    def _see_objects(self, raws: Sequence[str], paths: Iterable[str]) -> None:
        tree = _Branch()
        for path in paths:
            tree.grow(path)
        for raw in raws:
            try:
                row = msgspec.json.decode(raw)
            except (msgspec.MsgspecError, UnicodeError, RecursionError):
                continue
            for path, value in _values(row, tree):
                kind = _json_type(value)
                if kind is not None:
                    self._found[path][kind] += 1


def joined(kinds: Iterable[ColumnType]) -> ColumnType | None:
    """The narrowest kind that all values of these kinds have; None of no kinds."""
    distinct = sorted(set(kinds))
    if not distinct:
        return None
    first: ColumnType = distinct[0]
    return reduce(_join, distinct[1:], first)


def _join(left: ColumnType, right: ColumnType) -> ColumnType:
    if left == right:
        return left
    both = frozenset({left, right})
    if both in _WIDER:
        return "number" if "number" in both else "timestamp"
    return "text" if both <= _TEXTS else "mixed"


def family(kind: str) -> str:
    """Kinds of one family hold the same sort of value: whole numbers and fractions, days and moments."""
    return _FAMILY.get(kind, kind)


def text_type(text: str) -> ColumnType:
    """What a text of a file without types looks like."""
    value = text.strip()
    if _INTEGER.match(value):
        return "integer"
    if _NUMBER.match(value):
        return "text" if _LEADING_ZERO.match(value) else "number"
    if value.lower() in {"true", "false"}:
        return "boolean"
    return _moment_type(value)


def _moment_type(value: str) -> ColumnType:
    value = iso_text(value)
    if _DATE.match(value):
        return "date"
    return "timestamp" if _TIMESTAMP.match(value) else "text"


def _json_type(value: object) -> ColumnType | None:
    match value:
        case None:
            return None
        case str():
            return _moment_type(value) if value.strip() else None
        case bool():
            return "boolean"
        case int():
            return "integer"
        case float():
            return "number"
        case dict():
            return "object"
        case _:
            return "list"


def _arrow_type(kind: pa.DataType) -> ColumnType:
    if pa.types.is_dictionary(kind):
        return _arrow_type(kind.value_type)
    tests: tuple[tuple[Any, ColumnType], ...] = (
        (pa.types.is_boolean, "boolean"),
        (pa.types.is_integer, "integer"),
        (pa.types.is_floating, "number"),
        (pa.types.is_decimal, "number"),
        (pa.types.is_date, "date"),
        (pa.types.is_timestamp, "timestamp"),
        (pa.types.is_struct, "object"),
        (pa.types.is_nested, "list"),
    )
    return next((name for test, name in tests if test(kind)), "text")


@dataclass
class _Branch:
    """Paths that begin alike. ``path``: the one that ends here."""

    path: str | None = None
    branches: dict[str, _Branch] = field(default_factory=dict)

    def grow(self, path: str) -> None:
        """Add a path."""
        at = self
        for segment in path.split("."):
            at = at.branches.setdefault(segment, _Branch())
        at.path = path


def _values(value: object, tree: _Branch) -> Iterator[tuple[str, object]]:
    """The values at the paths of a tree, in every element of the lists on the way."""
    if tree.path is not None:
        yield tree.path, value
    if not tree.branches:
        return
    if isinstance(value, dict):
        for name, branch in tree.branches.items():
            if name in value:
                yield from _values(value[name], branch)
    elif isinstance(value, list):
        named = _Branch(None, {name: branch for name, branch in tree.branches.items() if not name.isdecimal()})
        for item in value:
            yield from _values(item, named)
        for name in tree.branches.keys() - named.branches.keys():
            if int(name) < len(value):
                yield from _values(value[int(name)], tree.branches[name])
