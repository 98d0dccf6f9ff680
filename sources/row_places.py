"""Where the rows of a block stand, file and row, as one number each: to find some among many."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
import pyarrow as pa

_ROW_BITS: Final = 40


def are_among(rows: pa.Table, places: pa.Table | Iterable[tuple[int, int]]) -> pa.Array:
    """Of each row whether its place is among these.

    Numpy counts numbers that lie close together in a table; Arrow hashes them, which takes thirty times as long.
    """
    if isinstance(places, pa.Table):
        known = _place_keys(places)
    else:
        known = np.array([(file_id << _ROW_BITS) + row for file_id, row in places], np.int64)
    return pa.array(np.isin(_place_keys(rows), known))


def _place_keys(rows: pa.Table) -> Any:  # noqa: ANN401 - numbers of numpy
    """The number of each row's place."""
    file_ids, numbers = rows.column("_file_id").to_numpy(), rows.column("_row").to_numpy()
    return (file_ids.astype(np.int64) << _ROW_BITS) + numbers
