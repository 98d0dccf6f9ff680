"""Counts since 1970 that mean a day, or that stand where other rows write a moment as text."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from sqlglot import exp

from sources.operations.moment import Epoch, Time
from sources.operations.operation import (
    FALSE,
    Operation,
    Scope,
    SqlScope,
    SqlValue,
    UnreadableError,
    Value,
    absent_or,
    both,
    call,
    matches,
    text_of,
    when,
)

_LONG_COUNT: Final = "-?[0-9]{9,16}"
_COUNT: Final = "-?[0-9]{5,16}"
_SURE_COUNT: Final = "[1-9][0-9]{4,15}"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS: Final = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}
_SHORTEST_COUNT: Final = 10_000
_LAST: Final = 4_102_444_800  # seconds until the year 2100


@dataclass(frozen=True)
class TimeOrEpoch(Operation):
    """A moment as a count since 1970 in UTC, or as text: vendors change from one to the other between versions."""

    name: ClassVar[str] = "time_or_epoch"
    accepts: ClassVar[frozenset[str]] = frozenset({"number"})
    unit: str
    forms: tuple[str, ...] = ("iso",)

    def apply(self, value: Value, scope: Scope) -> Value:
        """The Python form."""
        text = text_of(value)
        is_count = isinstance(value, float) or (text is not None and re.fullmatch(_LONG_COUNT, text.strip()))
        return Epoch(self.unit).apply(value, scope) if is_count else Time(self.forms).apply(value, scope)

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:
        """The SQL form."""
        is_count = matches(value.text, _LONG_COUNT)
        count, moment = Epoch(self.unit).sql(value, scope), Time(self.forms).sql(value, scope)
        text = when(is_count, count.text, moment.text)
        return SqlValue.of_text(text, when(is_count, count.as_text, moment.as_text))

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"{self.unit} since 1970, or moment ({' or '.join(self.forms)})"


@dataclass(frozen=True)
class EpochDay(Operation):
    """A day as the count since 1970 of its midnight in ``zone``; other text stays as it is."""

    name: ClassVar[str] = "epoch_day"
    unit: str
    zone: str

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        text = text_of(value)
        if text is None or not re.fullmatch(_COUNT, text.strip()):
            return value
        try:
            moment = _EPOCH + timedelta(microseconds=int(text) * _MICROSECONDS[self.unit])
            return moment.astimezone(ZoneInfo(self.zone)).date().isoformat()
        except OverflowError as error:
            raise UnreadableError("out_of_range", "a day lies between the years 1880 and 2099") from error

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form, sure of days after 1970."""
        number = exp.TryCast(this=value.text, to=exp.DataType.build("BIGINT"))
        factor = _MICROSECONDS[self.unit]
        first, last = exp.Literal.number(_SHORTEST_COUNT), exp.Literal.number(_LAST * 1_000_000 // factor)
        in_range = exp.Between(this=number, low=first, high=last)
        sane = both(matches(value.text, _SURE_COUNT), call("coalesce", in_range, FALSE))
        moment = call("make_timestamp", exp.Mul(this=number, expression=exp.Literal.number(factor)))
        local = call("timezone", self.zone, call("timezone", "UTC", moment))
        day = call("strftime", local, "%Y-%m-%d")
        no_count = exp.Not(this=matches(value.text, rf"\s*{_COUNT}\s*"))
        sure = both(value.as_text, absent_or(value.text, exp.Paren(this=exp.or_(sane, no_count, copy=False))))
        return SqlValue.of_text(when(sane, day, value.text), sure)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"day whose midnight in {self.zone} is so many {self.unit} since 1970"
