"""Every field of every contract, in every reader: sets that go through SQL and rows that go through pydantic agree.

Rows are mapped as they stand, so that nothing lies between what a file holds and what the contract says of it.
"""

from __future__ import annotations

import csv
import io
import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from quality.contracts.columns import Column, columns
from quality.contracts.contract import ContractPart
from quality.contracts.registry import CONTRACTS
from sources.block_check import BlockCheck
from sources.feed import Feed
from sources.landing import LandingFile
from sources.loading import create_tables
from sources.mapped_feed import map_feed
from sources.readers.file_reader import FileReader
from sources.replacement import Replacement
from sources.source_rows import Block, Reading
from warehouse.database import Warehouse, open_warehouse

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "5"))


@dataclass(frozen=True)
class Written:
    """A JSON value as it is written: Python's own writer has no such numbers."""

    text: str


ORDINARY: dict[str, Any] = {
    "id": "a-1", "line": "Li 茶", "text": "two\nlines", "code": "GBP", "timestamp": "2026-01-05T10:00:00Z",
    "day": "1990-02-28", "decimal": "12.5", "count": "3", "double": "4.5", "flag": "true", "json": {"ads": True},
}  # fmt: skip
MOMENTS = (
    "2026-01-05T10:00:00.123456+05:30", "2026-01-05 10:00", "2026-01-05", "1970-01-01T05:00:00+08:00",
    "2099-12-31T23:30:00-01:00", "2026-01-05T10:00:00.1234567Z", "2026-01-05T24:00:00Z", "2026-01-05T23:59:60Z",
    "2026-02-30T10:00:00Z", "2026-01-05T10:00:00 UTC", "2026-01-05T10:00:00+0800", "2026-01-05T10:00:00+15:00",
    "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00", "2026-01-05T10:00:00z", "１９９９-01-01", "20260105",
    "2026-01-05T10:00:00.000000000Z", "1880-01-01", "1879-12-31", "2099-12-31T00:00:00Z", "1771343999", "infinity",
    "2026/9/15 15:30", "2026/9/15 8:30:05", "2026.09.15", "2026-9-5", "2026年9月15日", "2026年9月15日 15:30",
    "2026/02/30", "2026/9-15", "2026/13/1", "2026/9/15 25:00", "2026/9/15 15:30+08:00", "２026/9/15",
    "2026年9月5日8时5分", "2026/9/15 8:30 PM",
)  # fmt: skip
NUMBERS = (
    "12.12345", "12.50000", "99999999999999.9999", "99999999999999.99995", "100000000000000", "-0", "-0.0", "1e5",
    "1E+18", "1e-5", "1e400", "１２", "１２.５", "1_000", "1,5", "+7", ".5", "5.", " 7 ", "9223372036854775807",
    "9223372036854775808", "-9223372036854775809", "NaN", "Infinity", "0x10", "007", "17850.0", "1.9E10", "--1", "٣",
)  # fmt: skip
TEXTS = (
    "", " ", "\t", "\u3000", "\xa0", "\u200b", "\ufeffx", "é", "e\u0301", "ﬁ", "\x07", "\x85", "\x7f", "a\tb", "a\nb",
    "true", "FALSE", "yes", "t", "null", "NULL", "email", "EMAIL", "gbp", "GBPP", "\u0421NY", "x" * 255, "x" * 256,
    "x" * 1001, "𠮷" * 255, "茶" * 1000, '{"a":1}', "[]", '["a"]', '"x"', "{}", "a;b",
)  # fmt: skip
VALUES = (
    0, 1, -1, 7, 1.0, 1.5, -0.0, 17850.0, 1e15, 1e16, 1e300, 0.1, 12.12345, 2**31, 2**53, 2**53 + 1, 2**63 - 1, 2**63,
    -(2**63) - 1, 10**30, True, False, None, [], {}, [None], [""], ["a", 1, None, True], {"a": None},
    {"a": {"b": [None, {"c": None}]}}, [[]], [{}], [{"question_id": "1", "value": None}],
    [{"channel": "email", "state": "in", "at": "2026-01-05T10:00:00+08:00"}], [{"channel": "email", "other": 1}],
)  # fmt: skip
TOKENS = tuple(
    Written(text)
    for text in ("1E400", "1e-400", "-0", "1.0", "12345678901234.99995", "0.1000000000000000055511151231257827",
                 "1" + "0" * 40, '"\\u0000"', '"\\ud83d\\ude00"', '"\\u0041"', '{"a":1,"a":2}', "1.5e0", "-0.0e1")
)  # fmt: skip
ODD = st.sampled_from((*MOMENTS, *NUMBERS, *TEXTS))
ODD_IN_JSON = st.one_of(ODD, st.sampled_from((*VALUES, *TOKENS)))

