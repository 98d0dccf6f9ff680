"""How the moments of an unknown column are written, and when nothing says it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from quality.contracts.year_first import iso_text
from sources.column_types import ColumnType

MOSTLY: Final = 0.8
"""The share of values that make a column what they are."""

UNDECIDED: Final = (
    "UNDECIDED: nothing says whether the day or the month comes first; "
    "write then: [{time: '%d/%m/%Y'}] or '%m/%d/%Y' (of a day: date instead of time)"
)
_ISO_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([T ]|\Z)")
_FORMS: Final = (
    "%Y%m%d",
    "%d/%m/%Y %H:%M:%S", "%d/%m/%Y %H:%M", "%d/%m/%Y", "%d-%m-%Y %H:%M:%S", "%d-%m-%Y %H:%M", "%d-%m-%Y",
    "%d.%m.%Y %H:%M:%S", "%d.%m.%Y %H:%M", "%d.%m.%Y",
)  # fmt: skip
_EPOCHS: Final = {"seconds": 10, "milliseconds": 13, "microseconds": 16}


def moment_expression(name: str, texts: Sequence[str], kind: ColumnType | None, shape: str) -> object | None:
    """How a declaration reads a column as moments or, where ``shape`` is ``day``, as days; None: it holds none."""
    is_iso = sum(bool(_ISO_DAY.match(iso_text(text))) for text in texts) >= MOSTLY * len(texts)
    if kind in {"date", "timestamp"} and is_iso:
        return name if shape == "day" else {"path": name, "then": [{"time": "iso"}]}
    if shape == "timestamp" and kind == "integer":
        unit = next((unit for unit, digits in _EPOCHS.items() if {len(text) for text in texts} == {digits}), None)
        return {"path": name, "then": [{"epoch": unit}]} if unit else None
    operation = "date" if shape == "day" else "time"
    for form in _FORMS:
        found = max((form, _turned(form)), key=lambda item: _read(texts, item))
        if texts and _read(texts, found) >= MOSTLY * len(texts):
            return {"path": name, "then": [{operation: found}]}
    return None


def undecided(expression: object, texts: Mapping[str, Sequence[str]]) -> object | None:
    """An expression that reads a column by a form that begins with the day or month, without the form, if nothing says
    which: certain is only what some value speaks for, such as the 13 in 13/4/2026, and none against.
    """
    if not isinstance(expression, dict) or not isinstance(expression.get("path"), str):
        return None
    steps = expression.get("then") or []
    operation = steps[0] if len(steps) == 1 else None
    if not isinstance(operation, dict) or len(operation) != 1:
        return None
    [(word, form)] = operation.items()
    found = texts.get(expression["path"], ())
    if word not in {"time", "date"} or not isinstance(form, str) or _turned(form) == form:
        return None
    speaks_for = sum(_read([text], form) > _read([text], _turned(form)) for text in found)
    speaks_against = sum(_read([text], form) < _read([text], _turned(form)) for text in found)
    if speaks_for and not speaks_against:
        return None
    return {"path": expression["path"], "then": [{word: "iso"}]}


def _turned(form: str) -> str:
    """The same with day and month in each other's place; forms with dots begin with the day wherever they are used."""
    for mark in ("/", "-"):
        if form.startswith(f"%d{mark}%m{mark}"):
            return form.replace(f"%d{mark}%m{mark}", f"%m{mark}%d{mark}", 1)
        if form.startswith(f"%m{mark}%d{mark}"):
            return form.replace(f"%m{mark}%d{mark}", f"%d{mark}%m{mark}", 1)
    return form


def _read(texts: Sequence[str], form: str) -> int:
    """How many texts a form reads."""
    read = 0
    for text in texts:
        try:
            datetime.strptime(text, form)  # noqa: DTZ007 - only whether it can be read
        except ValueError:
            continue
        read += 1
    return read
