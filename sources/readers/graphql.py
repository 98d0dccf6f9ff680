"""Answers of a GraphQL interface, made what the same vendor's REST interface sends.

Connections (``edges`` with a ``node``, or ``nodes``) become lists, names in camelCase become snake_case, global ids
(``gid://shopify/Order/1``) their last part, words in capitals small ones; what is called or placed otherwise is moved
where the mapping's ``graphql:`` says. A bulk export writes children on lines of their own behind their parent: they are
put into it, and their lines are left blank, so that the numbers of lines stay.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Final, TypeAlias

from sources.operations.operation import Value
from sources.readers.encoding import TextBlock

Node: TypeAlias = dict[str, Value]

_GLOBAL_ID: Final = re.compile(rb'"id"\s*:\s*"gid://')
_TAIL: Final = re.compile(r"gid://[^/]+/(?P<type>\w+)/(?P<id>[^/?]+)(\?.*)?\Z")
_HUMP: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_CAPITALS: Final = re.compile(r"[A-Z][A-Z_]*\Z")
_WORDS: Final = ("status", "state", "kind", "reason", "level")
_PARENT: Final = "__parentId"
_IN_PARENT: Final = b'"__parentId"'
_LEFT_OUT: Final = frozenset({"__typename", _PARENT, "pageInfo", "cursor"})


def is_graphql(beginning: bytes) -> bool:
    """Whether the ids of objects are global ones, which no REST interface gives under the name ``id``."""
    return bool(_GLOBAL_ID.search(beginning))


@dataclass(frozen=True)
class GraphqlAnswer:
    """How the answers of one interface are read. ``moved``: path of a value here → its path in REST."""

    moved: Mapping[str, str]

    def read(self, blocks: Iterator[TextBlock]) -> Iterator[TextBlock]:
        """The text of a file as REST would have it; unchanged where it is no JSON."""
        first = next(blocks)
        if _begins_lines(first.data):
            yield from map(self._lines, _with_their_children(chain([first], blocks)))
            return
        held = [first, *blocks]
        document = None if any(block.bad or block.is_broken for block in held) else _decoded(_joined(held))
        if document is None:
            yield from held
            return
        yield TextBlock(json.dumps([self._shaped(node) for node in _nodes(document)], ensure_ascii=False).encode())

    def _lines(self, block: TextBlock) -> TextBlock:
        """A line per object, children put into their parents."""
        lines = block.data.split(b"\n")
        roots: dict[int, Node] = {}
        known: dict[str, Node] = {}
        for number, line in enumerate(lines):
            node = None if number in block.bad else _decoded(line)
            if not isinstance(node, dict):
                continue
            parent = known.get(str(node.get(_PARENT)))
            if parent is None:
                roots[number] = node
            else:
                _children(parent, node).append(node)
                lines[number] = b""
            known.update(_named(node))
        for number, node in roots.items():
            lines[number] = json.dumps(self._shaped(node), ensure_ascii=False).encode()
        return TextBlock(b"\n".join(lines), block.bad, block.is_broken, block.tail)

    def _shaped(self, node: Node) -> Value:
        shaped = _rest(node)
        if isinstance(shaped, dict):
            for source, target in self.moved.items():
                _move(shaped, source.split("."), target.split("."))
        return shaped


def _joined(blocks: Iterable[TextBlock]) -> bytes:
    return b"".join(block.data for block in blocks)


def _decoded(text: bytes) -> Value:
    try:
        value: Value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value


def _begins_lines(data: bytes) -> bool:
    """Whether the first line is an object of its own and there are more."""
    first, _, rest = data.strip().partition(b"\n")
    return bool(rest) and isinstance(_decoded(first), dict)


def _with_their_children(blocks: Iterator[TextBlock]) -> Iterator[TextBlock]:
    """Blocks that end before the last parent begins: its children may stand in the next one."""
    kept = TextBlock(b"")
    for block in blocks:
        shift = kept.data.count(b"\n")
        bad = kept.bad | {number + shift for number in block.bad}
        lines = (kept.data + block.data).split(b"\n")
        if block.is_broken:
            yield TextBlock(b"\n".join(lines), bad, block.is_broken, block.tail)
            kept = TextBlock(b"")
            continue
        parents = (
            number for number in range(len(lines) - 1, 0, -1) if lines[number] and _IN_PARENT not in lines[number]
        )
        cut = next(parents, 0)
        if cut:
            yield TextBlock(b"\n".join(lines[:cut]) + b"\n", frozenset(number for number in bad if number < cut))
        rest = frozenset(number - cut for number in bad if number >= cut)
        kept = TextBlock(b"\n".join(lines[cut:]), rest)
    if kept.data:
        yield kept


def _named(value: Value) -> Iterator[tuple[str, Node]]:
    """An object and those inside it, by their global ids."""
    if isinstance(value, list):
        for item in value:
            yield from _named(item)
    elif isinstance(value, dict):
        if isinstance(value.get("id"), str):
            yield str(value["id"]), value
        for inner in value.values():
            if isinstance(inner, dict | list):
                yield from _named(inner)


def _children(parent: Node, child: Node) -> list[Value]:
    """The list in which a child stands: that of its type, such as ``lineItems``."""
    found = _TAIL.match(str(child.get("id")))
    name = f"{found['type'][0].lower()}{found['type'][1:]}s" if found else "nodes"
    listed = parent.get(name)
    if not isinstance(listed, list):
        parent[name] = listed = []
    return listed


def _nodes(value: Value) -> Iterator[Node]:
    """The objects of an answer: what has an id, inside pages, lists and connections."""
    if isinstance(value, list):
        for item in value:
            yield from _nodes(item)
    elif isinstance(value, dict):
        if "id" in value:
            yield value
            return
        for name, inner in value.items():
            if name not in {"errors", "extensions"}:
                yield from _nodes(inner)


def _rest(value: Value, name: str = "") -> Value:
    if isinstance(value, list):
        return [_rest(item, name) for item in value]
    if isinstance(value, dict):
        for listed in ("edges", "nodes"):
            items = value.get(listed)
            if isinstance(items, list):
                inner = [item.get("node") if listed == "edges" and isinstance(item, dict) else item for item in items]
                return [_rest(item, name) for item in inner]
        kept = ((_snake(key), inner) for key, inner in value.items() if key not in _LEFT_OUT)
        return {snake: _rest(inner, snake) for snake, inner in kept}
    if isinstance(value, str):
        if (name == "id" or name.endswith("_id")) and (found := _TAIL.match(value)):
            return found["id"]
        return value.lower() if name.endswith(_WORDS) and _CAPITALS.match(value) else value
    return value


def _snake(name: str) -> str:
    return _HUMP.sub("_", name).lower()


def _move(node: Node, source: Sequence[str], target: Sequence[str]) -> None:
    """Put a value where REST has it, inside the objects of a list for each of them; a value there already stays."""
    first, *rest = source
    inner = node.get(first)
    if rest and target[0] == first:
        for item in inner if isinstance(inner, list) else [inner]:
            if isinstance(item, dict):
                _move(item, rest, target[1:])
        return
    value = _taken(node, source)
    if value is None:
        return
    place = node
    for name in target[:-1]:
        inside = place.setdefault(name, {})
        if not isinstance(inside, dict):
            return
        place = inside
    if place.get(target[-1]) is None:
        place[target[-1]] = value


def _taken(node: Node, path: Sequence[str]) -> Value:
    """The value at a path, which leaves its place."""
    first, *rest = path
    if not rest:
        return node.pop(first, None)
    inner = node.get(first)
    if not isinstance(inner, dict):
        return None
    value = _taken(inner, rest)
    if not inner:
        del node[first]
    return value