ARRAYS: tuple[pa.Array, ...] = (
    pa.array([datetime(2026, 1, 5, 10), datetime(1969, 12, 31), datetime(2100, 1, 1), None], pa.timestamp("s")),
    pa.array([datetime(2026, 1, 5, 10, 0, 0, 123456), datetime(1970, 1, 1), None], pa.timestamp("ns")),
    pa.array([datetime(2026, 1, 5, 10, tzinfo=UTC), None, datetime(1970, 1, 1, tzinfo=UTC)], pa.timestamp("us", "UTC")),
    pa.array([datetime(2026, 1, 5, 10), datetime(2099, 12, 31, 23)], pa.timestamp("ms", "Asia/Shanghai")),
    pa.array([date(2026, 1, 5), date(1879, 12, 31), date(9999, 12, 31), None], pa.date32()),
    pa.array([Decimal("12.50"), Decimal("-0.01"), None], pa.decimal128(10, 2)),
    pa.array([Decimal("12.12345678"), Decimal("12.50000000"), Decimal("99999999999999.99995")], pa.decimal128(38, 8)),
    pa.array([1.5, float("nan"), float("inf"), -0.0, 1e300, 12.12345, None], pa.float64()),
    pa.array([1.5, 0.1, None], pa.float32()),
    pa.array([0, 7, -1, None], pa.int8()),
    pa.array([2**63 - 1, -(2**63), 17850, None], pa.int64()),
    pa.array([2**64 - 1, 0, None], pa.uint64()),
    pa.array([True, False, None]),
    pa.array([["a", None], [], None, ["17"]], pa.list_(pa.string())),
    pa.array([{"a": None, "b": 1}, None, {"a": "x", "b": None}], pa.struct([("a", pa.string()), ("b", pa.int64())])),
    pa.array([[{"channel": "email", "state": "in"}], [], [{"channel": None, "state": "in"}]],
             pa.list_(pa.struct([("channel", pa.string()), ("state", pa.string())]))),
    pa.array(["x", "", None], pa.dictionary(pa.int8(), pa.string())),
    pa.array([b"x", b"\xff", None], pa.binary()),
    pa.nulls(1),
)  # fmt: skip


def ordinary(column: Column) -> Any:
    """A value that the contract takes."""
    if column.allowed:
        return column.allowed[0]
    if column.shape is not None and column.name != "consents":
        return ORDINARY[column.shape.name]
    if isinstance(column.items, type):
        return [{item.name: ordinary(item) for item in columns(column.items) if not item.is_nullable}]
    return ["a", "17"]


def template(model: type[ContractPart]) -> dict[str, Any]:
    return {column.name: ordinary(column) for column in columns(model)}


def flat_template(kind: str) -> dict[str, str]:
    """The same of texts alone: objects and lists are none."""
    return {name: value for name, value in template(CONTRACTS[kind]).items() if isinstance(value, str)}


def declared(kind: str, mapping: str) -> Feed:
    """The rows of child tables stand in lists of the same name, where a file has such."""
    children = CONTRACTS[kind].children.values() if mapping == "jsonl" else ()
    fields = {
        child.field: {"each": child.field, "fields": {column.name: column.name for column in columns(child.model)}}
        for child in children
    }
    return Feed.named("feed", kind=kind, mapping=mapping, fields=fields)


@st.composite
def json_rows(draw: st.DrawFn, kind: str) -> list[str]:
    """Lines of objects: full ones, in which a few members are odd or left out."""
    model = CONTRACTS[kind]
    made = []
    for number in range(draw(st.integers(1, 25))):
        row: dict[str, Any] = template(model)
        for child in model.children.values():
            row[child.field] = [template(child.model)]
            row[child.field][0].pop("order_id", None)
            _spoil(draw, row[child.field][0], ODD_IN_JSON, most=2)
        row[model.key[-1] if kind != "exchange_rates" else "currency"] = (
            f"k{number}" if kind != "exchange_rates" else "GBP"
        )
        _spoil(draw, row, ODD_IN_JSON, most=3)
        made.append(_json(row))
    return made


def _spoil(draw: st.DrawFn, row: dict[str, Any], odd: st.SearchStrategy[Any], *, most: int) -> None:
    for name in draw(st.lists(st.sampled_from(sorted(row)), max_size=most, unique=True)):
        if draw(st.integers(0, 9)):
            row[name] = draw(odd)
        else:
            del row[name]


