"""Which rows of a block hold nothing but plain texts: looked up in the bytes of whole columns, not text by text.

A text is plain when it holds no control character, begins with a visible one, and fits into any field of text; an
empty one is too, since it says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np
import pyarrow as pa

PLAIN: Final = "_plain"
"""The column that says it, beside the columns of a block."""

LONGEST: Final = 255
"""Bytes of a plain text: as many letters as the shortest field of text takes, an id."""

VISIBLE: Final = np.zeros(256, np.bool_)
"""Which bytes surely begin a visible character of UTF-8: there are no blanks from U+0021, U+00C0 and U+4000 on."""
VISIBLE[0x21:0x7F] = VISIBLE[0xC3:0xE1] = VISIBLE[0xE4:0xF5] = True

_FIRST_VISIBLE: Final = 0x20
_DELETE: Final = 0x7F
_LEADS_C1: Final = 0xC2
"""In UTF-8 the controls from U+0080 on begin with this byte, as do some harmless characters."""


def with_plain(rows: pa.Table, names: Iterable[str]) -> pa.Table:
    """The block with a column that is true where all texts of these columns are plain.

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


def filled_column(name: str) -> str:
    """The name of the column that holds the texts of a column where they are not empty."""
    return f"e{name}"


def with_filled(rows: pa.Table, names: Iterable[str]) -> pa.Table:
    """The block with columns besides in which empty texts are NULL, so that no statement has to ask for them."""
    for name in names:
        column = rows.column(name)
        made = [_filled(chunk) for chunk in column.chunks] if is_text(column.type) else column.chunks
        rows = rows.append_column(filled_column(name), pa.chunked_array(made, column.type))
    return rows


def _filled(texts: pa.Array) -> pa.Array:
    """The same texts, without a copy, and NULL where one is empty."""
    if pa.types.is_dictionary(texts.type):
        is_filled = np.append(_is_filled(texts.dictionary.cast(pa.large_string())), np.False_)
        if is_filled[:-1].all():
            return texts
        places = texts.indices.cast(pa.int64()).fill_null(len(is_filled) - 1).to_numpy()
        kept = pa.array(texts.indices.fill_null(0).to_numpy(), texts.indices.type, mask=~is_filled[places])
        return pa.DictionaryArray.from_arrays(kept, texts.dictionary)
    is_filled = _is_filled(texts)
    count = len(texts) - int(np.count_nonzero(is_filled))
    if count == texts.null_count:
        return texts
    _, offsets, data = texts.buffers()
    width = 8 if pa.types.is_large_string(texts.type) else 4
    own = offsets.slice(texts.offset * width, (len(texts) + 1) * width)
    valid = pa.py_buffer(np.packbits(is_filled, bitorder="little"))
    return pa.Array.from_buffers(texts.type, len(texts), [valid, own, data], count)


def _is_filled(texts: pa.Array) -> Any:  # noqa: ANN401 - truth values of numpy
    _, buffer, _ = texts.buffers()
    kind = np.int64 if pa.types.is_large_string(texts.type) else np.int32
    found = np.diff(np.frombuffer(buffer, kind)[texts.offset : texts.offset + len(texts) + 1]) > 0
    return found & texts.is_valid().to_numpy(zero_copy_only=False) if texts.null_count else found


def _suspects(column: pa.ChunkedArray) -> Iterator[Any]:
    """Places of texts that are not plain, or of bytes that are no text."""
    done = 0
    for chunk in column.chunks:
        if not is_text(chunk.type):
            yield np.flatnonzero(chunk.is_valid().to_numpy(zero_copy_only=False)) + done
            done += len(chunk)
            continue
        if pa.types.is_dictionary(chunk.type):
            yield _suspects_of_few(chunk) + done
            done += len(chunk)
            continue
        texts = chunk if pa.types.is_large_string(chunk.type) else chunk.cast(pa.large_string())
        _, offsets_of, data_of = texts.buffers()
        if data_of is not None and len(texts):
            offsets = np.frombuffer(offsets_of, np.int64)[texts.offset : texts.offset + len(texts) + 1]
            data = np.frombuffer(data_of, np.uint8)[offsets[0] : offsets[-1]]
            if len(data) and (data.min() < _FIRST_VISIBLE or (data == _DELETE).any() or (data == _LEADS_C1).any()):
                at = np.flatnonzero((data < _FIRST_VISIBLE) | (data == _DELETE) | (data == _LEADS_C1))
                yield np.unique(np.searchsorted(offsets, at + offsets[0], side="right") - 1) + done
            lengths = np.diff(offsets)
            filled = np.flatnonzero(lengths)
            if len(filled):
                is_odd = ~VISIBLE[data[(offsets[:-1] - offsets[0])[filled]]] | (lengths[filled] > LONGEST)
                if is_odd.any():
                    yield filled[is_odd] + done
        done += len(chunk)


def _suspects_of_few(places: pa.DictionaryArray) -> Any:  # noqa: ANN401 - places of rows
    """The same where rows hold places in a list of texts: each text is looked at once."""
    is_odd = np.zeros(len(places.dictionary) + 1, np.bool_)
    for suspects in _suspects(pa.chunked_array([places.dictionary])):
        is_odd[suspects] = True
    if not is_odd.any():
        return np.zeros(0, np.int64)
    nothing = len(places.dictionary)
    return np.flatnonzero(is_odd[places.indices.cast(pa.int64()).fill_null(nothing).to_numpy()])


def is_text(kind: pa.DataType) -> bool:
    """Whether a column of this type holds texts."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def is_bytes(kind: pa.DataType) -> bool:
    """Whether a column of this type holds anything but texts, numbers, moments and nested values."""
    if pa.types.is_dictionary(kind):
        return is_bytes(kind.value_type)
    known = (is_text, pa.types.is_primitive, pa.types.is_decimal, pa.types.is_nested, pa.types.is_null)
    return not any(test(kind) for test in known)
