"""Fields that declarations may name: their type, the table that holds them, and how a written value becomes one.

The types are few, because each must mean the same in YAML, in Python and in SQL.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Literal

from profiles.field_values import Vocabulary

FieldType = Literal["text", "integer", "decimal", "float", "boolean", "date", "texts"]

SQL_TYPES: Mapping[FieldType, str] = {
    "text": "VARCHAR",
    "integer": "BIGINT",
    "decimal": "DECIMAL(18,4)",
    "float": "DOUBLE",
    "boolean": "BOOLEAN",
    "date": "DATE",
    "texts": "VARCHAR[]",
}
"""The column type that stands for each field type; any integer column is an ``integer``."""

Value = str | int | Decimal | float | bool | date
Catalogue = Mapping[str, "Field"]

_LARGEST = 10**12
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
_DECIMALS = 4


class UnfitValueError(ValueError):
    """A value in a declaration that does not fit; the message goes on from the name of what takes it."""


@dataclass(frozen=True)
class Field:
    """A column that a declaration names: ``table`` is below ``profiles``. ``vocabulary`` None: it may be any text."""

    table: str
    column: str
    type: FieldType
    vocabulary: Vocabulary | None = None


def fields_of(
    table: str, columns: Mapping[str, FieldType], vocabularies: Mapping[str, Vocabulary | None] | None = None
) -> dict[str, Field]:
    """The fields of one table under their column names."""
    known = vocabularies or {}
    return {column: Field(table, column, kind, known.get(column)) for column, kind in columns.items()}


def value_of(written: object, kind: FieldType) -> Value:
    """The value of type ``kind`` that stands in a declaration; for a list, the value of one element.

    Raises:
        UnfitValueError: it is of another type; the message says what is wanted.
    """
    if kind in ("text", "texts"):
        return _text(written)
    if kind == "boolean":
        if not isinstance(written, bool):
            raise UnfitValueError("takes true or false")
        return written
    if kind == "date":
        return _day(written)
    return _number(written, kind)


def _text(written: object) -> str:
    if not isinstance(written, str):
        raise UnfitValueError("takes text: put the value in quotes")
    if "\0" in written:
        raise UnfitValueError("takes text without NUL")
    return written


def _day(written: object) -> date:
    if not isinstance(written, str) or not _DAY.match(written):
        raise UnfitValueError("takes a day such as 2026-01-31")
    try:
        return date.fromisoformat(written)
    except ValueError:
        raise UnfitValueError("takes a day of the calendar, such as 2026-01-31") from None


def _number(written: object, kind: FieldType) -> int | Decimal | float:
    if isinstance(written, bool) or not isinstance(written, int | float):
        raise UnfitValueError("takes a whole number" if kind == "integer" else "takes a number")
    if not abs(written) < _LARGEST:
        raise UnfitValueError("takes a number below a million million")
    if kind == "integer":
        if not isinstance(written, int):
            raise UnfitValueError("takes a whole number")
        return written
    if kind == "float":
        return float(written)
    exact = Decimal(str(written))
    if exact != round(exact, _DECIMALS):
        raise UnfitValueError("takes at most four decimals")
    return round(exact, _DECIMALS)
