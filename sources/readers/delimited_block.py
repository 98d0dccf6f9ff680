"""Whole blocks of delimited text at once, where every parser must agree on where fields and records end.

That is so when quotes stand only around fields (doubled inside them), a carriage return only before a line end, and no
NUL anywhere. Other blocks are for ``sources/readers/delimited_reader.py``, record by record.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc

from sources.readers.encoding import TextBlock

Places: TypeAlias = Any
"""An array of places in a block of bytes."""

_LINE_END: Final = ord("\n")
_RETURN: Final = ord("\r")
_QUOTE: Final = ord('"')


@dataclass(frozen=True)
class Parsed:
    """``rows``: the columns as text. ``numbers``: the place of each row among the records.

    ``ragged``: place, number of fields and text of the records with another number of fields. ``records``: how many
    there are in all.
    """

    rows: pa.Table
    numbers: Places
    ragged: list[tuple[int, int, str]]
    records: int


def parse_block(block: TextBlock, delimiter: str, width: int, *, has_quotes: bool) -> Parsed | None:
    """The records of a block; None when they are to be read one by one."""
    data = block.data
    if block.bad or len(delimiter.encode()) != 1 or b"\0" in data:
        return None
    if b"\r" in data and data.count(b"\r") != data.count(b"\r\n"):
        return None
    if has_quotes and b'"' in data:
        if not _has_quotes_around_fields(np.frombuffer(data, np.uint8), ord(delimiter)):
            return None
        rows = _columns(data, delimiter, width, has_quotes=True)
        return None if rows is None else Parsed(rows, np.arange(rows.num_rows), [], rows.num_rows)
    return _parse_lines(data, delimiter, width)


def _has_quotes_around_fields(data: Places, delimiter: int) -> bool:
    """Every other quote begins a field or follows the one before; the others end a field or come before the next."""
    quotes = np.flatnonzero(data == _QUOTE)
    if len(quotes) % 2:
        return False
    begins, ends = np.zeros(256, np.bool_), np.zeros(256, np.bool_)
    begins[[delimiter, _LINE_END, _QUOTE]] = True
    ends[[delimiter, _LINE_END, _RETURN, _QUOTE]] = True
    first, last = quotes[0::2], quotes[1::2]
    before, behind = data[first[first > 0] - 1], data[last[last + 1 < len(data)] + 1]
    return bool(begins[before].all() and ends[behind].all())


def _parse_lines(data: bytes, delimiter: str, width: int) -> Parsed | None:
    """Without quotes a record is a line, and its fields are counted by their separators."""
    bytes_of = np.frombuffer(data, np.uint8)
    ends = np.flatnonzero(bytes_of == _LINE_END)
    if not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    begins = np.concatenate([[0], ends[:-1] + 1])
    separators = np.flatnonzero(bytes_of == ord(delimiter))
    fields = np.searchsorted(separators, ends) - np.searchsorted(separators, begins) + 1
    lengths = ends - begins
    is_record = lengths > 0
    is_record &= ~((lengths == 1) & (bytes_of[np.minimum(begins, len(data) - 1)] == _RETURN))
    numbers = np.cumsum(is_record) - 1
    is_ragged = is_record & (fields != width)
    ragged = [
        (int(numbers[line]), int(fields[line]), data[begins[line] : ends[line]].decode().rstrip("\r"))
        for line in np.flatnonzero(is_ragged)
    ]
    if ragged:
        kept = np.flatnonzero(~is_ragged)
        data = b"".join(data[begins[line] : ends[line] + 1] for line in kept)
    rows = _columns(data, delimiter, width, has_quotes=False)
    wanted = numbers[is_record & ~is_ragged]
    if rows is None or rows.num_rows != len(wanted):
        return None
    return Parsed(rows, wanted, ragged, int(is_record.sum()))


def _columns(data: bytes, delimiter: str, width: int, *, has_quotes: bool) -> pa.Table | None:
    names = [f"c{index}" for index in range(width)]
    text = dict.fromkeys(names, pa.large_string())
    if not data:
        return pa.table({name: pa.array([], kind) for name, kind in text.items()})
    try:
        return pc.read_csv(
            pa.BufferReader(data),
            pc.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=names),
            pc.ParseOptions(
                delimiter=delimiter,
                quote_char='"' if has_quotes else False,
                newlines_in_values=has_quotes,
                ignore_empty_lines=True,
            ),
            pc.ConvertOptions(check_utf8=False, column_types=text, strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
