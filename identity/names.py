"""Names of persons in one form: given and family name, romanised, so that 王小明, Wang Xiaoming and Xiaoming WANG meet.

Each distinct name is normalised once. Chinese characters are kept beside the sound, because equal sound is less
than equal writing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from identity.chinese import (
    HAN,
    TITLES,
    is_pinyin,
    is_surname,
    pinyin_surnames,
    reading,
    simplified,
    split_name,
    surname_reading,
)

_LATIN_TITLES_TEXT = "mr mrs ms miss dr prof sir madam dame lord lady rev mx herr frau mme mlle"
_LATIN_TITLES = frozenset(_LATIN_TITLES_TEXT.split())
_SUFFIXES_TEXT = "jr sr ii iii iv phd md esq mba"
_SUFFIXES = frozenset(_SUFFIXES_TEXT.split())
_PARTICLES_TEXT = "van von der den de del della di da dos la le el al bin ibn ter ten st mac"
_PARTICLES = frozenset(_PARTICLES_TEXT.split())
_LETTERS = {"ł": "l", "ß": "ss", "ø": "o", "đ": "d", "æ": "ae", "œ": "oe", "ı": "i", "þ": "th", "ð": "d"}
_CAMEL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_NOT_NAME = re.compile(r"[^a-z ]+")
_NO_LETTER = re.compile(r"[^a-zA-Z\u00c0-\u024f,'’`\-]")
_U_WITH_DOTS = re.compile(r"[üǖǘǚǜ]|(?<=[ln])yu")
_MASK = re.compile(r"[*＊×xX某]{1,3}$")


@dataclass(frozen=True)
class Name:
    """A name as it is compared: lower-case Latin without spaces; ``han`` holds simplified characters, if any."""

    given: str
    family: str
    han: str = ""

    @property
    def key(self) -> str:
        """Both parts in alphabetical order: equal for swapped names."""
        return " ".join(sorted(part for part in (self.given, self.family) if part))


def normalise_name(full: str | None, given: str | None, family: str | None) -> Name | None:
    """One name from what a source sent: a full name, or its parts, or some of both. None when nothing is left.

    Parts win over the full name, unless only one of them is there and the full name says more.
    """
    parts = _from_parts(given, family)
    whole = _from_full(full)
    if parts is None:
        return whole
    if whole is not None and not (parts.given and parts.family) and whole.given and whole.family:
        return whole
    return parts


@dataclass(frozen=True)
class SoughtName:
    """What is typed to find a Chinese name: as simplified characters (``han``), and how it sounds, without spaces."""

    han: str
    sounds: tuple[str, ...]


def sought_name(text: str) -> SoughtName | None:
    """The Chinese name, or the part of one, that a person typed in characters or in pinyin; None when it is neither.

    What is typed in pinyin sounds alike in any case, spacing and order of its words; it is not taken apart, since
    nobody types where a name begins.
    """
    compact = re.sub(r"\s+", "", _tidy(text))
    if HAN.fullmatch(compact):
        han = _han_of(compact)
        name = _from_han(han) if han else None
        return SoughtName(han, _sounds(name.family + name.given if name else ""))
    if _NO_LETTER.search(compact):
        return None
    sound = _joined(_words(_U_WITH_DOTS.sub("v", _tidy(text).casefold())))
    return SoughtName("", _sounds(sound)) if sound and is_pinyin(sound) else None


def _sounds(sound: str) -> tuple[str, ...]:
    """吕 is lv to who types it, and lu where a source sent Lü and its dots were taken for an accent."""
    return tuple(sorted({sound, sound.replace("v", "u")} - {""}))


def _from_parts(given: str | None, family: str | None) -> Name | None:
    given, family = _tidy(given), _tidy(family)
    if not given and not family:
        return None
    if HAN.search(given) or HAN.search(family):
        return _from_han_parts(given, family)
    name = Name(_joined(_words(given)[:1]), _joined(_words(family)))
    if given and _all_pinyin(_words(given)):
        name = Name(_joined(_words(given)), name.family)
    return name if name.given or name.family else None


def _from_han_parts(given: str, family: str) -> Name | None:
    given_han, family_han = _han_of(given), _han_of(family)
    if given_han and not family_han and not _words(family):
        return _from_full(given)
    if family_han and not given_han and not _words(given):
        return _from_full(family)
    given_sound = reading(given_han) if given_han else _joined(_words(given))
    family_sound = surname_reading(family_han) if family_han else _joined(_words(family))
    both = family_han + given_han if given_han and family_han else ""
    return Name(given_sound, family_sound, both)


def _from_full(full: str | None) -> Name | None:
    text = _tidy(full)
    if not text:
        return None
    if HAN.search(text):
        return _from_han(_han_of(text))
    if "," in text:
        family, _, given = text.partition(",")
        words = _words(given)
        kept = words if _all_pinyin(words) else words[:1]
        name = Name(_joined(kept), _joined(_words(family)))
        if name.given:
            return name
    return _from_words(_words(text))


def _from_han(characters: str) -> Name | None:
    is_titled = TITLES.search(characters) is not None
    bare = TITLES.sub("", characters)
    if not bare:
        return None
    if "*" in bare:
        return Name("", surname_reading(split_name(bare.rstrip("*"))[0] or "")) if bare.rstrip("*") else None
    if len(bare) == 2 and not is_surname(bare[0]):  # a given name alone
        return Name(reading(bare), "")
    family, given = split_name(bare)
    if not given:
        return Name("", surname_reading(family)) if is_titled or len(bare) == 1 else None
    return Name(reading(given), surname_reading(family), bare)


def _from_words(words: list[str]) -> Name | None:
    if not words:
        return None
    if len(words) == 1:
        return Name(words[0], "")
    if _all_pinyin(words):
        if words[0] in pinyin_surnames():
            return Name(_joined(words[1:]), words[0])
        if words[-1] in pinyin_surnames():
            return Name(_joined(words[:-1]), words[-1])
    start = len(words) - 1
    while start > 1 and words[start - 1] in _PARTICLES:
        start -= 1
    return Name(words[0], _joined(words[start:]))


def _tidy(text: str | None) -> str:
    return unicodedata.normalize("NFKC", text).strip() if text else ""


def _han_of(text: str) -> str:
    """The Chinese characters of a text in simplified form, masks as ``*``, separators dropped."""
    compact = re.sub(r"\s+", "", text)
    masked = _MASK.sub("*", compact)
    kept = "".join(c for c in masked if c == "*" or (c != "·" and HAN.fullmatch(c)))
    return simplified(kept)


def _words(text: str) -> list[str]:
    """Lower-case Latin words without accents, titles and suffixes; hyphens and apostrophes join."""
    spaced = _CAMEL.sub(" ", text)
    plain = unicodedata.normalize("NFD", spaced.casefold())
    plain = "".join(_LETTERS.get(c, c) for c in plain if not unicodedata.combining(c))
    plain = re.sub(r"['’`\-]", "", plain)
    words = _NOT_NAME.sub(" ", plain).split()
    kept = [word for word in words if word not in _LATIN_TITLES and word not in _SUFFIXES]
    return kept or words


def _joined(words: list[str]) -> str:
    return "".join(words)


def _all_pinyin(words: list[str]) -> bool:
    return bool(words) and all(is_pinyin(word) for word in words)
