"""Words that tell what a column holds: given names, family names and towns, from a maintained fake-data library."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Final

_LOCALES: Final = (
    *("en", "en-gb", "en-au", "en-ca", "de", "de-at", "de-ch", "fr", "es", "es-mx", "it", "nl", "nl-be", "pt", "pt-br"),
    *("pl", "sv", "da", "no", "fi", "cs", "sk", "tr", "hu", "hr", "et"),
)
_STREET_TEXT: Final = (
    "street st road rd avenue ave drive dr lane ln court ct place pl square sq crescent cres close cl way boulevard "
    "blvd terrace ter circuit circle cir parkway pkwy highway hwy strasse straße weg platz rue via calle plaza gasse "
    "allee laan straat"
)
_HAN_KIND: Final = re.compile("(?<=..)(市|省|特别行政区|(壮族|回族|维吾尔)?自治区)$")
STREET_WORDS: Final = frozenset(_STREET_TEXT.split())


@cache
def given_names() -> frozenset[str]:
    """Given names in lower case."""
    return frozenset(_words("person.json", "names"))


@cache
def family_names() -> frozenset[str]:
    """Family names in lower case."""
    return frozenset(_words("person.json", "surnames"))


@cache
def towns() -> frozenset[str]:
    """Names of towns in lower case; Chinese ones, and provinces, without what they end in, too."""
    chinese = [name.strip() for key in ("city", "state") for name in _words("address.json", key, ("zh",))]
    return frozenset([*_words("address.json", "city"), *chinese, *(_HAN_KIND.sub("", name) for name in chinese)])


def _words(file: str, key: str, locales: Iterable[str] = _LOCALES) -> Iterator[str]:
    for locale in locales:
        text = files("mimesis").joinpath("datasets", locale, file).read_text(encoding="utf-8")
        yield from (word.casefold() for word in _flat(json.loads(text).get(key, [])))


def _flat(found: object) -> Iterator[str]:
    if isinstance(found, dict):
        for part in found.values():
            yield from _flat(part)
    elif isinstance(found, list):
        yield from (word for word in found if isinstance(word, str))