def _json(value: Any) -> str:
    if isinstance(value, Written):
        return value.text
    if isinstance(value, dict):
        return "{" + ",".join(f"{json.dumps(name)}:{_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


@st.composite
def csv_text(draw: st.DrawFn, kind: str) -> str:
    names, rows = list(template(CONTRACTS[kind])), []
    for _ in range(draw(st.integers(1, 25))):
        row = flat_template(kind) | dict.fromkeys(draw(st.sets(st.sampled_from(names), max_size=1)), "[]")
        _spoil(draw, row, ODD, most=3)
        rows.append(row)
    text = io.StringIO()
    writer = csv.DictWriter(text, names, restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@st.composite
def parquet_table(draw: st.DrawFn, kind: str) -> pa.Table:
    """Texts and lists as the contract has them, and a few columns of another type."""
    count = draw(st.integers(1, 25))
    made: dict[str, Any] = {}
    full = template(CONTRACTS[kind])
    for name, value in full.items():
        values = [value] * count
        if isinstance(value, str) and not draw(st.integers(0, 3)):
            values[draw(st.integers(0, count - 1))] = draw(ODD)
        made[name] = pa.array(values)
    for name in draw(st.lists(st.sampled_from(sorted(made)), max_size=4, unique=True)):
        source = draw(st.sampled_from(ARRAYS))
        made[name] = source.take(pa.array([index % len(source) for index in range(count)]))
    return pa.table(made)


@pytest.fixture(scope="module")
def opened() -> Iterator[Warehouse]:
    with open_warehouse() as warehouse:
        with warehouse.transaction() as connection:
            create_tables(connection)
        yield warehouse


def outcome(opened: Warehouse, feed: Feed, path: Path, *, trusts: bool) -> tuple[list[Any], list[Any], dict[int, int]]:
    """Accepted rows with their values, refused ones with their reasons, and repeats."""
    mapped = map_feed(feed)
    reader = FileReader.of(mapped)
    connection = opened.cursor()
    connection.execute("begin")
    replacement = Replacement(connection, mapped, [LandingFile(feed.name, date(2026, 1, 5), "f", path, 1, 1)])
    replacement.begin()
    check = BlockCheck(opened.cursor(), mapped, reader.gate, replacement, trusts)
    refused: list[Any] = []
    collapsed: dict[int, int] = {}
    for block in reader.read(path, Reading()):
        if not isinstance(block, Block):
            refused.append((block.row, block.message))
            continue
        ids = pa.array([0] * block.rows.num_rows, pa.int32())
        rows = block.rows.rename_columns(["_row", *block.rows.column_names[1:]]).add_column(0, "_file_id", ids)
        found = check.check(rows, block.header)
        refused += [(row.row, row.reasons) for row in found.refused]
        collapsed |= found.collapsed
    accepted = connection.execute(f"select * from staging._{feed.kind}_rows order by _row").fetchall()
    connection.execute("rollback")
    return accepted, sorted(refused, key=repr), collapsed


def _written(path: Path, content: Sequence[str] | str | pa.Table) -> Path:
    if isinstance(content, pa.Table):
        pq.write_table(content, path)
    else:
        path.write_text(content if isinstance(content, str) else "\n".join(content), encoding="utf-8", newline="")
    return path


MADE = {"jsonl": json_rows, "csv": csv_text, "parquet": parquet_table}


@pytest.mark.parametrize("kind", CONTRACTS)
@settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_field_of_every_contract_comes_out_the_same_in_every_reader(
    opened: Warehouse, tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    mapping = data.draw(st.sampled_from(sorted(MADE)))
    path = _written(tmp_path_factory.getbasetemp() / "contract", data.draw(MADE[mapping](kind)))
    feed = declared(kind, mapping)
    assert outcome(opened, feed, path, trusts=True) == outcome(opened, feed, path, trusts=False)


@pytest.mark.parametrize("kind", CONTRACTS)
def test_full_rows_of_every_contract_are_accepted(opened: Warehouse, tmp_path: Path, kind: str) -> None:
    """Otherwise the law above would hold for want of accepted rows."""
    row = template(CONTRACTS[kind])
    for mapping, content in (
        ("jsonl", [_json(row)]),
        ("csv", _csv_of(flat_template(kind))),
        ("parquet", pa.table({name: [value] for name, value in row.items()})),
    ):
        path = _written(tmp_path / "contract", content)
        accepted, refused, _ = outcome(opened, declared(kind, mapping), path, trusts=True)
        assert (mapping, len(accepted), refused) == (mapping, 1, [])


def _csv_of(row: dict[str, str]) -> str:
    text = io.StringIO()
    csv.writer(text).writerows([list(row), list(row.values())])
    return text.getvalue()
