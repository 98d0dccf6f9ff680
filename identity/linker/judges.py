"""What the values of a column may mean: for each meaning how much they look like it, from 0 to about 1, and why."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Final

from identity.linker import provenance
from identity.linker.profile import Column
from identity.linker.roles import Role
from warehouse.codes import is_country

YEAR, MONTH, DAY = "birth_year", "birth_month", "birth_day"
RECORD_KEY, SURROGATE, SOURCE, NOTHING = "record_id", "surrogate", "source", "nothing"


def percent(share: float) -> str:
    """A share in words."""
    return f"{100 * share:.0f} %"


_Judged = tuple[float, str]
_NO: Final[_Judged] = (0.0, "")


def _email(column: Column) -> _Judged:
    return (column.emails, f"{percent(column.emails)} of the values have an @ inside") if column.emails >= 0.5 else _NO


def _birth(column: Column) -> _Judged:
    share = column.dates
    return (share, f"{percent(share)} of the values are days") if share >= 0.6 and column.length >= 6 else _NO


def _phone(column: Column) -> _Judged:
    if re.fullmatch(r"\d{3}-\d{2}-\d{4}", column.values[0]) and column.same_length > 0.8:
        return _NO
    share = column.phones
    if share < 0.5:
        return _NO
    is_short = column.share(lambda value: value.isdigit() and len(value) < 9) > 0.8
    return (0.4 if is_short else 0.9) * share, f"{percent(share)} of the values are phone numbers of one country"


def _gender(column: Column) -> _Judged:
    share = column.genders
    return (share, f"{column.distinct} different values, words for a gender") if share >= 0.9 else _NO


def _surrogate(column: Column) -> _Judged:
    counted = column.density >= 0.75 and column.filled == 1.0 and column.distinct >= 20
    if not counted or column.top > 0.2 or column.novelty < 0.05 or _is_calendar(column):
        return _NO
    if column.novelty == 1.0:
        return _NO
    return 0.9, "numbers counted up without gaps, as a program gives them: a key, not something a person has"


def _is_calendar(column: Column) -> bool:
    """Days, months and years are numbers without gaps, too."""
    return column.numbers_between(1, 31) >= 0.98 or column.numbers_between(1850, 2035) >= 0.98


def _record_key(column: Column) -> _Judged:
    if column.distinct < column.rows or column.rows < 20:
        return _NO
    if column.words > 1.5 or column.emails > 0.2 or column.digits < 0.9 or column.phones > 0.5 or column.dates > 0.5:
        return _NO
    return 0.95, "another value in every record"


def _year(column: Column) -> _Judged:
    share = column.numbers_between(1850, 2035)
    fits = share >= 0.97 and column.distinct <= 160 and column.same_length > 0.9
    return (0.75, "whole numbers that are years") if fits else _NO


def _month(column: Column) -> _Judged:
    fits = column.numbers_between(1, 12) >= 0.98 and 10 <= column.distinct <= 24
    return (0.6, "whole numbers from 1 to 12") if fits else _NO


def _day(column: Column) -> _Judged:
    fits = column.numbers_between(1, 31) >= 0.98 and 25 <= column.distinct <= 42
    return (0.6, "whole numbers from 1 to 31") if fits else _NO


def _chinese_name(column: Column) -> _Judged:
    short = column.share(lambda value: len(value.replace(" ", "")) <= 5)
    if column.han < 0.3 or column.digits > 0.2 or column.distinct < 20 or column.streets > 0.3:
        return _NO
    places = max(column.share(lambda value: value[-1] in "省市区县州"), column.places)
    score = 0.85 * min(short + 0.2, 1.0) - places
    return (max(score, 0.0), f"{percent(column.han)} of the values are in Chinese characters and short as names are")


def _full_name(column: Column) -> _Judged:
    two = column.share(lambda value: 2 <= len(value.split()) <= 5)
    known = min(column.given, column.family) if two > 0.6 else 0.0
    if column.han >= 0.3 or column.digits > 0.1 or two < 0.6 or known < 0.1:
        return _NO
    return 0.5 + 0.45 * min(1.0, 2 * known), f"{percent(known)} of the values begin and end with known names"


def _one_name(column: Column) -> bool:
    return (
        column.digits < 0.1
        and column.emails < 0.1
        and column.words < 1.7
        and column.han < 0.3
        and column.distinct >= 12
    )


def _given(column: Column) -> _Judged:
    share = column.given
    if not _one_name(column) or column.streets > 0.2 or share < 0.15 or column.length < 2.2:
        return _NO
    score = 0.3 + share - 0.35 * column.family - 0.5 * column.places
    return max(min(score, 0.95), 0.0), f"{percent(share)} of the values are known given names"


def _family(column: Column) -> _Judged:
    share = column.family
    if not _one_name(column) or column.streets > 0.2 or share < 0.08 or column.length < 2.2:
        return _NO
    score = 0.3 + share - 0.35 * column.given - 0.5 * column.places
    return max(min(score, 0.95), 0.0), f"{percent(share)} of the values are known family names"


def _middle(column: Column) -> _Judged:
    single = column.share(lambda value: len(value.strip(".")) == 1 and value[0].isalpha())
    return (0.7, "single letters, as initials are") if single > 0.9 and column.distinct > 8 else _NO


def _address(column: Column) -> _Judged:
    if column.streets < 0.25:
        return _NO
    return min(
        0.5 + column.streets / 2, 0.95
    ), f"{percent(column.streets)} of the values have a word for a street in them"


def _unit(column: Column) -> _Judged:
    units = column.share(
        lambda value: re.match(r"(?i)(apt|unit|flat|suite|ste|#|floor|fl|rm|room|lot|trlr|no)\b|#", value)
    )
    return (0.8, f"{percent(units)} of the values name a flat or unit") if units > 0.5 else _NO


def _postcode(column: Column) -> _Judged:
    if column.distinct < 12 or column.length > 10 or column.digits < 0.95 or column.dates > 0.5 or column.words > 2.1:
        return _NO
    british = column.share(
        lambda value: re.fullmatch(r"(?i)[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]{1,2}\d[a-z\d]?", value)
    )
    if british > 0.6:
        return 0.95, f"{percent(british)} of the values are written like British postcodes"
    numbers = column.share(lambda value: re.fullmatch(r"\d{4,6}(-\d{4})?", value))
    if numbers > 0.9 and column.same_length > 0.9 and column.novelty < 0.75:
        return 0.55, "short numbers of one length that many records share"
    return (0.15, "short codes") if numbers > 0.5 else _NO


def _house(column: Column) -> _Judged:
    numbers = column.share(lambda value: re.fullmatch(r"\d{1,5}(\.0)?[a-zA-Z]?|\d{1,5}[-/ ]\d{1,5}", value))
    if numbers < 0.8 or column.distinct < 20 or column.same_length > 0.9:
        return _NO
    return 0.5, "short numbers of different lengths"


def _identifier(column: Column) -> _Judged:
    if column.length < 5.5 or column.digits < 0.6 or column.words > 1.5 or column.emails > 0.3 or column.han > 0.2:
        return _NO
    if column.novelty < 0.3 or column.streets > 0.2:
        return _NO
    return 0.5 + 0.15 * column.same_length, f"long codes that few records share ({column.distinct} different ones)"


def _city(column: Column) -> _Judged:
    if column.digits > 0.2 or column.emails > 0.1 or column.distinct < 8 or column.words > 3.5:
        return _NO
    share = column.places
    if share >= 0.12:
        return min(0.45 + share / 2, 0.95), f"{percent(share)} of the values are known towns"
    return (0.12, "words without digits") if column.novelty < 0.6 else _NO


def _region(column: Column) -> _Judged:
    codes = column.share(lambda value: 2 <= len(value) <= 3 and value.isalpha() and value.isascii())
    if 3 <= column.distinct <= 400 and codes > 0.85 and column.genders < 0.5 and column.novelty < 0.3:
        return 0.6, f"{column.distinct} different short codes in letters"
    if 2 <= column.distinct <= 400 and column.novelty <= 0.5 and column.share(is_country) > 0.8:
        return 0.7, f"{column.distinct} different countries"
    if 2 <= column.distinct <= 400 and column.novelty <= 0.5 and column.places > 0.6:
        return 0.45, f"{percent(column.places)} of the values are known places"
    few = 3 <= column.distinct <= 400 and column.digits < 0.1 and column.novelty < 0.2
    return (0.12, f"{column.distinct} different words") if few else _NO


def _category(column: Column) -> _Judged:
    fits = column.distinct <= max(40, column.held * 0.02) and column.distinct >= 2
    return (0.35, f"{column.distinct} different values") if fits else _NO


JUDGES: Final[Sequence[tuple[str, Callable[[Column], _Judged]]]] = (
    (Role.EMAIL, _email),
    (Role.BIRTH, _birth),
    (Role.PHONE, _phone),
    (Role.GENDER, _gender),
    (RECORD_KEY, _record_key),
    (SURROGATE, _surrogate),
    (YEAR, _year),
    (MONTH, _month),
    (DAY, _day),
    (Role.FULL, _chinese_name),
    (Role.FULL, _full_name),
    (Role.GIVEN, _given),
    (Role.FAMILY, _family),
    (Role.MIDDLE, _middle),
    (Role.ADDRESS, _address),
    (Role.UNIT, _unit),
    (Role.POSTCODE, _postcode),
    (Role.HOUSE, _house),
    (Role.ID, _identifier),
    (Role.CITY, _city),
    (Role.REGION, _region),
    (Role.CATEGORY, _category),
    (SOURCE, provenance.judge),
)
