"""Where the rows of a block stand, file and row, as one number each: to find some among many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

_ROW_BITS: Final = 40


def place_key(file_id: int, row: int) -> int:
    """The number of a place."""
    return (file_id << _ROW_BITS) + row


def place_keys(rows: pa.Table) -> pa.ChunkedArray:
    """The number of each row's place."""
    return pc.add(pc.shift_left(rows.column("_file_id").cast(pa.int64()), _ROW_BITS), rows.column("_row"))


def are_among(rows: pa.Table, places: pa.Table | Iterable[tuple[int, int]]) -> pa.ChunkedArray:
    """Of each row whether its place is among these."""
    if isinstance(places, pa.Table):
        known = place_keys(places).combine_chunks()
    else:
        known = pa.array([place_key(*place) for place in places], pa.int64())
    return pc.is_in(place_keys(rows), value_set=known)
