"""Interpret vendor objects through a mapping: the contract's word on each, and the source fields nobody mentions.

``interpret`` takes decoded objects; ``deliver`` takes a file as it arrives, and holds that statements and Python make
the same of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from quality.contracts.check import Accepted, Rejected
from sources.block_check import BlockCheck
from sources.evaluation import RowScope
from sources.feed_declaration import Feed
from sources.gate import Gate
from sources.globs import is_ignored
from sources.judgement import judge
from sources.landing import LandingFile
from sources.loading import create_tables
from sources.mapped_feed import map_feed, source_paths
from sources.mapping import read_mapping
from sources.readers.file_reader import FileReader
from sources.replacement import Replacement
from sources.shape import shape_of
from sources.source_rows import Block, Reading, Refusal
from warehouse.database import Warehouse, open_warehouse

BATCH_ON = date(2026, 3, 5)


@dataclass(frozen=True)
class Interpreted:
    """What a mapping makes of some rows."""

    words: tuple[Accepted | Rejected, ...]
    unknown: set[str]

    @property
    def rows(self) -> list[dict[str, Any]]:
        """The values that are present, of rows that were all accepted; nested rows under their table's name."""
        assert all(isinstance(word, Accepted) for word in self.words), self.words
        return [_present(word) for word in self.words if isinstance(word, Accepted)]

    @property
    def codes(self) -> list[list[tuple[str, str]]]:
        """The reasons of rows that were refused."""
        return [[(r.field, r.code) for r in word.reasons] for word in self.words if isinstance(word, Rejected)]


@dataclass(frozen=True)
class Delivered:
    """What a feed makes of a file: accepted rows by place, reasons of refused ones by place, unknown fields."""

    rows: list[dict[str, Any]]
    places: list[int]
    refused: dict[int, list[tuple[str, str]]]
    unknown: set[str]


Interpret = Callable[..., Interpreted]
Deliver = Callable[..., Delivered]


def _present(word: Accepted) -> dict[str, Any]:
    children = {
        table: [{name: value for name, value in row.items() if value is not None} for row in rows]
        for table, rows in word.children.items()
    }
    return {name: value for name, value in word.values.items() if value is not None} | children


@pytest.fixture
def interpret() -> Interpret:
    """``interpret(mapping, rows, flat=False, **feed)``: rows are decoded objects, or flat rows by column."""

    def interpret_rows(
        name: str, rows: Iterable[dict[str, Any]], *, flat: bool = False, **declared: Any
    ) -> Interpreted:
        kind = declared.pop("kind", None) or read_mapping(name).kind
        mapped = map_feed(Feed.named("feed", kind=kind, mapping=name, **declared))
        gate = Gate(shape_of(mapped), mapped.ignore)
        words, columns = [], set()
        headings = FileReader.of(mapped).headings
        for position, source in enumerate(rows, 1):
            row = source
            if flat:
                row = dict(zip(headings.named(tuple(source)), source.values(), strict=True))
                columns |= row.keys()
            else:
                gate.open_each([json.dumps(row).encode()])
            words.append(judge(mapped, [RowScope(row, mapped.setting, position, is_flat=flat)]))
        read = {path.text for path in source_paths(mapped)}
        unread = {column for column in columns if column not in read and not is_ignored(column, mapped.ignore)}
        return Interpreted(tuple(words), unread | gate.unknown)

    return interpret_rows


@pytest.fixture
def samples(real_data: Path) -> Path:
    """The vendors' own sample objects."""
    return real_data / "vendor_samples"


@pytest.fixture(scope="session")
def staged() -> Iterator[Warehouse]:
    """A warehouse with empty tables; what is put there is rolled back."""
    with open_warehouse() as warehouse:
        with warehouse.transaction() as connection:
            create_tables(connection)
        yield warehouse


@pytest.fixture
def deliver(staged: Warehouse, tmp_path: Path) -> Deliver:
    """``deliver(mapping, content, **feed)``: bytes or text as they are, another object as JSON; or a path."""

    def deliver_file(name: str, content: object, **declared: Any) -> Delivered:
        kind = declared.pop("kind", None) or read_mapping(name).kind
        feed = Feed.named("feed", kind=kind, mapping=name, **declared)
        path = content if isinstance(content, Path) else _written(content, tmp_path / "delivery")
        trusting, doubting = (_outcome(staged, feed, path, trusts=trusts) for trusts in (True, False))
        assert trusting == doubting
        return trusting

    return deliver_file


def _written(content: object, path: Path) -> Path:
    if not isinstance(content, bytes):
        content = (content if isinstance(content, str) else json.dumps(content, ensure_ascii=False)).encode()
    path.write_bytes(content)
    return path


def _outcome(staged: Warehouse, feed: Feed, path: Path, *, trusts: bool) -> Delivered:
    mapped, reading = map_feed(feed), Reading(batch_on=BATCH_ON)
    reader = FileReader.of(mapped)
    connection = staged.cursor()
    connection.execute("begin")
    replacement = Replacement(connection, mapped, [LandingFile(feed.name, BATCH_ON, "f", path, 1, 1)])
    replacement.begin()
    check = BlockCheck(staged.cursor(), mapped, reader.gate, replacement, trusts)
    refused: dict[int, list[tuple[str, str]]] = {}
    unknown: set[str] = set()
    for item in reader.read(path, reading):
        if isinstance(item, Refusal):
            refused[item.row] = [("", "unreadable")]
            continue
        assert isinstance(item, Block)
        unknown |= set(reader.gate.unknown_columns(item.header.names)) if item.header else set()
        ids = pa.array([0] * item.rows.num_rows, pa.int32())
        rows = item.rows.rename_columns(["_row", *item.rows.column_names[1:]]).add_column(0, "_file_id", ids)
        found = check.check(rows, item.header).refused
        refused |= {row.row: [(reason.field, reason.code) for reason in row.reasons] for row in found}
    accepted = connection.execute(f"select * from staging._{feed.kind}_rows order by _row").to_arrow_table().to_pylist()
    connection.execute("rollback")
    rows = [{name: _shown(value) for name, value in row.items() if name[0] != "_"} for row in accepted]
    kept = [{name: value for name, value in row.items() if value is not None} for row in rows]
    return Delivered(kept, [row["_row"] for row in accepted], refused, unknown | set(reading.unknown))


def _shown(value: Any) -> Any:
    """Nested rows without what is absent in them."""
    if isinstance(value, list):
        return [{k: v for k, v in item.items() if v is not None} if isinstance(item, dict) else item for item in value]
    return value
