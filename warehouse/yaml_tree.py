"""YAML text as plain values, with the line of every key and item.

Plain YAML turns ``NO`` into False, ``0123`` into 83 and ``on:`` into True. Here only ``true``, ``false``,
``null``, integers and floats without leading zeros are resolved; everything else stays the text it looks like.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Location = tuple[str | int, ...]
"""The keys and places of lists on the way to a value."""

Note = Callable[[int, str, str], None]
"""Takes a line, what is wrong there, and what to do."""

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)\Z")
_FLOAT = re.compile(r"[-+]?(0|[1-9][0-9]*)\.[0-9]+([eE][-+]?[0-9]+)?\Z")
_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}


@dataclass(frozen=True)
class Tree:
    """What a text holds, and the line of every location in it."""

    value: dict[str, object]
    lines: Mapping[Location, int] = field(default_factory=dict)


def read_tree(text: str, note: Note) -> Tree | None:
    """The values of a text; what is wrong with the text goes to ``note``. None when there are no keys and values."""
    try:
        node = _composed(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "not YAML"
        fix = "Check the indentation and the quotes, on this line and the one before it."
        note(mark.line + 1 if mark else 1, f"This is not valid YAML: {what}.", fix)
        return None
    lines: dict[Location, int] = {}
    value = {} if node is None else _value(node, (), lines, note)
    if not isinstance(value, dict):
        note(1, "The file must hold keys and values.", "Start with `key: value` lines.")
        return None
    return Tree(value, lines)


def _composed(text: str) -> Node | None:
    """The tree of a text, by the compiled parser; when something is wrong, the other one tells it better."""
    try:
        return yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except yaml.YAMLError:
        return yaml.compose(text, Loader=yaml.SafeLoader)


def _value(
    node: Node, at: Location, lines: dict[Location, int], note: Note, above: frozenset[int] = frozenset()
) -> object:
    lines.setdefault(at, node.start_mark.line + 1)
    if id(node) in above:
        note(node.start_mark.line + 1, "An alias (`*name`) stands inside what it names.", "Write it out.")
        return None
    if isinstance(node, MappingNode):
        result: dict[str, object] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value)
            line = key_node.start_mark.line + 1
            if key in result:
                note(line, f"`{key}` stands twice.", "Keep one of them.")
            lines[(*at, key)] = line
            result[key] = _value(value_node, (*at, key), lines, note, above | {id(node)})
        return result
    if isinstance(node, SequenceNode):
        inside = above | {id(node)}
        return [_value(item, (*at, index), lines, note, inside) for index, item in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    return _scalar(node)


def _scalar(node: ScalarNode) -> object:
    text = str(node.value)
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.match(text):
        return int(text)
    if _FLOAT.match(text):
        return float(text)
    return text
