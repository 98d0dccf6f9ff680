"""Some rows of an unknown file, as a feed would read them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from quality.contracts.check import Accepted, Reason, Rejected
from sources.evaluation import RowScope
from sources.judgement import Judge
from sources.landing import batch_day
from sources.mapped_feed import MappedFeed
from sources.operations.operation import Value
from sources.readers.file_reader import FileReader
from sources.readers.headings import HEADER_ROW
from sources.readers.json_reader import parse_row
from sources.source_rows import Block, ColumnKind, Reading, Refusal
from sources.trial.batch import landed_as

ROWS: Final = 200
"""Rows that are tried."""

_NO_OBJECT: Final = Rejected((Reason("", "unreadable", "the row is not a JSON object"),))


@dataclass(frozen=True)
class SourceRow:
    """One row, or why it cannot be read."""

    row: int
    value: dict[str, Value]
    refusal: str = ""
    is_flat: bool = False


@dataclass(frozen=True)
class JudgedRow:
    """The contract's word on a row, or on the rows of a group, of which the first is shown."""

    row: int
    value: dict[str, Value]
    verdict: Accepted | Rejected


def read_rows(path: Path, mapped: MappedFeed, most: int = ROWS) -> list[SourceRow]:
    """The first rows of a file, which is taken for one of the batch it would land in."""
    found: list[SourceRow] = []
    reader = FileReader.of(mapped)
    zone = partial(ZoneInfo, mapped.feed.time_zone)
    reading = Reading(batch_on=batch_day(landed_as(path), path.stat().st_mtime_ns, zone))
    for item in reader.read(path, reading):
        if isinstance(item, Refusal):
            if item.row == HEADER_ROW:  # a declaration that is only tried need not know the headings
                continue
            found.append(SourceRow(item.row, {}, item.message))
        else:
            found += _rows(item, most - len(found))
        if len(found) >= most:
            break
    return found[:most]


def judge_rows(mapped: MappedFeed, rows: Sequence[SourceRow]) -> Iterator[JudgedRow]:
    """What becomes of each row, or of each group of them."""
    key, judge = mapped.group_by, Judge(mapped)
    readable = [row for row in rows if not row.refusal]
    groups: list[list[SourceRow]] = [[row] for row in readable]
    if key is not None:
        ordered = sorted(readable, key=lambda row: str(row.value.get(key)))
        groups = [list(found) for _, found in groupby(ordered, key=lambda row: str(row.value.get(key)))]
    for group in groups:
        scopes = [
            RowScope(row.value, mapped.setting, number if key else row.row, is_flat=row.is_flat)
            for number, row in enumerate(group, 1)
        ]
        verdict = judge.judge([scopes])[0] if group[0].value or group[0].is_flat else _NO_OBJECT
        yield JudgedRow(group[0].row, group[0].value, verdict)
    for row in rows:
        if row.refusal:
            yield JudgedRow(row.row, {}, Rejected((Reason("", "unreadable", row.refusal),)))


def _rows(block: Block, most: int) -> Iterator[SourceRow]:
    table = block.rows.slice(0, most)
    numbers = table.column(0).to_pylist()
    if block.header is None:
        for number, raw in zip(numbers, table.column("raw").to_pylist(), strict=True):
            yield _object(number, raw)
        return
    names, kinds = block.header.names, block.header.kinds
    columns = [table.column(f"c{index}").to_pylist() for index in range(len(names))]
    for index, number in enumerate(numbers):
        cells = (_cell(values[index], kind) for values, kind in zip(columns, kinds, strict=True))
        yield SourceRow(number, dict(zip(names, cells, strict=True)), is_flat=True)


def _object(number: int, raw: str) -> SourceRow:
    try:
        value = parse_row(raw)
    except (ValueError, RecursionError):
        return SourceRow(number, {}, "the row is not a JSON object")
    if not isinstance(value, dict):
        return SourceRow(number, {}, "the row is not a JSON object")
    return SourceRow(number, value)


def _cell(value: object, kind: ColumnKind) -> Value:
    """A value of a flat file as the mapping's Python form sees it."""
    if value is None or (isinstance(value, float) and value != value):
        return None
    if isinstance(value, str | bool | int | float):
        return value
    if kind == "json":
        plain: Value = json.loads(json.dumps(value, default=str))
        return plain
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    if isinstance(value, date | time | Decimal):
        return str(value)
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
