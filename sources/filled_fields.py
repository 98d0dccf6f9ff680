"""In how many rows of a block each source field holds something: counted in its columns, not by the database."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sources.plain_text import is_bytes, is_text
from sources.source_rows import Header


def countable(header: Header | None, rows: pa.Table, columns: Mapping[str, str]) -> dict[str, str]:
    """Those fields (name → column of the block) whose column itself tells where it holds something.

    Of numbers that may be none, of objects and of bytes only their text tells it.
    """
    if header is None:
        return dict(columns)
    kinds = {f"c{index}": kind for index, kind in enumerate(header.kinds)}
    return {
        name: found
        for name, found in columns.items()
        if kinds[found] not in {"float", "json"} and not is_bytes(rows.schema.field(found).type)
    }


def count_filled(header: Header | None, rows: pa.Table, columns: Mapping[str, str]) -> dict[int, dict[str, int]]:
    """By file and field, the rows in which the field's column holds something; in flat rows empty text is nothing."""
    ids = rows.column("_file_id").to_numpy()
    if not len(ids):
        return {}
    begins = np.concatenate([[0], np.flatnonzero(np.diff(ids)) + 1])
    found = {int(ids[begin]): dict.fromkeys(columns, 0) for begin in begins}
    for name, column in columns.items():
        counts = _counts(rows.column(column), begins, is_flat=header is not None)
        for begin, count in zip(begins, counts, strict=True):
            found[int(ids[begin])][name] += int(count)
    return found


def _counts(column: pa.ChunkedArray, begins: Any, *, is_flat: bool) -> Any:  # noqa: ANN401 - arrays of numbers
    """How many values are filled in each of the pieces that begin there."""
    is_spelt = is_flat and is_text(column.type)
    if len(begins) == 1 and not is_spelt:
        return [len(column) - column.null_count]
    if is_spelt:
        chunks = [_is_filled(chunk) for chunk in column.chunks]
        if len(begins) == 1:
            return [sum(chunk.true_count for chunk in chunks)]
        filled = pa.chunked_array(chunks, pa.bool_())
    else:
        filled = pc.is_valid(column)
    return np.add.reduceat(filled.to_numpy().astype(np.int64), begins)


def _is_filled(texts: pa.Array) -> pa.BooleanArray:
    """Which texts are neither null nor empty; of places in a list of texts, each text is looked at once."""
    if pa.types.is_dictionary(texts.type):
        if texts.dictionary.null_count or pc.any(pc.equal(pc.binary_length(texts.dictionary), 0)).as_py():
            return _is_filled(texts.dictionary_decode())
        return texts.is_valid()
    return pc.greater(pc.binary_length(texts), 0).fill_null(pa.scalar(value=False))
