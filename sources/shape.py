"""The source shape: which fields of a vendor's object a mapping reads or leaves out, as a tree of names.

Every object is decoded once into a strict model generated from this tree. That proves that the line is JSON (the
database's own parser takes trailing commas and NaN) and shows fields that nobody mentions, at the cost of a
single pass. New fields join the tree, so that each is looked up once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any, Final, Literal, TypeAlias, Union

import msgspec

from sources.evaluation import is_index, walk
from sources.expression import Cleared, Path, element_paths, parts
from sources.leaves import Leaf
from sources.mapped_feed import MappedFeed, source_paths
from sources.nested_rows import child_of, element_leaves
from sources.operations.operation import Value
from sources.program import own_leaves

Standing: TypeAlias = Literal["mapped", "ignored", "unknown"]

MOST_UNKNOWN: Final = 300
"""New fields told one by one in a file; an object used as a dictionary would have any number of them."""


@dataclass
class Node:
    """A place in the tree. With children it is an object or a list of objects.

    ``kinds``: what may stand there besides text and whole numbers, where statements take the text as it is.
    """

    standing: Standing = "mapped"
    children: dict[str, Node] = field(default_factory=dict)
    kinds: frozenset[str] | None = None
    may_be_null: bool = True

    def child(self, name: str) -> Node:
        """The place below, made when it is not there yet."""
        return self.children.setdefault(name, Node())


def shape_of(mapped: MappedFeed) -> Node:
    """The tree of a feed's mapping. Members of the elements of a list stand below the list, without an index."""
    root = Node()
    for path in source_paths(mapped):
        _mark(root, path)
    for expression in (*mapped.fields.values(), *mapped.rows.values()):
        for each, inner in element_paths(expression):
            _mark(_mark(root, each), inner)
        for part in parts(expression):
            for place in part.places.values() if isinstance(part, Cleared) else ():
                _mark(root, place).may_be_null = False
    _restrict(root, own_leaves(mapped))
    for name, rows in mapped.rows.items():
        if rows.path is not None:
            _restrict(_mark(root, rows.path), element_leaves(rows, child_of(mapped.contract, name).model))
    return root


def _restrict(node: Node, leaves: Mapping[str, Leaf]) -> None:
    for path, leaf in leaves.items():
        if leaf.kinds is not None:
            place = _mark(node, Path(path))
            place.kinds = leaf.kinds if place.kinds is None else place.kinds & leaf.kinds


def _mark(node: Node, path: Path) -> Node:
    """Note that a path is read. A whole number stands for the elements of a list."""
    for name in path.segments:
        node = node if is_index(name) else node.child(name)
    return node


@dataclass(frozen=True)
class Passed:
    """``is_sure``: a JSON object in which every place holds what it may. ``unknown``: fields nobody mentions."""

    is_sure: bool
    unknown: tuple[str, ...]


