"""Guesses what each column of a table means. Values decide; what a column is called is a hint.

Every guess carries its reason in words, so that a person can check it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from identity.linker.events import why_event
from identity.linker.profile import Column, profile
from identity.linker.roles import Role

YEAR, MONTH, DAY = "birth_year", "birth_month", "birth_day"
RECORD_KEY, SURROGATE, SOURCE, NOTHING = "record_id", "surrogate", "source", "nothing"

_HINTED: Final = 0.35
_LEAST: Final = 0.3
_EMPTY: Final = 0.015
_NAMED: Final = 0.5
_FEW: Final = 60
"""Fewer values say little; then the column's name says more."""
_HINTS: Final[Mapping[str, str]] = {
    Role.GIVEN: r"first_?name|^first$|given|fore_?name|fname|christian|prenom|vorname|nombre|^fn$|^名$|名字",
    Role.FAMILY: r"last_?name|^last$|sur_?name|family|lname|nachname|apellido|^ln$|^姓$|姓氏",
    Role.MIDDLE: r"middle|second_?name|^mi$|_c2$|中间名",
    Role.FULL: r"^name$|full_?name|display_?name|person_?name|customer_?name|contact_?name|姓名|名称|联系人|收货人",
    Role.BIRTH: r"birth|dob|born|geburt|naissance|生日|出生",
    Role.PHONE: r"phone|mobile|(^|_)tel|cell|msisdn|telefon|handy|手机|电话",
    Role.EMAIL: r"mail|邮箱|邮件",
    Role.ID: r"ssn|soc_?sec|social|passport|tax|licen[cs]e|nhs|national|id_?card|id_?no|(^|_)nin$|account"
    r"|wechat|weixin|qq|unionid|openid|身份证|证件|微信",
    Role.ADDRESS: r"addr|street_?name|^street$|strasse|rue|地址|住址",
    Role.HOUSE: r"house|street_?n(o|um|r)|hausnr|门牌",
    Role.UNIT: r"unit|apart|^apt|flat|suite|floor",
    Role.POSTCODE: r"post|zip|plz|pin_?code|邮编|邮政",
    Role.CITY: r"city|town|suburb|locality|village|municip|ort$|ville|birth_?place|城市|市$",
    Role.REGION: r"state|province|county|region|country|canton|省|地区|国家",
    Role.GENDER: r"gender|sex|geschlecht|性别",
    Role.CATEGORY: r"race|ethnic|occupation|job|marital|status|title|language|职业|民族",
    YEAR: r"(^|_)(b_?y|y_?o_?b|year)$|birth_?year|by$|year|年$",
    MONTH: r"(^|_)(b_?m|m_?o_?b|month)$|birth_?month|bm$|month|月$",
    DAY: r"(^|_)(b_?d|d_?o_?b|day)$|birth_?day$|bd$|day|日$",
    SURROGATE: r"cluster|entity|truth|true_|label|person_?id|ent_?id|match|group_?id|^uid$|golden",
    RECORD_KEY: r"^(record_?|rec_?|row_?|unique_?)?id$|record_?id|row_?id|rec_?id|unique_?id|^index$|编号",
    SOURCE: r"source|file$|register|data_?set|system|origin|来源",
}


@dataclass(frozen=True)
class Guess:
    """What a column is taken for, how sure that is (0 to 1), and why."""

    column: str
    meaning: str
    sure: float
    reason: str


def guess_columns(table: pa.Table, ignored: frozenset[str] = frozenset()) -> list[Guess]:
    """One guess per column of a table of texts; ignored columns are not looked at."""
    columns = [profile(name, table.column(name)) for name in table.column_names if name not in ignored]
    guesses = [_guess(column) for column in columns]
    return _settled(columns, guesses, table)


def _guess(column: Column) -> Guess:
    if column.filled <= _EMPTY:
        return Guess(column.name, NOTHING, 1.0, f"only {_percent(column.filled)} of the records have a value")
    if column.distinct == 1:
        return Guess(column.name, NOTHING, 1.0, "every value is the same")
    hinted = _hinted(column.name)
    if why := why_event(column, is_called_birthday=Role.BIRTH in hinted):
        return Guess(column.name, NOTHING, 0.9, why)
    options = [
        (score + (_HINTED if meaning in hinted and score > 0.05 else 0.0), meaning, reason)
        for meaning, score, reason in _content(column)
    ]
    if column.held < _FEW:
        options += [
            (_NAMED, meaning, "few values, and the column is called so") for meaning in _nameable(hinted, column)
        ]
    options.sort(key=lambda option: (-option[0], option[1]))
    if not options or options[0][0] < _LEAST:
        return _by_shape(column)
    score, meaning, reason = options[0]
    named = f"; the column's name says so too ({column.name})" if meaning in hinted else ""
    return Guess(column.name, meaning, min(score, 1.0), reason + named)


