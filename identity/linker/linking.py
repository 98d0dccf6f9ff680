"""Links records: chooses rules, finds and compares pairs, fits the model, and partitions the records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Integers
from identity.linker.atoms import Atom, make_atoms
from identity.linker.blocking import Blocking, Candidates, every_pair
from identity.linker.comparison import Compared, Records, compare
from identity.linker.estimate import fit
from identity.linker.partition import Constraints, Weighed, linked_components, partition, unseen_pairs
from identity.linker.refinement import ClusterScorer, eject, merge_clusters
from identity.linker.rules import Found, Rule, RuleChoice, uses
from identity.linker.score import Model, make_model, weights

_MOST_RANDOM, _LEAST_RANDOM, _RANDOM_PER_RECORD = 150_000, 40_000, 8
_PARTNER_FROM: Final = 1.0
_COMPARED_WHOLE: Final = 120_000
"""So many pairs are compared without asking which are worth it."""
_SOURCE_TWICE, _SOURCE_CLUSTERS = 0.04, 50
_SOURCE_BY_CHANCE, _LEAST_BY_CHANCE = 0.25, 10.0
"""A source holds each person once if chance would have made many be there twice, and far fewer are."""


@dataclass(frozen=True)
class Sources:
    """Where each record comes from. ``across``: a person is looked for in other sources only."""

    codes: NDArray[np.int32]
    across: bool = False


@dataclass(frozen=True)
class Linked:
    """Clusters (the smallest record of each), and what they rest on."""

    label: Integers
    pairs: Weighed
    mask: Integers
    rules: tuple[Rule, ...]
    atoms: list[Atom]
    model: Model


class Linker:
    """Links the records of one table."""

    def __init__(self, records: Records, sources: Sources | None = None, threshold: float = 0.0) -> None:
        self.records, self.sources, self.threshold = records, sources, threshold
        self._across = sources.codes if sources is not None and sources.across else None

    def link(self) -> Linked:
        """Find rules, candidate pairs, parameters and clusters."""
        random = self._random_pairs()
        if self.records.size * (self.records.size - 1) // 2 <= _COMPARED_WHOLE:
            rules: tuple[Rule, ...] = (Rule((), self.records.size),)
            atoms: list[Atom] = []
            found = every_pair(self.records.size, self._across)
            compared = compare(self.records, found.left, found.right)
            model = self._fitted(found, compared, atoms, rules, random)
        else:
            atoms = make_atoms(self.records)
            choice = RuleChoice(self.records, atoms)
            rules = choice.first()
            blocking = Blocking(self.records.size, atoms, self._across)
            found = blocking.candidates(rules)
            compared = compare(self.records, found.left, found.right)
            model = self._fitted(found, compared, atoms, rules, random)
            likely = np.flatnonzero(weights(self.records, model, compared) > _PARTNER_FROM)
            rules = choice.second(rules, Found(found.left[likely], found.right[likely], found.mask[likely], rules))
            found = blocking.candidates(rules)
            compared = self._compared_further(found, compared)
        strangers = random.taken(np.flatnonzero(weights(self.records, model, random) < 0.0))
        model = self._fitted(found, compared, atoms, rules, strangers)
        pairs = Weighed(found.left, found.right, weights(self.records, model, compared))
        label, pairs = self._clusters(pairs, model)
        return Linked(label, pairs, found.mask, rules, atoms, model)

    @property
    def _pairs_in_all(self) -> float:
        size = self.records.size
        if self._across is None:
            return size * (size - 1) / 2
        counts = np.bincount(self._across).astype(np.float64)
        return float((size * size - (counts**2).sum()) / 2)

    def _random_pairs(self) -> Compared:
        size = self.records.size
        wanted = min(_MOST_RANDOM, max(_LEAST_RANDOM, _RANDOM_PER_RECORD * size))
        rng = np.random.Generator(np.random.PCG64(3))
        left, right = rng.integers(0, size, wanted), rng.integers(0, size, wanted)
        usable = left != right
        if self._across is not None:
            usable &= self._across[left] != self._across[right]
        left, right = left[usable], right[usable]
        return compare(self.records, np.minimum(left, right), np.maximum(left, right))

    def _compared_further(self, found: Candidates, before: Compared) -> Compared:
        """All candidates compared, without comparing again what was; both are in order of their pairs."""
        size = self.records.size
        keys, known = found.left * size + found.right, before.left * size + before.right
        at = np.minimum(np.searchsorted(known, keys), max(len(known) - 1, 0))
        new = known[at] != keys if len(known) else np.ones(len(keys), dtype=np.bool_)
        further = compare(self.records, found.left[new], found.right[new])
        place = np.where(new, len(known) + np.cumsum(new) - 1, at)
        return before.with_more(further).taken(place)

    def _fitted(
        self,
        found: Candidates,
        compared: Compared,
        atoms: list[Atom],
        rules: tuple[Rule, ...],
        random: Compared,
    ) -> Model:
        own = np.empty((len(self.records.groups), len(found.mask)), dtype=np.bool_)
        for number, group in enumerate(self.records.groups):
            inside = uses(rules, atoms, frozenset(group.fields))
            own[number] = (found.mask & ~np.int64(inside)) == 0
        parameters = fit(self.records, compared, own, random, self._pairs_in_all)
        return make_model(self.records, parameters, compared)

    def _clusters(self, pairs: Weighed, model: Model) -> tuple[Integers, Weighed]:
        constraints = Constraints()
        label, pairs = self._agglomerated(pairs, model, constraints)
        guarded = self._guarded(label)
        if guarded is not None:
            constraints = Constraints(source=guarded)
            label, pairs = self._agglomerated(pairs, model, constraints)
        scorer = ClusterScorer(self.records, model)
        label = merge_clusters(scorer, label, pairs, constraints, self.threshold)
        return eject(scorer, label, pairs, constraints, self.threshold), pairs

    def _agglomerated(self, pairs: Weighed, model: Model, constraints: Constraints) -> tuple[Integers, Weighed]:
        size = self.records.size
        groups = linked_components(size, pairs, constraints, self.threshold)
        left, right = unseen_pairs(size, groups, pairs)
        if len(left):
            more = Weighed(left, right, weights(self.records, model, compare(self.records, left, right)))
            pairs = pairs.with_more(more)
        return partition(size, groups, pairs, constraints, self.threshold), pairs

    def _guarded(self, label: Integers) -> NDArray[np.int32] | None:
        """Sources that hold each person once, found from the clusters; None when there is none."""
        if self.sources is None:
            return None
        codes = self.sources.codes
        counts = np.bincount(label, minlength=len(label))
        shared = np.flatnonzero(counts[label] > 1)
        kinds = int(codes.max(initial=0)) + 1
        key = np.sort(label[shared] * kinds + codes[shared])
        if not len(key):
            return None
        starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
        held = np.diff(np.r_[starts, len(key)])
        source = key[starts] % kinds
        clusters = np.bincount(source, minlength=kinds)
        twice = np.bincount(source[held > 1], minlength=kinds)
        once = (clusters >= _SOURCE_CLUSTERS) & (twice < _SOURCE_TWICE * clusters)
        by_chance = _twice_by_chance(codes[shared], counts[counts > 1], kinds)
        once &= (by_chance >= _LEAST_BY_CHANCE) & (twice < _SOURCE_BY_CHANCE * by_chance)
        return np.where(once[codes], codes, -1).astype(np.int32) if once.any() else None


def _twice_by_chance(codes: NDArray[np.int32], sizes: Integers, kinds: int) -> NDArray[np.float64]:
    """In how many clusters each source would stand twice if it did not matter where a person's records come from."""
    share = np.bincount(codes, minlength=kinds) / max(len(codes), 1)
    expected = np.zeros(kinds)
    for size, clusters in zip(*np.unique(sizes, return_counts=True), strict=True):
        never, once = (1 - share) ** size, size * share * (1 - share) ** (size - 1)
        expected += clusters * (1 - never - once)
    return expected


def link(records: Records, sources: Sources | None = None, threshold: float = 0.0) -> Linked:
    """Link the records of a table."""
    return Linker(records, sources, threshold).link()
