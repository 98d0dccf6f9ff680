"""Days and moments that begin with the year, as spreadsheets write them: 2026/9/15 8:30, 2026年9月15日.

With the year first nothing is ambiguous, whichever country wrote it; so every contract reads them.
"""

from __future__ import annotations

import re

_YEAR_FIRST = re.compile(
    r"(?P<year>[0-9]{4})"
    r"(?:(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})"
    r"|年(?P<month_zh>[0-9]{1,2})月(?P<day_zh>[0-9]{1,2})日)"
    r"(?:(?:T| +|(?<=日))(?P<hour>[0-9]{1,2})[:：时](?P<minute>[0-9]{1,2})"
    r"(?:[:：分](?P<second>[0-9]{1,2}(?:\.[0-9]+)?))?[分秒]?"
    r"(?P<zone> ?(?:Z|UTC|[+-][0-9]{2}(?::?[0-9]{2})?))?)?"
)


def iso_text(text: str) -> str:
    """The same day or moment with two digits for month, day and clock, and hyphens; any other text as it is."""
    match = _YEAR_FIRST.fullmatch(text)
    if match is None:
        return text
    day = f"{match['year']}-{match['month'] or match['month_zh']:0>2}-{match['day'] or match['day_zh']:0>2}"
    if match["hour"] is None:
        return day
    whole, point, fraction = (match["second"] or "0").partition(".")
    return f"{day}T{match['hour']:0>2}:{match['minute']:0>2}:{whole:0>2}{point}{fraction}{match['zone'] or ''}"
