"""The source shape: which fields of a vendor's object a mapping reads or leaves out, as a tree of names.

What the objects at hand hold is marked in the tree as it is met, and fields that nobody mentions join it: the strict
model that ``sources/gate.py`` decodes with has a member for every field that was ever seen, and for no other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from sources.expression import Cleared, Path, element_paths, is_index, parts, paths_of
from sources.leaves import Leaf
from sources.mapped_feed import MappedFeed, source_paths
from sources.nested_rows import child_of, element_leaves
from sources.program import own_leaves

Standing: TypeAlias = Literal["mapped", "ignored", "unknown"]


@dataclass
class Node:
    """A place in the tree. With children it is an object or a list of objects.

    ``kinds``: what may stand there besides text and whole numbers, where statements take the text as it is.
    ``is_whole``: statements read it as JSON. ``is_seen``: it was met in an object.
    """

    standing: Standing = "mapped"
    children: dict[str, Node] = field(default_factory=dict)
    kinds: frozenset[str] | None = None
    may_be_null: bool = True
    is_whole: bool = False
    is_seen: bool = False

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
            for place in paths_of(part) if isinstance(part, Cleared) else ():
                _mark(root, place).may_be_null = False
    leaves = own_leaves(mapped)
    _restrict(root, leaves)
    for leaf in leaves.values():
        if leaf.kinds is None:
            _mark(root, Path(".".join(leaf.stem))).is_whole = True
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


def strangers(value: object, node: Node, news: list[Node], at: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The paths in an object that the tree does not have; what it has and was not seen before goes to ``news``."""
    if isinstance(value, list):
        for item in value:
            yield from strangers(item, node, news, at)
        return
    if not isinstance(value, dict):
        return
    for name, inner in value.items():
        known = node.children.get(name)
        if known is None:
            yield (*at, name)
            continue
        if not known.is_seen:
            known.is_seen = True
            news.append(known)
        if known.children:
            yield from strangers(inner, known, news, (*at, name))


def stands_in(value: object, path: Sequence[str]) -> bool:
    """Whether an object holds something at a path, in any element of the lists on the way."""
    for index, name in enumerate(path):
        if isinstance(value, list):
            return any(stands_in(item, path[index:]) for item in value)
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True
