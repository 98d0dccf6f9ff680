"""Interpret vendor objects through a mapping: the contract's word on each, and the source fields nobody mentions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from quality.contracts.check import Accepted, Rejected
from sources.evaluation import RowScope, judge
from sources.feed_declaration import Feed
from sources.mapped_feed import map_feed, source_paths
from sources.mapping import read_mapping
from sources.shape import Gate, is_ignored, shape_of


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


Interpret = Callable[..., Interpreted]


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
        for position, row in enumerate(rows, 1):
            if flat:
                columns |= row.keys()
            else:
                assert gate.pass_one(json.dumps(row).encode()) is not None
            words.append(judge(mapped, [RowScope(row, mapped.setting, position, is_flat=flat)]))
        read = {path.text for path in source_paths(mapped)}
        unread = {column for column in columns if column not in read and not is_ignored(column, mapped.ignore)}
        return Interpreted(tuple(words), unread | set(gate._unknown))

    return interpret_rows


@pytest.fixture
def samples(real_data: Path) -> Path:
    """The vendors' own sample objects."""
    return real_data / "vendor_samples"
