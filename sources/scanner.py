"""Opens many lines at once through ``sources/line_scan.py``: the sure ones become columns of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import numpy as np
import pyarrow as pa

from sources.leaves import Segments
from sources.line_scan import (
    ANYTHING,
    AS_JSON,
    AS_PRESENCE,
    AS_TEXT,
    DOUBTFUL,
    ENDING,
    FRACTION,
    NOTHING,
    SURE,
    TEXT,
    TRUTH,
    UNSURE,
    VISIBLE,
    WHOLE_NUMBER,
    Numbers,
    scan,
)
from sources.plain_text import LONGEST
from sources.plain_text import VISIBLE as BEGIN_VISIBLY
from sources.shape import Node
from sources.text_gathering import gather

_WIDTH = 8
"""Numbers that describe a place, as ``scan`` reads them."""

LETTERS = BEGIN_VISIBLY.astype(np.uint8) * VISIBLE
LETTERS[:32] |= ENDING
LETTERS[[ord('"'), ord("\\")]] |= ENDING
LETTERS[[0x7F, 0xC2]] |= DOUBTFUL  # in UTF-8 the controls from U+0080 on begin with the latter


@dataclass(frozen=True)
class Scanned:
    """``columns`` and ``plain`` speak of the lines ``sure``, in their order; nothing is said of the lines ``unsure``.

    ``unknown``: by field that nobody mentions, in which of the sure lines it stands.
    """

    sure: Numbers
    unsure: Numbers
    columns: dict[str, pa.Array]
    unknown: dict[str, Numbers]
    plain: Numbers


@dataclass(frozen=True)
class Scanner:
    """The seen part of a tree, as the compiled pass reads it."""

    tree: Numbers
    keys: Numbers
    columns: tuple[str, ...]
    whole: tuple[str, ...]
    """The columns of JSON."""
    unknown: tuple[str, ...]

    def open(self, data: bytes, offsets: Numbers) -> Scanned:
        """Open all lines."""
        lines, count = len(offsets) - 1, len(self.columns) + len(self.unknown)
        begins, ends = np.empty((count, lines), np.int64), np.empty((count, lines), np.int64)
        said, plain = np.empty(lines, np.int8), np.empty(lines, np.bool_)
        bytes_of, spill = np.frombuffer(data, np.uint8), np.empty(len(data), np.uint8)
        rows = scan(bytes_of, offsets, self.tree, self.keys, begins, ends, said, plain, spill, LETTERS, LONGEST)
        columns = {
            name: _texts(bytes_of, spill, begins[index, :rows], ends[index, :rows])
            for index, name in enumerate(self.columns)
        }
        columns |= {name: _compact(columns[name]) for name in self.whole}
        stands = {name: begins[index, :rows] >= 0 for index, name in enumerate(self.unknown, len(self.columns))}
        unknown = {name: found for name, found in stands.items() if found.any()}
        return Scanned(np.flatnonzero(said == SURE), np.flatnonzero(said == UNSURE), columns, unknown, plain[:rows])


def scanner_of(root: Node, columns: Mapping[Segments, str], unknown: Mapping[str, Segments]) -> Scanner | None:
    """The scanner of a tree; None where a place is read as text in which objects were seen.

    Columns of places that were never seen are left out, as the gate's other ways leave them out.
    """
    columns = {path: name for path, name in columns.items() if _is_seen(root, path)}
    places: list[tuple[Segments, Node]] = [((), root)]
    tree: list[list[int]] = [[0] * _WIDTH]
    tree[0][5] = -1
    keys = bytearray()
    whole: list[str] = []
    paths = {path: index for index, path in enumerate((*columns, *unknown.values()))}
    for index, (path, node) in enumerate(places):  # the list grows on the way: children come behind their parents
        seen = [(name, child) for name, child in node.children.items() if child.is_seen]
        tree[index][:2] = len(places), len(seen)
        for name, child in seen:
            at = (*path, name)
            is_inner = any(below.is_seen for below in child.children.values())
            if at in columns and is_inner and not child.is_whole:
                return None
            if at in columns and child.is_whole:
                whole.append(columns[at])
            key = name.encode("utf-8", "replace")
            keys += key
            told = AS_PRESENCE if at not in columns else AS_JSON if child.is_whole else AS_TEXT
            tree.append(
                [0, 0, len(keys) - len(key), len(keys), _allowed(child, is_inner), paths.get(at, -1), told, index]
            )
            places.append((at, child))
    names = tuple(columns[path] for path in columns)
    return Scanner(np.array(tree, np.int64), np.frombuffer(bytes(keys), np.uint8), names, tuple(whole), tuple(unknown))


def _is_seen(node: Node, path: Segments) -> bool:
    for name in path:
        found = node.children.get(name)
        if found is None or not found.is_seen:
            return False
        node = found
    return True


def compile_pass() -> None:
    """Compile now what the first lines would wait for. The machine code is kept beside the module."""
    root = Node()
    root.child("a").is_seen = True
    scanner = scanner_of(root, {("a",): "s0"}, {})
    assert scanner is not None
    scanner.open(b'{"a": "b"}\n', np.array([0, 11], np.int64))


def _allowed(node: Node, is_inner: bool) -> int:
    allowed = ANYTHING
    if node.kinds is not None and not is_inner and not node.is_whole:
        allowed = TEXT | WHOLE_NUMBER | NOTHING
        allowed |= FRACTION if "number" in node.kinds else 0
        allowed |= TRUTH if "boolean" in node.kinds else 0
    return allowed if node.may_be_null else allowed & ~NOTHING


def _compact(column: pa.Array) -> pa.Array:
    """JSON without spaces, of equal keys the last; null is nothing.

    Raises:
        msgspec.MsgspecError: what stands in some row cannot be held.
    """
    found = (None if raw is None else msgspec.json.decode(raw) for raw in column.cast(pa.large_binary()).to_pylist())
    made = [None if value is None else msgspec.json.encode(value) for value in found]
    return pa.array(made, pa.large_binary()).cast(pa.large_string())


def _texts(data: Numbers, spill: Numbers, begins: Numbers, ends: Numbers) -> pa.Array:
    offsets = np.empty(len(begins) + 1, np.int64)
    texts = gather(data, spill, begins, ends, offsets)
    missing = begins < 0
    count = int(missing.sum())
    valid = pa.py_buffer(np.packbits(~missing, bitorder="little")) if count else None
    buffers = [valid, pa.py_buffer(offsets), pa.py_buffer(texts)]
    return pa.Array.from_buffers(pa.large_string(), len(begins), buffers, count)
