"""Names, places, companies and words, drawn from mimesis for one language."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from mimesis import Address, Finance, Person, Text
from mimesis.enums import Gender
from mimesis.locales import Locale
from pypinyin import Style, pinyin

from cdp.demo.dice import Dice, Numbers, falling_weights

LOCALES = {"zh": Locale.ZH, "en": Locale.EN_GB}


@dataclass(frozen=True)
class City:
    """A city with the beginning that its postcodes share."""

    name: str
    region: str
    postcode_stem: str


@dataclass(frozen=True)
class Vocabulary:
    """What persons of one language are made of. Given names, families and cities are ranked: the first are common."""

    language: str
    given: dict[str, tuple[str, ...]]
    families: tuple[str, ...]
    family_weights: Numbers
    cities: tuple[City, ...]
    city_weights: Numbers
    streets: tuple[str, ...]
    companies: tuple[str, ...]
    occupations: tuple[str, ...]
    colours: tuple[str, ...]


def build_vocabulary(language: str, rolls: Dice) -> Vocabulary:
    """Draw pools of words for ``language`` (zh or en)."""
    locale = LOCALES[language]
    seed = int(rolls.integers(2**31))
    person = Person(locale, seed=seed)
    finance = Finance(locale, seed=seed)
    text = Text(locale, seed=seed)
    address = Address(locale, seed=seed)
    families = _distinct(person.last_name, 3_000, 260)
    if language == "zh":
        families = tuple(name for name in families if _has_one_reading(name))
    cities = _cities(address, rolls, language)
    return Vocabulary(
        language=language,
        given={
            "f": _distinct(lambda: person.first_name(gender=Gender.FEMALE), 2_000, 600),
            "m": _distinct(lambda: person.first_name(gender=Gender.MALE), 2_000, 600),
        },
        families=families,
        family_weights=falling_weights(len(families), 0.8),
        cities=cities,
        city_weights=falling_weights(len(cities), 0.9),
        streets=_distinct(_street_maker(address, language), 2_000, 900),
        companies=_distinct(finance.company, 400, 120),
        occupations=_distinct(person.occupation, 300, 60),
        colours=_distinct(text.color, 200, 24),
    )


def _distinct(draw: Callable[[], str], tries: int, wanted: int) -> tuple[str, ...]:
    """Up to ``wanted`` different values, in the order in which they were drawn."""
    found: dict[str, None] = {}
    for _ in range(tries):
        found[draw().strip()] = None
        if len(found) == wanted:
            break
    return tuple(found)


def _has_one_reading(family: str) -> bool:
    """Whether a surname is romanised in one way only: where it is not, no library can know how its owner spells it."""
    readings = pinyin(family, style=Style.NORMAL, heteronym=True)
    return all(len(set(syllables)) == 1 for syllables in readings)


def _street_maker(address: Address, language: str) -> Callable[[], str]:
    if language == "zh":
        return lambda: f"{address.street_name()}{address.street_suffix()}"
    return lambda: f"{address.street_name()} {address.street_suffix()}"


def _cities(address: Address, rolls: Dice, language: str) -> tuple[City, ...]:
    regions = {address.state().strip() for _ in range(600)}
    names = _distinct(address.city, 400, 48)
    if language == "zh":  # municipalities are their own region and the largest markets
        names = tuple(sorted(regions & set(names))) + tuple(name for name in names if name not in regions)
        stems = [f"{number:04d}" for number in rolls.choice(np.arange(1000, 8600), len(names), replace=False)]
    else:
        stems = [address.postal_code().split()[0] for _ in names]
    return tuple(City(name, name if name in regions else "", stem) for name, stem in zip(names, stems, strict=True))
