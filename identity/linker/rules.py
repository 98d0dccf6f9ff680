"""Which blocking rules to use: chosen for the records they would bring together per pair they cost.

A rule is one, two or three atoms that must be equal; a block of more records than the rule's cap is passed over, so
rare values block alone and common ones need a second key. Coverage is simulated: for a sample of records a second
record of the same person is imagined, first from what is usual, later from the pairs that a first model found.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from identity.arrays import Flags, Integers
from identity.linker.atoms import Atom, Keys
from identity.linker.comparison import Records

CAPS: Final = (3, 5, 10, 20, 40, 100, 400)
_QUERIES: Final = 3000
_MOST_RULES: Final = 60
_SMALL, _LARGE = 20_000, 300_000
_THOROUGH = {"small": (320, 1e-4, 0.6), "middle": (220, 3e-4, 0.4), "large": (110, 3e-4, 0.4)}
"""By the size of the table: how many rules are sized, the least gain that is worth a rule, and how much a record that a
rule covers still counts for the next. Pairs of a small table cost nothing, so that more is tried there."""
_PESSIMISM: Final = 1.3
_FIRST_SHARE: Final = 0.4
_SAMPLED_BLOCKS: Final = 60_000
"""Records in the sample of blocks from which a rule's pairs are counted."""
_FILTER_BITS: Final = 16
_LEAST_EXAMPLES: Final = 50
_DIVERSITY: Final = 2.0
"""How much a further combination of the same columns is worth less than the one before."""


@dataclass(frozen=True)
class Rule:
    """Atoms that must be equal, and the largest block that is looked at."""

    atoms: tuple[int, ...]
    cap: int


@dataclass(frozen=True)
class Found:
    """Pairs that are taken to be one person, with the rules that found each."""

    left: Integers
    right: Integers
    mask: Integers
    rules: tuple[Rule, ...]


