"""Operations on moments and days: every vendor's way to write them becomes ISO 8601 in UTC."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from sqlglot import exp

from quality.contracts.value_types import unreadable_moment
from quality.contracts.year_first import iso_text
from sources.operations.operation import (
    FALSE,
    TRUE,
    Operation,
    Scope,
    SqlMoment,
    SqlScope,
    SqlValue,
    UnreadableError,
    Value,
    absent_or,
    both,
    call,
    either,
    is_null,
    matches,
    text_of,
    when,
)

_ISO_FORMS: Final = frozenset({"iso", "utc"})
_DAY: Final = r"[0-9]{4}-[0-9]{2}-[0-9]{2}"
_CLOCK: Final = r"[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,9})?)?"
_ZONED: Final = rf"{_DAY}[T ]{_CLOCK} ?(Z|UTC|[+-][0-9]{{2}}(:?[0-9]{{2}})?)"
_NAIVE: Final = rf"{_DAY}([T ]{_CLOCK})?"
_HOUR: Final = "([01][0-9]|2[0-3])"
_SIXTIETH: Final = "[0-5][0-9]"
_SURE_CLOCK: Final = rf"([01]?[0-9]|2[0-3]):{_SIXTIETH}(:{_SIXTIETH}(\.[0-9]{{1,6}})?)?"
_IN_YEAR: Final = r"(-[0-9]{1,2}-[0-9]{1,2}|/[0-9]{1,2}/[0-9]{1,2})"
_SURE_NAIVE: Final = rf"(19[7-9][0-9]|20[0-9]{{2}}){_IN_YEAR}([T ]{_SURE_CLOCK})?"
_PLAIN_UTC: Final = (
    rf"(19[7-9][0-9]|20[0-9]{{2}})-[0-9]{{2}}-[0-9]{{2}}T{_HOUR}:{_SIXTIETH}:{_SIXTIETH}(\.[0-9]{{1,6}})?Z"
)
_WEIBO: Final = (
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun) [A-Z][a-z]{2} [0-9]{2} "
    rf"{_HOUR}:{_SIXTIETH}:{_SIXTIETH} [+-](0[0-9]|1[0-3])[0-5][0-9] [0-9]{{4}}"
)
_WEIBO_FORMAT: Final = "%a %b %d %H:%M:%S %z %Y"
_ISO_TEXT: Final = "%Y-%m-%dT%H:%M:%S.%fZ"
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECONDS: Final = {"seconds": 1_000_000, "milliseconds": 1_000, "microseconds": 1}
_LAST_EPOCH: Final = 4_102_444_800  # seconds until the year 2100
_WIDTHS: Final = {"Y": "[0-9]{4}", "m": "[0-9]{2}", "d": "[0-9]{2}", "H": _HOUR, "M": _SIXTIETH, "S": _SIXTIETH}
_CALM_HOURS: Final = 4


@dataclass(frozen=True)
class Time(Operation):
    """A moment as text: ``iso`` (the year first), ``utc``, ``weibo``, a strptime format, or the first that fits.

    Without an offset it is in the feed's time zone, but for ``utc``.
    """

    name: ClassVar[str] = "time"
    forms: tuple[str, ...]

    def apply(self, value: Value, scope: Scope) -> Value:
        """The Python form: ISO text in UTC; ISO text that has an offset stays as it is."""
        text = text_of(value)
        if text is None:
            return value
        text = text.strip()
        if not text:
            return None
        if _ISO_FORMS.intersection(self.forms):
            for plain in (text, iso_text(text)):
                if re.fullmatch(_ZONED, plain):
                    return plain
        moment = _read_first(text, self.forms)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=ZoneInfo(scope.setting.time_zone))
        return _iso_text(moment)

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:
        """The SQL form of the first form that the vendor writes.

        It is unsure within four hours of a clock change, where a local time may not be unique.
        """
        first = self.forms[0]
        if first in _ISO_FORMS:
            return self._sql_iso(value, self._zone(scope))
        form = _WEIBO_FORMAT if first == "weibo" else first
        pattern = _WEIBO if first == "weibo" else _pattern(first)
        if pattern is None:
            return SqlValue.of_text(value.text, is_null(value.text))
        moment = call("try_strptime", value.text, form)
        if "%z" in form:
            text, calm = _formatted(call("timezone", "UTC", moment)), call("coalesce", _is_known(moment), FALSE)
        else:
            made, calm = _in_utc(moment, scope.setting.time_zone)
            text = _formatted(made)
        sure = both(value.as_text, absent_or(value.text, both(matches(value.text, pattern), calm)))
        return SqlValue.of_text(text, sure)

    def sql_of_moment(self, moment: SqlMoment, scope: SqlScope) -> SqlMoment | None:
        """The SQL form of a moment in ISO 8601."""
        if self.forms[0] not in _ISO_FORMS or moment.is_clock is None:
            return None
        if not moment.is_clock:
            return moment
        made, calm = _in_utc(moment.value, self._zone(scope))
        return SqlMoment(made, is_clock=False, sure=both(moment.sure, absent_or(moment.value, calm)))

    def _zone(self, scope: SqlScope) -> str:
        return "UTC" if self.forms[0] == "utc" else scope.setting.time_zone

    def _sql_iso(self, value: SqlValue, zone: str) -> SqlValue:
        zoned = matches(value.text, _ZONED)
        moment = exp.TryCast(this=value.text, to=exp.DataType.build("TIMESTAMP", dialect="duckdb"))
        made, calm = _in_utc(moment, zone)
        text = _formatted(made)
        naive = both(matches(value.text, _SURE_NAIVE), calm)
        is_clear = exp.Case(ifs=[exp.If(this=zoned, true=exp.true())], default=naive)
        sure = both(value.as_text, absent_or(value.text, is_clear))
        return SqlValue.of_text(when(zoned, value.text, text), sure)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"moment ({' or '.join(self.forms)})"


@dataclass(frozen=True)
class OnServersClock(Operation):
    """A moment of arrival becomes the moment of the event: earlier by as long as the device kept the event.

    ``made`` and ``sent`` are source paths of two moments on the device's own clock, which may be wrong.
    """

    name: ClassVar[str] = "on_servers_clock"
    made: str
    sent: str

    def apply(self, value: Value, scope: Scope) -> Value:
        """The Python form; absent unless all three are moments."""
        found = [read_moment(text) for item in self._moments(value, scope) if (text := text_of(item))]
        if len(found) != 3 or None in found:
            return None
        arrived, made, sent = (moment for moment in found if moment is not None)
        try:
            return _iso_text(arrived - (sent - made))
        except OverflowError as error:
            raise UnreadableError("out_of_range", "a moment lies between the years 1970 and 2100") from error

    def _moments(self, value: Value, scope: Scope) -> tuple[Value, Value, Value]:
        return value, scope.read(self.made), scope.read(self.sent)

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:
        """The SQL form: moments in UTC as trackers write them."""
        values = (value, scope.read(self.made), scope.read(self.sent))
        arrived, made, sent = (
            exp.TryCast(this=item.text, to=exp.DataType.build("TIMESTAMP", dialect="duckdb")) for item in values
        )
        moment = exp.Sub(this=arrived, expression=exp.Paren(this=exp.Sub(this=sent, expression=made)))
        if any(isinstance(item.text, exp.Null) for item in values):
            return SqlValue.of_text(exp.null(), TRUE)
        is_nothing = either(*(is_null(item.text) for item in values))
        plain = both(*(matches(item.text, _PLAIN_UTC) for item in values), call("coalesce", _is_known(moment), FALSE))
        sure = both(*(item.as_text for item in values), either(is_nothing, plain))
        return SqlValue.of_text(when(is_nothing, exp.null(), _formatted(moment)), sure)

    def sql_of_moment(self, moment: SqlMoment, scope: SqlScope) -> SqlMoment | None:
        """The SQL form of moments: nothing where one of them is nothing."""
        made, sent = scope.read_moment(self.made), scope.read_moment(self.sent)
        if made is None or sent is None:
            return None
        if isinstance(made.value, exp.Null) or isinstance(sent.value, exp.Null):
            return SqlMoment(exp.null(), is_clock=False)
        kept = exp.Paren(this=exp.Sub(this=sent.value, expression=made.value))
        return SqlMoment(exp.Sub(this=moment.value, expression=kept), is_clock=False, sure=moment.sure)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"less the time from {self.made} to {self.sent}"

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of the device's moments."""
        return (self.made, self.sent)

    def renamed(self, renames: Mapping[str, str]) -> OnServersClock:
        """The same with both under their names in this feed."""
        return OnServersClock(renames.get(self.made, self.made), renames.get(self.sent, self.sent))


