"""Second looks at a partition.

Two clusters with all they know together, and one record against the rest of its cluster.

A new phone may match one member and an old address another: likelihood ratios are averaged over the members' pairs per
group before evidence is added up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from identity.arrays import Flags, Floats, Integers, expand, sorted_groups
from identity.linker.comparison import Compared, Records, compare
from identity.linker.partition import LEAST, MOST, Constraints, Weighed
from identity.linker.score import Model, group_logs, odds

_ROUNDS: Final = 2
_JOINED_FROM: Final = -2.0
_MOST_PAIRS: Final = 200
_MERGED_FROM: Final = 1.5
_EJECT_SMALLEST, _EJECT_LARGEST = 3, 60
_MOST_BITS: Final = 200.0


@dataclass(frozen=True)
class ClusterScorer:
    """Scores sets of pairs: each set is all pairs between two groups of records."""

    records: Records
    model: Model

    def score(
        self, compared: Compared, set_of: Integers, sets: int, member: Integers | None = None
    ) -> tuple[Floats, Floats]:
        """Per set the log2 odds of one person, and the mean clipped weight of its pairs.

        ``member`` says which compared pair each element of ``set_of`` is (default: in order).
        """
        chosen = np.arange(len(compared)) if member is None else member
        prior = self.model.parameters.prior
        total = np.repeat(prior[:, None], sets, axis=1)
        whole = np.repeat(prior[:, None], len(compared), axis=1)
        for logs, group in zip(group_logs(self.records, self.model, compared), self.records.groups, strict=True):
            whole += logs
            there = compared.crossed > 1 if group.is_crossing else np.zeros(len(compared), dtype=np.bool_)
            for number in group.fields:
                there |= compared.levels[number] > 0
            known = np.flatnonzero(there[chosen])
            if not len(known):
                continue
            of = set_of[known]
            count = np.maximum(np.bincount(of, minlength=sets), 1)
            for c in (0, *range(2, len(prior))):
                ratio = np.exp2(np.clip(logs[c] - logs[1], -_MOST_BITS, _MOST_BITS))[chosen[known]]
                mean = np.bincount(of, ratio, sets) / count
                total[c] += np.where(mean > 0, np.log2(np.maximum(mean, 1e-300)), 0.0)
        clipped = np.clip(odds(whole), LEAST, MOST)[chosen]
        counts = np.maximum(np.bincount(set_of, minlength=sets), 1)
        return odds(total), np.bincount(set_of, clipped, sets) / counts


def merge_clusters(
    scorer: ClusterScorer, label: Integers, pairs: Weighed, constraints: Constraints, threshold: float
) -> Integers:
    """Merge pairs of clusters that are each other's best and one person taken together."""
    for _ in range(_ROUNDS):
        merged = _merge_once(scorer, label, pairs, constraints, threshold)
        if np.array_equal(merged, label):
            break
        label = merged
    return label


def _merge_once(
    scorer: ClusterScorer, label: Integers, pairs: Weighed, constraints: Constraints, threshold: float
) -> Integers:
    size = len(label)
    counts = np.bincount(label, minlength=size)
    close = (pairs.weight > threshold + _JOINED_FROM) & (label[pairs.left] != label[pairs.right])
    a, b = label[pairs.left[close]], label[pairs.right[close]]
    fits = (counts[a] + counts[b] > 2) & (counts[a] * counts[b] <= _MOST_PAIRS)
    keys = np.minimum(a, b)[fits] * size + np.maximum(a, b)[fits]
    keys = np.sort(keys)
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
    if not len(keys):
        return label
    low, high = keys // size, keys % size
    left, right, of = cross(label, low, high)
    score, mean = scorer.score(compare(scorer.records, left, right), of, len(keys))
    good = (score > threshold + _MERGED_FROM) & (mean > LEAST) & ~_apart(left, right, of, len(keys), constraints)
    return _merged(label, low[good], high[good], score[good])


