"""The columns of a file that nobody has described yet, with some of their values."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sources.column_types import ColumnType, joined, text_type
from sources.mapped_feed import MappedFeed, map_feed
from sources.operations.operation import Value
from sources.trial.form import FileForm
from sources.trial.sample import SourceRow, read_rows
from sources.trial.values import ENVELOPES
from sources.trial.vendors import feed_for

EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
PHONE = re.compile(
    r"((\+|00)?86[- ]?)?1[3-9][0-9][- ]?[0-9]{4}[- ]?[0-9]{4}\Z|\+[0-9][0-9 ()-]{7,18}\Z|0[0-9]{2,3}-[0-9]{7,8}\Z"
)
_RARE: Final = 0.2


@dataclass(frozen=True)
class Observed:
    """A column, or a path in objects, with some of its values."""

    name: str
    values: tuple[Value, ...]

    @property
    def texts(self) -> list[str]:
        """Its values that say something."""
        return [str(value).strip() for value in self.values if value is not None and str(value).strip()]

    @property
    def type(self) -> ColumnType | None:
        """What its values are, but for a few; None where it has none."""
        found = Counter(text_type(text) for text in self.texts)
        return joined(kind for kind, count in found.items() if count >= _RARE * found.total())

    @property
    def is_unique(self) -> bool:
        """Whether every row has a value of its own."""
        texts = self.texts
        return len(texts) == len(self.values) == len(set(texts))

    def share(self, pattern: re.Pattern[str]) -> float:
        """The part of its values that look so, 0 to 1."""
        texts = self.texts
        return sum(bool(pattern.match(text)) for text in texts) / len(texts) if texts else 0.0


def plain_rows(path: Path, form: FileForm) -> tuple[str, dict[str, object], list[SourceRow]]:
    """The generic mapping that reads a file, what a feed has to declare for it, and the first rows as they are."""
    mapping = "jsonl" if form.format in {"json", "jsonl"} else "csv" if form.format == "tsv" else form.format
    names = tuple(f"column_{n}" for n in range(1, form.width + 1)) if not form.has_header else ()
    envelope = _envelope(path, form, mapping) if mapping == "jsonl" else ()
    base: dict[str, object] = {"columns": names, "envelope": envelope}
    return mapping, base, read_rows(path, _reader(form, mapping, base))


def _reader(form: FileForm, mapping: str, base: Mapping[str, object]) -> MappedFeed:
    feed = feed_for("trial", "products", mapping, form, **base, fields={"product_id": "_"})
    return map_feed(feed)


def _envelope(path: Path, form: FileForm, mapping: str) -> tuple[str, ...]:
    """The keys, from the outside in, of the only list of objects in a document that holds little else."""
    rows = read_rows(path, _reader(form, mapping, {}), 2)
    if len(rows) != 1 or rows[0].refusal:
        return ()
    return _keys_of_rows(rows[0].value)


def _keys_of_rows(document: Mapping[str, Value]) -> tuple[str, ...]:
    lists = [name for name, value in document.items() if _is_list_of_objects(value)]
    known = [name for name in lists if name in ENVELOPES]
    if known or lists:
        return tuple(known[:1] or (lists if len(lists) == 1 and len(document) <= _FEW_KEYS else ()))
    for name, inner in document.items():
        if name in ENVELOPES and isinstance(inner, dict) and (keys := _keys_of_rows(inner)):
            return (name, *keys)
    return ()


_FEW_KEYS: Final = 4


def _is_list_of_objects(value: Value) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def observed_columns(rows: Sequence[SourceRow]) -> Iterator[Observed]:
    """The columns of some rows, and the paths in their objects, lists left out."""
    values: dict[str, list[Value]] = {}
    for row in rows:
        for name, value in _scalars(row.value, ""):
            values.setdefault(name, []).append(value)
    for name, found in values.items():
        padded = found + [None] * (len(rows) - len(found))
        yield Observed(name, tuple(padded))


def _scalars(value: Mapping[str, Value], at: str) -> Iterator[tuple[str, Value]]:
    for key, inner in value.items():
        name = f"{at}.{key}" if at else key
        if isinstance(inner, dict):
            yield from _scalars(inner, name)
        elif not isinstance(inner, list):
            yield name, inner
