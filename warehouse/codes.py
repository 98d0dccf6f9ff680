"""Codes of currencies, countries, languages and time zones in declarations, and which one a wrong word was meant to be.

They are those of the Unicode CLDR (by Babel) and of the tz database (by pytz and zoneinfo). Names of countries,
currencies and languages in the languages of ``_NAMED_IN`` are met with the code to write.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from functools import cache
from typing import Annotated, Final, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, Field

from warehouse.misfit import MisfitError
from warehouse.suggestion import nearest

Named = Literal["currency", "country", "language"]
Sort = Literal["currency", "country", "language", "time zone"]

_NAMED_IN: Final = ("en", "zh", "zh_Hant", "de", "fr", "es", "it", "ja")
_CASUAL: Final[Mapping[Sort, Mapping[str, str]]] = {
    "currency": {
        "rmb": "CNY", "cnh": "CNY", "yuan": "CNY", "元": "CNY", "人民币元": "CNY", "ntd": "TWD", "nt$": "TWD",
        "stg": "GBP", "pound": "GBP", "pounds": "GBP", "euros": "EUR", "dollar": "USD", "dollars": "USD", "美金": "USD",
        "yen": "JPY",
    },
    "country": {
        "uk": "GB", "great britain": "GB", "england": "GB", "usa": "US", "united states of america": "US", "prc": "CN",
        "mainland china": "CN", "people's republic of china": "CN", "中国大陆": "CN", "中华人民共和国": "CN",
    },
    "language": {
        **dict.fromkeys(("汉语", "普通话", "mandarin", "简体中文", "繁体中文", "繁體中文", "simplified chinese"), "zh"),
        "traditional chinese": "zh",
    },
    "time zone": {
        "beijing": "Asia/Shanghai", "北京": "Asia/Shanghai", "北京时间": "Asia/Shanghai", "china": "Asia/Shanghai",
        "utc+8": "Asia/Shanghai", "gmt+8": "Asia/Shanghai",
    },
}  # fmt: skip
"""What people write beside the names of the CLDR, in lower case."""
_EXAMPLE: Final[Mapping[Sort, str]] = {
    "currency": "Write its ISO 4217 code, such as EUR or CNY.",
    "country": "Write its ISO 3166 code of two letters, such as DE or CN.",
    "language": "Write its ISO 639 code, such as en or zh.",
    "time zone": "Write one of the tz database, such as Europe/London.",
}


def check_code(sort: Sort, word: str) -> str:
    """The word, which is a code.

    Raises:
        MisfitError: it is none, with the code that was probably meant.
    """
    known = _known(sort)
    if word in known or (sort == "language" and _is_tag(word, known)):
        return word
    meant = _meant(sort, word, known)
    fix = f"Did you mean `{meant}`?" if meant else _EXAMPLE[sort]
    raise MisfitError(f"`{word}` is not the code of a {sort}" if sort != "time zone" else f"`{word}` is no {sort}", fix)


def is_country(word: str) -> bool:
    """Whether a word is the code or a name of a country."""
    return word.strip().casefold() in _names("country")


def named_codes(sort: Named) -> Mapping[str, str]:
    """Names and codes in lower case → the code."""
    return _names(sort)


@cache
def _known(sort: Sort) -> frozenset[str]:
    if sort == "time zone":
        return frozenset(available_timezones())
    if sort == "country":
        import pytz

        return frozenset(pytz.country_names) | {"XK"}  # Kosovo's is in use everywhere but in the standard
    if sort == "currency":
        return frozenset(_uses())
    from babel.core import Locale

    return frozenset(code for code in map(str, Locale("en").languages) if "_" not in code)


@cache
def _uses() -> Mapping[str, int]:
    """Currency → in how many territories it is money today; none for money of the past, which old orders have."""
    from babel.core import get_global

    uses: Counter[str] = Counter()
    for ever in get_global("territory_currencies").values():
        for code, _, until, is_tender in ever:
            if is_tender:
                uses[str(code)] += until is None
    return uses


def _is_tag(word: str, known: Collection[str]) -> bool:
    """Whether it is a language with script or country, such as zh-Hans or en-GB."""
    language, *rest = word.replace("_", "-").split("-")
    return language in known and all(part.isalnum() and 2 <= len(part) <= 8 for part in rest)


def _meant(sort: Sort, word: str, known: Collection[str]) -> str | None:
    lower = word.strip().casefold()
    if sort == "time zone":
        names = {zone.casefold(): zone for zone in known}
        names |= {zone.rpartition("/")[2].replace("_", " ").casefold(): zone for zone in sorted(known) if "/" in zone}
        named = {**names, **_CASUAL[sort]}.get(lower.rpartition("/")[2]) or names.get(lower)
        return named or nearest(word, [zone for zone in known if "/" in zone])
    names = _names(sort)
    found = names.get(lower) or (_of_country(word) if sort == "language" else None)
    if found is None and len(lower) > 3:  # among names, not among codes: every code is near some other
        near = nearest(lower, names)
        found = names[near] if near else None
    return _like(word.upper()) if found is None and sort == "currency" else found


def _like(word: str) -> str | None:
    """The currency most used whose code differs in one letter or in their order."""
    alike = (
        code
        for code in _uses()
        if len(word) == len(code)
        and (sum(a == b for a, b in zip(code, word, strict=True)) > 1 or sorted(code) == sorted(word))
    )
    return max(alike, key=lambda code: (_uses()[code], code), default=None)


@cache
def _names(sort: Named) -> dict[str, str]:
    """Names and codes in lower case → code; of countries those of three letters, too."""
    from babel.core import Locale, get_global

    named: dict[str, str] = {}
    known = _known(sort)
    for language in reversed(_NAMED_IN):
        locale = Locale.parse(language)
        told = {"currency": locale.currencies, "country": locale.territories, "language": locale.languages}[sort]
        named |= {key: code for code, name in told.items() if code in known for key in _lower(str(name))}
        if sort == "currency":
            named |= {sign.casefold(): code for code, sign in locale.currency_symbols.items() if code in known}
    if sort == "country":
        aliases = get_global("territory_aliases").items()
        named |= {
            alias.casefold(): codes[0]
            for alias, codes in aliases
            if alias.isalpha() and len(codes) == 1 and codes[0] in known
        }
    return named | {code.casefold(): code for code in known} | dict(_CASUAL[sort])


def _lower(name: str) -> set[str]:
    """In lower case, as Python folds it and as databases do."""
    return {name.casefold(), name.lower()}


def _of_country(word: str) -> str | None:
    """The language that is spoken most where ``word`` is the code of a country: jp is meant to be ja."""
    from babel.core import get_global

    spoken: str | None = get_global("likely_subtags").get(f"und_{word.upper()}")
    return spoken.split("_")[0] if spoken and len(word) == 2 else None


Currency = Annotated[
    str,
    AfterValidator(lambda word: check_code("currency", word)),
    Field(json_schema_extra={"pattern": "^[A-Z]{3}$"}),
]
Country = Annotated[
    str, AfterValidator(lambda word: check_code("country", word)), Field(json_schema_extra={"pattern": "^[A-Z]{2}$"})
]
Language = Annotated[str, AfterValidator(lambda word: check_code("language", word))]
TimeZone = Annotated[str, AfterValidator(lambda word: check_code("time zone", word))]
