"""The word of the contract on one row: pydantic decides, and says why in the codes of the quarantine.

Codes: ``missing`` (required, and null or blank), ``wrong_type`` (not the kind of value: a list for text, letters for a
number), ``bad_format`` (text that is not written as its type must be: moments, days, currencies, control characters),
``out_of_range`` (too large, too small, too precise), ``not_in_set``, ``too_long``, ``inconsistent`` (right alone,
impossible together), ``unknown_field``. ``unreadable`` is said by who reads files. A message never repeats the value.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, partial
from math import isfinite
from typing import Annotated, Final, Literal

from pydantic import TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from quality.contracts.columns import Column, columns
from quality.contracts.contract import Contract, ContractPart, is_blank
from quality.contracts.registry import CONTRACTS

Code = Literal[
    "unreadable",
    "missing",
    "wrong_type",
    "out_of_range",
    "not_in_set",
    "bad_format",
    "too_long",
    "inconsistent",
    "unknown_field",
]
CODES: Final[tuple[Code, ...]] = Code.__args__  # type: ignore[attr-defined]  # the arguments of the Literal

_CODE_OF: Final[Mapping[str, Code]] = {code: code for code in CODES} | {
    "literal_error": "not_in_set",
    "string_too_long": "too_long",
    "string_pattern_mismatch": "bad_format",
    "string_unicode": "bad_format",
    "extra_forbidden": "unknown_field",
    "greater_than_equal": "out_of_range",
}
_OWN_WORDS: Final[Mapping[Code, str]] = {
    "missing": "a value is required",
    "wrong_type": "the value is of another type",
    "bad_format": "the text is not written in the form that its field has",
    "unknown_field": "the contract has no such field",
}


@dataclass(frozen=True, order=True)
class Reason:
    """Why a row was refused: the path of the field (``lines[2].quantity``), a code, and words without the value."""

    field: str
    code: Code
    message: str


@dataclass(frozen=True)
class Accepted:
    """The row's values by column, and the rows of its child tables by table, all with their keys."""

    values: Mapping[str, object]
    children: Mapping[str, tuple[Mapping[str, object], ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Rejected:
    """All reasons, in the order of the contract's fields."""

    reasons: tuple[Reason, ...]


def check(kind: str, row: Mapping[str, object]) -> Accepted | Rejected:
    """Whether a row of contract fields (raw scalars, lists, dicts) satisfies the contract of its kind.

    Accepted values are what DuckDB is given: naive UTC datetimes, Decimal of the column's scale, JSON as text.
    """
    model = CONTRACTS[kind]
    try:
        accepted = model.model_validate(dict(row))
    except ValidationError as error:
        return Rejected(_reasons(error))
    return Accepted(_values(accepted), _children(accepted))


def check_field(kind: str, name: str, value: object) -> tuple[Reason, ...]:
    """What the contract of a kind finds wrong with the value of one field alone.

    Where any field has faults, those of all fields in the contract's order are what ``check`` says of the row.
    """
    is_required, validate = _field_checks(kind)[name]
    if is_blank(value):
        return (Reason(name, "missing", _OWN_WORDS["missing"]),) if is_required else ()
    try:
        validate(value)
    except ValidationError as error:
        return _reasons(error, name)
    return ()


@cache
def _field_checks(kind: str) -> Mapping[str, tuple[bool, Callable[[object], object]]]:
    """By field whether it is required, and pydantic's own check of a value that is not blank."""
    return {
        name: (field.is_required(), TypeAdapter[object](Annotated[field.annotation, field]).validate_python)  # type: ignore[arg-type]  # made of values
        for name, field in CONTRACTS[kind].model_fields.items()
    }


def _reasons(error: ValidationError, *at: str) -> tuple[Reason, ...]:
    return tuple(dict.fromkeys(_reason(details, at) for details in error.errors(include_url=False)))


def _reason(details: ErrorDetails, at: tuple[str, ...]) -> Reason:
    code, path = _code(details), _path((*at, *details["loc"]))
    if code == "not_in_set":
        return Reason(path, code, details["msg"].replace("Input should be", "expected is"))
    if details["type"] == "string_too_long":
        return Reason(path, code, f"the text is longer than {details['ctx']['max_length']:,} letters")
    ours = details["type"] in CODES and details["msg"] != "Field required"
    words = details["msg"] if ours else _OWN_WORDS.get(code, details["msg"])
    return Reason(path, code, words)


def _code(details: ErrorDetails) -> Code:
    known = _CODE_OF.get(details["type"])
    if known:
        return known
    return "missing" if details["input"] is None else "wrong_type"


def _path(places: tuple[int | str, ...]) -> str:
    path = ""
    for place in places:
        path += f"[{place}]" if isinstance(place, int) else f".{place}" if path else place
    return path


def _values(row: ContractPart) -> dict[str, object]:
    fields = row.__dict__
    names, special = _layout(type(row))
    values = {name: fields[name] for name in names}
    for column in special:
        if values[column.name] is not None:
            values[column.name] = _value(column, values[column.name])
    return values


@cache
def _layout(model: type[ContractPart]) -> tuple[tuple[str, ...], tuple[Column, ...]]:
    """Names of the columns, and those whose values are not stored as they are."""
    found = columns(model)
    return (
        tuple(column.name for column in found),
        tuple(column for column in found if column.sql_type == "JSON" or column.sql_type.endswith("[]")),
    )


def _value(column: Column, value: object) -> object:
    if column.sql_type == "JSON":
        return as_json(value)
    assert isinstance(value, tuple)
    return [_values(item) if isinstance(item, ContractPart) else item for item in value]


def _children(row: Contract) -> dict[str, tuple[Mapping[str, object], ...]]:
    keys = {name: getattr(row, name) for name in row.key}
    return {
        table: tuple(
            _values(item) | {name: keys[name] for name in child.key if name in keys}
            for item in getattr(row, child.field)
        )
        for table, child in row.children.items()
    }


def as_json(value: object) -> str:
    """JSON as it is stored: compact, in the order given, text unescaped, moments in ISO form, no number as its name."""
    write = partial(json.dumps, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    try:
        return write(_plain(value))
    except ValueError:  # a number that JSON does not have
        return write(_named_numbers(_plain(value)))


def _named_numbers(value: object) -> object:
    if isinstance(value, dict):
        return {name: _named_numbers(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_named_numbers(item) for item in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _plain(value: object) -> object:
    if isinstance(value, ContractPart):
        return {column.name: _plain(getattr(value, column.name)) for column in columns(type(value))}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    return value.isoformat() if isinstance(value, datetime) else value
