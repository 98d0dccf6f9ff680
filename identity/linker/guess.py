"""Guesses what each column of a table means. Values decide; what a column is called is a hint.

Every guess carries its reason in words, so that a person can check it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import pyarrow as pa

from identity.linker import provenance
from identity.linker.events import why_event
from identity.linker.judges import DAY, JUDGES, MONTH, NOTHING, RECORD_KEY, SOURCE, SURROGATE, YEAR, percent
from identity.linker.profile import Column, profile
from identity.linker.roles import Role

_HINTED: Final = 0.35
_LEAST: Final = 0.3
_EMPTY: Final = 0.015
_NAMED: Final = 0.5
_NAMED_SOURCE: Final = 0.65
_FEW_VALUES: Final = 40
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
    SOURCE: provenance.CALLED,
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
        return Guess(column.name, NOTHING, 1.0, f"only {percent(column.filled)} of the records have a value")
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
            (
                _NAMED_SOURCE if meaning == SOURCE else _NAMED,
                meaning,
                "few values, and the column is called so",
            )
            for meaning in _nameable(hinted, column)
        ]
    options.sort(key=lambda option: (-option[0], option[1]))
    if not options or options[0][0] < _LEAST:
        return _by_shape(column)
    score, meaning, reason = options[0]
    named = f"; the column's name says so too ({column.name})" if meaning in hinted else ""
    return Guess(column.name, meaning, min(score, 1.0), reason + named)


def _nameable(hinted: frozenset[str], column: Column) -> list[str]:
    """What a column may be called and be: a key needs another value in every record, and is no place of origin."""
    is_key = column.distinct == column.rows
    may_be = set(Role) | ({RECORD_KEY} if is_key else {SURROGATE}) | (set() if is_key and column.digits else {SOURCE})
    return sorted(hinted & may_be)


def _hinted(name: str) -> frozenset[str]:
    plain = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower().replace(" ", "_").replace("-", "_")
    return frozenset(meaning for meaning, pattern in _HINTS.items() if re.search(pattern, plain))


def _content(column: Column) -> list[tuple[str, float, str]]:
    """Meanings that the values allow, each with a score and a reason."""
    found: list[tuple[str, float, str]] = []
    for meaning, judge in JUDGES:
        score, reason = judge(column)
        if score > 0:
            found.append((meaning, score, reason))
    return found


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
    _settle_regions(found, table)
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
    for guess in found.values():
        column = by_name[guess.column]
        is_option = guess.meaning == Role.CATEGORY and column.filled == 1.0 and column.distinct <= _FEW_VALUES
        others = [name for name in by_name if name != guess.column]
        if is_option and provenance.decides_what_is_filled(table, guess.column, others):
            reason = "which other columns are filled depends on it: it says where a record comes from"
            found[guess.column] = replace(guess, meaning=SOURCE, reason=reason)
            return


def _settle_regions(found: dict[str, Guess], table: pa.Table) -> None:
    """Short codes that no town and no postcode tells are no regions, whatever else they are."""
    places = [guess.column for guess in found.values() if guess.meaning in (Role.CITY, Role.POSTCODE)]
    for guess in list(found.values()):
        is_doubtful = guess.meaning == Role.REGION and Role.REGION not in _hinted(guess.column)
        if is_doubtful and places and not any(provenance.goes_with(table, guess.column, place) for place in places):
            found[guess.column] = replace(
                guess, meaning=Role.CATEGORY, reason=f"{guess.reason}, which go by no town or postcode"
            )
