"""What the comparisons of a pair amount to: log2 odds that both are one person, with the evidence in words.

The sum starts at minus log2 of the population (two people taken at random are one person that seldom) and adds
what each comparison says. Guards speak last: they take back what they explain, and add evidence against.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

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


@dataclass(frozen=True)
class Evidence:
    """One line of the reasons for an edge: what was compared, how it came out, and the bits it adds."""

    comparison: str
    level: str
    weight: float


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


def evidence_of(scored: Scored, rules: IdentityRules, chosen: Integers) -> list[list[dict[str, object]]]:
    """The reasons of the chosen pairs, heaviest first, the starting odds last. Holds no values, only outcomes."""
    lines: list[list[tuple[float, str, str]]] = [[] for _ in range(len(chosen))]
    for item in rules.comparisons:
        level = scored.levels[item.comparison][chosen]
        share = scored.shares[item.comparison][chosen]
        for position in np.flatnonzero(level >= 0).tolist():
            name = LEVELS[item.comparison][level[position]]
            lines[position].append((float(share[position]), item.comparison, name))
    for guard in rules.guards:
        for position in np.flatnonzero(scored.guards[guard.guard][chosen]).tolist():
            lines[position].append((guard.weight, "guard", guard.guard))
    return [_told(line, scored.prior) for line in lines]


def _told(line: list[tuple[float, str, str]], prior: float) -> list[dict[str, object]]:
    ordered = sorted(line, key=lambda item: (-abs(item[0]), item[1], item[2]))
    told: list[dict[str, object]] = [
        {"comparison": comparison, "level": level, "weight": round(weight, 2)} for weight, comparison, level in ordered
    ]
    return [*told, {"comparison": "prior", "level": "two people at random", "weight": round(prior, 2)}]


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