def _nameable(hinted: frozenset[str], column: Column) -> list[str]:
    """What a column may be called and be: a key needs another value in every record."""
    is_key = column.distinct == column.rows
    return [
        m for m in sorted(hinted) if m in set(Role) or (m == RECORD_KEY and is_key) or (m == SURROGATE and not is_key)
    ]


def _hinted(name: str) -> frozenset[str]:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().replace(" ", "_").replace("-", "_")
    return frozenset(meaning for meaning, pattern in _HINTS.items() if re.search(pattern, plain))


def _content(column: Column) -> list[tuple[str, float, str]]:
    """Meanings that the values allow, each with a score and a reason."""
    found: list[tuple[str, float, str]] = []
    for meaning, judge in _JUDGES:
        score, reason = judge(column)
        if score > 0:
            found.append((meaning, score, reason))
    return found


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


_Judged = tuple[float, str]
_NO: Final[_Judged] = (0.0, "")


def _email(column: Column) -> _Judged:
    return (column.emails, f"{_percent(column.emails)} of the values have an @ inside") if column.emails >= 0.5 else _NO


def _birth(column: Column) -> _Judged:
    share = column.dates
    return (share, f"{_percent(share)} of the values are days") if share >= 0.6 and column.length >= 6 else _NO


def _phone(column: Column) -> _Judged:
    if re.fullmatch(r"\d{3}-\d{2}-\d{4}", column.values[0]) and column.same_length > 0.8:
        return _NO
    share = column.phones
    if share < 0.5:
        return _NO
    is_short = column.share(lambda value: value.isdigit() and len(value) < 9) > 0.8
    return (0.4 if is_short else 0.9) * share, f"{_percent(share)} of the values are phone numbers of one country"


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
    places = column.share(lambda value: value[-1] in "省市区县州")
    score = 0.85 * min(short + 0.2, 1.0) - places
    return (max(score, 0.0), f"{_percent(column.han)} of the values are in Chinese characters and short as names are")


def _full_name(column: Column) -> _Judged:
    two = column.share(lambda value: 2 <= len(value.split()) <= 5)
    known = min(column.given, column.family) if two > 0.6 else 0.0
    if column.han >= 0.3 or column.digits > 0.1 or two < 0.6 or known < 0.1:
        return _NO
    return 0.5 + 0.45 * min(1.0, 2 * known), f"{_percent(known)} of the values begin and end with known names"


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
    return max(min(score, 0.95), 0.0), f"{_percent(share)} of the values are known given names"


def _family(column: Column) -> _Judged:
    share = column.family
    if not _one_name(column) or column.streets > 0.2 or share < 0.08 or column.length < 2.2:
        return _NO
    score = 0.3 + share - 0.35 * column.given - 0.5 * column.places
    return max(min(score, 0.95), 0.0), f"{_percent(share)} of the values are known family names"


def _middle(column: Column) -> _Judged:
    single = column.share(lambda value: len(value.strip(".")) == 1 and value[0].isalpha())
    return (0.7, "single letters, as initials are") if single > 0.9 and column.distinct > 8 else _NO


def _address(column: Column) -> _Judged:
    if column.streets < 0.25:
        return _NO
    return min(
        0.5 + column.streets / 2, 0.95
    ), f"{_percent(column.streets)} of the values have a word for a street in them"


def _unit(column: Column) -> _Judged:
    units = column.share(
        lambda value: re.match(r"(?i)(apt|unit|flat|suite|ste|#|floor|fl|rm|room|lot|trlr|no)\b|#", value)
    )
    return (0.8, f"{_percent(units)} of the values name a flat or unit") if units > 0.5 else _NO


def _postcode(column: Column) -> _Judged:
    if column.distinct < 12 or column.length > 10 or column.digits < 0.95 or column.dates > 0.5 or column.words > 2.1:
        return _NO
    british = column.share(
        lambda value: re.fullmatch(r"(?i)[a-z]{1,2}\d[a-z\d]? ?\d[a-z]{2}|[a-z]{1,2}\d[a-z\d]?", value)
    )
    if british > 0.6:
        return 0.95, f"{_percent(british)} of the values are written like British postcodes"
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
        return min(0.45 + share / 2, 0.95), f"{_percent(share)} of the values are known towns"
    return (0.12, "words without digits") if column.novelty < 0.6 else _NO


def _region(column: Column) -> _Judged:
    codes = column.share(lambda value: 2 <= len(value) <= 3 and value.isalpha())
    if 3 <= column.distinct <= 400 and codes > 0.85 and column.genders < 0.5 and column.novelty < 0.3:
        return 0.6, f"{column.distinct} different short codes in letters"
    few = 3 <= column.distinct <= 400 and column.digits < 0.1 and column.novelty < 0.2
    return (0.12, f"{column.distinct} different words") if few else _NO


