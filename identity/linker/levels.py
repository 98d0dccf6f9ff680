"""How unequal values of a role compare: the level of each distinct pair, 1 the most different.

Strings are compared by rapidfuzz over whole arrays, once per distinct pair of unequal values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler

from identity.arrays import Flags, Floats, Integers
from identity.linker.fields import Dictionary, Levels
from identity.linker.roles import Role

_INITIAL: Final = 2


class Pairs:
    """Distinct pairs of unequal values of one dictionary."""

    def __init__(self, dictionary: Dictionary, low: Integers, high: Integers) -> None:
        self.dictionary, self.low, self.high = dictionary, low, high

    def __len__(self) -> int:
        return len(self.low)

    @cached_property
    def left(self) -> list[str]:
        """The lower value of each pair."""
        return self.of(self.dictionary.texts, self.low)

    @cached_property
    def right(self) -> list[str]:
        """The higher value of each pair."""
        return self.of(self.dictionary.texts, self.high)

    @cached_property
    def shorter(self) -> Integers:
        """Characters of the shorter value."""
        return np.minimum(self.dictionary.lengths[self.low], self.dictionary.lengths[self.high])

    @cached_property
    def same_initial(self) -> Flags:
        """Whether both begin alike."""
        return np.asarray(self.dictionary.initials[self.low] == self.dictionary.initials[self.high])

    def chosen(self, flags: Flags) -> Pairs:
        """Some of the pairs."""
        return Pairs(self.dictionary, self.low[flags], self.high[flags])

    def asked(self, open_pairs: Flags, holds: Callable[[str, str], bool]) -> Flags:
        """A predicate in Python, asked for the open pairs only."""
        found = np.zeros(len(self), dtype=np.bool_)
        some = self.chosen(open_pairs)
        found[open_pairs] = [holds(a, b) for a, b in zip(some.left, some.right, strict=True)]
        return found

    @staticmethod
    def of(texts: NDArray[np.object_], codes: Integers) -> list[str]:
        """The texts of codes."""
        return list(texts[codes].tolist())


def levels_of(role: Role, dictionary: Dictionary, low: Integers, high: Integers) -> Levels:
    """The level of pairs of unequal codes of one dictionary."""
    decide = _DECIDED_BY.get(role)
    if decide is None or not len(low):
        return np.ones(len(low), dtype=np.int8)
    return decide(Pairs(dictionary, low, high))


def crossing(dictionary: Dictionary, low: Integers, high: Integers) -> Flags:
    """Whether pairs of codes are nearly one name (Jaro-Winkler at least .87)."""
    pairs = Pairs(dictionary, low, high)
    return np.asarray(jaro_winkler(pairs.left, pairs.right) >= 0.87)


def jaro_winkler(left: Sequence[str], right: Sequence[str]) -> Floats:
    """Jaro-Winkler similarity of each pair, 0 to 1."""
    return np.asarray(process.cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float32), dtype=np.float64)


def edits(left: Sequence[str], right: Sequence[str]) -> Integers:
    """Optimal string alignment distance of each pair (swapped neighbours are one edit)."""
    return np.asarray(process.cpdist(left, right, scorer=OSA.distance, dtype=np.uint8), dtype=np.int64)


def _percent(left: Sequence[str], right: Sequence[str], scorer: Callable[..., float]) -> Floats:
    return np.asarray(process.cpdist(left, right, scorer=scorer, dtype=np.float32), dtype=np.float64)


def _graded(size: int, steps: Sequence[tuple[int, Flags]]) -> Levels:
    """The level of the last step that holds, 1 where none does. Steps go from different to alike."""
    level = np.ones(size, dtype=np.int8)
    for value, holds in steps:
        level[holds] = value
    return level


def _names(pairs: Pairs) -> Levels:
    similar = jaro_winkler(pairs.left, pairs.right)
    apart = np.full(len(pairs), 9, dtype=np.int64)
    close = (similar >= 0.7) & (similar < 0.95)
    some = pairs.chosen(close)
    apart[close] = edits(some.left, some.right)
    starts = pairs.asked(pairs.same_initial, lambda a, b: a.startswith(b) or b.startswith(a))
    spaced = pairs.dictionary.spaced[pairs.low] | pairs.dictionary.spaced[pairs.high]
    shared = pairs.asked(spaced, lambda a, b: not set(a.split()).isdisjoint(b.split()))
    return _graded(
        len(pairs),
        [
            (2, similar >= 0.75),
            (3, starts & (pairs.shorter <= _INITIAL)),
            (4, (similar >= 0.87) | (starts & (pairs.shorter > _INITIAL)) | shared),
            (5, ((apart <= 1) & (pairs.shorter > _INITIAL)) | (similar >= 0.95)),
        ],
    )


def _middles(pairs: Pairs) -> Levels:
    near = (jaro_winkler(pairs.left, pairs.right) >= 0.87) | (pairs.same_initial & (pairs.shorter == 1))
    return _graded(len(pairs), [(2, pairs.same_initial), (3, near)])


def _dates(pairs: Pairs) -> Levels:
    year_l, month_l, day_l = (part[pairs.low] for part in pairs.dictionary.dates)
    year_r, month_r, day_r = (part[pairs.high] for part in pairs.dictionary.dates)
    apart = edits(pairs.left, pairs.right)
    same_year = year_l == year_r
    default = same_year & (((month_l == 1) & (day_l == 1)) | ((month_r == 1) & (day_r == 1)))
    beside = (np.abs(year_l - year_r) <= 1) & (np.abs(month_l - month_r) <= 1) & (np.abs(day_l - day_r) <= 1)
    equal = same_year.astype(np.int64) + (month_l == month_r) + (day_l == day_r)
    swapped = same_year & (month_l == day_r) & (day_l == month_r)
    permuted = pairs.asked(equal == 2, lambda a, b: sorted(a) == sorted(b))
    return _graded(
        len(pairs),
        [
            (2, same_year),
            (3, apart <= 2),
            (4, default | beside),
            (5, equal >= 2),
            (6, (apart <= 1) | swapped | permuted),
        ],
    )


def _numbers(pairs: Pairs) -> Levels:
    apart = edits(pairs.left, pairs.right)
    masked_values = pairs.dictionary.masked
    hidden = masked_values[pairs.low] != masked_values[pairs.high]
    masked = pairs.asked(hidden, _fits_mask)
    return _graded(len(pairs), [(2, (apart <= 2) & (pairs.shorter >= 6)), (3, masked), (4, (apart <= 1) & ~hidden)])


def _fits_mask(left: str, right: str) -> bool:
    masked, plain = (left, right) if "*" in left else (right, left)
    width = min(len(masked), len(plain))
    shown = sum(letter != "*" for letter in masked[-width:])
    return shown >= 4 and all(m in ("*", d) for m, d in zip(masked[-width:], plain[-width:], strict=True))


def _emails(pairs: Pairs) -> Levels:
    left_local, right_local = pairs.dictionary.local_parts[pairs.low], pairs.dictionary.local_parts[pairs.high]
    similar = jaro_winkler(pairs.left, pairs.right) >= 0.9
    local = jaro_winkler(left_local.tolist(), right_local.tolist())
    apart = edits(pairs.left, pairs.right)
    same_local = np.asarray(left_local == right_local, dtype=np.bool_)
    return _graded(
        len(pairs),
        [(2, similar | (local >= 0.88)), (3, apart <= 4), (4, same_local), (5, apart <= 2), (6, apart <= 1)],
    )


def _addresses(pairs: Pairs) -> Levels:
    best = np.maximum(
        _percent(pairs.left, pairs.right, fuzz.ratio), _percent(pairs.left, pairs.right, fuzz.token_sort_ratio)
    )
    level = _graded(len(pairs), [(2, best >= 60.0)])
    close = best >= 40.0
    some = pairs.chosen(close)
    if not len(some):
        return level
    words, numbers = some.dictionary.words, some.dictionary.numbers
    one, other = [words[code] for code in some.low.tolist()], [words[code] for code in some.high.tolist()]
    street = _percent(one, other, fuzz.token_sort_ratio)
    both = [(numbers[a], numbers[b]) for a, b in zip(some.low.tolist(), some.high.tolist(), strict=True)]
    contained = np.fromiter((_contains(a, b) for a, b in both), np.bool_, len(both))
    ends = np.fromiter((len(a) >= 3 and a[-3:] == b[-3:] for a, b in both), np.bool_, len(both))
    ratio = best[close]
    level[close] = _graded(
        len(some),
        [
            (2, ratio >= 60.0),
            (3, street >= 90.0),
            (4, contained & (street >= 50.0)),
            (5, ((ratio >= 88.0) & contained) | (ratio >= 93.0) | (contained & (street >= 85.0)) | ends),
        ],
    )
    return level


def _contains(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    return bool(one) and bool(other) and (one == other or set(one) <= set(other) or set(other) <= set(one))


def _houses(pairs: Pairs) -> Levels:
    return _graded(len(pairs), [(2, (edits(pairs.left, pairs.right) <= 1) & (pairs.shorter >= 2))])


def _postcodes(pairs: Pairs) -> Levels:
    two, three, outward = ((part[pairs.low], part[pairs.high]) for part in pairs.dictionary.areas)
    area = two[0] == two[1]
    district = (three[0] == three[1]) | ((outward[0] == outward[1]) & (outward[0] > 0))
    return _graded(len(pairs), [(2, area), (3, district), (4, edits(pairs.left, pairs.right) <= 1)])


def _cities(pairs: Pairs) -> Levels:
    contained = np.fromiter(
        (a in b or b in a for a, b in zip(pairs.left, pairs.right, strict=True)), np.bool_, len(pairs)
    )
    return _graded(len(pairs), [(2, (jaro_winkler(pairs.left, pairs.right) >= 0.87) | contained)])


def _full_names(pairs: Pairs) -> Levels:
    level = np.ones(len(pairs), dtype=np.int8)
    one, other = [text.split("\t") for text in pairs.left], [text.split("\t") for text in pairs.right]
    sound_l, sound_r = [a[0] + a[1] for a in one], [b[0] + b[1] for b in other]
    sound = edits(sound_l, sound_r)
    han = edits([a[2] for a in one], [b[2] for b in other])
    alike = jaro_winkler(sound_l, sound_r)
    for i, (a, b) in enumerate(zip(one, other, strict=True)):
        level[i] = _full_level(a, b, int(sound[i]), int(han[i]), float(alike[i]))
    return level


def _full_level(a: list[str], b: list[str], sound: int, han: int, alike: float) -> int:
    family_a, given_a, han_a, width_a = a
    family_b, given_b, han_b, width_b = b
    same_family = family_a == family_b != ""
    if given_a and given_b and family_a + given_a == family_b + given_b:
        return 7
    if family_a + given_a in (given_b + family_b, given_b) and given_a and given_b:
        return 6
    if given_a and given_b and (given_a == family_b and family_a == given_b):
        return 6
    both_han = bool(han_a and han_b)
    if (both_han and han <= 1 and min(len(han_a), len(han_b)) >= 3) or (not both_han and sound <= 1 and alike >= 0.9):
        return 5
    if given_a == given_b != "" and (not family_a or not family_b):
        return 5
    if same_family and (not given_a or not given_b):
        masked, whole = (width_a, han_b) if not given_a else (width_b, han_a)
        return 4 if masked == "0" or not whole or int(masked) == len(whole) else 3
    if same_family and given_a and given_b:
        if given_a.startswith(given_b) or given_b.startswith(given_a):
            return 4
        if (both_han and han <= 1) or alike >= 0.95:
            return 4
    if alike >= 0.93:
        return 4
    return 2 if same_family else 1


_DECIDED_BY: Final[Mapping[Role, Callable[[Pairs], Levels]]] = {
    Role.GIVEN: _names,
    Role.FAMILY: _names,
    Role.MIDDLE: _middles,
    Role.FULL: _full_names,
    Role.BIRTH: _dates,
    Role.PHONE: _numbers,
    Role.EMAIL: _emails,
    Role.ID: _numbers,
    Role.ADDRESS: _addresses,
    Role.HOUSE: _houses,
    Role.POSTCODE: _postcodes,
    Role.CITY: _cities,
}
