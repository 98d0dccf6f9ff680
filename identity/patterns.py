"""Candidate pairs by how their comparisons came out: one pattern for all pairs that came out alike.

A comparison's *cell* is what came out: 0 nothing to compare, then agreement by how rare the value is, then the other
levels in order. A comparison that another one silences has nothing to compare. Comparisons of one level (accounts,
orders) say something or nothing; their declared bits stand beside the cells.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Final

import numpy as np

from identity.arrays import Flags, Floats, Integers
from identity.compare import Compared, compare, levels_of
from identity.declaration import Comparison, IdentityRules
from identity.features import Feature
from identity.score import probability, reached, score

BINS: Final = 6
"""Agreements are told apart by so many bins of rarity."""

_BITS_PER_BIN: Final = 2.5
_CELL_BITS: Final = 5
_FIXED_STEP, _MOST_FIXED = 2.0, 31
_CHUNK: Final = 200_000


@dataclass(frozen=True)
class Patterns:
    """Patterns in order; per pattern what the pairs that came out so have in common, or sum up to."""

    keys: Integers
    counts: Floats
    cells: Mapping[str, Integers]
    conflict: Flags
    rarity: Mapping[str, Floats]
    """Per comparison the sum of the pairs' rarities in bits."""
    fixed: Floats
    """The sum of declared bits of comparisons that have one level."""
    likely: Floats
    """The sum of the probabilities by declared weights."""


def estimable(rules: IdentityRules) -> tuple[Comparison, ...]:
    """The comparisons that can come out in more than one way."""
    return tuple(item for item in rules.comparisons if len(item.levels) > 1)


def cell_count(item: Comparison) -> int:
    """How many cells a comparison has, the one of nothing to compare included."""
    return BINS + len(item.levels)


def rarity_bin(rarity: Floats) -> Integers:
    """The bin of rarities in bits, the commonest values first."""
    return np.clip(np.floor(rarity / _BITS_PER_BIN), 0, BINS - 1).astype(np.int64)


def agreeing(name: str, feature: Feature) -> Floats:
    """Per bin of rarity, how many pairs of nodes agree on a value: counted over all pairs, not only over candidates."""
    codes = np.arange(len(feature.texts))
    level, rarity = levels_of(name, feature, codes, codes)
    pairs = np.where(level == 0, feature.held * (feature.held - 1) / 2, 0.0)
    return np.asarray(np.bincount(rarity_bin(rarity), pairs, BINS), dtype=np.float64)


def patterns_of(
    features: Mapping[str, Feature], rules: IdentityRules, prior: float, left: Integers, right: Integers
) -> Patterns:
    """Compare pairs of nodes, in chunks, and put those together that came out alike."""
    starts = range(0, max(len(left), 1), _CHUNK)
    parts = (compare(features, left[start : start + _CHUNK], right[start : start + _CHUNK]) for start in starts)
    return reduce(_joined, (_patterns(compared, rules, prior) for compared in parts))


def cells_of(item: Comparison, compared: Compared) -> Integers:
    """The cell of each pair in a comparison."""
    level = compared.levels[item.comparison]
    agreed = 1 + rarity_bin(compared.rarity[item.comparison])
    cell = np.where(level == 0, agreed, np.where(level > 0, BINS + level, 0))
    for other, levels in item.silent_after.items():
        cell[reached(compared, other, levels)] = 0
    return np.asarray(cell, dtype=np.int64)


def _patterns(compared: Compared, rules: IdentityRules, prior: float) -> Patterns:
    items = estimable(rules)
    cells = {item.comparison: cells_of(item, compared) for item in items}
    fixed = np.zeros(len(compared.conflict))
    for item in rules.comparisons:
        if len(item.levels) == 1:
            said = item.levels[0].weight + item.levels[0].rarity * compared.rarity[item.comparison]
            fixed += np.where(compared.levels[item.comparison] == 0, said, 0.0)
    key = np.clip(np.round(fixed / _FIXED_STEP), 0, _MOST_FIXED).astype(np.int64) * 2 + compared.conflict
    for item in items:
        key = (key << _CELL_BITS) | cells[item.comparison]
    likely = probability(score(compared, rules, prior).weight)
    sums = {name: compared.rarity[name] for name in cells}
    return _gathered(key, np.ones(len(key)), Patterns(key, fixed, cells, compared.conflict, sums, fixed, likely))


def _joined(one: Patterns, other: Patterns) -> Patterns:
    both = Patterns(
        np.r_[one.keys, other.keys],
        np.r_[one.counts, other.counts],
        {name: np.r_[one.cells[name], other.cells[name]] for name in one.cells},
        np.r_[one.conflict, other.conflict],
        {name: np.r_[one.rarity[name], other.rarity[name]] for name in one.rarity},
        np.r_[one.fixed, other.fixed],
        np.r_[one.likely, other.likely],
    )
    return _gathered(both.keys, both.counts, both)


def _gathered(key: Integers, counts: Floats, of: Patterns) -> Patterns:
    keys, first, where = np.unique(key, return_index=True, return_inverse=True)

    def total(values: Floats) -> Floats:
        return np.bincount(where, values, len(keys)).astype(np.float64)

    return Patterns(
        keys,
        total(counts),
        {name: cell[first] for name, cell in of.cells.items()},
        of.conflict[first],
        {name: total(rarity) for name, rarity in of.rarity.items()},
        total(of.fixed),
        total(of.likely),
    )
