"""Columns as numpy arrays: reading from and writing to the warehouse, groups, components."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

if TYPE_CHECKING:
    from warehouse.database import Connection

Integers: TypeAlias = NDArray[np.int64]
Floats: TypeAlias = NDArray[np.float64]
Flags: TypeAlias = NDArray[np.bool_]

_WORD: Final = 64


def read_table(connection: Connection, query: str, parameters: Mapping[str, object] | None = None) -> pa.Table:
    """The rows of a query as an Arrow table with whole columns."""
    return connection.execute(query, dict(parameters or {})).to_arrow_table().combine_chunks()


def integers(table: pa.Table, column: str) -> Integers:
    """A column of whole numbers without NULL."""
    return np.asarray(table.column(column).to_numpy(), dtype=np.int64)


def write_table(connection: Connection, name: str, table: pa.Table) -> None:
    """Replace ``schema.name`` by the rows of an Arrow table."""
    _take(connection, ("create or replace table", name, "as"), table)


def write_temporary(connection: Connection, name: str, table: pa.Table) -> None:
    """A temporary table of the rows of an Arrow table."""
    _take(connection, ("create or replace temp table", name, "as"), table)


def add_rows(connection: Connection, name: str, table: pa.Table) -> None:
    """Insert the rows of an Arrow table, if there are any (see ``identity.kept.is_filled``)."""
    if table.num_rows:
        _take(connection, ("insert into", name), table)


def _take(connection: Connection, how: tuple[str, ...], table: pa.Table) -> None:
    connection.register("_incoming", table)
    try:
        connection.execute(" ".join((*how, "select * from _incoming")))
    finally:
        connection.unregister("_incoming")


def arrow(columns: Mapping[str, tuple[object, pa.DataType]]) -> pa.Table:
    """An Arrow table from column → (values, Arrow type)."""
    return pa.table({name: pa.array(values, type=kind) for name, (values, kind) in columns.items()})


def encoded(column: pa.Array | pa.ChunkedArray) -> tuple[Integers, list[str]]:
    """A text column as codes and the text of each code."""
    whole = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
    dictionary = whole.dictionary_encode().unify_dictionaries()
    chunks = [np.asarray(chunk.indices.to_numpy(zero_copy_only=False), dtype=np.int64) for chunk in dictionary.chunks]
    if not chunks:
        return np.zeros(0, np.int64), []
    return np.concatenate(chunks), dictionary.chunk(0).dictionary.to_pylist()


def components(count: int, left: Integers, right: Integers) -> Integers:
    """For nodes 0 … count-1 joined by the pairs: the smallest node of each node's component."""
    label = np.arange(count, dtype=np.int64)
    while len(left):
        low = np.minimum(label[left], label[right])
        before = label.copy()
        np.minimum.at(label, label[left], low)
        np.minimum.at(label, label[right], low)
        label = _settled(label)
        if np.array_equal(label, before):
            break
        open_pairs = label[left] != label[right]
        left, right = left[open_pairs], right[open_pairs]
    return _settled(label)


def root(home: list[int], place: int) -> int:
    """The place that stands for a place's group, by following ``home``; the way there is made shorter."""
    while home[place] != place:
        home[place] = home[home[place]]
        place = home[place]
    return place


def _settled(label: Integers) -> Integers:
    while True:
        further = label[label]
        if np.array_equal(further, label):
            return label
        label = further


def ordered(keys: NDArray[Any], most: int) -> tuple[Integers, Integers]:
    """Positions that sort whole numbers from 0 to ``most`` (ties by position), and the numbers in that order.

    Where both fit into 64 bits the numbers are sorted with their positions packed below them, which is several times
    as fast as sorting positions.
    """
    bits = _position_bits(len(keys))
    if most.bit_length() + bits > _WORD:
        order = np.argsort(keys, kind="stable")
        return order, keys[order].astype(np.int64)
    packed = keys.astype(np.uint64)
    packed <<= np.uint64(bits)
    packed |= np.arange(len(keys), dtype=np.uint64)
    packed.sort()
    order = (packed & np.uint64((1 << bits) - 1)).astype(np.int64)
    packed >>= np.uint64(bits)
    return order, packed.astype(np.int64)


def ordered_hashes(hashes: NDArray[np.uint64]) -> tuple[Integers, Integers]:
    """``ordered`` for well-spread 64-bit numbers, of which the lowest bits give way to positions."""
    bits = _position_bits(len(hashes))
    return ordered(hashes >> np.uint64(bits), (1 << (_WORD - bits)) - 1)


def _position_bits(count: int) -> int:
    return max(count - 1, 1).bit_length()


def sorted_groups(keys: Integers) -> tuple[Integers, Integers, Integers]:
    """Order that sorts the keys, and start and size of each group in it."""
    order, in_order = ordered(keys, int(keys.max(initial=0)))
    if not len(keys):
        return order, np.zeros(0, np.int64), np.zeros(0, np.int64)
    starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]]).astype(np.int64)
    sizes = np.diff(np.r_[starts, len(keys)]).astype(np.int64)
    return order, starts, sizes


def expand(sizes: Integers) -> tuple[Integers, Integers]:
    """For groups of the given sizes: the group of each member, and the member's number in its group."""
    group = np.repeat(np.arange(len(sizes), dtype=np.int64), sizes)
    offset = np.repeat(np.cumsum(sizes) - sizes, sizes)
    return group, np.arange(len(group), dtype=np.int64) - offset