@dataclass(frozen=True)
class Epoch(Operation):
    """A moment as a count since 1970 in UTC."""

    name: ClassVar[str] = "epoch"
    unit: str

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        if isinstance(value, bool | list | dict):
            return value
        text = repr(value) if isinstance(value, float) else str(value).strip()
        if not text:
            return None
        if not re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text):
            raise UnreadableError("bad_format", f"a count of {self.unit} since 1970 is expected")
        count = int(Decimal(text) * _MICROSECONDS[self.unit])
        try:
            return _iso_text(_EPOCH + timedelta(microseconds=count))
        except OverflowError as error:
            raise UnreadableError("out_of_range", "a moment lies between the years 1970 and 2100") from error

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form: whole counts between 1970 and 2100."""
        number = exp.TryCast(this=value.text, to=exp.DataType.build("BIGINT"))
        factor = _MICROSECONDS[self.unit]
        last = exp.Literal.number(_LAST_EPOCH * 1_000_000 // factor)
        in_range = exp.LT(this=number, expression=last)
        sane = both(matches(value.text, "[0-9]{1,16}"), call("coalesce", in_range, FALSE))
        moment = call("make_timestamp", exp.Mul(this=number, expression=exp.Literal.number(factor)))
        sure = both(value.as_text, absent_or(value.text, sane))
        return SqlValue.of_text(when(sane, _formatted(moment)), sure)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"{self.unit} since 1970"


@dataclass(frozen=True)
class Day(Operation):
    """A calendar day as text: ``iso`` (a time behind it is dropped), a strptime format, or the first that fits."""

    name: ClassVar[str] = "date"
    forms: tuple[str, ...]

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        text = text_of(value)
        if text is None:
            return value
        text = text.strip()
        if not text:
            return None
        refused: UnreadableError | None = None
        for form in self.forms:
            try:
                return _read_day(text, form)
            except UnreadableError as error:
                refused = refused or error
        assert refused is not None
        raise refused

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form of the first form."""
        first = self.forms[0]
        if first == "iso":
            is_iso, is_short = (
                matches(value.text, rf"{_DAY}([T ][0-9:.Z+-]*)?"),
                matches(value.text, rf"[0-9]{{4}}{_IN_YEAR}"),
            )
            as_day = exp.TryCast(this=value.text, to=exp.DataType.build("DATE"))
            known = either(is_iso, both(is_short, call("coalesce", _is_known(as_day), FALSE)))
            text = when(is_iso, call("left", value.text, 10), call("strftime", as_day, "%Y-%m-%d"))
            return SqlValue.of_text(text, both(value.as_text, absent_or(value.text, known)))
        pattern = _pattern(first)
        if pattern is None:
            return SqlValue.of_text(value.text, is_null(value.text))
        day = call("try_strptime", value.text, first)
        known = both(matches(value.text, pattern), call("coalesce", _is_known(day), FALSE))
        return SqlValue.of_text(call("strftime", day, "%Y-%m-%d"), both(value.as_text, absent_or(value.text, known)))

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"day ({' or '.join(self.forms)})"


