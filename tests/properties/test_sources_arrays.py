"""An array that is read a block at a time gives the rows of the array read as a whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from sources.feed import Feed
from sources.mapped_feed import map_feed
from sources.readers.encoding import text_blocks
from sources.readers.file_reader import FileReader
from sources.source_rows import Reading, Refusal

MAPPED = map_feed(Feed.named("feed", kind="messages", mapping="jsonl", format="json"))
FORMS = (
    lambda rows: json.dumps(rows, indent=2),
    lambda rows: json.dumps(rows, indent=1, ensure_ascii=False) + "\n",
    lambda rows: "[\n" + ",\n".join(map(json.dumps, rows)) + "\n]\n",
    lambda rows: "[" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "]",
)
NESTED = ([], [{"a": {"b": "},"}}, {"a": 1}])
ROWS = st.lists(
    st.fixed_dictionaries({"message_id": st.text("m},\n茶", min_size=1), "x": st.sampled_from(NESTED)}),
    min_size=1,
    max_size=12,
)


def rows_of(data: bytes, size: int) -> list[tuple[Any, ...]]:
    source: Iterator[bytes] = (data[begin : begin + size] for begin in range(0, len(data), size))
    found: list[tuple[Any, ...]] = []
    for item in FileReader.of(MAPPED)._texts(text_blocks(source, None), Reading()):
        if isinstance(item, Refusal):
            found.append((item.row, item.message))
        else:
            raws = map(json.loads, item.rows["raw"].to_pylist())
            found += zip(item.rows["row"].to_pylist(), raws, item.rows["strict"].to_pylist(), strict=True)
    return found


@settings(max_examples=60)
@example(rows=[{"message_id": "m", "x": []}], form=FORMS[2], size=60, lost=3)
@example(rows=[{"message_id": "m", "x": []}], form=FORMS[2], size=60, lost=31)
@given(rows=ROWS, form=st.sampled_from(FORMS), size=st.sampled_from([60, 150, 400]), lost=st.integers(3, 40))
def test_blocks_of_an_array_and_the_whole_agree(rows: list[dict[str, Any]], form: Any, size: int, lost: int) -> None:
    data = form(rows).encode()
    assert [row[:2] for row in rows_of(data, size)] == list(enumerate(rows, 1))
    assume(lost < len(data))
    *complete, refused = rows_of(data[: len(data) - lost], size)
    assert [row[:2] for row in complete] == list(enumerate(rows, 1))[: len(complete)]
    assert refused[0] == len(complete) + 1
