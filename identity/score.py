"""What the comparisons of a pair amount to: log2 odds that both are one person, with the evidence in words.

The sum starts at minus log2 of the population (two people taken at random are one person that seldom) and adds
what each comparison says. Guards speak last: they take back what they explain, and add evidence against.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from identity.arrays import Flags, Floats, Integers
from identity.compare import Compared
from identity.declaration import LEVELS, Comparison, Guard, IdentityRules

_CERTAIN_BITS = 60.0


@dataclass(frozen=True)
class Scored:
    """Per pair: the weight in bits, whether a guard keeps the two apart, and each comparison's share."""

    weight: Floats
    apart: Flags
    informed: Floats
    """How much could be compared: 0 nothing, 1 as much as declared or more."""
    shares: Mapping[str, Floats]
    levels: Mapping[str, Integers]
    guards: Mapping[str, Flags]
    prior: float


def score(compared: Compared, rules: IdentityRules, prior: float) -> Scored:
    """Weigh compared pairs by levels and guards; ``prior``: the odds of two people taken at random, in bits."""
    shares = {item.comparison: _share(item, compared, prior) for item in rules.comparisons}
    for item in rules.comparisons:
        for other, levels in item.silent_after.items():
            shares[item.comparison][reached(compared, other, levels)] = 0.0
    guards = {guard.guard: holds(guard, compared) for guard in rules.guards}
    for guard in rules.guards:
        _explain_away(guard, guards[guard.guard], shares)
    weight = np.full(len(compared.conflict), prior)
    for share in shares.values():
        weight = weight + share
    for guard in rules.guards:
        weight = weight + np.where(guards[guard.guard], guard.weight, 0.0)
    apart = np.zeros(len(weight), dtype=np.bool_)
    for guard in rules.guards:
        if guard.apart is not None:
            apart |= guards[guard.guard] & (weight < guard.apart)
    return Scored(weight, apart, _informed(compared, rules), shares, compared.levels, guards, prior)


def probability(weight: Floats) -> Floats:
    """The probability that log2 odds stand for."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(weight, -_CERTAIN_BITS, _CERTAIN_BITS))))


def evidence_of(scored: Scored, rules: IdentityRules, chosen: Integers) -> pa.ListArray:
    """The reasons of the chosen pairs, heaviest first, the starting odds last. Holds no values, only outcomes."""
    words: dict[str, int] = {}
    lines = [*_compared_lines(scored, rules, chosen, words), *_guard_lines(scored, rules, chosen, words)]
    lines.sort(key=lambda line: line.order)
    comparison, level = (words.setdefault(word, len(words)) for word in ("prior", "two people at random"))
    prior = _Line((), np.arange(len(chosen)), comparison, level, scored.prior)
    return _told([*lines, prior], len(chosen), list(words))


@dataclass(frozen=True)
class _Line:
    """What one comparison or guard says, for all pairs of which it says anything; words by number."""

    order: tuple[str, ...]
    pair: Integers
    comparison: int
    level: Integers | int
    weight: Floats | float


def _compared_lines(scored: Scored, rules: IdentityRules, chosen: Integers, words: dict[str, int]) -> Iterator[_Line]:
    for item in rules.comparisons:
        level = scored.levels[item.comparison][chosen]
        pair = np.flatnonzero(level >= 0)
        number = np.array([words.setdefault(name, len(words)) for name in LEVELS[item.comparison]], dtype=np.int64)
        share = scored.shares[item.comparison][chosen][pair]
        comparison = words.setdefault(item.comparison, len(words))
        yield _Line((item.comparison,), pair, comparison, number[level[pair]], share)


def _guard_lines(scored: Scored, rules: IdentityRules, chosen: Integers, words: dict[str, int]) -> Iterator[_Line]:
    for guard in rules.guards:
        pair = np.flatnonzero(scored.guards[guard.guard][chosen])
        comparison = words.setdefault("guard", len(words))
        level = words.setdefault(guard.guard, len(words))
        yield _Line(("guard", guard.guard), pair, comparison, level, guard.weight)


def _told(lines: list[_Line], pairs: int, words: list[str]) -> pa.ListArray:
    """All lines by pair; within a pair by how much they weigh, the last one last."""

    def column(values: Iterable[Floats | Integers | float | int], kind: type) -> NDArray[Any]:
        return np.concatenate(
            [
                np.broadcast_to(np.asarray(value, kind), len(line.pair))
                for line, value in zip(lines, values, strict=True)
            ]
        )

    pair = column((line.pair for line in lines), np.int64)
    weight = column((line.weight for line in lines), np.float64)
    place = column(range(len(lines)), np.int64)
    heaviness = np.where(place == len(lines) - 1, np.inf, -np.abs(weight))
    order = np.lexsort((place, heaviness, pair))
    dictionary = pa.array(words, pa.string())

    def texts(values: Iterable[Integers | int]) -> pa.Array:
        return dictionary.take(pa.array(column(values, np.int64)[order]))

    told = pa.StructArray.from_arrays(
        [
            texts(line.comparison for line in lines),
            texts(line.level for line in lines),
            pa.array(np.round(weight[order], 2), pa.float64()),
        ],
        names=["comparison", "level", "weight"],
    )
    ends = np.cumsum(np.bincount(pair, minlength=pairs))
    return pa.ListArray.from_arrays(pa.array(np.r_[0, ends], pa.int32()), told)


def _share(item: Comparison, compared: Compared, prior: float) -> Floats:
    level = compared.levels[item.comparison]
    weights = np.array([entry.weight for entry in item.levels] + [0.0])
    rarities = np.array([entry.rarity for entry in item.levels] + [0.0])
    share = weights[level] + rarities[level] * np.where(level >= 0, compared.rarity[item.comparison], 0.0)
    if item.short_of_link is not None:
        share = np.minimum(share, -prior - item.short_of_link)
    return np.asarray(share)


def reached(compared: Compared, name: str, levels: tuple[str, ...]) -> Flags:
    """Whether a comparison came out as one of the levels (any, when none is named)."""
    if name == "source_conflict":
        return compared.conflict
    found = compared.levels[name]
    if not levels:
        return np.asarray(found >= 0)
    return np.isin(found, [LEVELS[name].index(level) for level in levels])


def _informed(compared: Compared, rules: IdentityRules) -> Floats:
    count = np.zeros(len(compared.conflict))
    for name in rules.clusters.informed_by:
        count += compared.levels[name] >= 0
    return np.minimum(count / rules.clusters.informed_at, 1.0)


def holds(guard: Guard, compared: Compared) -> Flags:
    """Which pairs a guard speaks of."""
    holds = np.ones(len(compared.conflict), dtype=np.bool_)
    for name, levels in guard.when.items():
        holds &= reached(compared, name, levels)
    return holds


def _explain_away(guard: Guard, holds: Flags, shares: dict[str, Floats]) -> None:
    for name, kept in guard.explains.items():
        if name in shares:
            share = shares[name]
            shares[name] = np.where(holds & (share > 0), share * kept, share)
