"""Atoms of blocking: parts of values that two records of one person often share even when the whole value differs.

An atom is computed once per distinct value and is a 64-bit number per record (0: there is none).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from identity.linker.comparison import Records
from identity.linker.fields import Field, encode
from identity.linker.roles import Role

Keys = NDArray[np.uint64]


@dataclass(frozen=True)
class Atom:
    """A part of some columns' values. ``kept``: how often records of one person share it, before anything is known."""

    name: str
    columns: frozenset[int]
    kept: float
    is_weak: bool
    keys: Keys


@dataclass(frozen=True)
class Part:
    """How an atom is made from a column's distinct normalised values."""

    name: str
    make: Callable[[pa.Array], pa.Array]
    kept: float
    is_weak: bool = False


def _whole(texts: pa.Array) -> pa.Array:
    return texts


def _start(length: int) -> Callable[[pa.Array], pa.Array]:
    def make(texts: pa.Array) -> pa.Array:
        found = pc.utf8_slice_codeunits(texts, 0, length)
        return pc.if_else(pc.greater_equal(pc.utf8_length(texts), length), found, "")

    return make


def _span(start: int, stop: int, length: int = 8) -> Callable[[pa.Array], pa.Array]:
    """Characters of a text of exactly this length; unknown parts (``?``) make none."""

    def make(texts: pa.Array) -> pa.Array:
        found = pc.utf8_slice_codeunits(texts, start, stop)
        usable = pc.and_(pc.equal(pc.utf8_length(texts), length), pc.invert(pc.match_substring(found, "?")))
        return pc.if_else(usable, found, "")

    return make


def _ends(head: int, tail: int) -> Callable[[pa.Array], pa.Array]:
    def make(texts: pa.Array) -> pa.Array:
        first = pc.utf8_slice_codeunits(texts, 0, head)
        last = pc.utf8_slice_codeunits(texts, -tail)
        usable = pc.and_(pc.greater_equal(pc.utf8_length(texts), head + tail), pc.invert(pc.match_substring(last, "*")))
        return pc.if_else(usable, pc.binary_join_element_wise(first, last, "-"), "")

    return make


def _tail(length: int) -> Callable[[pa.Array], pa.Array]:
    def make(texts: pa.Array) -> pa.Array:
        return pc.if_else(pc.greater_equal(pc.utf8_length(texts), length), pc.utf8_slice_codeunits(texts, -length), "")

    return make


def _replaced(pattern: str, by: str, shortest: int = 1) -> Callable[[pa.Array], pa.Array]:
    def make(texts: pa.Array) -> pa.Array:
        found = pc.replace_substring_regex(texts, pattern, by)
        return pc.if_else(pc.greater_equal(pc.utf8_length(found), shortest), found, "")

    return make


def _mapped(convert: Callable[[str], str]) -> Callable[[pa.Array], pa.Array]:
    def make(texts: pa.Array) -> pa.Array:
        return pa.array([convert(text) if text else "" for text in texts.to_pylist()], pa.string())

    return make


_SOUNDS: Final = {
    letter: digit for digit, letters in enumerate(("bfpv", "cgjkqsxz", "dt", "l", "mn", "r"), 1) for letter in letters
}


def soundex(name: str) -> str:
    """The first letter and up to three consonant sounds (Russell, 1918)."""
    found, before = name[:1], _SOUNDS.get(name[:1], 0)
    for letter in name[1:]:
        digit = _SOUNDS.get(letter, 0)
        if digit and digit != before:
            found += str(digit)
            if len(found) == 4:
                break
        if letter not in "hw":
            before = digit
    return found


def _half(first: bool) -> Callable[[str], str]:
    def make(text: str) -> str:
        middle = len(text) // 2
        return "" if len(text) < 5 else text[:middle] if first else text[middle:]

    return make


def _numbers(text: str) -> str:
    return " ".join(sorted(token for token in text.split() if token[0].isdigit()))


def _last_numbers(text: str) -> str:
    numbers = [token for token in text.split() if token[0].isdigit()]
    return " ".join(numbers[-3:]) if len(numbers) >= 3 else ""


def _street(text: str) -> str:
    return "".join(token for token in text.split() if not token[0].isdigit())[:6]


def _numbers_and_start(text: str) -> str:
    numbers = _numbers(text)
    return f"{numbers} {_street(text)[:3]}" if numbers else ""


def _sorted_sound(text: str) -> str:
    family, given, *_ = text.split("\t")
    return "" if not (family and given) else "".join(sorted((family, given)))


def _syllable_sort(text: str) -> str:
    family, given, *_ = text.split("\t")
    return "".join(sorted(family + given)) if family and given else ""


