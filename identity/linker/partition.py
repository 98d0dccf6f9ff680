"""Which records are one person: merging in the order of evidence, inside groups that evidence joins.

A chain of likely pairs is not yet one person. Where all pairs of a component agree it is; elsewhere clusters are merged
greedily by their mean weight, with pairs never compared counting against. What may not be together stays apart whatever
the evidence.

Source of the method: average-linkage agglomeration on clipped log odds. Ties break on the smaller record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Flags, Floats, Integers, components, expand, ordered, sorted_groups

COMPLETED: Final = 120
_LARGEST: Final = 1500
LEAST, MOST = -3.0, 16.0
_UNSEEN: Final = -1.0
_NEVER: Final = -1.0e6


def _no_pairs() -> Integers:
    return np.zeros((0, 2), dtype=np.int64)


@dataclass(frozen=True)
class Constraints:
    """What evidence may not change: pairs that are together or apart, and sources that hold each person once."""

    together: Integers = field(default_factory=_no_pairs)
    apart: Integers = field(default_factory=_no_pairs)
    source: NDArray[np.int32] | None = None
    """Per record its source where that source holds nobody twice, else -1."""


@dataclass(frozen=True)
class Weighed:
    """Scored pairs, left < right."""

    left: Integers
    right: Integers
    weight: Floats

    def with_more(self, other: Weighed) -> Weighed:
        """Both sets of pairs."""
        return Weighed(np.r_[self.left, other.left], np.r_[self.right, other.right], np.r_[self.weight, other.weight])


def linked_components(size: int, pairs: Weighed, constraints: Constraints, threshold: float) -> Integers:
    """The smallest record of each record's component of likely pairs; no component is too large to look at."""
    strong = pairs.weight >= threshold
    together = constraints.together
    label = components(size, np.r_[pairs.left[strong], together[:, 0]], np.r_[pairs.right[strong], together[:, 1]])
    raised = threshold
    while True:
        counts = np.bincount(label, minlength=size)
        large = counts[label] > _LARGEST
        if not large.any() or raised > threshold + 64:
            return label
        raised += 1.0
        inside = large[pairs.left] & (pairs.weight >= raised) & (label[pairs.left] == label[pairs.right])
        kept = large[together[:, 0]] if len(together) else np.zeros(0, np.bool_)
        finer = components(
            size, np.r_[pairs.left[inside], together[kept][:, 0]], np.r_[pairs.right[inside], together[kept][:, 1]]
        )
        label = np.where(large, finer, label)


def unseen_pairs(size: int, label: Integers, pairs: Weighed) -> tuple[Integers, Integers]:
    """Pairs inside components of bearable size that no rule brought together."""
    order, starts, sizes = sorted_groups(label)
    fit = (sizes > 2) & (sizes <= COMPLETED)
    place = np.arange(len(order)) - np.repeat(starts, sizes)
    later = np.where(np.repeat(fit, sizes), np.repeat(sizes, sizes) - 1 - place, 0)
    first, nth = expand(later)
    one, other = order[first], order[first + 1 + nth]
    keys = np.minimum(one, other) * size + np.maximum(one, other)
    inside = label[pairs.left] == label[pairs.right]
    known = np.sort(pairs.left[inside] * size + pairs.right[inside])
    if len(known):
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        keys = keys[known[at] != keys]
    keys = np.sort(keys)
    return keys // size, keys % size


def partition(size: int, label: Integers, pairs: Weighed, constraints: Constraints, threshold: float) -> Integers:
    """Per record the smallest record of its cluster, given the components."""
    found = np.arange(size, dtype=np.int64)
    inside = np.flatnonzero(label[pairs.left] == label[pairs.right])
    inside_label = label[pairs.left[inside]]
    likely = np.bincount(inside_label[pairs.weight[inside] >= threshold], minlength=size)
    counts = np.bincount(label, minlength=size)
    agreed = likely == counts * (counts - 1) // 2
    agreed &= ~_has_conflict(size, label, constraints)
    found[agreed[label]] = label[agreed[label]]
    still_open = ~agreed[inside_label]
    for members, matrix in _matrices(label, counts, agreed, pairs, inside[still_open], constraints):
        for part in agglomerate(matrix, threshold):
            found[members[part]] = members[part[0]]
    return found


