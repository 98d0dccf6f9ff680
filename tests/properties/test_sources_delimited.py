"""A block of delimited text that is parsed whole gives what its records give when they are read one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sources.readers import delimited_reader
from sources.readers.delimited_reader import DelimitedReader
from sources.readers.encoding import text_blocks
from sources.source_rows import Refusal

PIECES = (
    ("a", "b", ",", "\n", "1"),
    ("a", ",", "\n", '"', '""', '","'),
    ("a", ",", "\r\n", "\n", " ", '"x"', '"x,y"', '"x\ny"', '"x""y"'),
    ("a", ",", "\r", "\n", '"', "\0", "é"),
    ('"a"', ",", '"b"', ",", "\n", '"c\r\nd"'),
)
TEXTS = st.sampled_from(PIECES).flatmap(lambda pieces: st.lists(st.sampled_from(pieces), max_size=40)).map("".join)


def rows_of(data: bytes, size: int) -> list[tuple[Any, ...]]:
    source: Iterator[bytes] = (data[begin : begin + size] for begin in range(0, len(data), size))
    found: list[tuple[Any, ...]] = []
    for item in DelimitedReader(",").read(text_blocks(source, "utf-8")):
        if isinstance(item, Refusal):
            found.append((item.row, item.message, item.raw))
        else:
            found += [tuple(row.values()) for row in item.rows.to_pylist()]
    return sorted(found)


@settings(max_examples=300)
@given(header=st.sampled_from(["h\n", "h,i\n", "h,i,j\n"]), text=TEXTS, size=st.sampled_from([3, 7, 1000]))
def test_whole_blocks_and_single_records_agree(header: str, text: str, size: int) -> None:
    data = (header + text).encode()
    whole = rows_of(data, size)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(delimited_reader, "parse_block", lambda *_, **__: None)
        assert rows_of(data, size) == whole