def cross(label: Integers, low: Integers, high: Integers) -> tuple[Integers, Integers, Integers]:
    """All pairs of members of pairs of clusters: left and right record, and the number of the cluster pair."""
    order, starts, sizes = sorted_groups(label)
    at = np.zeros(len(label), dtype=np.int64)
    at[label[order[starts]]] = np.arange(len(starts))
    one, other = at[low], at[high]
    of, nth = expand(sizes[one] * sizes[other])
    width = sizes[other][of]
    a = order[starts[one][of] + nth // width]
    b = order[starts[other][of] + nth % width]
    return np.minimum(a, b), np.maximum(a, b), of


def _apart(left: Integers, right: Integers, of: Integers, sets: int, constraints: Constraints) -> Flags:
    bad = np.zeros(len(left), dtype=np.bool_)
    if constraints.source is not None:
        source = constraints.source
        bad |= (source[left] == source[right]) & (source[left] >= 0)
    if len(constraints.apart):
        size = int(max(left.max(initial=0), right.max(initial=0), constraints.apart.max())) + 1
        bad |= np.isin(left * size + right, constraints.apart.min(axis=1) * size + constraints.apart.max(axis=1))
    return np.asarray(np.bincount(of, bad, sets) > 0)


def _merged(label: Integers, low: Integers, high: Integers, score: Floats) -> Integers:
    best: dict[int, tuple[float, int]] = {}
    for a, b, value in zip(low.tolist(), high.tolist(), score.tolist(), strict=True):
        for one, other in ((a, b), (b, a)):
            if one not in best or (-value, other) < (-best[one][0], best[one][1]):
                best[one] = (value, other)
    found = label.copy()
    to = np.arange(len(label), dtype=np.int64)
    for one, (_, other) in best.items():
        if one < other and best[other][1] == one:
            to[other] = one
    return to[found]


def eject(
    scorer: ClusterScorer, label: Integers, pairs: Weighed, constraints: Constraints, threshold: float
) -> Integers:
    """Let the record leave that, against all the rest of its cluster, is more likely somebody else; one a cluster."""
    size = len(label)
    counts = np.bincount(label, minlength=size)
    weak = (label[pairs.left] == label[pairs.right]) & (pairs.weight < threshold)
    suspect = np.zeros(size, dtype=np.bool_)
    suspect[label[pairs.left[weak]]] = True
    suspect &= (counts >= _EJECT_SMALLEST) & (counts <= _EJECT_LARGEST)
    nodes = np.flatnonzero(suspect[label])
    if not len(nodes):
        return label
    left, right = _within(label, nodes)
    number = np.zeros(size, dtype=np.int64)
    number[nodes] = np.arange(len(nodes))
    compared = compare(scorer.records, left, right)
    twice = np.r_[np.arange(len(left)), np.arange(len(left))]
    score, _ = scorer.score(compared, number[np.r_[left, right]], len(nodes), twice)
    bound = np.unique(constraints.together) if len(constraints.together) else np.zeros(0, np.int64)
    score[np.isin(nodes, bound)] = np.inf
    order = np.lexsort((nodes, score, label[nodes]))
    first = order[np.flatnonzero(np.r_[True, label[nodes[order]][1:] != label[nodes[order]][:-1]])]
    gone = nodes[first[score[first] < threshold]]
    return _without(label, gone)


def _within(label: Integers, nodes: Integers) -> tuple[Integers, Integers]:
    order, starts, sizes = sorted_groups(label[nodes])
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    first, nth = expand(np.repeat(sizes, sizes) - 1 - place)
    a, b = nodes[order[first]], nodes[order[first + 1 + nth]]
    return np.minimum(a, b), np.maximum(a, b)


def _without(label: Integers, gone: Integers) -> Integers:
    """Labels with some records alone; a cluster is named by the smallest record that stays."""
    found = label.copy()
    found[gone] = -1
    kept = np.flatnonzero(found >= 0)
    smallest = np.full(len(label), len(label), dtype=np.int64)
    np.minimum.at(smallest, found[kept], kept)
    found[kept] = smallest[found[kept]]
    found[gone] = gone
    return found
