"""Moments told as somebody sees them: "5 minutes ago", "yesterday 12:30". They need to know when that was seen."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import ClassVar, Final
from zoneinfo import ZoneInfo

from sources.operations.moment import Time, read_moment
from sources.operations.operation import Operation, Scope, SqlScope, SqlValue, UnreadableError, Value, text_of

_CLOCK: Final = r"(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(:(?P<second>[0-5]\d))?"
_AGO: Final = re.compile(r"(?P<count>\d{1,4})\s*(?P<unit>秒|分钟|分|小时|天)前")
_NOW: Final = frozenset({"刚刚", "刚才", "just now"})
_NAMED_DAY: Final = re.compile(rf"(?P<day>今天|昨天|前天)\s*({_CLOCK})?")
_DAY_OF_YEAR: Final = re.compile(rf"(?P<month>\d{{1,2}})(-|月)(?P<day>\d{{1,2}})日?(\s*{_CLOCK})?")
_DAYS_BACK: Final = {"今天": 0, "昨天": 1, "前天": 2}
_SECONDS: Final = {"秒": 1, "分钟": 60, "分": 60, "小时": 3600, "天": 86_400}
_COUNTS: Final = {10: 1, 13: 1_000}
_NOON: Final = time(12)
_YEARS: Final = 5


@dataclass(frozen=True)
class TimeAsSeen(Operation):
    """A moment in one of ``forms``, or as it was seen: at the first of the source paths ``at`` that holds a moment.

    Where only the day is known on which it was seen, minutes and hours ago are that day, at noon. Clocks are those of
    the feed's time zone; a day without a year is the last such day.
    """

    name: ClassVar[str] = "time_as_seen"
    at: tuple[str, ...]
    forms: tuple[str, ...]

    def apply(self, value: Value, scope: Scope) -> Value:
        """The Python form."""
        text = text_of(value)
        told = text.strip() if text is not None else ""
        if not any((told in _NOW, _AGO.fullmatch(told), _NAMED_DAY.fullmatch(told), _DAY_OF_YEAR.fullmatch(told))):
            return Time(self.forms).apply(value, scope)
        zone = ZoneInfo(scope.setting.time_zone)
        seen = next((found for path in self.at if (found := _seen(scope.read(path), zone)) is not None), None)
        if seen is None:
            places = ", ".join(self.at)
            raise UnreadableError(
                "bad_format", f"a time such as `5 minutes ago` needs to say when it was seen: {places}"
            )
        moment = _counted_back(told, seen) or _on_day(told, seen)
        return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:
        """The SQL form: of moments in the first form."""
        return Time(self.forms).sql(value, scope)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"moment ({' or '.join(self.forms)}, or as seen at {' or '.join(self.at)})"

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of when it was seen."""
        return self.at

    def renamed(self, renames: Mapping[str, str]) -> TimeAsSeen:
        """The same with these paths under their names in this feed."""
        return TimeAsSeen(tuple(renames.get(path, path) for path in self.at), self.forms)


def _seen(value: Value, zone: ZoneInfo) -> datetime | None:
    """When it was seen: a moment as text or as a count since 1970, or a day."""
    text = (text_of(value) or "").strip()
    if text.isdecimal() and len(text) in _COUNTS:
        return datetime.fromtimestamp(int(text) / _COUNTS[len(text)], zone)
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return None if read_moment(text) is None else datetime.combine(date.fromisoformat(text), _NOON, zone)
    if read_moment(text) is None:
        return None
    moment = datetime.fromisoformat(text.replace(" UTC", "Z").replace(" +", "+").replace(" -", "-"))
    return moment.astimezone(zone) if moment.tzinfo else moment.replace(tzinfo=zone)


def _counted_back(told: str, seen: datetime) -> datetime | None:
    if told in _NOW:
        return seen
    ago = _AGO.fullmatch(told)
    if ago is None:
        return None
    back = timedelta(seconds=int(ago["count"]) * _SECONDS[ago["unit"]])
    return (seen.astimezone(UTC) - back).astimezone(seen.tzinfo)


def _on_day(told: str, seen: datetime) -> datetime:
    named = _NAMED_DAY.fullmatch(told)
    if named is not None:
        return _at(seen.date() - timedelta(days=_DAYS_BACK[named["day"]]), named, seen)
    told_day = _DAY_OF_YEAR.fullmatch(told)
    assert told_day is not None
    for year in range(seen.year, seen.year - _YEARS, -1):
        try:
            day = date(year, int(told_day["month"]), int(told_day["day"]))
        except ValueError:
            continue
        if day <= seen.date():
            return _at(day, told_day, seen)
    raise UnreadableError("bad_format", "there is no such day")


def _at(day: date, clock: re.Match[str], seen: datetime) -> datetime:
    if clock["hour"] is None:
        return datetime.combine(day, time(0), seen.tzinfo)
    return datetime.combine(day, time(int(clock["hour"]), int(clock["minute"]), int(clock["second"] or 0)), seen.tzinfo)
