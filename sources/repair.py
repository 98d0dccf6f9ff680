"""Repair by hand: what someone changed in a rejected row becomes an entry of ``config/corrections/by_hand.yml``.

So there is one mechanism: a repair by hand is a correction like any other, outlives every rebuild, can be read and
reviewed, and is left alone when its row no longer holds the text that was repaired.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any, Final

import yaml

from quality.quarantine import QuarantinedRow, content_hash, find_row, masked
from quality.quarantine_export import read_export
from sources.corrections import FOLDER, CorrectionFile, check_text
from sources.evaluation import walk
from sources.feed_declaration import Feed
from sources.operations.operation import Value
from warehouse.database import Connection
from warehouse.declaration import Problems, read_declaration
from warehouse.errors import InputError
from warehouse.personal_text import MASK
from warehouse.project import Project
from warehouse.whole_file import write_whole

BY_HAND: Final = f"config/{FOLDER}/by_hand.yml"
_HEAD: Final = (
    "# Rows that were repaired by hand: `cdp quarantine repair` adds entries at the end. They hold what was set,\n"
    "# so keep this file as you keep the landing files. `cdp schema corrections` lists every key.\n"
    "corrections:\n"
)


_ITEM: Final = re.compile(r"^( *)- ", re.MULTILINE)


@dataclass(frozen=True)
class Edit:
    """What is to be changed in a row: fields to set or take out, or the whole row anew."""

    set: Mapping[str, Value] = field(default_factory=dict)
    remove: tuple[str, ...] = ()
    becomes: Mapping[str, Value] | None = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is changed."""
        return not (self.set or self.remove or self.becomes is not None)


@dataclass(frozen=True)
class Repair:
    """An edit of a row that is open, with its source text as it arrived."""

    row: QuarantinedRow
    edit: Edit


def open_row(connection: Connection, quarantine_id: str) -> QuarantinedRow:
    """The open row of an id, or of the beginning of one, with its source text.

    Raises:
        InputError: there is none, or it was replayed or discarded.
    """
    row = find_row(connection, quarantine_id)
    if row.status != "open":
        raise InputError(
            f"Row {row.quarantine_id} is not open: it was {row.status} by {row.resolved_by}.",
            "Look at it with `cdp quarantine show`; only open rows are repaired.",
        )
    return row


def edited_repairs(connection: Connection, file: Path, personal_keys: Sequence[str]) -> tuple[Repair, ...]:
    """What someone changed in an exported file; rows that are as they were exported are left alone.

    Raises:
        InputError: the file cannot be used, or nothing in it was changed.
    """
    found: list[Repair] = []
    for item in read_export(file):
        row = find_row(connection, str(item["quarantine_id"]))
        edit = compared_edit(row, masked(row, personal_keys).raw or "", str(item["raw"] or ""))
        if not edit.is_empty:
            found.append(Repair(open_row(connection, row.quarantine_id), edit))
    if not found:
        raise InputError(f"Nothing was changed in {file.name}.", "Edit the column raw of the rows to repair.")
    return tuple(found)


def written_edit(row: QuarantinedRow, words: Iterable[str], remove: Iterable[str], becomes: str | None) -> Edit:
    """What ``field=value`` words say. A value is text, as most sources have it; where a number, a truth value, a list
    or an object stands now, it is read as JSON.

    Raises:
        InputError: a word has no `=`, or the row cannot be changed field by field.
    """
    if becomes is not None:
        return Edit(becomes=_object(becomes, "What a row becomes"))
    present = _parsed(row.raw or "")
    if present is None:
        raise InputError(
            f"Row {row.quarantine_id} cannot be read, so it has no fields.",
            'Write the whole row: --becomes \'{"field": "value"}\'.',
        )
    pairs = [word.partition("=") for word in words]
    wrong = [name for name, equals, _ in pairs if not (name and equals)]
    if wrong:
        raise InputError(f"`{wrong[0]}` says no value.", "Write --set FIELD=VALUE, or --remove FIELD.")
    return Edit({name: _typed(text, _at(present, name)) for name, _, text in pairs}, tuple(remove))


def compared_edit(row: QuarantinedRow, shown: str, edited: str) -> Edit:
    """What someone changed in the text of a row, as it was exported: with personal values, or masked (``shown``).

    Values that are still masked are as they were.

    Raises:
        InputError: a masked value was changed into another one that is masked, or the text is no JSON object.
    """
    arrived = row.raw or ""
    if edited in {arrived, shown}:
        return Edit()
    before, masked, after = _parsed(arrived), _parsed(shown), _parsed(edited)
    if after is None:
        raise InputError(
            f"The text of row {row.quarantine_id} was changed into something that is no JSON object.",
            'Write the row as {"field": "value"}.',
        )
    if before is None:
        return Edit(becomes=after)
    made = _Differences(row.quarantine_id)
    made.compare((), before, masked or before, after)
    return Edit(made.set, tuple(made.remove))


