"""Ids that hold the moment they were given: X and those who number as it does."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final

from sqlglot import exp

from sources.operations.operation import (
    Operation,
    Scope,
    SqlScope,
    SqlValue,
    Value,
    absent_or,
    both,
    call,
    matches,
    text_of,
)

_FIRST_MILLISECOND: Final = 1_288_834_974_657
_BITS_BEHIND: Final = 22
_FIRST: Final = 1 << 34
"""Ids below were counted one by one, before November 2010, and say no time."""
_LAST: Final = 1 << 63
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_LONG_ID: Final = "[1-9][0-9]{11,17}"


@dataclass(frozen=True)
class Snowflake(Operation):
    """The moment in which an id was given; absent where the id says none."""

    name: ClassVar[str] = "snowflake"

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        text = text_of(value)
        if text is None or not re.fullmatch("[0-9]{1,19}", text.strip()):
            return None
        number = int(text)
        if not _FIRST <= number < _LAST:
            return None
        moment = _EPOCH + timedelta(milliseconds=(number >> _BITS_BEHIND) + _FIRST_MILLISECOND)
        return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form, sure of ids of 12 to 18 digits."""
        number = exp.TryCast(this=value.text, to=exp.DataType.build("BIGINT"))
        shifted = exp.Paren(this=exp.BitwiseRightShift(this=number, expression=exp.Literal.number(_BITS_BEHIND)))
        milliseconds = exp.Paren(this=exp.Add(this=shifted, expression=exp.Literal.number(_FIRST_MILLISECOND)))
        moment = call("make_timestamp", exp.Mul(this=milliseconds, expression=exp.Literal.number(1_000)))
        sure = both(value.as_text, absent_or(value.text, matches(value.text, _LONG_ID)))
        return SqlValue.of_text(call("strftime", moment, "%Y-%m-%dT%H:%M:%S.%fZ"), sure)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "the moment that the id holds"
