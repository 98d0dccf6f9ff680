"""Candidate pairs: all records that share a rule's key, in blocks no larger than the rule's cap."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Integers, expand, ordered_hashes
from identity.linker.atoms import Atom
from identity.linker.rules import Rule, combined

_RULE_BITS = 6


@dataclass(frozen=True)
class Candidates:
    """Distinct pairs (left < right, in order) and which rules found each, as bits."""

    left: Integers
    right: Integers
    mask: Integers


class Blocking:
    """Finds the pairs of rules; the pairs of a rule are kept for the next time it is asked for.

    With ``source`` given only pairs across sources.
    """

    def __init__(self, size: int, atoms: list[Atom], source: NDArray[np.int32] | None = None) -> None:
        self.size, self.atoms, self.source = size, atoms, source
        self._kept: dict[Rule, NDArray[np.uint64]] = {}

    def candidates(self, rules: tuple[Rule, ...]) -> Candidates:
        """The pairs of all rules."""
        self._kept = {rule: self._kept[rule] if rule in self._kept else self._pairs_of(rule) for rule in rules}
        found = [pairs | np.uint64(number) for number, pairs in enumerate(self._kept.values())]
        keys = np.concatenate(found) if found else np.zeros(0, dtype=np.uint64)
        keys.sort()
        pair = keys >> np.uint64(_RULE_BITS)
        starts = np.flatnonzero(np.r_[True, pair[1:] != pair[:-1]]) if len(pair) else np.zeros(0, np.int64)
        bits = np.left_shift(np.int64(1), (keys & np.uint64((1 << _RULE_BITS) - 1)).astype(np.int64))
        mask = np.bitwise_or.reduceat(bits, starts) if len(starts) else np.zeros(0, np.int64)
        distinct = pair[starts].astype(np.int64)
        return Candidates(distinct // self.size, distinct % self.size, mask)

    def _pairs_of(self, rule: Rule) -> NDArray[np.uint64]:
        """Pairs as one number each, with room for the rule's number below."""
        keys = combined([self.atoms[index].keys for index in rule.atoms])
        there = np.flatnonzero(keys)
        order, in_order = ordered_hashes(keys[there])
        if not len(order):
            return np.zeros(0, dtype=np.uint64)
        starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]])
        sizes = np.diff(np.r_[starts, len(order)])
        fit = (sizes > 1) & (sizes <= rule.cap)
        block, place = expand(sizes[fit])
        members = there[order[starts[fit][block] + place]]
        first, nth = expand(sizes[fit][block] - 1 - place)
        left, right = members[first], members[first + 1 + nth]
        if self.source is not None:
            across = self.source[left] != self.source[right]
            left, right = left[across], right[across]
        pairs = left.astype(np.uint64) * np.uint64(self.size) + right.astype(np.uint64)
        return np.asarray(pairs << np.uint64(_RULE_BITS))


def every_pair(size: int, source: NDArray[np.int32] | None = None) -> Candidates:
    """All pairs of few records; bit 0 stands for the one rule that uses no value."""
    left, right = np.triu_indices(size, 1)
    if source is not None:
        across = source[left] != source[right]
        left, right = left[across], right[across]
    return Candidates(left.astype(np.int64), right.astype(np.int64), np.ones(len(left), dtype=np.int64))
