"""Levels of names: given and family part compared straight and crosswise, with short forms and equal sound.

A name feature's text is ``given<tab>family<tab>han``. How rare a name is follows from how rare its parts are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from identity.arrays import Flags, Floats, Integers
from identity.compare_texts import distances, first_true, gathered, similarities
from identity.features import Feature

NAME_PARTS = ("given", "family")
"""Parts whose rarity counts."""

_SHORTEST_PREFIX = 3


@dataclass(frozen=True)
class _Parts:
    """Parts of the names of a feature as codes into one shared list of texts (code 0 is the empty text)."""

    given: Integers
    family: Integers
    han: Integers
    texts: list[str]
    given_rarity: Floats
    family_rarity: Floats


def name_levels(feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """Level (position in ``LEVELS['name']``) and rarity of each pair of names; a name paired with itself agrees."""
    parts = feature.once(_parts)
    given_l, given_r = parts.given[low], parts.given[high]
    family_l, family_r = parts.family[low], parts.family[high]
    has_given, has_family = (given_l > 0) & (given_r > 0), (family_l > 0) & (family_r > 0)
    given = _alikeness(parts.texts, given_l, given_r)
    family = _alikeness(parts.texts, family_l, family_r)
    cross_one = _alikeness(parts.texts, given_l, family_r)
    cross_two = _alikeness(parts.texts, family_l, given_r)
    both_han = (parts.han[low] > 0) & (parts.han[high] > 0)
    sound_only = (parts.han[low] != parts.han[high]) & both_han
    same = given.equal & family.equal & has_given & has_family
    crossed = cross_one.near & cross_two.near & (given_l > 0) & (family_l > 0) & (given_r > 0) & (family_r > 0)
    crossed &= cross_one.equal | cross_two.equal
    one_sided = has_given ^ has_family
    lone_equal = np.where(has_given, given.near, family.near)
    lone_cross = ((given_l > 0) & cross_one.equal & (family_r > 0)) | ((family_l > 0) & cross_two.equal & (given_r > 0))
    neither = ~has_given & ~has_family
    conditions: list[tuple[Flags, int]] = [
        (neither & ~lone_cross, -1),
        (same & ~sound_only, 0),
        (same, 1),
        (crossed & has_given & has_family, 2),
        (given.near & family.near & has_given & has_family, 3),
        (given.short & family.near & has_given & has_family, 4),
        ((one_sided & (lone_equal | lone_cross)) | (neither & lone_cross), 5),
        (given.near & ~family.near & has_given & has_family, 6),
        (given.alike & family.alike & has_given & has_family, 7),
        (family.near & has_family, 8),
    ]
    level = first_true(conditions, 9, len(low))
    level = np.where(level == -1, 99, level)
    return level, _rarity(parts, level, low, high)


@dataclass(frozen=True)
class _Alikeness:
    equal: Flags
    near: Flags
    """One slip apart, or equal."""
    alike: Flags
    short: Flags
    """One is an initial or a short form of the other."""


def _alikeness(texts: list[str], left: Integers, right: Integers) -> _Alikeness:
    """Compare parts of names once per distinct pair of unequal, present parts."""
    equal = (left == right) & (left > 0)
    near, alike, short = equal.copy(), equal.copy(), equal.copy()
    open_pairs = np.flatnonzero((left != right) & (left > 0) & (right > 0))
    if len(open_pairs):
        size = np.int64(len(texts))
        keys, where = np.unique(left[open_pairs] * size + right[open_pairs], return_inverse=True)
        one, other = gathered(texts, keys // size), gathered(texts, keys % size)
        apart, similar = distances(one, other), similarities(one, other)
        shortest = np.fromiter((min(len(a), len(b)) for a, b in zip(one, other, strict=True)), np.int64, len(one))
        is_near = ((apart <= 1) & (shortest >= _SHORTEST_PREFIX)) | ((similar >= 0.94) & (shortest >= 5))
        is_short = np.array([_is_short_form(a, b) for a, b in zip(one, other, strict=True)], dtype=np.bool_)
        near[open_pairs] = is_near[where]
        alike[open_pairs] = (is_near | (similar >= 0.87) | is_short)[where]
        short[open_pairs] = (is_near | is_short)[where]
    return _Alikeness(equal, near, alike, short)


def _is_short_form(one: str, other: str) -> bool:
    """An initial (a, anna), a beginning (alex, alexandra), or one with a familiar ending (bennie, benjamin)."""
    shorter, longer = (one, other) if (len(one), one) <= (len(other), other) else (other, one)
    if longer.startswith(shorter):
        return len(shorter) == 1 or len(shorter) >= _SHORTEST_PREFIX - 1
    stem = shorter.rstrip("iey")
    return (
        len(stem) >= _SHORTEST_PREFIX
        and len(shorter) - len(stem) <= 2
        and longer.startswith(stem[:-1] if stem[-2:-1] == stem[-1:] else stem)
    )


def _parts(feature: Feature) -> _Parts:
    known = {"": 0}
    columns = np.zeros((3, len(feature.texts)), dtype=np.int64)
    for position, text in enumerate(feature.texts):
        for part, value in enumerate(text.split("\t")):
            columns[part, position] = known.setdefault(value, len(known))
    texts = list(known)
    rarity = {
        part: _part_rarity(feature, part, texts, _held(feature, part, columns[place], texts))
        for place, part in enumerate(NAME_PARTS)
    }
    return _Parts(columns[0], columns[1], columns[2], texts, rarity["given"], rarity["family"])


def _held(feature: Feature, part: str, codes: Integers, texts: list[str]) -> Floats:
    """How many of all nodes hold each part."""
    if not feature.parts:
        return _counted(codes, feature.held, len(texts))
    known = feature.parts.get(part, {})
    return np.array([known.get(text, 0.0) for text in texts], dtype=np.float64)


def _part_rarity(feature: Feature, part: str, texts: list[str], counted: Floats) -> Floats:
    count = feature.frequencies.held(part, texts, counted)
    rarity = np.log2(np.maximum(feature.names / np.maximum(count, 1.0), 1.0))
    rarity[0] = 0.0
    return np.asarray(rarity)


def part_holders(feature: Feature) -> dict[str, tuple[list[str], Floats]]:
    """Per part of a name: its texts, and how many nodes hold each."""
    found: dict[str, tuple[list[str], Floats]] = {}
    for place, part in enumerate(NAME_PARTS):
        split = [text.split("\t")[place] for text in feature.texts]
        numbers: dict[str, int] = {}
        codes = np.array([numbers.setdefault(text, len(numbers)) for text in split], dtype=np.int64)
        found[part] = (list(numbers), _counted(codes, feature.holders(), len(numbers)))
    return found


def _counted(codes: Integers, holders: Floats, size: int) -> Floats:
    return np.bincount(codes, holders, size).astype(np.float64)


def _rarity(parts: _Parts, level: Integers, low: Integers, high: Integers) -> Floats:
    given = np.minimum(parts.given_rarity[parts.given[low]], parts.given_rarity[parts.given[high]])
    family = np.minimum(parts.family_rarity[parts.family[low]], parts.family_rarity[parts.family[high]])
    crossed = np.minimum(
        parts.given_rarity[parts.given[low]] + parts.family_rarity[parts.family[low]],
        parts.given_rarity[parts.given[high]] + parts.family_rarity[parts.family[high]],
    )
    alone = np.where((parts.given[low] > 0) & (parts.given[high] > 0), given, family)
    rarity = given + family
    rarity = np.where((level == 2) | (level == 7), crossed, rarity)
    rarity = np.where(level == 4, family + given / 2, rarity)
    rarity = np.where(level == 5, alone, rarity)
    rarity = np.where(level == 6, given, rarity)
    return np.where(level >= 8, 0.0, rarity)