def _category(column: Column) -> _Judged:
    fits = column.distinct <= max(40, column.held * 0.02) and column.distinct >= 2
    return (0.35, f"{column.distinct} different values") if fits else _NO


def _source(column: Column) -> _Judged:
    fits = column.filled == 1.0 and 2 <= column.distinct <= 40 and column.novelty < 0.2
    return (0.1, f"{column.distinct} different values, one in every record") if fits else _NO


_JUDGES: Final[Sequence[tuple[str, Callable[[Column], _Judged]]]] = (
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
    (SOURCE, _source),
)


def _by_shape(column: Column) -> Guess:
    """Nothing speaks for a meaning: compared as a whole."""
    if column.novelty > 0.5 and column.length >= 6 and column.digits > 0.5:
        return Guess(column.name, Role.ID, 0.2, "long values that few records share")
    if column.words > 1.3 and column.distinct > 50:
        return Guess(column.name, Role.ADDRESS, 0.2, "several words, many different ones")
    return Guess(column.name, Role.CATEGORY, 0.1, "nothing better is known: equal or not")


def _settled(columns: list[Column], guesses: list[Guess], table: pa.Table) -> list[Guess]:
    """Guesses that need each other: one given and one family name, all parts of a date, where records come from."""
    found = {guess.column: guess for guess in guesses}
    by_name = {column.name: column for column in columns}
    _settle_names(found, by_name)
    parts = {meaning: [g for g in found.values() if g.meaning == meaning] for meaning in (YEAR, MONTH, DAY)}
    if all(parts.values()):
        for extra in (g for group in parts.values() for g in sorted(group, key=lambda g: -g.sure)[1:]):
            found[extra.column] = replace(
                extra, meaning=Role.CATEGORY, reason="another number of a date is there already"
            )
    else:
        for part in (g for group in parts.values() for g in group):
            role = Role.BIRTH if part.meaning == YEAR else Role.CATEGORY
            found[part.column] = replace(part, meaning=role, reason=f"{part.reason}, without the other parts of a date")
    _settle_source(found, by_name, table)
    return [found[column.name] for column in columns]


def _settle_names(found: dict[str, Guess], by_name: Mapping[str, Column]) -> None:
    for role, other in ((Role.GIVEN, Role.FAMILY), (Role.FAMILY, Role.GIVEN)):
        mine = sorted((g for g in found.values() if g.meaning == role), key=lambda g: (-g.sure, g.column))
        for extra in mine[1:]:
            column = by_name[extra.column]
            free = not any(g.meaning == other for g in found.values())
            if free and column.filled > 0.3:
                found[extra.column] = replace(
                    extra, meaning=other, reason=f"a second column of names beside {mine[0].column}"
                )
            else:
                is_name = extra.sure > 0.6
                meaning = Role.MIDDLE if is_name else Role.CITY
                reason = (
                    f"a further name beside {mine[0].column}"
                    if is_name
                    else "words without digits that many records share"
                )
                found[extra.column] = replace(extra, meaning=meaning, reason=reason)


def _settle_source(found: dict[str, Guess], by_name: Mapping[str, Column], table: pa.Table) -> None:
    """A column on whose value it depends which others are filled says where a record comes from."""
    if any(guess.meaning == SOURCE for guess in found.values()):
        return
    options = [
        g
        for g in found.values()
        if g.meaning == Role.CATEGORY and by_name[g.column].filled == 1.0 and by_name[g.column].distinct <= 40
    ]
    for option in options:
        spread = _dependence(table, option.column, [name for name in by_name if name != option.column])
        if spread > 0.5:
            reason = "which other columns are filled depends on it: it says where a record comes from"
            found[option.column] = replace(option, meaning=SOURCE, reason=reason)
            return


def _dependence(table: pa.Table, column: str, others: Sequence[str]) -> float:
    """The largest difference between values of a column in how often another column is filled."""
    keys = table.column(column).combine_chunks().dictionary_encode()
    keys = keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys
    largest = 0.0
    for other in others:
        filled = table.column(other).is_valid()
        grouped = pa.table({"key": keys.indices, "filled": filled.cast(pa.float64())}).group_by("key")
        means = grouped.aggregate([("filled", "mean"), ("filled", "count")])
        shares = [
            mean
            for mean, count in zip(means["filled_mean"].to_pylist(), means["filled_count"].to_pylist(), strict=True)
            if count >= 20
        ]
        if len(shares) > 1:
            largest = max(largest, max(shares) - min(shares))
    return largest