class RuleChoice:
    """Chooses rules for some records in two rounds; what is sized is kept between them."""

    def __init__(self, records: Records, atoms: list[Atom], budget: float | None = None) -> None:
        self.records, self.atoms = records, atoms
        size = records.size
        self.budget = budget or max(120_000, min(40 * size, max(4_000_000, 12 * size)))
        self._rng = np.random.Generator(np.random.PCG64(5))
        self._queries = self._sample(min(size, _QUERIES))
        self._partner = self._rng.integers(0, size, len(self._queries))
        self._draws = self._rng.random((len(self._queries), len(records.fields)))
        kind = "small" if size <= _SMALL else "middle" if size <= _LARGE else "large"
        self._sized, self._least_gain, self._fades = _THOROUGH[kind]
        self._every = 1 << max(int(np.log2(max(size / _SAMPLED_BLOCKS, 1))), 0)
        self._combinations = self._promising()
        self._blocks = np.empty((len(self._combinations), len(self._queries)), dtype=np.int32)
        self._costs = np.empty((len(self._combinations), len(CAPS)))
        for number, combination in enumerate(self._combinations):
            self._size(number, combination)

    def first(self) -> tuple[Rule, ...]:
        """Rules for partners as they usually are."""
        return self._choose(self._usual(), (), self.budget * _FIRST_SHARE)

    def second(self, before: tuple[Rule, ...], found: Found) -> tuple[Rule, ...]:
        """The rules before, and more of them for partners as the first model found them."""
        return self._choose(self._observed(found), before, self.budget * (1 - _FIRST_SHARE))

    def _sample(self, count: int) -> Integers:
        return np.sort(self._rng.choice(self.records.size, count, replace=False))

    def _promising(self) -> list[tuple[int, ...]]:
        """The combinations with the best coverage per pair if atoms were independent."""
        size = self.records.size
        there = np.array([np.count_nonzero(atom.keys) / max(size, 1) for atom in self.atoms])
        meets = np.array([self._collision(atom.keys) for atom in self.atoms])
        cover = there**2 * np.array([self._hardened(atom.kept) for atom in self.atoms])
        found: list[tuple[float, tuple[int, ...]]] = []
        for combination in self._all():
            chosen = list(combination)
            pairs = 0.5 * size * size * float(np.prod(meets[chosen]))
            found.append((float(np.prod(cover[chosen])) / (1.0 + pairs / size), combination))
        found.sort(key=lambda item: (-item[0], item[1]))
        kept: dict[frozenset[int], int] = {}
        ranked = []
        for worth, combination in found:
            columns = frozenset().union(*(self.atoms[index].columns for index in combination))
            nth = kept[columns] = kept.get(columns, 0) + 1
            ranked.append((-worth / nth**_DIVERSITY, combination))
        ranked.sort()
        return [combination for _, combination in ranked[: self._sized]]

    def _all(self) -> list[tuple[int, ...]]:
        atoms = self.atoms
        numbers = range(len(atoms))
        pairs = [(a, b) for a in numbers for b in numbers if a < b and atoms[a].columns.isdisjoint(atoms[b].columns)]
        triples = [
            (a, b, c)
            for a, b in pairs
            for c in numbers
            if c not in (a, b)
            and atoms[c].is_weak
            and (not atoms[b].is_weak or b < c)
            and (not atoms[a].is_weak or a < c)
            and atoms[c].columns.isdisjoint(atoms[a].columns | atoms[b].columns)
        ]
        return [*((a,) for a in numbers), *pairs, *triples]

    def _size(self, number: int, combination: tuple[int, ...]) -> None:
        """The blocks that the queries fall into, and the pairs under each cap."""
        keys = combined([self.atoms[index].keys for index in combination])
        self._blocks[number] = _held(keys, keys[self._queries])
        counts = self._sampled_blocks(keys)
        sizes = np.bincount(np.minimum(counts, CAPS[-1] + 1), minlength=CAPS[-1] + 2).astype(np.float64)
        each = np.arange(len(sizes), dtype=np.float64)
        self._costs[number] = self._every * np.cumsum(sizes * each * (each - 1) / 2)[list(CAPS)]

    def _sampled_blocks(self, keys: Keys) -> Integers:
        """The sizes of one in ``_every`` blocks, each whole."""
        sampled = np.sort(keys[((keys >> np.uint64(1)) & np.uint64(self._every - 1)) == 0])
        sampled = sampled[np.searchsorted(sampled, 1) :]
        starts = np.flatnonzero(np.r_[True, sampled[1:] != sampled[:-1]]) if len(sampled) else np.zeros(0, np.int64)
        return np.asarray(np.diff(np.r_[starts, len(sampled)]))

    def _collision(self, keys: Keys) -> float:
        """How often two records at random share the atom."""
        counts = self._sampled_blocks(keys).astype(np.float64)
        return float(self._every * (counts * (counts - 1)).sum() / max(len(keys), 1) ** 2)

    def _hardened(self, kept: float) -> float:
        return max(1.0 - _PESSIMISM * (1.0 - kept), 0.05)

    def _there(self) -> Flags:
        """Whether a column is there both in the query and in a record at random; shape (queries, columns)."""
        codes = [item.codes for item in self.records.fields]
        return np.stack([(code[self._queries] > 0) & (code[self._partner] > 0) for code in codes], axis=1)

    def _usual(self) -> Flags:
        """Per atom and query: whether the imagined partner shares it. One draw a column decides for all its atoms."""
        there = self._there()
        found = np.ones((len(self.atoms), len(self._queries)), dtype=np.bool_)
        for number, atom in enumerate(self.atoms):
            kept = self._hardened(atom.kept if len(atom.columns) == 1 else atom.kept ** (1 / len(atom.columns)))
            for column in sorted(atom.columns):
                found[number] &= there[:, column] & (self._draws[:, column] < kept)
        return found

    def _observed(self, found: Found) -> Flags:
        """As ``_usual``, but partners differ as found pairs do: those that rules without the column found."""
        shared = self._usual()
        there = self._there()
        for column in range(len(self.records.fields)):
            codes = self.records.fields[column].codes
            others = ~_mask_of(found.rules, self.atoms, frozenset({column}))
            usable = ((found.mask & others) != 0) & (codes[found.left] > 0) & (codes[found.right] > 0)
            examples = np.flatnonzero(usable)
            if len(examples) < _LEAST_EXAMPLES:
                continue
            drawn = examples[(self._draws[:, column] * len(examples)).astype(np.int64)]
            for number, atom in enumerate(self.atoms):
                if atom.columns == {column}:
                    keys = atom.keys
                    same = (keys[found.left[drawn]] == keys[found.right[drawn]]) & (keys[found.left[drawn]] != 0)
                    shared[number] = same & there[:, column]
        for number, atom in enumerate(self.atoms):
            if len(atom.columns) > 1:
                drawn = (self._draws[:, min(atom.columns)] * max(len(found.left), 1)).astype(np.int64)
                if len(found.left) >= _LEAST_EXAMPLES:
                    keys = atom.keys
                    same = (keys[found.left[drawn]] == keys[found.right[drawn]]) & (keys[found.left[drawn]] != 0)
                    shared[number] = same & there[:, sorted(atom.columns)].all(axis=1)
        return shared

    def _choose(self, shared: Flags, before: tuple[Rule, ...], budget: float) -> tuple[Rule, ...]:
        covers = np.stack([shared[list(combination)].all(axis=0) for combination in self._combinations])
        weight = np.ones(len(self._queries))
        caps: dict[int, int] = {}
        number_of = {combination: number for number, combination in enumerate(self._combinations)}
        for rule in before:
            number = number_of[rule.atoms]
            caps[number] = CAPS.index(rule.cap)
            weight[covers[number] & (self._blocks[number] <= rule.cap)] *= self._fades
        spent = 0.0
        reach = np.stack([covers & (self._blocks <= cap) for cap in CAPS], axis=1).astype(np.float32)
        flat = reach.reshape(-1, len(self._queries))
        while len(caps) < _MOST_RULES:
            gain = (flat @ weight.astype(np.float32)).reshape(reach.shape[:2]) / len(self._queries)
            cost = self._costs.copy()
            for number, cap in caps.items():
                cost[number] -= self._costs[number, cap]
                gain[number, : cap + 1] = 0.0
            gain[cost > budget - spent] = 0.0
            worth = gain / (np.maximum(cost, 0.0) + 0.01 * self.records.size + 0.005 * self.budget)
            number, cap = (int(index) for index in np.unravel_index(int(np.argmax(worth)), worth.shape))
            if gain[number, cap] < self._least_gain:
                break
            spent += float(cost[number, cap])
            caps[number] = cap
            weight[reach[number, cap] > 0] *= self._fades
        return tuple(Rule(self._combinations[number], CAPS[cap]) for number, cap in caps.items())


