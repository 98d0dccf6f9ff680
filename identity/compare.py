"""How alike two nodes are, one comparison at a time: a level (0 is best) and how rare the agreeing value is.

Strings are compared once per distinct pair of unequal values, by rapidfuzz over whole arrays; everything else is
whole numbers. A node may have several values of a feature: the best pair of values counts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Flags, Floats, Integers
from identity.compare_names import name_levels
from identity.compare_texts import (
    address_levels,
    alias_levels,
    birth_levels,
    email_levels,
    id_levels,
    phone_levels,
    plain_levels,
    postcode_levels,
)
from identity.declaration import LEVELS
from identity.features import Feature, value_pairs

_RARITY_SCALE = 4096.0

LevelFunction = Callable[[Feature, Integers, Integers], tuple[NDArray[np.int64], Floats]]
"""Distinct pairs of unequal codes → level and rarity of each pair."""

_DECIDED_BY: Mapping[str, LevelFunction] = {
    "account": plain_levels("account"),
    "order": plain_levels("order"),
    "national_id": id_levels,
    "email": email_levels,
    "phone": phone_levels,
    "name": name_levels,
    "birth_on": birth_levels,
    "address": address_levels,
    "postcode": postcode_levels,
    "city": plain_levels("city"),
    "alias": alias_levels,
    "gender": plain_levels("gender"),
}


@dataclass(frozen=True)
class Compared:
    """Per comparison and pair of nodes: the level (-1: nothing to compare) and the rarity in bits."""

    levels: Mapping[str, Integers]
    rarity: Mapping[str, Floats]
    conflict: NDArray[np.bool_]
    """The two nodes have ids in one id space, and none in common."""

    def part(self, chosen: Flags | Integers) -> Compared:
        """Some of the pairs."""
        return Compared(
            {name: level[chosen] for name, level in self.levels.items()},
            {name: rarity[chosen] for name, rarity in self.rarity.items()},
            self.conflict[chosen],
        )

    @classmethod
    def joined(cls, parts: Sequence[Compared]) -> Compared:
        """The pairs of one part behind those of the other; there is at least one part."""
        return cls(
            {name: np.concatenate([part.levels[name] for part in parts]) for name in parts[0].levels},
            {name: np.concatenate([part.rarity[name] for part in parts]) for name in parts[0].rarity},
            np.concatenate([part.conflict for part in parts]),
        )


def compare(features: Mapping[str, Feature], left: Integers, right: Integers) -> Compared:
    """Compare pairs of nodes on everything that is known of both."""
    levels: dict[str, Integers] = {}
    rarity: dict[str, Floats] = {}
    for name in LEVELS:
        levels[name], rarity[name] = _compare_one(name, features[name], left, right)
    return Compared(levels, rarity, _conflicts(features["source_scope"], left, right))


def _compare_one(name: str, feature: Feature, left: Integers, right: Integers) -> tuple[Integers, Floats]:
    level = np.full(len(left), -1, dtype=np.int64)
    rarity = np.zeros(len(left))
    pairs = value_pairs(feature, left, right)
    if not len(pairs.pair):
        return level, rarity
    low, high = np.minimum(pairs.left, pairs.right), np.maximum(pairs.left, pairs.right)
    size = np.int64(max(len(feature.texts), 1))
    keys, where = np.unique(low * size + high, return_inverse=True)
    key_level, key_rarity = levels_of(name, feature, keys // size, keys % size)
    # best level first, then the rarest value: one number to take the least of
    rank = key_level[where] * _RARITY_SCALE - key_rarity[where]
    starts = np.flatnonzero(np.r_[True, pairs.pair[1:] != pairs.pair[:-1]])
    best = np.minimum.reduceat(rank, starts)
    found = pairs.pair[starts]
    reached = np.ceil(best / _RARITY_SCALE).astype(np.int64)
    says = reached < len(LEVELS[name])
    level[found[says]] = reached[says]
    rarity[found[says]] = reached[says] * _RARITY_SCALE - best[says]
    return level, rarity


def levels_of(name: str, feature: Feature, low: Integers, high: Integers) -> tuple[Integers, Floats]:
    """Level and rarity of distinct pairs of values of a feature, a value with itself included."""
    level = np.zeros(len(low), dtype=np.int64)
    rarity = feature.rarity[low].copy()
    unequal = np.flatnonzero(low != high)
    decide = _DECIDED_BY[name]
    if name == "name":  # a name agrees by its parts, also with itself
        return decide(feature, low, high)
    if len(unequal):
        level[unequal], rarity[unequal] = decide(feature, low[unequal], high[unequal])
    return level, rarity


def _conflicts(feature: Feature, left: Integers, right: Integers) -> NDArray[np.bool_]:
    """Whether both have a source id in some id space without sharing any id there. Values are ``space<tab>id``."""
    conflict = np.zeros(len(left), dtype=np.bool_)
    pairs = value_pairs(feature, left, right)
    if not len(pairs.pair):
        return conflict
    space, count = feature.once(_spaces)
    alike = space[pairs.left] == space[pairs.right]
    group = pairs.pair[alike] * count + space[pairs.left][alike]
    same = (pairs.left == pairs.right)[alike]
    conflicting = np.setdiff1d(group, group[same])
    conflict[conflicting // max(count, 1)] = True
    return conflict


def _spaces(feature: Feature) -> tuple[Integers, int]:
    """Per value the number of its id space, and how many there are."""
    spaces: dict[str, int] = {}
    found = [spaces.setdefault(text.split("\t", 1)[0], len(spaces)) for text in feature.texts]
    return np.array(found, dtype=np.int64), len(spaces)
