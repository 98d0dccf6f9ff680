"""Levels of e-mails, phones, dates, addresses and other single texts: positions in ``declaration.LEVELS``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler

from identity.addresses import are_ends_equal, are_numbers_alike, numbers_of
from identity.arrays import Flags, Floats, Integers
from identity.declaration import LEVELS
from identity.features import Feature

_FAR = 9
_LONG_ENOUGH = 6


def distances(left: Sequence[str], right: Sequence[str]) -> Integers:
    """Optimal string alignment distance of each pair."""
    return np.asarray(process.cpdist(left, right, scorer=OSA.distance, dtype=np.uint8), dtype=np.int64)


def similarities(left: Sequence[str], right: Sequence[str]) -> Floats:
    """Jaro-Winkler similarity of each pair, 0 to 1."""
    return np.asarray(process.cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float32), dtype=np.float64)


def gathered(texts: Sequence[str], codes: Integers) -> list[str]:
    """The texts of some codes."""
    return [texts[code] for code in codes.tolist()]


def lesser_rarity(feature: Feature, low: Integers, high: Integers) -> Floats:
    """The rarity of the commoner of two unequal values: what their nearness is worth at most."""
    return np.minimum(feature.rarity[low], feature.rarity[high])


def first_true(conditions: Sequence[tuple[Flags, int]], otherwise: int, length: int) -> Integers:
    """Per pair the level of the first condition that holds."""
    level = np.full(length, otherwise, dtype=np.int64)
    for holds, value in reversed(conditions):
        level[holds] = value
    return level


def plain_levels(name: str) -> Callable[[Feature, Integers, Integers], tuple[Integers, Floats]]:
    """Same or nothing: unequal values are the last level, which says nothing where only `same` is declared."""
    last = len(LEVELS[name]) - 1
    worst = last if last > 0 else _FAR

    def levels(_: Feature, low: Integers, __: Integers) -> tuple[Integers, Floats]:
        return np.full(len(low), worst, dtype=np.int64), np.zeros(len(low))

    return levels


def id_levels(feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """National ids: same, one character off, different."""
    left, right = gathered(feature.texts, low), gathered(feature.texts, high)
    near = (distances(left, right) <= 1) & (_lengths(left) >= _LONG_ENOUGH)
    return first_true([(near, 1)], 2, len(low)), lesser_rarity(feature, low, high)


def email_levels(feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """Same, one slip of the finger, same local part at another provider, similar local part, different."""
    left, right = gathered(feature.texts, low), gathered(feature.texts, high)
    left_local, right_local = _locals(left), _locals(right)
    apart = distances(left, right)
    # a local part that a slip leaves equal: the slip is in the domain, and two edits there are still one provider
    same_local = np.array([a == b for a, b in zip(left_local, right_local, strict=True)], dtype=np.bool_)
    numbers_moved = _digits_differ(left_local, right_local)
    one_off = ((apart <= 1) & ~numbers_moved) | (same_local & (apart <= 2))
    similar = similarities(left_local, right_local) >= 0.88
    long_local = _lengths(left_local) >= 4
    level = first_true([(one_off, 1), (same_local & long_local, 2), (similar & ~numbers_moved, 3)], 4, len(low))
    return level, lesser_rarity(feature, low, high)


def phone_levels(feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """Same, equal where the source did not mask digits, one digit off, different."""
    left, right = gathered(feature.texts, low), gathered(feature.texts, high)
    masked = np.array([_fits_mask(a, b) for a, b in zip(left, right, strict=True)], dtype=np.bool_)
    near = (distances(left, right) <= 1) & (_lengths(left) >= _LONG_ENOUGH) & (_lengths(right) >= _LONG_ENOUGH)
    return first_true([(masked, 1), (near, 2)], 3, len(low)), lesser_rarity(feature, low, high)


def birth_levels(feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """YYYYMMDD: same; one digit off, day and month swapped, or two of year, month, day equal; same year; different."""
    left, right = gathered(feature.texts, low), gathered(feature.texts, high)
    year_l, month_l, day_l = _dates(left)
    year_r, month_r, day_r = _dates(right)
    equal = (year_l == year_r).astype(np.int64) + (month_l == month_r) + (day_l == day_r)
    swapped = (year_l == year_r) & (month_l == day_r) & (day_l == month_r)
    near = (distances(left, right) <= 1) | swapped | (equal >= 2)
    return first_true([(near, 1), (year_l == year_r, 2)], 3, len(low)), lesser_rarity(feature, low, high)


def address_levels(feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """Same, near (words alike and numbers contained), alike (words only), different."""
    left, right = gathered(feature.texts, low), gathered(feature.texts, high)
    ratio = _percent(left, right, fuzz.ratio)
    tokens = _percent(left, right, fuzz.token_sort_ratio)
    numbers = feature.once(_numbers)
    pairs = list(zip(low.tolist(), high.tolist(), strict=True))
    contained = np.array([are_numbers_alike(numbers[a], numbers[b]) for a, b in pairs], dtype=np.bool_)
    ends = np.array([are_ends_equal(numbers[a], numbers[b]) for a, b in pairs], dtype=np.bool_)
    best = np.maximum(ratio, tokens)
    near = ((best >= 85) & contained) | (best >= 95) | (ends & (best >= 40))
    return first_true([(near, 1), (best >= 75, 2)], 3, len(low)), lesser_rarity(feature, low, high)


def _numbers(feature: Feature) -> list[tuple[str, ...]]:
    return [numbers_of(text) for text in feature.texts]


def postcode_levels(feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """Same, one character off or the same outward part (all but the last three), different."""
    left, right = gathered(feature.texts, low), gathered(feature.texts, high)
    outward = np.array([a[:-3] == b[:-3] != "" for a, b in zip(left, right, strict=True)], dtype=np.bool_)
    near = outward | (distances(left, right) <= 1)
    return first_true([(near, 1)], 2, len(low)), lesser_rarity(feature, low, high)


def alias_levels(feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """Handles and local parts of e-mails: same, near, different."""
    left, right = gathered(feature.texts, low), gathered(feature.texts, high)
    near = (similarities(left, right) >= 0.92) & ~_digits_differ(left, right)
    return first_true([(near, 1)], 2, len(low)), lesser_rarity(feature, low, high)


def _percent(left: Sequence[str], right: Sequence[str], scorer: Callable[..., float]) -> Floats:
    found: Any = process.cpdist(left, right, scorer=scorer, dtype=np.float32)
    return np.asarray(found, dtype=np.float64)


def _lengths(texts: Sequence[str]) -> Integers:
    return np.fromiter((len(text) for text in texts), dtype=np.int64, count=len(texts))


def _locals(emails: Sequence[str]) -> list[str]:
    return [email.rpartition("@")[0] for email in emails]


def _digits_differ(left: Sequence[str], right: Sequence[str]) -> Flags:
    """Both end in numbers, and these are unequal: li22 and li23 are two people more often than a slip."""
    return np.array(
        [_tail(a) != _tail(b) and bool(_tail(a)) and bool(_tail(b)) for a, b in zip(left, right, strict=True)],
        dtype=np.bool_,
    )


def _tail(text: str) -> str:
    return text[len(text.rstrip("0123456789")) :]


def _fits_mask(left: str, right: str) -> bool:
    if ("*" in left) == ("*" in right):
        return False
    masked, plain = (left, right) if "*" in left else (right, left)
    digits = plain.lstrip("+")
    end = digits[-len(masked) :]
    return len(end) == len(masked) and all(m in ("*", d) for m, d in zip(masked, end, strict=True))


def _dates(texts: Sequence[str]) -> tuple[Integers, Integers, Integers]:
    numbers = np.array([int(text) for text in texts], dtype=np.int64)
    return numbers // 10000, numbers // 100 % 100, numbers % 100
