"""Training without labels: an estimate of the standing candidates, as corrections of the declared weights."""

from __future__ import annotations

from typing import Final

import numpy as np

from identity.arrays import Integers, integers, read_table
from identity.declaration import Guard, IdentityRules
from identity.estimating import Agreements, Estimate, estimate
from identity.model import Artefact, WeightsByLevel
from identity.patterns import agreeing, estimable, patterns_of
from identity.weighing import Candidates, Weighing
from warehouse.database import Connection

FEWEST_PAIRS: Final = 40
"""Estimated pairs of either kind, one person or two, below which weights stay as declared."""

_MOST_RANDOM, _LEAST_RANDOM, _RANDOM_PER_NODE = 200_000, 40_000, 8
_SHUFFLED: Final = """
    select node_id
    from identity._nodes
    group by node_id
    order by md5('random ' || min(record_id)), min(record_id)
"""


def unlabelled(connection: Connection, weighing: Weighing, candidates: Candidates, artefact: Artefact) -> Artefact:
    """An artefact with what the candidates teach by themselves; as it was, where they are too few to learn from."""
    left, right = _random_pairs(integers(read_table(connection, _SHUFFLED), "node_id"))
    if not len(left) or not len(candidates.left):
        return artefact
    features, rules, prior = weighing.features, weighing.rules, weighing.prior
    found = estimate(
        rules,
        patterns_of(features, rules, prior, candidates.left, candidates.right),
        Agreements(
            weighing.nodes,
            patterns_of(features, rules, prior, left, right),
            {item.comparison: agreeing(item.comparison, features[item.comparison]) for item in estimable(rules)},
        ),
    )
    matches = found.pairs["match"]
    if min(matches, len(candidates.left) - matches) < FEWEST_PAIRS:
        return artefact
    return artefact.model_copy(update=_corrections(found, rules, artefact))


def _random_pairs(shuffled: Integers) -> tuple[Integers, Integers]:
    """Pairs of nodes that have nothing to do with each other: neighbours at some distances in a shuffled circle.

    Which ones hangs on the records alone, not on their order or on chance.
    """
    size = len(shuffled)
    wanted = min(_MOST_RANDOM, max(_LEAST_RANDOM, _RANDOM_PER_NODE * size))
    distances = range(1, 1 + min((size - 1) // 2, -(-wanted // max(size, 1))))
    one = np.concatenate([shuffled[:0], *(shuffled for _ in distances)])
    other = np.concatenate([shuffled[:0], *(np.roll(shuffled, -distance) for distance in distances)])
    return np.minimum(one, other), np.maximum(one, other)


def _corrections(found: Estimate, rules: IdentityRules, artefact: Artefact) -> dict[str, object]:
    corrections: WeightsByLevel = {}
    for item in rules.comparisons:
        for level in item.levels:
            weight = found.weights.get(item.comparison, {}).get(level.level)
            if weight is not None:
                corrections.setdefault(item.comparison, {})[level.level] = round(weight - level.weight, 4)
    guards = {guard.guard: round(found.conflict - guard.weight, 4) for guard in _of_conflicts(rules)}
    return {
        "corrections": corrections,
        "guards": guards,
        "prior": round(found.prior + float(np.log2(artefact.population or 1.0)), 4),
        "rests_on": found.met,
        "chances": found.chances,
        "classes": {name: round(pairs, 1) for name, pairs in found.pairs.items()},
        "is_capped": False,
    }


def _of_conflicts(rules: IdentityRules) -> list[Guard]:
    """The guard that speaks of two ids in one id space and of nothing else, where there is exactly one."""
    found = [guard for guard in rules.guards if set(guard.when) == {"source_conflict"}]
    return found if len(found) == 1 else []
