"""Which nodes are one customer: merging in the order of evidence, with every guard respected inside whole clusters.

Components of linked pairs whose pairs all agree are done at once. The others are merged greedily: the two clusters
with the highest mean weight first, never two that a guard or a decision keeps apart. A component too large to look
at pair by pair is cut at a higher threshold first. Last, clusters that people decided to be one are joined whole; where
that would join what they keep apart, their decisions come first and evidence adds to them. Ties break on the smaller
node, so row order plays no part.
Source of the method: average-linkage agglomeration on clipped log odds.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from identity.arrays import Flags, Floats, Integers, components, root, sorted_groups
from identity.declaration import Clusters

_NEVER = -1.0e6
_LEAST_COUNT = 1e-9
_UNCOMPARED = (-1.0, 1 / 3)
"""Weight of a pair that was never compared, and how much it counts."""

_Pair = tuple[int, int, float, bool, float]
"""Two nodes, the weight, whether a guard keeps them apart, and how informed that is."""


@dataclass(frozen=True)
class Pairs:
    """Scored pairs of nodes, left < right, each pair once. ``apart``: may not stand in one cluster."""

    left: Integers
    right: Integers
    weight: Floats
    apart: Flags
    informed: Floats
    """How much could be compared, 0 to 1: a pair that has nothing to compare says nothing about its clusters."""


@dataclass(frozen=True)
class Decided:
    """What people decided about pairs of nodes: to be together, to be apart."""

    together: tuple[tuple[int, int], ...] = ()
    apart: tuple[tuple[int, int], ...] = ()


def cluster(nodes: int, pairs: Pairs, rules: Clusters, decided: Decided) -> Integers:
    """Per node the smallest node of its cluster."""
    linked = pairs.weight >= rules.link_at
    group = components(nodes, pairs.left[linked], pairs.right[linked])
    disputed = _disputed(group, pairs, rules, decided)
    label = np.where(disputed[group], np.arange(nodes, dtype=np.int64), group)
    apart: dict[int, list[int]] = {}
    for one, other in decided.apart:
        apart.setdefault(one, []).append(other)
    for members, inside in _groups(group, disputed, pairs):
        own = set(members)
        kept_apart = [(node, other) for node in members for other in apart.get(node, ()) if other in own]
        for part in _cut(members, inside, rules, [], kept_apart, rules.link_at):
            label[part] = min(part)
    return _joined(label, pairs, rules, decided) if decided.together else label


def _disputed(group: Integers, pairs: Pairs, rules: Clusters, decided: Decided) -> Flags:
    """Per group (by its smallest node) whether anything inside it speaks against its being one cluster."""
    size = np.bincount(group, minlength=len(group))
    home = group[pairs.left]
    inside = home == group[pairs.right]
    agreed = inside & (((pairs.weight >= rules.link_at) & ~pairs.apart) | (pairs.informed == 0))
    disputed = np.bincount(home[agreed], minlength=len(group)) < size * (size - 1) // 2
    disputed[home[inside & ~agreed]] = True
    for one, other in decided.apart:
        if group[one] == group[other]:
            disputed[group[one]] = True
    return np.asarray(disputed & (size > 1))


def _joined(label: Integers, pairs: Pairs, rules: Clusters, decided: Decided) -> Integers:
    """The clusters after people's decisions that nodes are one: joined whole, or anew where nodes are to be apart."""
    ends = np.array(decided.together, dtype=np.int64).reshape(-1, 2)
    joined = components(len(label), np.r_[np.arange(len(label)), ends[:, 0]], np.r_[label, ends[:, 1]])
    torn = sorted({int(joined[one]) for one, other in decided.apart if joined[one] == joined[other]})
    for home in torn:
        members = np.flatnonzero(joined == home).tolist()
        own = set(members)
        inside = _pairs_at(pairs, np.flatnonzero((joined[pairs.left] == home) & (joined[pairs.right] == home)))
        together = [pair for pair in decided.together if pair[0] in own]
        apart = [pair for pair in decided.apart if pair[0] in own and pair[1] in own]
        for part in _cut(members, inside, rules, together, apart, rules.link_at):
            joined[part] = min(part)
    return joined


def uncompared(nodes: int, pairs: Pairs, rules: Clusters) -> tuple[Integers, Integers]:
    """Pairs inside linked components (of bearable size) that were never compared: guards may stand between them."""
    linked = pairs.weight >= rules.link_at
    label = components(nodes, pairs.left[linked], pairs.right[linked])
    order, starts, sizes = sorted_groups(label)
    left: list[Integers] = []
    right: list[Integers] = []
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        if 2 < size <= rules.largest:
            members = np.sort(order[start : start + size])
            one, other = np.triu_indices(size, 1)
            left.append(members[one])
            right.append(members[other])
    if not left:
        return np.zeros(0, np.int64), np.zeros(0, np.int64)
    every_left, every_right = np.concatenate(left), np.concatenate(right)
    known = np.isin(every_left * nodes + every_right, pairs.left * nodes + pairs.right)
    return every_left[~known], every_right[~known]


