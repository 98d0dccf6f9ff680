"""What outcomes mean, learnt from the pairs themselves: expectation maximisation over five classes of pairs.

Classes: *match* (one person), *random* (two people), *household* (two people who share a home, a firm, a family name),
*community* (two people of one place and one day of birth: what takes rare days and towns off the hands of the match
class) and *namesake* (two people of one name, whose e-mail addresses are therefore alike). Parameters are kept per cell
of a group, shrunk towards independence of its fields; no labels are needed.

Source: Fellegi and Sunter (1969); Winkler, Using the EM algorithm for weight computation (1988); shrinkage of cell
ratios and side classes after measurements on labelled sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Floats, Integers, ordered, ordered_hashes
from identity.linker.comparison import CROSSED_SIZES, Compared, Group, Records, unpacked
from identity.linker.roles import NAMES, PERSONAL, PLACES, Learning, Role

_ROUNDS: Final = 25
_SETTLED: Final = 0.002
_RANDOM_SHRINK: Final = 5.0
_MATCH_SHRINK: Final = 300.0
_OWN_RULES_ONLY: Final = 0.3
_PRIOR_COUNT, _PRIOR_SHARE = 20.0, 0.05
_ALL_DIFFERENT: Final = 0.03
_CROSSED_MATCH: Final = (0.975, 0.005, 0.02)
_START = {"match": 0.3, "household": 0.2, "community": 0.2, "namesake": 0.2}
_NEARLY_CROSSING: Final = 2.0
"""Crossing counts one nearly equal name too."""
_LOOKED_UP: Final = 1 << 22
"""Keys below this are found by looking up, not by sorting."""
_NEARLY: Final = 2
"""The best so many levels of unequal names count as agreeing."""
_TINY: Final = 1e-300
_SIDES: Final = ((2, "household"), (3, "community"), (4, "namesake"))
CLASSES: Final = ("match", "random", "household", "community", "namesake")


@dataclass(frozen=True)
class Cells:
    """The cells of one group that were seen, in order, and the log2 probability of each in every class."""

    keys: Integers
    levels: NDArray[np.int64]
    logs: Floats
    """Shape (classes, cells)."""
    fields: tuple[tuple[Floats, ...], ...]
    """Per class, per member of the group: probability of each level given that it is there."""


@dataclass(frozen=True)
class Parameters:
    """A fitted model: how common each class is among all pairs (log2), and its cells per group."""

    prior: Floats
    cells: tuple[Cells, ...]


def fit(records: Records, compared: Compared, own: NDArray[np.bool_], random: Compared, pairs: float) -> Parameters:
    """Estimate the parameters from candidate pairs and pairs taken at random.

    Args:
        records: all records.
        compared: the candidate pairs.
        own: per group and candidate pair, whether only rules that use the group's own fields found the pair.
        random: pairs taken at random.
        pairs: how many pairs there are in all.
    """
    return _Fit(records, compared, own, random, pairs).run()


class _Fit:
    def __init__(
        self, records: Records, compared: Compared, own: NDArray[np.bool_], random: Compared, pairs: float
    ) -> None:
        self.records, self.pairs = records, pairs
        self.groups = [
            _GroupFit(records, group, compared.cells[g], random, g) for g, group in enumerate(records.groups)
        ]
        self.patterns, self.counts = _patterns([group.where for group in self.groups], own)
        self.weights = [np.where(own[g][self.patterns], _OWN_RULES_ONLY, 1.0) for g in range(len(records.groups))]
        self.cells = [group.where[self.patterns] for group in self.groups]
        has = {item.role for item in records.fields}
        self.active = np.array(
            [
                True,
                True,
                bool(has & PLACES) and bool(has & PERSONAL),
                bool(has & PLACES) and Role.BIRTH in has,
                bool(has & NAMES) and len(has - NAMES) > 1,
            ]
        )

    def run(self) -> Parameters:
        share = np.array([_START.get(name, 0.0) for name in CLASSES]) * self.records.size / self.pairs
        share = np.where(self.active, share, 0.0)
        share[1] = 1.0 - share.sum()
        before = np.log(share[0])
        for _ in range(_ROUNDS):
            share = self._round(share)
            now = np.log(max(share[0], _TINY))
            if abs(now - before) < _SETTLED:
                break
            before = now
        cells = tuple(group.result() for group in self.groups)
        return Parameters(np.log2(np.maximum(share, _TINY)), cells)

    def _round(self, share: Floats) -> Floats:
        logs = np.log2(np.maximum(share, _TINY))[:, None] + sum(
            group.logs[:, cell] for group, cell in zip(self.groups, self.cells, strict=True)
        )
        logs = np.where(self.active[:, None], logs, -np.inf)
        odds = np.exp2(logs - logs.max(axis=0))
        belongs = odds / odds.sum(axis=0) * self.counts
        for group, cell, weight in zip(self.groups, self.cells, self.weights, strict=True):
            group.learn(cell, belongs * weight)
        found = belongs.sum(axis=1) / self.pairs
        found[1] = 1.0 - found[0] - found[2:].sum()
        return np.asarray(found)


def _patterns(where: list[Integers], own: NDArray[np.bool_]) -> tuple[Integers, Floats]:
    """One candidate pair of each kind, and how many there are of it."""
    rng = np.random.Generator(np.random.PCG64(11))
    mixed = np.zeros(own.shape[1], dtype=np.uint64)
    for column in (*where, *own):
        factor = rng.integers(1, 2**63, dtype=np.uint64) | np.uint64(1)
        with np.errstate(over="ignore"):
            mixed = (mixed ^ column.astype(np.uint64)) * factor
            mixed ^= mixed >> np.uint64(29)
    order, in_order = ordered_hashes(mixed)
    starts = np.flatnonzero(np.r_[True, in_order[1:] != in_order[:-1]]) if len(order) else np.zeros(0, np.int64)
    return order[starts], np.diff(np.r_[starts, len(order)]).astype(np.float64)


class _GroupFit:
    """The cells of one group while they are learnt."""

    def __init__(self, records: Records, group: Group, cells: Integers, random: Compared, number: int) -> None:
        self.group, self.records = group, records
        self.members = [records.fields[index] for index in group.fields]
        both = np.concatenate([cells, random.cells[number]])
        self.keys, where = distinct(both)
        self.where, random_where = where[: len(cells)], where[len(cells) :]
        self.levels = unpacked(group, records.fields, self.keys)
        self.sizes = group.sizes(records.fields)
        self.absent = _numbered(self.levels == 0)
        random_count = np.bincount(random_where, minlength=len(self.keys)).astype(np.float64)
        self.random = [self._random_field(place, random_count) for place in range(len(self.sizes))]
        usual = [self._usual(place) for place in range(len(self.sizes))]
        self.usual = usual
        sides = [[self._start(place, usual[place], side) for place in range(len(self.sizes))] for _, side in _SIDES]
        self.by_class: list[list[Floats]] = [usual, self.random, *sides]
        self.logs = np.zeros((len(CLASSES), len(self.keys)))
        self.logs[1] = self._shrunk(self.random, random_count, _RANDOM_SHRINK)
        self.logs[0] = np.log2(self._product(usual))
        for number_of_class, name in _SIDES:
            self.logs[number_of_class] = self._side_logs(number_of_class, name)

    def result(self) -> Cells:
        """What was learnt."""
        return Cells(self.keys, self.levels, self.logs, tuple(tuple(fields) for fields in self.by_class))

    def learn(self, cell: Integers, belongs: Floats) -> None:
        """Take in how many pairs of each kind belong to each class."""
        counts = [np.bincount(cell, belongs[c], len(self.keys)).astype(np.float64) for c in range(len(CLASSES))]
        match = [self._match_field(place, counts[0]) for place in range(len(self.sizes))]
        self.by_class[0] = match
        self.logs[0] = self._capped(self._shrunk(match, counts[0], _MATCH_SHRINK))
        for c, name in _SIDES:
            self.by_class[c] = [self._side_field(place, counts[c], name) for place in range(len(self.sizes))]
            self.logs[c] = self._side_logs(c, name)

    def _side_logs(self, number: int, side: str) -> Floats:
        if all(self._learning(place, side) is Learning.RANDOM for place in range(len(self.sizes))):
            return np.asarray(self.logs[1])
        return np.asarray(np.log2(self._product(self.by_class[number])))

    def _level_counts(self, place: int, counts: Floats) -> Floats:
        return np.asarray(np.bincount(self.levels[:, place], counts, self.sizes[place])[1:], dtype=np.float64)

    def _random_field(self, place: int, counts: Floats) -> Floats:
        if self.group.is_crossing:
            return _crossing_at_random(self.records)
        found = self._level_counts(place, counts)
        member = self.members[place]
        exact = np.bincount(member.bin_of[1:], member.share[1:] ** 2, member.bins)
        inexact = found[: member.inexact] + np.array([2.0] + [0.5] * (member.inexact - 1))
        return np.asarray(np.r_[inexact / inexact.sum() * (1.0 - exact.sum()), np.maximum(exact, 1e-12)])

    def _usual(self, place: int) -> Floats:
        if self.group.is_crossing:
            return np.array(_CROSSED_MATCH)
        member = self.members[place]
        inexact = np.array(member.meaning.usual)
        exact = np.bincount(member.bin_of[1:], member.share[1:], member.bins)
        exact = np.maximum(exact / max(exact.sum(), _TINY), 1e-4)
        return np.asarray(np.r_[inexact, (1.0 - inexact.sum()) * exact / exact.sum()])

    def _match_field(self, place: int, counts: Floats) -> Floats:
        found = self._level_counts(place, counts)
        if self.group.is_crossing:
            found = found + _PRIOR_COUNT * self.usual[place]
            return np.asarray(found / found.sum())
        found = found + (_PRIOR_COUNT + _PRIOR_SHARE * found.sum()) * self.usual[place]
        found = found / found.sum()
        most = self.members[place].meaning.most_different
        if most is not None and found[0] > most:
            found[1:] *= (1.0 - most) / (1.0 - found[0])
            found[0] = most
        return np.asarray(found)

    def _learning(self, place: int, side: str) -> Learning:
        if self.group.is_crossing:
            return Learning.RANDOM
        meaning = self.members[place].meaning
        return {"household": meaning.household, "community": meaning.community, "namesake": meaning.namesake}[side]

    def _start(self, place: int, usual: Floats, side: str) -> Floats:
        random = self.random[place]
        match self._learning(place, side):
            case Learning.FREE:
                return 0.6 * usual + 0.4 * random
            case Learning.LEANING:
                return 0.07 * usual + 0.93 * random
            case Learning.AGREED:
                near = np.arange(len(random)) >= len(self.members[place].meaning.levels) - _NEARLY
                return np.asarray(0.05 * random + 0.95 * np.where(near, random, 0.0) / max(random[near].sum(), _TINY))
            case Learning.SURNAME:
                found = random.copy()
                found[[0, *range(2, len(found))]] *= 0.4 / max(1.0 - found[1], _TINY)
                found[1] = 0.6
                return found
            case _:
                return random

    def _side_field(self, place: int, counts: Floats, side: str) -> Floats:
        random = self.random[place]
        found = self._level_counts(place, counts)
        match self._learning(place, side):
            case Learning.FREE:
                found = found + (_PRIOR_COUNT + _PRIOR_SHARE * found.sum()) * self._start(
                    place, self.usual[place], side
                )
            case Learning.LEANING:
                found = found + 20.0 * random
            case Learning.TIED:
                found = found + max(0.1 * found.sum(), 1.0) * random
            case _:
                return self._start(place, self.usual[place], side)
        return np.asarray(found / found.sum())

    def _product(self, fields: list[Floats]) -> Floats:
        """Probability of every cell if its fields were independent; absent fields say nothing."""
        found = np.ones(len(self.keys))
        for place, probabilities in enumerate(fields):
            found *= np.r_[1.0, probabilities][self.levels[:, place]]
        return np.maximum(found, _TINY)

    def _shrunk(self, fields: list[Floats], counts: Floats, shrink: float) -> Floats:
        """log2 of cell probabilities: the counts' ratio to independence, shrunk; each null pattern sums to one."""
        product = self._product(fields)
        if len(self.sizes) == 1:
            return np.log2(product)
        totals = np.bincount(self.absent, counts)
        expected = totals[self.absent] * product
        found = product * (counts + shrink) / (expected + shrink)
        sums = np.bincount(self.absent, found) + 1.0 - np.minimum(np.bincount(self.absent, product), 1.0)
        return np.log2(np.maximum(found / sums[self.absent], _TINY))

    def _capped(self, logs: Floats) -> Floats:
        """All names totally different at once: a person's own names seldom are."""
        names = [place for place, member in enumerate(self.members) if member.role in NAMES]
        if not names:
            return logs
        levels = self.levels[:, names]
        different = (levels > 0).any(axis=1) & (levels <= 1).all(axis=1)
        return np.where(different, np.minimum(logs, np.log2(_ALL_DIFFERENT)), logs)


