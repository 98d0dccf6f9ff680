"""Looking only at rows that may be meant corrects exactly the rows that looking at all of them would."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quality.quarantine import quarantine_id
from sources.correction import SourceRow, correct
from sources.corrections import Correction
from sources.corrector import Corrector
from sources.feed import Feed
from sources.landing import LandingFile
from sources.mapped_feed import map_feed
from sources.source_rows import Header
from warehouse.database import Connection, open_warehouse

SAID = {"feed": "mail", "author": "mei", "on": "2026-02-01", "why": "a try"}
NAMES = ("email", "phone", "campaign_id")
WORDS = st.sampled_from(
    ["a", "信", "7", "1.50", "true", "", 'q"', "a\\", 7, 1.5, 70000000000000000000, True, None, ["a"]]
)
ASKED = st.sampled_from(["a", "信", "7", "1.5", "1.50", "true", 'q"', "a\\", 7, True, None])
ENTRIES = st.lists(
    st.one_of(
        st.builds(lambda name, word: {"where": {name: word}, "set": {"email": "b"}}, st.sampled_from(NAMES), ASKED),
        st.builds(
            lambda name, words: {"where": {name: words}, "remove": ["phone"]},
            st.sampled_from(NAMES),
            st.lists(ASKED, min_size=1),
        ),
        st.builds(
            lambda name, word: {"lookup": {name: {word: "b"}}},
            st.sampled_from(NAMES),
            ASKED.filter(lambda w: isinstance(w, str)),
        ),
        st.builds(lambda row: {"file": "a", "row": row, "set": {"phone": "信"}}, st.integers(1, 6)),
        st.builds(lambda part: {"raw_contains": part, "set": {"campaign_id": "c"}}, st.sampled_from(["信", "7", "q"])),
        st.just({"replace": {"email": {"a": "7"}}}),
    ).map(lambda entry: Correction.model_validate(entry | SAID)),
    min_size=1,
    max_size=4,
)
FILES = [LandingFile("mail", date(2026, 1, 5), name, Path(name), 1, 1) for name in ("a", "b")]


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with open_warehouse() as warehouse:
        yield warehouse.cursor()


def expected(sources: list[SourceRow], entries: list[Correction]) -> dict[int, dict[str, Any]]:
    found = ((source.row, correct(source, entries)) for source in sources)
    return {row: item.value for row, item in found if item is not None}


def corrector(connection: Connection, mapping: str, entries: list[Correction]) -> Corrector:
    mapped = map_feed(Feed.named("mail", kind="messages", mapping=mapping))
    return Corrector(connection, mapped, FILES, {0: entries})


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(st.dictionaries(st.sampled_from(NAMES), WORDS), min_size=1, max_size=6),
    entries=ENTRIES,
    is_escaped=st.booleans(),
)
def test_objects(
    connection: Connection, rows: list[dict[str, Any]], entries: list[Correction], is_escaped: bool
) -> None:
    raws = [json.dumps(row, ensure_ascii=is_escaped) for row in rows]
    places = range(1, len(raws) + 1)
    table = pa.table(
        {
            "_file_id": pa.array([0, 1] * len(raws), pa.int32()),
            "_row": pa.array([row for row in places for _ in "ab"], pa.int64()),
            "raw": pa.array([raw for raw in raws for _ in "ab"], pa.large_string()),
            "strict": pa.array([True] * (2 * len(raws))),
        }
    )
    sources = [
        SourceRow(quarantine_id("messages", "mail", "a", row), row, raw, json.loads(raw), is_flat=False)
        for row, raw in zip(places, raws, strict=True)
    ]
    made, header, refused = corrector(connection, "jsonl", entries).apply(table, None)
    assert (header, refused, made.num_rows) == (None, [], table.num_rows)
    mine = {row["_row"]: row for row in made.to_pylist() if row["_file_id"] == 0}
    wanted = expected(sources, entries)
    assert {row: json.loads(item["raw"]) for row, item in mine.items() if not item["strict"]} == wanted
    others = {row["_row"]: row["raw"] for row in made.to_pylist() if row["_file_id"] == 1 and row["strict"]}
    assert others == dict(zip(places, raws, strict=True))


@settings(max_examples=60, suppress_health_check=list(HealthCheck))
@given(
    rows=st.lists(
        st.tuples(*[st.sampled_from(["a", "信", "7", "1.50", "true", "", 'q"', None])] * 3), min_size=1, max_size=6
    ),
    entries=ENTRIES,
)
def test_flat_rows(connection: Connection, rows: list[tuple[str | None, ...]], entries: list[Correction]) -> None:
    header = Header(NAMES, ("text", "text", "text"))
    columns = {f"c{index}": pa.array([row[index] for row in rows], pa.string()) for index in range(3)}
    places = pa.array(range(1, len(rows) + 1), pa.int64())
    table = pa.table({"_file_id": pa.array([0] * len(rows), pa.int32()), "_row": places} | columns)
    values = [dict(zip(NAMES, row, strict=True)) for row in rows]
    sources = [
        SourceRow(
            quarantine_id("messages", "mail", "a", row), row, json.dumps(value, ensure_ascii=False), value, is_flat=True
        )
        for row, value in enumerate(values, 1)
    ]
    made, wide, refused = corrector(connection, "csv", entries).apply(table, header)
    assert (wide, refused) == (header, [])
    found = {row["_row"]: [row["c0"], row["c1"], row["c2"]] for row in made.to_pylist()}
    wanted = expected(sources, entries)
    assert found == {row: list((wanted.get(row) or value).values()) for row, value in enumerate(values, 1)}