def _read_day(text: str, form: str) -> str:
    if form != "iso":
        return _read_form(text, form).date().isoformat()
    text = text if re.fullmatch(rf"{_DAY}([T ].*)?", text) else iso_text(text)
    if not re.fullmatch(rf"{_DAY}([T ].*)?", text):
        raise UnreadableError("bad_format", unreadable_moment(text, "date"))
    return text[:10]


def read_moment(text: str) -> datetime | None:
    """The moment that a text with the year first stands for, UTC where it has no offset; None when it is none."""
    text = text.strip()
    text = text if re.fullmatch(_ZONED, text) else iso_text(text)
    try:
        moment = datetime.fromisoformat(_plain_zone(text)) if re.fullmatch(_ZONED, text) else _read_iso(text)
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None


def _plain_zone(text: str) -> str:
    return re.sub(r" ?(Z|UTC)$", "+00:00", text).replace(" ", "T", 1).replace(" ", "")


def _read_iso(text: str) -> datetime:
    if not re.fullmatch(_NAIVE, text):
        raise UnreadableError("bad_format", unreadable_moment(text, "time"))
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise UnreadableError("bad_format", "there is no such day or time of day") from error


def _read_first(text: str, forms: tuple[str, ...]) -> datetime:
    """By the first form that fits.

    Raises:
        UnreadableError: none does, in the words of the first.
    """
    refused: UnreadableError | None = None
    for form in forms:
        try:
            if form == "utc":
                return _read_iso(iso_text(text)).replace(tzinfo=UTC)
            return _read_iso(iso_text(text)) if form == "iso" else _read_form(text, form)
        except UnreadableError as error:
            refused = refused or error
    assert refused is not None
    raise refused


