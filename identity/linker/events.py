"""Days on which something happened, told from birthdays by their values."""

from __future__ import annotations

from typing import Final

from identity.linker.profile import Column

_DAYS: Final = 0.6
_CLOCKS: Final = 0.3
_OUTLYING: Final = 0.05
_FEWEST_DAYS: Final = 10
_FIRST_YEAR: Final = 1995
_SPAN: Final = 6
"""Years that nearly all records of a table come from, where the ages of people spread over decades."""


def why_event(column: Column, *, is_called_birthday: bool) -> str:
    """Why days are when something happened, and nobody's birthday; empty where they may be one, or are no days.

    Birthdays have no time of day, and lie apart like the ages of people. Those of a year group of pupils do not: there
    the column's name counts.
    """
    if column.dates < _DAYS:
        return ""
    if column.clocks >= _CLOCKS:
        return "days with times of day: when something happened, not something a person has"
    first, last = column.years_within(_OUTLYING)
    if is_called_birthday or len(column.days) < _FEWEST_DAYS or first < _FIRST_YEAR or last - first > _SPAN:
        return ""
    return f"nearly all days lie between {first} and {last}: when something happened, not birthdays"
