"""Weights learned from labelled pairs: the most probable corrections of the declared ones.

A pair's evidence is the same sum as in ``identity.score``: levels, rarity, silences, caps and guards stay; what is
learned is how many bits each level and guard, and the starting odds, are off. A correction is small unless labels say
otherwise: normal around nothing, with a spread that cross-validation over groups of labels chooses. A guard never comes
to speak in favour. A level says what it says beside there being nothing to compare: where people have several e-mail
addresses, two different ones may be no evidence against them.

Method: logistic regression at its posterior mode by projected Newton steps with halving (Bertsekas 1982); the caps make
the sum piecewise linear, so slopes are taken anew in every step.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Flags, Floats, Integers
from identity.compare import Compared
from identity.declaration import IdentityRules
from identity.outcomes import ABSENT, level_counts
from identity.score import holds, reached

SPREADS: Final = (0.25, 0.5, 1.0, 2.0)
"""Bits by which declared weights may plausibly be off; the best one is chosen."""

_FOLDS: Final = 4
_STEPS: Final = 25
_HALVINGS: Final = 12
_SETTLED: Final = 1e-6
_LN2: Final = float(np.log(2.0))
_MOST_BITS: Final = 60.0


@dataclass(frozen=True)
class Fit:
    """Corrections in bits by what they correct: (comparison, level), ("guard", name), ("prior", "")."""

    corrections: Mapping[tuple[str, str], float]
    spread: float


@dataclass(frozen=True)
class Labelled:
    """Compared pairs with what is known of them."""

    compared: Compared
    is_match: Flags
    counts: Floats
    """How much each pair counts."""

    def part(self, chosen: Flags | Integers) -> Labelled:
        """Some of the pairs."""
        return Labelled(self.compared.part(chosen), self.is_match[chosen], self.counts[chosen])


def fit(labelled: Labelled, fold_of: Integers, rules: IdentityRules, prior: float) -> Fit:
    """Learn corrections; ``fold_of``: a whole number per pair, equal for pairs that must not be told apart."""
    whole = _Evidence(labelled, rules, prior)
    inside = [fold_of % _FOLDS == fold for fold in range(_FOLDS)]
    folds = [
        (_Evidence(labelled.part(~fold), rules, prior), _Evidence(labelled.part(fold), rules, prior)) for fold in inside
    ]
    spread = _best_spread(folds)
    found = _mode(whole, spread)
    return Fit(dict(zip(whole.names, found.tolist(), strict=True)), spread)


def log_loss(weight: Floats, is_match: Flags, counts: Floats) -> float:
    """The mean surprise at what is known, in bits: 0 where every pair was foretold."""
    bits = np.clip(np.where(is_match, -weight, weight), -_MOST_BITS, _MOST_BITS)
    return float((np.logaddexp2(0.0, bits) * counts).sum() / max(counts.sum(), 1e-12))


def _best_spread(folds: Sequence[tuple[_Evidence, _Evidence]]) -> float:
    """The spread under which what is learned without a fold foretells that fold best."""
    losses = [sum(tried.surprise(_mode(given, spread)) for given, tried in folds) for spread in SPREADS]
    return SPREADS[int(np.argmin(losses))]


def _mode(evidence: _Evidence, spread: float) -> Floats:
    """The corrections that make labels and declared weights most probable together."""
    found = np.zeros(len(evidence.names))
    loss = evidence.loss(found, spread)
    for _ in range(_STEPS):
        step = evidence.step(found, spread)
        for halving in range(_HALVINGS):
            tried = np.minimum(found - step / 2**halving, evidence.most)
            new = evidence.loss(tried, spread)
            if new < loss:
                break
        else:
            return found
        gained, found, loss = loss - new, tried, new
        if gained < _SETTLED * max(loss, 1.0):
            break
    return found


class _Evidence:
    """Pairs as a function of corrections: their weights, and the slope of each weight by each correction."""

    def __init__(self, labelled: Labelled, rules: IdentityRules, prior: float) -> None:
        self.compared, self.rules, self.prior = labelled.compared, rules, prior
        self.is_match = labelled.is_match
        self.counts = labelled.counts
        self.names: list[tuple[str, str]] = [("prior", "")]
        self.names += [(item.comparison, level.level) for item in rules.comparisons for level in item.levels]
        self.names += [("guard", guard.guard) for guard in rules.guards]
        self.place = {name: position for position, name in enumerate(self.names)}
        self.most = np.full(len(self.names), np.inf)
        for guard in rules.guards:
            self.most[self.place["guard", guard.guard]] = -guard.weight

    @cached_property
    def guards(self) -> Mapping[str, Flags]:
        return {guard.guard: holds(guard, self.compared) for guard in self.rules.guards}

    @cached_property
    def silent(self) -> Mapping[str, Flags]:
        found = {item.comparison: np.zeros(len(self.is_match), np.bool_) for item in self.rules.comparisons}
        for item in self.rules.comparisons:
            for other, levels in item.silent_after.items():
                found[item.comparison] |= reached(self.compared, other, levels)
        return found

    def surprise(self, corrections: Floats) -> float:
        """Minus the log of the probability of what is known."""
        weight, _ = self._weighed(corrections, with_slopes=False)
        return log_loss(weight, self.is_match, self.counts) * float(self.counts.sum()) * _LN2

    def loss(self, corrections: Floats, spread: float) -> float:
        """Minus the log of the posterior density, up to a constant."""
        return self.surprise(corrections) + float((corrections**2).sum()) / (2 * spread**2)

    def step(self, corrections: Floats, spread: float) -> Floats:
        """Newton's step towards the mode from some corrections (to be taken away from them)."""
        weight, slopes = self._weighed(corrections, with_slopes=True)
        likely = 1.0 / (1.0 + np.exp2(-np.clip(weight, -_MOST_BITS, _MOST_BITS)))
        gradient = _LN2 * np.einsum("ni,n->i", slopes, self.counts * (likely - self.is_match)) + corrections / spread**2
        # not by matrix product: that would set all processors spinning for so small a one
        curved = slopes * (self.counts * likely * (1 - likely))[:, None]
        curvature = _LN2**2 * np.einsum("ni,nj->ij", slopes, curved) + np.eye(len(corrections)) / spread**2
        stopped = (corrections >= self.most) & (gradient < 0)
        free, step = np.flatnonzero(~stopped), np.zeros(len(corrections))
        step[free] = np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
        return step

    def _weighed(self, corrections: Floats, *, with_slopes: bool) -> tuple[Floats, NDArray[np.float64]]:
        size = len(self.is_match)
        slopes = np.zeros((size, len(self.names) if with_slopes else 0))
        prior = self.prior + corrections[0]
        total, by_prior = np.full(size, prior), np.ones(size)
        for item in self.rules.comparisons:
            level = self.compared.levels[item.comparison]
            first = self.place[item.comparison, item.levels[0].level]
            added = corrections[first : first + len(item.levels)]
            base = np.array([entry.weight for entry in item.levels]) + added
            factor = np.array([entry.rarity for entry in item.levels] + [0.0])[level]
            share = np.r_[base, 0.0][level] + factor * np.where(level >= 0, self.compared.rarity[item.comparison], 0.0)
            most = np.inf if item.short_of_link is None else -prior - item.short_of_link
            capped, kept = share > most, (~self.silent[item.comparison]).astype(np.float64)
            share = np.minimum(share, most)
            for guard in self.rules.guards:
                if item.comparison in guard.explains:
                    explained = self.guards[guard.guard] & (share * kept > 0)
                    kept = np.where(explained, kept * guard.explains[item.comparison], kept)
            total += share * kept
            by_prior -= np.where(capped, kept, 0.0)
            if with_slopes:
                there = np.flatnonzero((level >= 0) & ~capped)
                slopes[there, first + level[there]] = kept[there]
        for guard in self.rules.guards:
            place = self.place["guard", guard.guard]
            total += np.where(self.guards[guard.guard], guard.weight + corrections[place], 0.0)
            if with_slopes:
                slopes[:, place] = self.guards[guard.guard]
        if with_slopes:
            slopes[:, 0] = by_prior
        return total, slopes


def counts_by_level(compared: Compared, rules: IdentityRules) -> dict[str, dict[str, int]]:
    """How many pairs came out so, per comparison and level, and how many each guard speaks of."""
    found = {
        item.comparison: level_counts(item.comparison, compared.levels[item.comparison]) for item in rules.comparisons
    }
    for levels in found.values():
        del levels[ABSENT]
    return found | {"guard": {guard.guard: int(holds(guard, compared).sum()) for guard in rules.guards}}