def _crossing_at_random(records: Records) -> Floats:
    """How often names of two people cross: from the shares of values that are both given and family names."""
    given, family = records.numbered(Role.GIVEN), records.numbered(Role.FAMILY)
    if given is None or family is None:
        return np.full(CROSSED_SIZES - 1, 1.0 / (CROSSED_SIZES - 1))
    one = float((records.fields[given].share * records.fields[family].share).sum())
    one = max(one, 1.0 / max(records.size, 1) ** 1.5)
    return np.array([1.0 - 2.0 * one - one * one, 2.0 * one, one * one * _NEARLY_CROSSING])


def distinct(keys: Integers) -> tuple[Integers, Integers]:
    """The distinct keys in order, and where each key stands among them."""
    highest = int(keys.max(initial=0))
    if highest < _LOOKED_UP:
        there = np.zeros(highest + 1, dtype=np.bool_)
        there[keys] = True
        return np.flatnonzero(there), (np.cumsum(there) - 1)[keys]
    order, in_order = ordered(keys, highest)
    fresh = np.r_[True, in_order[1:] != in_order[:-1]] if len(order) else np.zeros(0, np.bool_)
    where = np.empty(len(keys), dtype=np.int64)
    where[order] = np.cumsum(fresh) - 1
    return in_order[fresh], where


def _numbered(flags: NDArray[np.bool_]) -> Integers:
    """A number for each distinct row of flags."""
    code = flags @ (1 << np.arange(flags.shape[1]))
    return distinct(code.astype(np.int64))[1]
