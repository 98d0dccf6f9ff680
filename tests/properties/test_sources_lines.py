"""The compiled pass over JSON lines says of a line what the strict decoder says, or nothing."""

from __future__ import annotations

import json
from collections.abc import Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.feed import Feed
from sources.gate import Gate
from sources.mapped_feed import map_feed
from sources.operations.text import BLANKS
from sources.plain_text import LONGEST
from sources.readers.file_reader import FileReader
from sources.source_rows import Reading, Refusal
from tests.properties.test_sources_rows import SEGMENT

KNOWN = [
    SEGMENT,
    SEGMENT | {"traits": {"address": {"city": "Bath", "postalCode": 7}}, "integrations": {"All": True}},
    SEGMENT | {"surprise": [{"a": 1}], "properties": {"revenue": 1.5, "products": [{"sku": "a"}]}},
]
PLACES: list[tuple[str, ...]] = [
    ("messageId",),
    ("type",),
    ("userId",),
    ("timestamp",),
    ("surprise",),
    ("context", "page", "url"),
    ("context", "page"),
    ("context", "device"),
    ("properties", "total"),
    ("properties", "products"),
    ("traits", "email"),
    ("traits", "address"),
    ("traits", "address", "postalCode"),
    ("never", "seen"),
]
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(allow_nan=False, allow_infinity=False),
    st.decimals(-1000, 1000, places=3).map(float),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=8),
    st.sampled_from(
        ["", " ", "\x00", "\x7f", "\x85", "\u2028", '"', "\\", "é", "e\u0301", "１２", "🐈", "null", "12.50"]
    ),
)
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner))
ODD = (
    *("NaN", "-Infinity", "01", "-0", "-0.50", "1E+3", "9e99", "1e999", "+1", "1.", ".5", "1e5", "0.00001", "12.500"),
    *(
        "-",
        "tru",
        "nul",
        "nulll",
        "'a'",
        '"a',
        '"\\x"',
        '"\\ud83d\\ude00"',
        '"\\ud83d"',
        '"\\u00e9\\n"',
        '"\\u007f"',
        '"\t"',
    ),
    *("[1,]", "[,1]", "{,}", '{"a":1,}', '{"a" 1}', '{"a":}', "[1 2]", "[[{}]]", '{"url":"a","url":"b"}', "", "1 1"),
    *("}", "]", '{"a":[1.50,{"b":null,"b":"\\u0041"}]}'),
)
"""What may be written where a value stands; most of it is no JSON."""


@st.composite
def lines(draw: st.DrawFn) -> bytes:
    """A line in which a value is replaced by another, or by what is no value; or a byte is cut out or doubled."""
    row: dict[str, Any] = deepcopy(draw(st.sampled_from(KNOWN)))
    marks: dict[str, str] = {}
    for _ in range(draw(st.integers(0, 2))):
        *way, last = draw(st.sampled_from(PLACES))
        node = row
        for name in way:
            inner = node.get(name)
            node[name] = node = inner if isinstance(inner, dict) else {}
        node[last] = f"<mark{len(marks)}>"
        marks[f'"{node[last]}"'] = draw(st.sampled_from(ODD) | VALUES.map(json.dumps))
    separators = draw(st.sampled_from([(",", ":"), (", ", ": "), (" ,\t", " :")]))
    text = json.dumps(row, ensure_ascii=draw(st.booleans()), separators=separators)
    for mark, value in marks.items():
        text = text.replace(mark, value)
    if draw(st.integers(0, 4)) == 0:
        at = draw(st.integers(0, len(text)))
        text = text[:at] + draw(st.sampled_from(["", text[at : at + 1] * 2, ",", '"', " "])) + text[at + 1 :]
    return text.replace("\n", " ").replace("\r", " ").encode("utf-8", "replace")


@settings(max_examples=150, suppress_health_check=list(HealthCheck))
@given(st.lists(lines(), min_size=1, max_size=12))
def test_the_pass_agrees_with_the_strict_decoder_wherever_it_is_sure(found: list[bytes]) -> None:
    seen = [json.dumps(row).encode() for row in KNOWN]
    scanning, decoding = _gate(), _gate()
    scanning.open_each(seen)
    decoding.open_each([*seen, *found])
    every = [*seen, *found, *seen, *found[:1], *seen * len(found)]
    ends = np.cumsum([0, *(len(line) + 1 for line in every)]).astype(np.int64)

    scanned = scanning.scan_lines(b"".join(line + b"\n" for line in every), ends)

    assert scanned is not None
    assert {0, 1, 2} <= set(scanned.sure.tolist()), "what is plainly right is known to be so"
    opened = decoding.open_each([every[line] for line in scanned.sure])
    assert all(opened.is_sure)
    for name, texts in scanned.columns.items():
        held = opened.columns.get(name)
        expected = [None] * len(scanned.sure) if held is None else held.to_pylist()
        assert texts.to_pylist() == expected
        assert all(_is_plain(text) for text, is_plain in zip(expected, scanned.plain, strict=True) if is_plain)
    assert {name: stands.tolist() for name, stands in scanned.unknown.items()} == opened.unknown
    blank = [line for line, raw in enumerate(every) if not raw.strip()]
    assert sorted([*scanned.sure, *scanned.unsure, *blank]) == list(range(len(every)))


def test_rows_of_a_large_file_are_those_of_its_parts(tmp_path: Path) -> None:
    odd = [b"", b"{", b'{"messageId":"a","messageId":"b"}', b'{"brand_new":{"deep":1}}', b'{"messageId":"\xff"}', b"[]"]
    rows = [json.dumps(KNOWN[number % 3] | {"messageId": f"m-{number}"}).encode() for number in range(3_000)]
    every = [line for number, row in enumerate(rows) for line in (row, *odd[: number % 500 == 0 and len(odd)])]
    whole = _read(tmp_path / "whole.jsonl", every)
    parts = [_read(tmp_path / f"{first}.jsonl", every[first : first + 300]) for first in range(0, len(every), 300)]

    assert len(b"\n".join(every)) > 1 << 20
    assert whole == {first * 300 + row: found for first, part in enumerate(parts) for row, found in part.items()}


def _read(path: Path, rows: Sequence[bytes]) -> dict[int, tuple[object, ...]]:
    """By place: what the gate made of the row, or why it was refused."""
    path.write_bytes(b"\n".join(rows) + b"\n")
    gate = _gate()
    gate.open_each([json.dumps(row).encode() for row in KNOWN])
    mapped = map_feed(Feed.named("feed", kind="web_events", mapping="segment", files=["**"]))
    found: dict[int, tuple[object, ...]] = {}
    for item in FileReader(mapped, gate).read(path, Reading()):
        if isinstance(item, Refusal):
            found[item.row] = (item.message,)
            continue
        names = sorted(set(item.rows.column_names) - {"row", "raw", "_plain"})
        for row in item.rows.to_pylist():
            held = {name: row[name] for name in names if row[name] is not None}
            found[row["row"]] = (row["raw"].strip(), tuple(held.items()))
    return found


def _is_plain(text: str | None) -> bool:
    has_controls = any(letter < " " or "\x7f" <= letter < "\xa0" for letter in text or "")
    return not text or not (has_controls or text[:1].strip(BLANKS) == "" or len(text.encode()) > LONGEST)


def _gate() -> Gate:
    mapped = map_feed(Feed.named("feed", kind="web_events", mapping="segment", files=["**"]))
    return FileReader.of(mapped).gate