def combined(keys: list[Keys]) -> Keys:
    """One key from the keys of a rule's atoms; 0 where one is absent."""
    with np.errstate(over="ignore"):
        found = keys[0].copy()
        absent = keys[0] == 0
        for factor, more in zip((3, 5), keys[1:], strict=False):
            found += np.uint64(factor) * more
            absent |= more == 0
    found[absent] = 0
    return found


def uses(rules: tuple[Rule, ...], atoms: list[Atom], columns: frozenset[int]) -> int:
    """The rules, as bits, that use one of the columns."""
    return sum(
        1 << number
        for number, rule in enumerate(rules)
        if any(not atoms[index].columns.isdisjoint(columns) for index in rule.atoms)
    )


def _mask_of(rules: tuple[Rule, ...], atoms: list[Atom], columns: frozenset[int]) -> np.int64:
    return np.int64(uses(rules, atoms, columns))


def _held(keys: Keys, asked: Keys) -> Integers:
    """How many records hold each of the asked keys; none for an absent one. A small filter spares most comparisons."""
    wanted = np.unique(asked[asked != 0], return_counts=False) if len(asked) else asked
    if not len(wanted):
        return np.zeros(len(asked), dtype=np.int64)
    shift = np.uint64(64 - _FILTER_BITS)
    passes = np.zeros(1 << _FILTER_BITS, dtype=np.bool_)
    passes[(wanted >> shift).astype(np.int64)] = True
    near = keys[passes[(keys >> shift).astype(np.int64)]]
    at = np.minimum(np.searchsorted(wanted, near), len(wanted) - 1)
    counts = np.bincount(at[wanted[at] == near], minlength=len(wanted))
    place = np.minimum(np.searchsorted(wanted, asked), len(wanted) - 1)
    return np.where(asked != 0, counts[place], 0)
