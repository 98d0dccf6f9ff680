"""Puts texts that lie apart one behind the other, as Arrow has them; compiled."""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numba
import numpy as np

Numbers: TypeAlias = Any
"""A numpy array."""

_at: Final[Any] = np.uint64
"""A place that is never counted from the end."""


@numba.njit(cache=True, nogil=True)
def gather(data: Numbers, spill: Numbers, begins: Numbers, ends: Numbers, offsets: Numbers) -> Numbers:
    """The texts of a column, one behind the other; ``offsets`` takes where each begins."""
    to, size = 0, len(data)
    offsets[0] = 0
    for row in range(len(begins)):
        to += ends[row] - begins[row]
        offsets[row + 1] = to
    texts = np.empty(to, np.uint8)
    for row in range(len(begins)):
        begin, to, length = begins[row], offsets[row], ends[row] - begins[row]
        if begin < size:
            for place in range(length):
                texts[_at(to + place)] = data[_at(begin + place)]
        else:
            for place in range(length):
                texts[_at(to + place)] = spill[_at(begin - size + place)]
    return texts