@dataclass
class Gate:
    """Decodes objects strictly and counts the fields nobody mentions, per file."""

    root: Node
    ignore: tuple[str, ...]
    names: frozenset[str] = frozenset()
    assumed: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        self._unknown: dict[str, tuple[str, ...]] = {}
        self._prepare()

    def _prepare(self) -> None:
        self._decoder = msgspec.json.Decoder(_model(self.root, "Source"))
        self._lines = self._decoder.decode_lines

    def pass_lines(self, data: bytes, count: int) -> list[Any] | None:
        """All ``count`` lines decoded, when every one is a known object; None when any needs a closer look."""
        try:
            rows: list[Any] = self._lines(data)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        return rows if len(rows) == count else None

    def pass_one(self, raw: bytes) -> Passed:
        """One object. Fields nobody mentions join the tree."""
        try:
            return Passed(True, self._unknown_of(self._decoder.decode(raw)))
        except msgspec.ValidationError:
            pass
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Passed(False, ())
        try:
            value = msgspec.json.decode(raw)
            if not isinstance(value, dict):
                return Passed(False, ())
            self._learn(value)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return Passed(False, ())
        unknown = tuple(name for name in self._unknown if _stands_in(value, name.split(".")))
        try:
            self._decoder.decode(raw)
        except msgspec.ValidationError:
            return Passed(False, unknown)
        return Passed(True, unknown)

    def _unknown_of(self, row: object) -> tuple[str, ...]:
        return tuple(name for name, places in self._unknown.items() if _stands(row, places))

    def unknown_in(self, rows: Sequence[Any]) -> dict[str, int]:
        """In how many of the decoded rows each unknown field stands."""
        return {
            name: count
            for name, places in self._unknown.items()
            if (count := sum(1 for row in rows if _stands(row, places)))
        }

    def has_unknown(self, row: object) -> bool:
        """Whether any field nobody mentions stands in a decoded row."""
        return bool(self._unknown) and bool(self._unknown_of(row))

    def unknown_values(self, row: Value) -> dict[str, Value]:
        """The values of fields nobody mentions in a row decoded to plain values."""
        found = ((name, walk(row, name.split("."))) for name in list(self._unknown))
        return {name: value for name, value in found if value is not None}

    def unknown_columns(self, names: Sequence[str]) -> list[str]:
        """Which columns of a flat file nobody mentions."""
        return [name for name in names if self.standing_of(name) == "unknown"]

    def standing_of(self, name: str) -> Standing:
        """What the mapping does with a column of a flat file. Its name is taken whole, dots and all."""
        if name in self.names:
            return "mapped"
        return "ignored" if is_ignored(name, self.ignore) else "unknown"

    def _learn(self, value: Mapping[str, object]) -> None:
        before = len(self._unknown)
        strangers = list(_strangers(value, self.root, ()))
        if not strangers:
            return
        for path in strangers:
            name = ".".join(path)
            standing: Standing = "ignored" if is_ignored(name, self.ignore) else "unknown"
            if standing == "unknown" and len(self._unknown) >= MOST_UNKNOWN:
                standing = "ignored"
            node = self.root
            for part in path:
                node = node.child(part)
            node.standing = standing
            if standing == "unknown":
                self._unknown[name] = _attributes(self.root, path)
        if before != len(self._unknown):
            self._unknown = {name: _attributes(self.root, name.split(".")) for name in self._unknown}
        self._prepare()


def is_ignored(name: str, patterns: Sequence[str]) -> bool:
    """Whether a source field is left out on purpose: named, below a named one, or met by a glob."""
    return any(
        name == pattern or name.startswith(f"{pattern}.") or ("*" in pattern and fnmatchcase(name, pattern))
        for pattern in (item.replace("[]", "") for item in patterns)
    )


def _strangers(value: object, node: Node, at: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    if isinstance(value, list):
        for item in value:
            yield from _strangers(item, node, at)
        return
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        known = node.children.get(name)
        if known is None:
            yield (*at, name)
        elif known.children:
            yield from _strangers(inner, known, (*at, name))


def _model(node: Node, name: str) -> type[msgspec.Struct]:
    """The strict model of a place: its children, and nothing else."""
    fields: list[tuple[str, Any, Any]] = []
    names: dict[str, str] = {}
    for index, (key, child) in enumerate(node.children.items()):
        names[f"f{index}"] = key
        kind: Any = _scalar(child.kinds or frozenset(), may_be_null=child.may_be_null)
        if child.kinds is None:
            kind = msgspec.Raw if child.may_be_null else _ANY_BUT_NULL
        if child.children:
            inner: Any = _model(child, f"{name}_{index}")
            kind = Union[inner, list[Union[inner, list[Any], _ANY_SCALAR]], _ANY_SCALAR]  # noqa: UP007 - made of values
        fields.append((f"f{index}", kind, None))
    return msgspec.defstruct(name, fields, rename=names, forbid_unknown_fields=True, gc=False)


_ANY_BUT_NULL: Any = str | int | float | bool | list[Any] | dict[str, Any]
_ANY_SCALAR: Any = str | int | float | bool | None


def _scalar(kinds: frozenset[str], *, may_be_null: bool) -> Any:  # noqa: ANN401 - a union made of values
    kind: Any = str | int | None if may_be_null else str | int
    kind = kind | float if "number" in kinds else kind
    return kind | bool if "boolean" in kinds else kind


def _attributes(root: Node, path: Sequence[str]) -> tuple[str, ...]:
    """The attribute names that lead to a place in the model."""
    found, node = [], root
    for name in path:
        found.append(f"f{list(node.children).index(name)}")
        node = node.children[name]
    return tuple(found)


def _stands(row: object, places: Sequence[str]) -> bool:
    for index, place in enumerate(places):
        if isinstance(row, list):
            return any(_stands(item, places[index:]) for item in row)
        row = getattr(row, place, None)
        if row is None:
            return False
    return True


def _stands_in(value: object, path: Sequence[str]) -> bool:
    for index, name in enumerate(path):
        if isinstance(value, list):
            return any(_stands_in(item, path[index:]) for item in value)
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