def _has_conflict(size: int, label: Integers, constraints: Constraints) -> Flags:
    """Per component whether some of its records may not be together."""
    found = np.zeros(size, dtype=np.bool_)
    for a, b in constraints.apart.tolist():
        found[label[a]] |= label[a] == label[b]
    if constraints.source is not None:
        held = np.flatnonzero(constraints.source >= 0)
        key = label[held] * (int(constraints.source.max(initial=0)) + 1) + constraints.source[held]
        order = np.argsort(key)
        twice = key[order][1:] == key[order][:-1]
        found[label[held[order[1:][twice]]]] = True
    return found


def _matrices(
    label: Integers, counts: Integers, agreed: Flags, pairs: Weighed, inside: Integers, constraints: Constraints
) -> Iterator[tuple[Integers, Floats]]:
    """Members (in order) of each open component and the matrix of its clipped weights."""
    nodes = np.flatnonzero(~agreed[label] & (counts[label] > 1))
    nodes = nodes[ordered(label[nodes], len(label))[0]]
    place = np.zeros(len(label), dtype=np.int64)
    starts = np.flatnonzero(np.r_[True, label[nodes][1:] != label[nodes][:-1]]) if len(nodes) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(nodes)])
    place[nodes] = np.arange(len(nodes)) - np.repeat(starts, sizes)
    order = inside[ordered(label[pairs.left[inside]], len(label))[0]]
    pair_label = label[pairs.left[order]]
    clipped = np.clip(pairs.weight[order], LEAST, MOST)
    one, other = place[pairs.left[order]], place[pairs.right[order]]
    bounds = np.searchsorted(pair_label, label[nodes[starts]]) if len(starts) else starts
    ends = np.searchsorted(pair_label, label[nodes[starts]], side="right") if len(starts) else starts
    forbidden = _by_component(label, constraints.apart)
    required = _by_component(label, constraints.together)
    for start, size, first, last in zip(starts.tolist(), sizes.tolist(), bounds.tolist(), ends.tolist(), strict=True):
        members = nodes[start : start + size]
        matrix = np.full((size, size), _UNSEEN)
        a, b, w = one[first:last], other[first:last], clipped[first:last]
        matrix[a, b] = w
        matrix[b, a] = w
        if constraints.source is not None:
            source = constraints.source[members]
            matrix[(source[:, None] == source[None, :]) & (source >= 0)[:, None]] = _NEVER
        here = int(label[members[0]])
        for value, chosen in ((-_NEVER, required.get(here, ())), (_NEVER, forbidden.get(here, ()))):
            for left, right in chosen:
                matrix[place[left], place[right]] = matrix[place[right], place[left]] = value
        yield members, matrix


def _by_component(label: Integers, pairs: Integers) -> dict[int, list[tuple[int, int]]]:
    found: dict[int, list[tuple[int, int]]] = {}
    for left, right in pairs.tolist():
        if label[left] == label[right]:
            found.setdefault(int(label[left]), []).append((left, right))
    return found


def agglomerate(matrix: Floats, threshold: float) -> list[list[int]]:
    """Merge the two clusters with the highest mean weight until none is above the threshold."""
    size = len(matrix)
    total = matrix.copy()
    count = np.ones(size)
    parts: list[list[int]] = [[node] for node in range(size)]
    mean = total.copy()
    np.fill_diagonal(mean, -np.inf)
    while True:
        keep, gone = divmod(int(mean.argmax()), size)
        if not mean[keep, gone] > threshold:
            return [sorted(part) for part in parts if part]
        if keep > gone:
            keep, gone = gone, keep
        total[keep] += total[gone]
        total[:, keep] = total[keep]
        count[keep] += count[gone]
        row = total[keep] / (count * count[keep])
        dead = np.isneginf(mean[keep])
        row[dead] = -np.inf
        mean[keep] = row
        mean[:, keep] = row
        mean[keep, keep] = -np.inf
        mean[gone] = -np.inf
        mean[:, gone] = -np.inf
        parts[keep] += parts[gone]
        parts[gone] = []
