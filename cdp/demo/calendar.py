"""The days that the sample business has seen. Its clock runs in Asia/Shanghai, which has no daylight saving."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from functools import cached_property

import numpy as np

from cdp.demo.dice import Integers, Numbers

DAY = 86_400
SHANGHAI = timezone(timedelta(hours=8))
LAST_DAY = date(2026, 10, 31)


@dataclass(frozen=True)
class Calendar:
    """``days`` days that end with ``last_on``. Moments are seconds since 1970 in UTC, days are numbered from 0."""

    days: int
    last_on: date = LAST_DAY

    @cached_property
    def first_on(self) -> date:
        """The first day."""
        return self.last_on - timedelta(days=self.days - 1)

    @cached_property
    def start(self) -> int:
        """The moment when the first day begins in Shanghai."""
        return int(datetime.combine(self.first_on, datetime.min.time(), SHANGHAI).timestamp())

    @property
    def end(self) -> int:
        """The moment after the last day."""
        return self.start + self.days * DAY

    def date(self, day: int) -> date:
        """The date of a day."""
        return self.first_on + timedelta(days=int(day))

    def day(self, moment: float) -> int:
        """The day of a moment, kept within the calendar."""
        return int(min(max((moment - self.start) // DAY, 0), self.days - 1))

    def day_of(self, moments: Integers) -> Integers:
        """The days of many moments, kept within the calendar."""
        return np.clip((moments - self.start) // DAY, 0, self.days - 1)

    def week_end(self, day: int) -> int:
        """The day on which a weekly export takes ``day`` along; the last day of the calendar ends a week."""
        return day + (self.days - 1 - day) % 7

    def bustle(self) -> Numbers:
        """How busy each day is beside an ordinary one: week ends, Double 11, Christmas, the New Year, 6-18."""
        factors = np.ones(self.days)
        for day in range(self.days):
            on = self.date(day)
            factors[day] *= 1.15 if on.weekday() >= 5 else 1.0
            factors[day] *= _SEASON.get((on.month, on.day), 1.0)
            factors[day] *= 1.4 if on.month == 12 and 5 <= on.day <= 22 else 1.0
        return factors


_SEASON = {
    (11, 9): 1.5, (11, 10): 2.2, (11, 11): 3.5, (11, 12): 1.6, (11, 27): 1.9, (11, 30): 1.6, (12, 12): 1.4,
    (12, 25): 0.5, (12, 26): 1.6, (2, 14): 1.3, (6, 17): 1.5, (6, 18): 2.4,
}  # fmt: skip


def iso(moment: float) -> str:
    """``2026-01-05T09:00:00Z``."""
    return datetime.fromtimestamp(int(moment), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def shanghai(moment: float, pattern: str = "%Y-%m-%d %H:%M") -> str:
    """Clock time in Shanghai without offset, as exports write it."""
    return datetime.fromtimestamp(int(moment), SHANGHAI).strftime(pattern)