def _groups(group: Integers, disputed: Flags, pairs: Pairs) -> Iterable[tuple[list[int], list[_Pair]]]:
    """The disputed groups, with the pairs inside each."""
    by_group: dict[int, list[_Pair]] = {}
    home = group[pairs.left]
    for pair in _pairs_at(pairs, np.flatnonzero((home == group[pairs.right]) & disputed[home])):
        by_group.setdefault(int(group[pair[0]]), []).append(pair)
    nodes = np.flatnonzero(disputed[group])
    order, starts, sizes = sorted_groups(group[nodes])
    for start, size in zip(starts.tolist(), sizes.tolist(), strict=True):
        members = sorted(nodes[order[start : start + size]].tolist())
        yield members, by_group.get(int(group[members[0]]), [])


def _pairs_at(pairs: Pairs, positions: Integers) -> list[_Pair]:
    return [
        (
            int(pairs.left[position]),
            int(pairs.right[position]),
            float(pairs.weight[position]),
            bool(pairs.apart[position]),
            float(pairs.informed[position]),
        )
        for position in positions.tolist()
    ]


def _cut(
    members: list[int],
    inside: list[_Pair],
    rules: Clusters,
    together: list[tuple[int, int]],
    apart: list[tuple[int, int]],
    threshold: float,
) -> list[list[int]]:
    """Agglomerate, after cutting a group that is too large at ever higher thresholds."""
    if len(members) <= rules.largest:
        return _agglomerate(members, inside, rules, together, apart)
    number = {node: position for position, node in enumerate(members)}
    strong = [(number[a], number[b]) for a, b, weight, no, _ in inside if weight >= threshold + 1 and not no]
    strong += [(number[a], number[b]) for a, b in together]
    ends = np.array(strong, dtype=np.int64).reshape(-1, 2)
    label = components(len(members), ends[:, 0], ends[:, 1])
    if threshold > 64 and len(set(label.tolist())) == 1:
        return _agglomerate(members, inside, rules, together, apart)
    parts: dict[int, list[int]] = {}
    for position, node in enumerate(members):
        parts.setdefault(int(label[position]), []).append(node)
    result = []
    for part in parts.values():
        own = set(part)
        result += _cut(
            part,
            [pair for pair in inside if pair[0] in own and pair[1] in own],
            rules,
            [pair for pair in together if pair[0] in own],
            [pair for pair in apart if pair[0] in own and pair[1] in own],
            threshold + 1,
        )
    return result


def _agglomerate(
    members: list[int],
    inside: list[_Pair],
    rules: Clusters,
    together: list[tuple[int, int]],
    apart: list[tuple[int, int]],
) -> list[list[int]]:
    """Merge the two clusters of highest mean weight until none is above the link threshold."""
    size = len(members)
    number = {node: position for position, node in enumerate(members)}
    counts = np.full((size, size), _UNCOMPARED[1])
    total = np.full((size, size), _UNCOMPARED[0] * _UNCOMPARED[1])
    for a, b, weight, no, informed in inside:
        value = rules.weight_apart if no else min(max(weight, rules.weight_at_least), rules.weight_at_most)
        said = 1.0 if weight >= rules.link_at or no else informed
        total[number[a], number[b]] = total[number[b], number[a]] = value * said
        counts[number[a], number[b]] = counts[number[b], number[a]] = said
    for a, b in apart:
        total[number[a], number[b]] = total[number[b], number[a]] = _NEVER
    np.fill_diagonal(total, -np.inf)
    parts: list[list[int]] = [[node] for node in members]
    alive = np.ones(size, dtype=np.bool_)

    def merge(keep: int, gone: int) -> None:
        total[keep] += total[gone]
        total[:, keep] = total[keep]
        total[keep, keep] = -np.inf
        total[gone] = total[:, gone] = -np.inf
        counts[keep] += counts[gone]
        counts[:, keep] = counts[keep]
        alive[gone] = False
        parts[keep] += parts[gone]
        parts[gone] = []

    home = list(range(size))
    for a, b in sorted(together):
        keep, gone = sorted((root(home, number[a]), root(home, number[b])))
        if keep != gone:
            merge(keep, gone)
            home[gone] = keep
    while True:
        mean = total / np.maximum(counts, _LEAST_COUNT)
        mean[~alive] = -np.inf
        best = int(np.argmax(mean))
        keep, gone = sorted(divmod(best, size))
        if not mean[keep, gone] > rules.link_at:
            return [sorted(part) for part in parts if part]
        merge(keep, gone)