def add_repairs(
    project: Project, feeds: Mapping[str, Feed], repairs: Sequence[Repair], by: str, on: date, why: str
) -> int:
    """Write the repairs down, durably and at once; those that stand there already are not doubled. How many were new.

    Raises:
        DeclarationError: the file is wrong as it stands, or an edit names a field that its feed does not read.
    """
    path = project.root / BY_HAND
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    known = _known(path) if text.strip() else []
    entries = [_entry(item, by, on, why) for item in repairs]
    new = [entry for entry in entries if _key(entry) not in known]
    if not new:
        return 0
    indent = match[1] if (match := _ITEM.search(text)) else "  "
    made = (text.rstrip("\n") + "\n" if known else _HEAD) + "".join(_as_yaml(entry, indent) for entry in new)
    if check_text(made, BY_HAND, feeds) != len(known) + len(new):
        raise InputError(
            f"{BY_HAND} cannot be added to as it is written.", "Write its entries as a list of `- ` items."
        )
    write_whole(path, made.encode())
    return len(new)


def _entry(repair: Repair, by: str, on: date, why: str) -> dict[str, Any]:
    row, edit = repair.row, repair.edit
    place = {"feed": row.feed, "file": row.file, "row": row.row, "quarantine_id": row.quarantine_id}
    change = {"set": dict(edit.set), "remove": list(edit.remove), "becomes": edit.becomes}
    said = {"author": by, "on": on.isoformat(), "why": why}
    guarded = place | {"content": content_hash(row.raw or "")}
    return guarded | {name: value for name, value in change.items() if value not in ({}, [], None)} | said


def _key(entry: Mapping[str, Any]) -> str:
    """What an entry does, whoever says so."""
    return json.dumps(
        {name: item for name, item in entry.items() if name not in {"author", "on", "why"}}, sort_keys=True
    )


def _known(path: Path) -> list[str]:
    problems = Problems()
    found = read_declaration(path, CorrectionFile, problems, shown_as=BY_HAND)
    problems.raise_if_any()
    assert found is not None
    dumped = (item.model_dump(mode="json", exclude_defaults=True) for item in found.corrections)
    return [_key(item) for item in dumped]


def _as_yaml(entry: Mapping[str, Any], indent: str) -> str:
    text: str = yaml.safe_dump(dict(entry), sort_keys=False, allow_unicode=True, width=110)
    lines = text.splitlines()
    return "\n".join([f"{indent}- {lines[0]}", *(f"{indent}  {line}" for line in lines[1:])]) + "\n"


@dataclass
class _Differences:
    """Collects what is different between two objects."""

    quarantine_id: str
    set: dict[str, Value] = field(default_factory=dict)
    remove: list[str] = field(default_factory=list)

    def compare(self, way: tuple[str, ...], before: Value, shown: Value, after: Value) -> None:
        """Note the fields of ``after`` that are neither as they arrived nor as they were shown."""
        if after in (before, shown):
            return
        if isinstance(before, dict) and isinstance(after, dict):
            seen = shown if isinstance(shown, dict) else {}
            for name in after:
                self.compare((*way, name), before.get(name, _ABSENT), seen.get(name, _ABSENT), after[name])
            self.remove += [self._path((*way, name)) for name in before if name not in after and name in seen]
        elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
            seen_items = shown if isinstance(shown, list) and len(shown) == len(before) else before
            for index, item in enumerate(after):
                self.compare((*way, str(index)), before[index], seen_items[index], item)
        else:
            self._note(way, after)

    def _note(self, way: tuple[str, ...], after: Value) -> None:
        if MASK in json.dumps([*way, after], ensure_ascii=False):
            raise InputError(
                f"In row {self.quarantine_id}, `{'.'.join(way)}` was changed but is still masked.",
                "Write the whole value, or export with --reveal.",
            )
        self.set[self._path(way)] = after

    def _path(self, way: tuple[str, ...]) -> str:
        if len(way) > 1 and any("." in name for name in way):
            raise InputError(
                f"In row {self.quarantine_id}, a name below `{way[0]}` holds a full stop.",
                "Declare it in config/corrections/ with `becomes`.",
            )
        return ".".join(way)


_ABSENT: Final = "\x00"
"""What no field of a row holds."""


def _parsed(text: str) -> dict[str, Value] | None:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _object(text: str, what: str) -> dict[str, Value]:
    value = _parsed(text)
    if value is None:
        raise InputError(f"{what} is no JSON object.", 'Write it as {"field": "value"}.')
    return value


def _at(row: dict[str, Value], path: str) -> Value:
    return row[path] if path in row else walk(row, path.split("."))


def _typed(text: str, present: Value) -> Value:
    is_structure = text.lstrip()[:1] in {"{", "["}
    if isinstance(present, str) or (present is None and not is_structure):
        return text
    try:
        value: Value = json.loads(text)
    except ValueError:
        return text
    return value