_NAME_PARTS: Final = (
    Part("whole", _whole, 0.75),
    Part("start3", _start(3), 0.85),
    Part("letter", _start(1), 0.9, is_weak=True),
    Part("sound", _mapped(soundex), 0.83),
)
_PARTS: Final[Mapping[Role, tuple[Part, ...]]] = {
    Role.GIVEN: _NAME_PARTS,
    Role.FAMILY: _NAME_PARTS,
    Role.MIDDLE: (Part("letter", _start(1), 0.8, is_weak=True),),
    Role.FULL: (
        Part("whole", _whole, 0.6),
        Part("sound", _mapped(lambda text: "".join(text.split("\t")[:2])), 0.7),
        Part("sorted", _mapped(_syllable_sort), 0.75),
        Part("family", _mapped(lambda text: text.split("\t")[0]), 0.85, is_weak=True),
        Part("given", _mapped(lambda text: text.split("\t")[1]), 0.75),
    ),
    Role.BIRTH: (
        Part("whole", _whole, 0.8),
        Part("year", _span(0, 4), 0.88, is_weak=True),
        Part("month_day", _span(4, 8), 0.85),
        Part("year_month", _span(0, 6), 0.85),
        Part("year_day", _replaced(r"^(\d{4})\d\d(\d\d)$", r"\1-\2", 7), 0.85),
        Part("digits", _mapped(lambda text: "".join(sorted(text))), 0.85),
    ),
    Role.PHONE: (
        Part("whole", _whole, 0.8),
        Part("start6", _start(6), 0.85),
        Part("start_end", _ends(2, 4), 0.85),
        Part("end4", _tail(4), 0.86, is_weak=True),
    ),
    Role.EMAIL: (
        Part("whole", _whole, 0.8),
        Part("local", _replaced(r"@.*$", "", 3), 0.84),
        Part("start6", _start(6), 0.85),
        Part("domain", _replaced(r"^.*@", ""), 0.85, is_weak=True),
    ),
    Role.ID: (
        Part("whole", _whole, 0.85),
        Part("first_half", _mapped(_half(True)), 0.88),
        Part("second_half", _mapped(_half(False)), 0.88),
    ),
    Role.ADDRESS: (
        Part("whole", _whole, 0.6),
        Part("numbers", _mapped(_numbers), 0.7, is_weak=True),
        Part("street", _mapped(_street), 0.7),
        Part("numbers_start", _mapped(_numbers_and_start), 0.68),
        Part("last_numbers", _mapped(_last_numbers), 0.68),
    ),
    Role.HOUSE: (Part("whole", _whole, 0.7, is_weak=True),),
    Role.UNIT: (Part("whole", _whole, 0.7, is_weak=True),),
    Role.POSTCODE: (Part("whole", _whole, 0.75), Part("start3", _start(3), 0.8, is_weak=True)),
    Role.CITY: (Part("whole", _whole, 0.7, is_weak=True),),
    Role.REGION: (Part("whole", _whole, 0.8, is_weak=True),),
    Role.GENDER: (Part("whole", _whole, 0.95, is_weak=True),),
    Role.CATEGORY: (Part("whole", _whole, 0.7, is_weak=True),),
}


def make_atoms(records: Records) -> list[Atom]:
    """All atoms of all fields, and both names in one order as one atom."""
    found: list[Atom] = []
    for number, item in enumerate(records.fields):
        for part in _PARTS[item.role]:
            keys = _hashed(item, part)
            found.append(Atom(f"{item.name}.{part.name}", frozenset({number}), part.kept, part.is_weak, keys))
    given, family = records.numbered(Role.GIVEN), records.numbered(Role.FAMILY)
    if given is not None and family is not None:
        found.append(_both_names(records, given, family))
    return found


def _both_names(records: Records, given: int, family: int) -> Atom:
    one, other = records.fields[given].codes, records.fields[family].codes
    low, high = np.minimum(one, other), np.maximum(one, other)
    with np.errstate(over="ignore"):
        keys = _mixed(low.astype(np.uint64) * np.uint64(0x1F123BB5) + high.astype(np.uint64), 77)
    keys[(one == 0) | (other == 0)] = 0
    return Atom("both_names", frozenset({given, family}), 0.6, False, keys)


def _hashed(item: Field, part: Part) -> Keys:
    [codes], dictionary = encode([part.make(item.dictionary.values)])
    hashes = _mixed(np.arange(len(dictionary), dtype=np.uint64), zlib.crc32(f"{item.name}.{part.name}".encode()))
    hashes[0] = 0
    return hashes[codes][item.codes]


def _mixed(numbers: Keys, salt: int) -> Keys:
    """Well-spread 64-bit numbers (the finaliser of SplitMix64)."""
    with np.errstate(over="ignore"):
        z = (numbers + np.uint64(salt)) * np.uint64(0x9E3779B97F4A7C15)
        z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
        return np.asarray((z ^ (z >> np.uint64(31))) | np.uint64(1))
