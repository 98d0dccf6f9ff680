"""The lines of a block of bytes as texts of Arrow, without copying them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.lib.stride_tricks import sliding_window_view

Offsets: TypeAlias = Any
"""An array of places in a block of bytes."""

MOST_BYTES: Final = (1 << 31) - 1
"""How far a view can point."""

_LINE_END: Final = 10
_PREFIX, _INLINE = 4, 12


def texts_of(raws: Sequence[bytes]) -> pa.Array:
    """Texts that lie apart, as views too."""
    return pa.array(raws, pa.large_binary()).cast(pa.large_string()).cast(pa.string_view())


def line_texts(data: bytes, begins: Offsets, ends: Offsets) -> pa.Array:
    """Texts that stay where they are in ``data``, as Arrow lays out views: length, first four bytes, buffer, place.

    A text of at most twelve bytes stands in the view itself.
    """
    views = np.zeros((len(begins), 4), np.int32)
    views[:, 0] = ends - begins
    views[:, 3] = begins
    if len(data) >= _PREFIX:
        letters = sliding_window_view(np.frombuffer(data, np.uint8), _PREFIX)
        views[:, 1] = letters[np.minimum(begins, len(letters) - 1)].copy().view(np.int32)[:, 0]
    for index in np.flatnonzero(views[:, 0] <= _INLINE).tolist():
        text = data[begins[index] : ends[index]].ljust(_INLINE, b"\0")
        views[index, 1:] = np.frombuffer(text, np.int32)
    return pa.Array.from_buffers(pa.string_view(), len(begins), [None, pa.py_buffer(views), pa.py_buffer(data)])


def line_offsets(data: bytes) -> Offsets:
    """Where the lines begin, each with its line end, and where the last one ends."""
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == _LINE_END) + 1
    tail = [] if len(ends) and ends[-1] == len(data) else [len(data)]
    return np.concatenate([[0], ends, tail]).astype(np.int64)
