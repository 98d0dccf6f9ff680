"""Candidate pairs: all records that share a rule's key, in blocks no larger than the rule's cap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Integers, expand
from identity.linker.atoms import Atom
from identity.linker.rules import Rule, combined

_RULE_BITS = 6


@dataclass(frozen=True)
class Candidates:
    """Distinct pairs (left < right, in order) and which rules found each, as bits."""

    left: Integers
    right: Integers
    mask: Integers


def candidates(
    size: int, atoms: list[Atom], rules: tuple[Rule, ...], source: NDArray[np.int32] | None = None
) -> Candidates:
    """The pairs of all rules. With ``source`` given only pairs across sources."""
    found = [_pairs_of(size, atoms, rule, number, source) for number, rule in enumerate(rules)]
    keys = np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)
    keys.sort()
    pair = keys >> np.uint64(_RULE_BITS)
    starts = np.flatnonzero(np.r_[True, pair[1:] != pair[:-1]]) if len(pair) else np.zeros(0, np.int64)
    bits = np.left_shift(np.int64(1), (keys & np.uint64((1 << _RULE_BITS) - 1)).astype(np.int64))
    mask = np.bitwise_or.reduceat(bits, starts) if len(starts) else np.zeros(0, np.int64)
    distinct = pair[starts].astype(np.int64)
    return Candidates(distinct // size, distinct % size, mask)


def every_pair(size: int, source: NDArray[np.int32] | None = None) -> Candidates:
    """All pairs of few records; bit 0 stands for the one rule that uses no value."""
    left, right = np.triu_indices(size, 1)
    if source is not None:
        across = source[left] != source[right]
        left, right = left[across], right[across]
    return Candidates(left.astype(np.int64), right.astype(np.int64), np.ones(len(left), dtype=np.int64))


def _pairs_of(
    size: int, atoms: list[Atom], rule: Rule, number: int, source: NDArray[np.int32] | None
) -> NDArray[np.uint64]:
    keys = combined([atoms[index].keys for index in rule.atoms])
    there = np.flatnonzero(keys)
    order = there[np.argsort(keys[there], kind="stable")]
    ordered = keys[order]
    if not len(order):
        return np.zeros(0, dtype=np.uint64)
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    sizes = np.diff(np.r_[starts, len(ordered)])
    place = np.arange(len(ordered)) - np.repeat(starts, sizes)
    of = np.repeat(sizes, sizes)
    later = np.where(of <= rule.cap, of - 1 - place, 0)
    first, nth = expand(later)
    one, other = order[first], order[first + 1 + nth]
    if source is not None:
        across = source[one] != source[other]
        one, other = one[across], other[across]
    low, high = np.minimum(one, other), np.maximum(one, other)
    packed = (low.astype(np.uint64) * np.uint64(size) + high.astype(np.uint64)) << np.uint64(_RULE_BITS)
    return np.asarray(packed | np.uint64(number))