def _read_form(text: str, form: str) -> datetime:
    try:
        return datetime.strptime(text, _WEIBO_FORMAT if form == "weibo" else form)  # noqa: DTZ007 - the feed's zone is added
    except ValueError as error:
        raise UnreadableError("bad_format", f"a moment or day is written {form}") from error


def _iso_text(moment: datetime) -> str:
    try:
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
    except OverflowError as error:
        raise UnreadableError("out_of_range", "a moment lies between the years 1970 and 2100") from error


@cache
def _pattern(form: str) -> str | None:
    """The texts that both engines read alike: every part in its full width; None when a part is unknown here."""
    pattern, rest = "", form
    while rest:
        if rest[0] != "%":
            pattern, rest = pattern + re.escape(rest[0]), rest[1:]
        elif rest[1:2] in _WIDTHS:
            pattern, rest = pattern + _WIDTHS[rest[1]], rest[2:]
        else:
            return None
    return pattern


def _in_utc(moment: exp.Expr, zone: str) -> tuple[exp.Expr, exp.Expr]:
    """What a clock of ``zone`` shows as a moment in UTC, and whether no clock change is near."""
    if zone == "UTC":
        return moment, call("coalesce", _is_known(moment), FALSE)
    hours = exp.Interval(this=exp.Literal.string(str(_CALM_HOURS)), unit=exp.Var(this="HOURS"))
    before = call("timezone", zone, exp.Sub(this=moment, expression=hours))
    after = call("timezone", zone, exp.Add(this=moment, expression=hours))
    apart = exp.Sub(this=call("epoch", after), expression=call("epoch", before))
    calm = exp.EQ(this=apart, expression=exp.Literal.number(2 * _CALM_HOURS * 3600))
    return call("timezone", "UTC", call("timezone", zone, moment)), call("coalesce", calm, FALSE)


def _formatted(moment: exp.Expr) -> exp.Expr:
    return call("strftime", moment, _ISO_TEXT)


def _is_known(value: exp.Expr) -> exp.Expr:
    return exp.Not(this=is_null(value))


def day_in(text: str) -> date | None:
    """The day that ``YYYY-MM-DD`` stands for; None when there is no such day."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
