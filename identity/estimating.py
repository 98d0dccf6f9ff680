"""Weights estimated from the records alone: what the outcomes of the declared comparisons mean, without labels.

Expectation maximisation over the outcome patterns of candidate pairs. Classes: *match* (one person), *random* (two
people), *household* (two people of one home or family name) and *namesake* (two people of one name, whose e-mail
addresses are therefore alike). What comes out is told in the terms of ``config/identity.yml``: bits per level,
beside the bits of rarity that stay as declared.

- *Random*: what two people come out as is counted on pairs taken at random; how often they agree on a value follows
  from how many hold it, over all pairs. Pairs that are matches are taken out again: where most who share an e-mail
  address are one person, sharing it is no chance. A tenth is taken for chance whatever the data seems to say.
- *Match*: held near what the declared weights make of the random class, by twenty pairs and a twentieth of all: levels
  that are seldom met stay as declared.
- The share of matches is one of all pairs, never of candidates.

Source: Fellegi and Sunter (1969); Winkler, Using the EM algorithm for weight computation (1988); classes and constants
as ``identity.linker.estimate``, which does the same for tables whose comparisons nobody declared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from identity.arrays import Flags, Floats, Integers
from identity.declaration import LEVELS, Comparison, IdentityRules
from identity.linker.roles import Learning
from identity.model import Chances, WeightsByLevel
from identity.patterns import BINS, Patterns, cell_count, estimable

CLASSES: Final = ("match", "random", "household", "namesake")

_SIDES: Final[Mapping[str, Mapping[str, Learning]]] = {
    "household": {
        "name": Learning.SURNAME,
        "email": Learning.LEANING,
        "phone": Learning.FREE,
        "address": Learning.FREE,
        "postcode": Learning.FREE,
        "city": Learning.FREE,
    },
    "namesake": {"name": Learning.AGREED, "email": Learning.FREE, "alias": Learning.FREE},
}
_START: Final = 0.2
"""Of household and namesake pairs per node to begin with; the result does not depend on it."""
_SAME_SURNAME: Final = 0.6
_LEAST_CHANCE: Final = 0.1
"""Of agreements, taken for chance."""
_PRIOR_COUNT, _PRIOR_SHARE = 20.0, 0.05
_RARITY_BITS: Final = 2.5
_USUAL_RARITY: Final = 4.0
"""Bits of rarity of what nearly agrees, before any is met."""
_NEARLY: Final = 4
"""The best so many levels of unequal names are those of one name."""
_ROUNDS, _SETTLED = 30, 0.002
_TINY: Final = 1e-12
_HOUSEHOLD: Final = CLASSES.index("household")
_OTHER_GIVEN: Final = BINS + LEVELS["name"].index("other_given")


@dataclass(frozen=True)
class Agreements:
    """What is known of two nodes at random, over all pairs."""

    nodes: int
    random: Patterns
    """Pairs taken at random."""
    agreeing: Mapping[str, Floats]
    """Per comparison and bin of rarity: how many of all pairs agree."""

    @property
    def pairs(self) -> float:
        """How many pairs there are."""
        return self.nodes * (self.nodes - 1) / 2


@dataclass(frozen=True)
class Estimate:
    """Weights in declared terms, and what they were made of."""

    weights: WeightsByLevel
    conflict: float
    """Bits of having two ids in one id space, beside having none or one."""
    prior: float
    """log2 of the share of matches among all pairs."""
    chances: dict[str, dict[str, Chances]]
    pairs: dict[str, float]
    """How many pairs each class has."""
    met: dict[str, dict[str, int]]
    """Candidate pairs per comparison and level."""


def estimate(rules: IdentityRules, patterns: Patterns, agreements: Agreements) -> Estimate:
    """Estimate what the outcomes of candidate pairs mean."""
    return _Estimation(rules, patterns, agreements).run()


class _Estimation:
    def __init__(self, rules: IdentityRules, patterns: Patterns, agreements: Agreements) -> None:
        self.patterns, self.all = patterns, agreements
        self.counts, self.pairs = patterns.counts, agreements.pairs
        self.fixed = patterns.fixed / np.maximum(patterns.counts, 1.0)
        items = [item for item in estimable(rules) if (patterns.cells[item.comparison] > 0).any()]
        self.learnt = {item.comparison: _Learnt(item, patterns, agreements) for item in items}
        self.conflict = [_ends(agreements.random.conflict, agreements.random.counts)] * len(CLASSES)
        self.belongs = np.zeros((len(CLASSES), len(patterns.keys)))
        self.belongs[0] = patterns.likely
        self.share = np.full(len(CLASSES), _START * agreements.nodes / self.pairs)
        self._learn()

    def run(self) -> Estimate:
        before = np.log(self.share[0])
        for _ in range(_ROUNDS):
            self.belongs = self._belonging() * self.counts
            self._learn()
            now = np.log(self.share[0])
            if abs(now - before) < _SETTLED:
                break
            before = now
        return self._told()

    def _belonging(self) -> Floats:
        """Per class and pattern the probability that such a pair is of the class."""
        logs = np.repeat(np.log2(self.share)[:, None], len(self.counts), axis=1)
        logs[0] += self.fixed
        for learnt in self.learnt.values():
            logs += learnt.logs[:, learnt.cells]
        logs += np.log2([ends[self.patterns.conflict.astype(np.int64)] for ends in self.conflict])
        odds = np.exp2(logs - logs.max(axis=0))
        return np.asarray(odds / odds.sum(axis=0))

    def _learn(self) -> None:
        """Take in how many pairs of each pattern belong to each class."""
        self.share = np.maximum(self.belongs.sum(axis=1) / self.pairs, _TINY / self.pairs)
        if not self.belongs[1:].any():
            self.share[2:] = _START * self.all.nodes / self.pairs
        self.share[1] = 1.0 - self.share[0] - self.share[2:].sum()
        for learnt in self.learnt.values():
            learnt.learn(self.belongs)
        self.conflict = [_ends(self.patterns.conflict, self.belongs[0], self.conflict[1]), *self.conflict[1:]]

    def _told(self) -> Estimate:
        alike, conflict = np.log2(self.conflict[0] / self.conflict[1]).tolist()
        if conflict > alike:  # a guard never speaks in favour: where all records are of one source, it says nothing
            alike = conflict = 0.0
        return Estimate(
            weights={name: learnt.weights(self.belongs[0], self.counts) for name, learnt in self.learnt.items()},
            conflict=conflict - alike,
            prior=float(np.log2(self.share[0])) + alike,
            chances={name: learnt.chances() for name, learnt in self.learnt.items()},
            pairs={name: float(share * self.pairs) for name, share in zip(CLASSES, self.share, strict=True)},
            met={name: learnt.met(self.counts) for name, learnt in self.learnt.items()},
        )


class _Learnt:
    """One comparison: the probability of each cell, given that there is something to compare, in every class."""

    def __init__(self, item: Comparison, patterns: Patterns, agreements: Agreements) -> None:
        self.item, self.size = item, cell_count(item)
        self.cells = patterns.cells[item.comparison]
        self.rarity = patterns.rarity[item.comparison] / np.maximum(patterns.counts, 1.0)
        self.agreeing = agreements.agreeing[item.comparison]
        at_random = agreements.random
        found = np.bincount(at_random.cells[item.comparison], at_random.counts, self.size)
        self.inexact = found[1 + BINS :] + 0.5
        self.compared = agreements.pairs * max(found[1:].sum() / at_random.counts.sum(), _TINY)
        self.by_class = np.zeros((len(CLASSES), self.size))
        self.by_class[1] = self._random(np.zeros(self.size))
        self.usual = self._usual()

    @property
    def logs(self) -> Floats:
        """log2 per class and cell; nothing to compare says nothing."""
        found = np.log2(np.maximum(self.by_class, _TINY))
        found[:, 0] = 0.0
        return np.asarray(found)

    def learn(self, belongs: Floats) -> None:
        """Take in how many pairs of each pattern belong to each class."""
        counts = np.array([np.bincount(self.cells, of_class, self.size) for of_class in belongs])
        counts[:, 0] = 0.0
        at_home = self._learning("household") is Learning.FREE
        taken = counts[0] + counts[_HOUSEHOLD] if at_home else counts[0]
        self.by_class[0] = _shares(counts[0] + (_PRIOR_COUNT + _PRIOR_SHARE * counts[0].sum()) * self.usual)
        self.by_class[1] = self._random(taken)
        for number, side in enumerate(_SIDES, _HOUSEHOLD):
            self.by_class[number] = self._side(side, counts[number])

    def _random(self, taken: Floats) -> Floats:
        """The random class without pairs that are of other classes."""
        agreed = np.maximum(self.agreeing - taken[1 : 1 + BINS], _LEAST_CHANCE * self.agreeing + 0.5) / self.compared
        agreed *= min(1.0, 0.98 / agreed.sum())
        return np.asarray(np.r_[0.0, agreed, self.inexact / self.inexact.sum() * (1.0 - agreed.sum())])

    def _usual(self) -> Floats:
        """The match class as the declared weights make it of the random class."""
        best, *others = self.item.levels
        rarity = (np.arange(BINS) + 0.5) * _RARITY_BITS
        bits = np.r_[best.weight + best.rarity * rarity, [at.weight + at.rarity * _USUAL_RARITY for at in others]]
        return _shares(np.r_[0.0, self.by_class[1][1:] * np.exp2(bits)])

    def _learning(self, side: str) -> Learning:
        return _SIDES[side].get(self.item.comparison, Learning.RANDOM)

    def _side(self, side: str, counts: Floats) -> Floats:
        match, random = self.by_class[0], self.by_class[1]
        match self._learning(side):
            case Learning.FREE:
                start = 0.6 * match + 0.4 * random
                return _shares(counts + (_PRIOR_COUNT + _PRIOR_SHARE * counts.sum()) * start)
            case Learning.LEANING:
                return _shares(counts + _PRIOR_COUNT * random)
            case Learning.SURNAME:
                start = random * (1.0 - _SAME_SURNAME) / max(1.0 - random[_OTHER_GIVEN], _TINY)
                start[_OTHER_GIVEN] = _SAME_SURNAME
                return _shares(counts + max(0.1 * counts.sum(), 1.0) * start)
            case Learning.AGREED:
                near = np.where(np.arange(self.size) < BINS + _NEARLY, random, 0.0)
                return _shares(0.05 * random + 0.95 * _shares(near))
            case _:
                return np.asarray(random)

    def weights(self, belongs: Floats, counts: Floats) -> dict[str, float]:
        """Bits per level beside those of rarity, as pairs of one person have it; near declared where few are met."""
        bits = self.logs[0] - self.logs[1]
        found: dict[str, float] = {}
        for place, level in enumerate(self.item.levels):
            pairs = np.isin(self.cells, self._cells(place))
            if pairs.any():
                likely = belongs[pairs] + _TINY
                rarity = np.average(self.rarity[pairs], weights=likely)
                estimated = np.average(bits[self.cells[pairs]], weights=likely) - level.rarity * rarity
                met = counts[pairs].sum()
                found[level.level] = level.weight + float(estimated - level.weight) * met / (met + _PRIOR_COUNT)
        return found

    def chances(self) -> dict[str, Chances]:
        """Per level how often pairs of a class come out so."""
        found = {}
        for place, level in enumerate(self.item.levels):
            match, random, household = (
                float(of_class[self._cells(place)].sum()) for of_class in self.by_class[: _HOUSEHOLD + 1]
            )
            found[level.level] = Chances(match=_told(match), random=_told(random), household=_told(household))
        return found

    def met(self, counts: Floats) -> dict[str, int]:
        """How many candidate pairs came out at each level."""
        found = np.bincount(self.cells, counts, self.size)
        return {level.level: int(found[self._cells(place)].sum()) for place, level in enumerate(self.item.levels)}

    @staticmethod
    def _cells(place: int) -> Integers:
        return np.arange(1, 1 + BINS) if place == 0 else np.array([BINS + place])


def _ends(conflict: Flags, counts: Floats, usual: Floats | None = None) -> Floats:
    """The shares of pairs without and with a conflict of ids."""
    found = np.asarray(np.bincount(conflict.astype(np.int64), counts, 2), dtype=np.float64)
    return _shares(found + (0.5 if usual is None else _PRIOR_COUNT * usual))


def _shares(counts: Floats) -> Floats:
    return np.asarray(counts / max(counts.sum(), 1e-300))


def _told(share: float) -> float:
    return float(f"{share:.3g}")
