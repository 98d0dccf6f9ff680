"""How unequal values of a role compare: the level of each distinct pair, 1 the most different.

Strings are compared by rapidfuzz over whole arrays, once per distinct pair of unequal values.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from rapidfuzz import fuzz, process
from rapidfuzz.distance import OSA, JaroWinkler

from identity.arrays import Flags, Floats, Integers
from identity.linker.fields import Dictionary, Levels
from identity.linker.roles import Role

Texts = list[str]
_INITIAL: Final = 2


def levels_of(role: Role, dictionary: Dictionary, low: Integers, high: Integers) -> Levels:
    """The level of pairs of unequal codes of one dictionary."""
    if not len(low):
        return np.zeros(0, dtype=np.int8)
    decide = _DECIDED_BY.get(role)
    if decide is None:
        return np.ones(len(low), dtype=np.int8)
    return decide(dictionary.texts[low].tolist(), dictionary.texts[high].tolist())


def crossing(dictionary: Dictionary, low: Integers, high: Integers) -> Flags:
    """Whether pairs of codes are nearly one name (Jaro-Winkler at least .87)."""
    return jaro_winkler(dictionary.texts[low].tolist(), dictionary.texts[high].tolist()) >= 0.87


def jaro_winkler(left: Sequence[str], right: Sequence[str]) -> Floats:
    """Jaro-Winkler similarity of each pair, 0 to 1."""
    return np.asarray(process.cpdist(left, right, scorer=JaroWinkler.similarity, dtype=np.float32), dtype=np.float64)


def edits(left: Sequence[str], right: Sequence[str]) -> Integers:
    """Optimal string alignment distance of each pair (swapped neighbours are one edit)."""
    return np.asarray(process.cpdist(left, right, scorer=OSA.distance, dtype=np.uint8), dtype=np.int64)


def _percent(left: Sequence[str], right: Sequence[str], scorer: Callable[..., float]) -> Floats:
    return np.asarray(process.cpdist(left, right, scorer=scorer, dtype=np.float32), dtype=np.float64)


def _lengths(texts: Texts) -> Integers:
    return np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))


def _shorter(left: Texts, right: Texts) -> Integers:
    return np.minimum(_lengths(left), _lengths(right))


def _graded(size: int, steps: Sequence[tuple[int, Flags]]) -> Levels:
    """The level of the last step that holds, 1 where none does. Steps go from different to alike."""
    level = np.ones(size, dtype=np.int8)
    for value, holds in steps:
        level[holds] = value
    return level


def _each(left: Texts, right: Texts, open_pairs: Flags, holds: Callable[[str, str], bool]) -> Flags:
    """A predicate in Python, asked for the open pairs only."""
    found = np.zeros(len(left), dtype=np.bool_)
    for position in np.flatnonzero(open_pairs).tolist():
        found[position] = holds(left[position], right[position])
    return found


def _first_letters_equal(left: Texts, right: Texts) -> Flags:
    return np.fromiter((a[:1] == b[:1] for a, b in zip(left, right, strict=True)), dtype=np.bool_, count=len(left))


def _names(left: Texts, right: Texts) -> Levels:
    similar = jaro_winkler(left, right)
    close = similar >= 0.7
    shorter = _shorter(left, right)
    apart = np.full(len(left), 9, dtype=np.int64)
    chosen = np.flatnonzero(close).tolist()
    apart[chosen] = edits([left[i] for i in chosen], [right[i] for i in chosen])
    starts = _each(left, right, _first_letters_equal(left, right), lambda a, b: a.startswith(b) or b.startswith(a))
    spaced = np.fromiter((" " in a or " " in b for a, b in zip(left, right, strict=True)), np.bool_, len(left))
    shared = _each(left, right, spaced, lambda a, b: not set(a.split()).isdisjoint(b.split()))
    return _graded(
        len(left),
        [
            (2, similar >= 0.75),
            (3, starts & (shorter <= _INITIAL)),
            (4, (similar >= 0.87) | (starts & (shorter > _INITIAL)) | shared),
            (5, ((apart <= 1) & (shorter > _INITIAL)) | (similar >= 0.95)),
        ],
    )


def _middles(left: Texts, right: Texts) -> Levels:
    same_initial = _first_letters_equal(left, right)
    near = (jaro_winkler(left, right) >= 0.87) | (same_initial & (_shorter(left, right) == 1))
    return _graded(len(left), [(2, same_initial), (3, near)])


def _dates(left: Texts, right: Texts) -> Levels:
    year_l, month_l, day_l = _parts(left)
    year_r, month_r, day_r = _parts(right)
    apart = edits(left, right)
    same_year = year_l == year_r
    default = same_year & (((month_l == 1) & (day_l == 1)) | ((month_r == 1) & (day_r == 1)))
    beside = (np.abs(year_l - year_r) <= 1) & (np.abs(month_l - month_r) <= 1) & (np.abs(day_l - day_r) <= 1)
    equal = same_year.astype(np.int64) + (month_l == month_r) + (day_l == day_r)
    swapped = same_year & (month_l == day_r) & (day_l == month_r)
    permuted = _each(left, right, equal == 2, lambda a, b: sorted(a) == sorted(b))
    return _graded(
        len(left),
        [
            (2, same_year),
            (3, apart <= 2),
            (4, default | beside),
            (5, equal >= 2),
            (6, (apart <= 1) | swapped | permuted),
        ],
    )


def _parts(texts: Texts) -> tuple[Integers, Integers, Integers]:
    """Year, month and day; unknown ones are unlike everything."""
    numbers = [_date_numbers(text) for text in texts]
    table = np.array(numbers, dtype=np.int64).reshape(-1, 3)
    return table[:, 0], table[:, 1], table[:, 2]


def _date_numbers(text: str) -> tuple[int, int, int]:
    if len(text) == 8 and text.isascii() and text.isdigit():
        return int(text[:4]), int(text[4:6]), int(text[6:])
    code = sum(map(ord, text)) + 100_000
    parts = (text[:4], text[4:6], text[6:8])
    known = [int(part) if part.isascii() and part.isdigit() else code + place for place, part in enumerate(parts)]
    return known[0], known[1], known[2]


def _numbers(left: Texts, right: Texts) -> Levels:
    apart = edits(left, right)
    long = _shorter(left, right) >= 6
    hidden = np.fromiter((("*" in a) != ("*" in b) for a, b in zip(left, right, strict=True)), np.bool_, len(left))
    masked = _each(left, right, hidden, _fits_mask)
    return _graded(len(left), [(2, (apart <= 2) & long), (3, masked), (4, (apart <= 1) & ~hidden)])


def _fits_mask(left: str, right: str) -> bool:
    masked, plain = (left, right) if "*" in left else (right, left)
    width = min(len(masked), len(plain))
    shown = sum(letter != "*" for letter in masked[-width:])
    return shown >= 4 and all(m in ("*", d) for m, d in zip(masked[-width:], plain[-width:], strict=True))


def _emails(left: Texts, right: Texts) -> Levels:
    left_local, right_local = [_local(text) for text in left], [_local(text) for text in right]
    similar = jaro_winkler(left, right) >= 0.9
    local = jaro_winkler(left_local, right_local)
    apart = edits(left, right)
    same_local = np.fromiter((a == b for a, b in zip(left_local, right_local, strict=True)), np.bool_, len(left))
    return _graded(
        len(left),
        [(2, similar | (local >= 0.88)), (3, apart <= 4), (4, same_local), (5, apart <= 2), (6, apart <= 1)],
    )


def _local(email: str) -> str:
    return email.rpartition("@")[0] or email


def _addresses(left: Texts, right: Texts) -> Levels:
    best = np.maximum(_percent(left, right, fuzz.ratio), _percent(left, right, fuzz.token_sort_ratio))
    level = _graded(len(left), [(2, best >= 60.0)])
    chosen = np.flatnonzero(best >= 40.0)
    if not len(chosen):
        return level
    one = [left[i] for i in chosen.tolist()]
    other = [right[i] for i in chosen.tolist()]
    numbers_l, numbers_r = [_tokens(text, True) for text in one], [_tokens(text, True) for text in other]
    street = _percent(
        [" ".join(_tokens(text, False)) for text in one],
        [" ".join(_tokens(text, False)) for text in other],
        fuzz.token_sort_ratio,
    )
    pairs = list(zip(numbers_l, numbers_r, strict=True))
    contained = np.fromiter(
        (bool(a) and bool(b) and (set(a) <= set(b) or set(b) <= set(a)) for a, b in pairs), np.bool_, len(pairs)
    )
    ends = np.fromiter((len(a) >= 3 and a[-3:] == b[-3:] for a, b in pairs), np.bool_, len(pairs))
    ratio = best[chosen]
    level[chosen] = _graded(
        len(chosen),
        [
            (2, ratio >= 60.0),
            (3, street >= 90.0),
            (4, contained & (street >= 50.0)),
            (5, ((ratio >= 88.0) & contained) | (ratio >= 93.0) | (contained & (street >= 85.0)) | ends),
        ],
    )
    return level


def _tokens(text: str, numbers: bool) -> list[str]:
    return [token for token in text.split() if token[0].isdigit() == numbers]


def _houses(left: Texts, right: Texts) -> Levels:
    return _graded(len(left), [(2, (edits(left, right) <= 1) & (_shorter(left, right) >= 2))])


def _postcodes(left: Texts, right: Texts) -> Levels:
    pairs = list(zip(left, right, strict=True))
    area = np.fromiter((a[:2] == b[:2] for a, b in pairs), np.bool_, len(pairs))
    district = np.fromiter((a[:3] == b[:3] or (a[:-3] == b[:-3] != "") for a, b in pairs), np.bool_, len(pairs))
    return _graded(len(left), [(2, area), (3, district), (4, edits(left, right) <= 1)])


def _cities(left: Texts, right: Texts) -> Levels:
    contained = np.fromiter((a in b or b in a for a, b in zip(left, right, strict=True)), np.bool_, len(left))
    return _graded(len(left), [(2, (jaro_winkler(left, right) >= 0.87) | contained)])


def _full_names(left: Texts, right: Texts) -> Levels:
    size = len(left)
    level = np.ones(size, dtype=np.int8)
    one, other = [text.split("\t") for text in left], [text.split("\t") for text in right]
    sound_l, sound_r = [a[0] + a[1] for a in one], [b[0] + b[1] for b in other]
    han_l, han_r = [a[2] for a in one], [b[2] for b in other]
    sound, han = edits(sound_l, sound_r), edits(han_l, han_r)
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


_DECIDED_BY: Final[Mapping[Role, Callable[[Texts, Texts], NDArray[np.int8]]]] = {
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
