"""What corrections do to one source row, as Python values."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from quality.quarantine import content_hash
from sources.corrections import Correction, described
from sources.evaluation import RowScope
from sources.expression import is_index
from sources.operations.operation import Setting, Value, word_of
from sources.source_rows import kept_raw


@dataclass(frozen=True)
class SourceRow:
    """A row as it arrived; ``value`` is None when it cannot be read."""

    quarantine_id: str
    row: int
    raw: str
    value: dict[str, Value] | None
    is_flat: bool


@dataclass(frozen=True)
class CorrectedRow:
    """What became of a row, and who said so, and why."""

    value: dict[str, Value]
    changed: frozenset[str]
    """Its fields that hold something else than before."""
    author: str
    why: str


def correct(source: SourceRow, entries: Sequence[Correction]) -> CorrectedRow | None:
    """The row after all corrections that are about it; None when none of them changes it."""
    value = copy.deepcopy(source.value)
    said: list[tuple[str, str]] = []
    for entry in entries:
        if not _is_meant(entry, source):
            continue
        if entry.becomes is not None and entry.becomes != value:
            value = copy.deepcopy(entry.becomes)
            said.append(described(entry))
        elif value is not None and _is_met(entry, value, is_flat=source.is_flat):
            before = copy.deepcopy(value)
            _change(entry, value, is_flat=source.is_flat)
            if value != before:
                said.append(described(entry))
    if not said or value is None:
        return None
    authors, reasons = dict.fromkeys(who for who, _ in said), dict.fromkeys(why for _, why in said)
    before = source.value or {}
    changed = frozenset(name for name, item in value.items() if name not in before or before[name] != item)
    return CorrectedRow(value, changed, ", ".join(authors), "; ".join(reasons))


def _is_meant(entry: Correction, source: SourceRow) -> bool:
    """Whether the entry names the row, as it arrived."""
    return (
        entry.row in {None, source.row}
        and entry.quarantine_id in {None, source.quarantine_id}
        and (entry.raw_contains is None or entry.raw_contains in source.raw)
        and (entry.content is None or entry.content == content_hash(kept_raw(source.raw)))
    )


def _is_met(entry: Correction, value: dict[str, Value], *, is_flat: bool) -> bool:
    return all(_word(value, path, is_flat=is_flat) in _words(words) for path, words in entry.where.items())


def _words(words: object) -> set[str | None]:
    items = words if isinstance(words, tuple) else (words,)
    return {None if item is None else word_of(item) for item in items}


def _word(value: dict[str, Value], path: str, *, is_flat: bool) -> str | None:
    """A value as conditions see it: text, numbers and truth values as text; empty text of a flat row is absent."""
    found = _read(value, path, is_flat=is_flat)
    if isinstance(found, float):
        return repr(found)
    if is_flat and found == "":
        return None
    return word_of(found) if not isinstance(found, list | dict) else ""


def _read(value: dict[str, Value], path: str, *, is_flat: bool) -> Value:
    return RowScope(value, Setting(), 1, is_flat=is_flat).read(path)


def _change(entry: Correction, value: dict[str, Value], *, is_flat: bool) -> None:
    for path, texts in entry.replace.items():
        found = _read(value, path, is_flat=is_flat)
        if isinstance(found, str):
            _put(value, path, _replaced(found, texts), is_flat=is_flat)
    for path, table in entry.lookup.items():
        word = _word(value, path, is_flat=is_flat)
        if word is not None and word in table:
            _put(value, path, table[word], is_flat=is_flat)
    for path, item in entry.set.items():
        _put(value, path, copy.deepcopy(item), is_flat=is_flat)
    for path in entry.remove:
        _take_out(value, path, is_flat=is_flat)


def _replaced(text: str, parts: Mapping[str, str]) -> str:
    for old, new in parts.items():
        text = text.replace(old, new)
    return text


def _segments(value: dict[str, Value], path: str, *, is_flat: bool) -> list[str]:
    """Where a path leads: of a flat row to the column of that name, or into a column that holds objects."""
    if not is_flat:
        return path.split(".")
    stem, _, rest = path.partition(".")
    return [stem, *rest.split(".")] if rest and isinstance(value.get(stem), dict | list) else [path]


def _put(value: dict[str, Value], path: str, new: Value, *, is_flat: bool) -> None:
    """Put a value at a path. Objects on the way are made; nothing is done where something else stands in the way."""
    *way, last = _segments(value, path, is_flat=is_flat)
    here: Value = value
    for segment in way:
        if isinstance(here, dict):
            if here.get(segment) is None:
                here[segment] = {}
            here = here[segment]
        elif isinstance(here, list) and is_index(segment) and int(segment) < len(here):
            here = here[int(segment)]
        else:
            return
    if isinstance(here, dict):
        here[last] = new
    elif isinstance(here, list) and is_index(last) and int(last) < len(here):
        here[int(last)] = new


def _take_out(value: dict[str, Value], path: str, *, is_flat: bool) -> None:
    *way, last = _segments(value, path, is_flat=is_flat)
    here: Value = value
    for segment in way:
        if isinstance(here, dict):
            here = here.get(segment)
        elif isinstance(here, list) and is_index(segment) and int(segment) < len(here):
            here = here[int(segment)]
        else:
            return
    if isinstance(here, dict):
        if is_flat and not way and last in here:
            here[last] = None
        else:
            here.pop(last, None)
    elif isinstance(here, list) and is_index(last) and int(last) < len(here):
        del here[int(last)]
