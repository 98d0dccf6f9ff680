"""Which rows of a block hold no control character: looked up in the bytes of whole columns, not text by text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

PLAIN: Final = "_plain"
"""The column that says it, beside the columns of a block."""

_FIRST_VISIBLE: Final = 0x20
_DELETE: Final = 0x7F
_LEADS_C1: Final = 0xC2
"""In UTF-8 the controls from U+0080 on begin with this byte, as do some harmless characters."""


def with_plain(rows: pa.Table, names: Iterable[str]) -> pa.Table:
    """The block with a column that is true where none of these columns can hold a control character.

    Rows of which whoever opened them has said so already are not looked at again.
    """
    if PLAIN in rows.column_names:
        known = rows.column(PLAIN).fill_null(False)
        return rows.set_column(rows.column_names.index(PLAIN), PLAIN, known)
    plain = np.ones(rows.num_rows, dtype=np.bool_)
    for name in names:
        for suspects in _suspects(rows.column(name)):
            plain[suspects] = False
    return rows.append_column(PLAIN, pa.array(plain))


def _suspects(column: pa.ChunkedArray) -> Iterator[Any]:
    """Places of texts with a byte that may belong to a control character."""
    done = 0
    for chunk in column.chunks:
        texts = chunk if pa.types.is_large_string(chunk.type) else chunk.cast(pa.large_string())
        _, offsets_of, data_of = texts.buffers()
        if data_of is not None and len(texts):
            offsets = np.frombuffer(offsets_of, np.int64)[texts.offset : texts.offset + len(texts) + 1]
            data = np.frombuffer(data_of, np.uint8)[offsets[0] : offsets[-1]]
            if len(data) and (data.min() < _FIRST_VISIBLE or (data == _DELETE).any() or (data == _LEADS_C1).any()):
                at = np.flatnonzero((data < _FIRST_VISIBLE) | (data == _DELETE) | (data == _LEADS_C1))
                yield np.unique(np.searchsorted(offsets, at + offsets[0], side="right") - 1) + done
        done += len(chunk)
