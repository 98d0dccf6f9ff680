"""How close a partition of records comes to the true one.

*F1*, *precision*, *recall* are pairwise over all record pairs that the clusters imply, recall over all true pairs,
whether they were ever compared or not. *b_cubed* is over records. *exact_cluster_f1* counts clusters reproduced member
for member.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from identity.arrays import Integers


def cluster_scores(truth: Integers, found: Integers, source: Integers | None = None) -> Mapping[str, float]:
    """Scores of a partition: codes of the true person and of the found cluster, per record.

    With ``source`` given, pairs count only where they are of two sources (the task is to link, not to find duplicates).
    """
    if not len(truth):
        return {}
    true_code, found_code = codes(truth), codes(found)
    joint = codes(true_code * (int(found_code.max()) + 1) + found_code)
    true_size, found_size, joint_size = np.bincount(true_code), np.bincount(found_code), np.bincount(joint)
    right, claimed, wanted = (_pairs(of, source) for of in (joint, found_code, true_code))
    precision = right / claimed if claimed else 1.0
    recall = right / wanted if wanted else 1.0
    cubed_precision = float((joint_size[joint] / found_size[found_code]).mean())
    cubed_recall = float((joint_size[joint] / true_size[true_code]).mean())
    first = np.zeros(joint_size.size, dtype=np.int64)
    first[joint] = np.arange(joint.size)
    whole = (joint_size == true_size[true_code[first]]) & (joint_size == found_size[found_code[first]])
    return {
        "precision": precision,
        "recall": recall,
        "f1": harmonic(precision, recall),
        "b_cubed_precision": cubed_precision,
        "b_cubed_recall": cubed_recall,
        "b_cubed_f1": harmonic(cubed_precision, cubed_recall),
        "exact_cluster_f1": 2.0 * float(whole.sum()) / (true_size.size + found_size.size),
    }


def _pairs(of: NDArray[np.int64], source: Integers | None) -> int:
    every = pairs_in(of)
    if source is None:
        return every
    kinds = codes(source)
    return every - pairs_in(codes(of * (int(kinds.max()) + 1) + kinds))


def pairs_in(groups: Integers) -> int:
    """How many pairs there are inside groups, by the code of each member's group."""
    wide = np.bincount(groups).astype(np.int64)
    return int((wide * (wide - 1) // 2).sum())


def codes(values: Integers) -> NDArray[np.int64]:
    """The same grouping by numbers from 0."""
    return np.unique(values, return_inverse=True)[1].astype(np.int64)


def harmonic(one: float, other: float) -> float:
    """The harmonic mean of two shares; 0 where both are."""
    return 2 * one * other / (one + other) if one + other else 0.0
