"""How the comparisons of candidate pairs came out, counted: per comparison and level, and by weight.

A model version keeps the counts of its training. Where those of a run differ, what arrives is no longer what the model
was made for: *population stability index*, the sum of (now − then) · ln(now / then) over shares; above a quarter the
change is large.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from identity.arrays import Floats, Integers, arrow
from identity.declaration import LEVELS

ABSENT = "nothing to compare"
WEIGHT = "weight"
"""Stands for a comparison; its levels are bands of bits, named by where they begin."""

_BAND_BITS, _LOWEST, _HIGHEST = 4, -24, 40
_BANDS = tuple(range(_LOWEST, _HIGHEST, _BAND_BITS))
_SMOOTHING = 0.5


@dataclass(frozen=True)
class Outcomes:
    """Pairs per comparison and level."""

    counts: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, levels: Mapping[str, Integers], weight: Floats) -> Outcomes:
        """Count the levels (-1: nothing to compare) and weights of some pairs."""
        counts = {comparison: level_counts(comparison, found) for comparison, found in levels.items()}
        band = np.clip((weight - _LOWEST) // _BAND_BITS, 0, len(_BANDS) - 1).astype(np.int64)
        number = np.bincount(band, minlength=len(_BANDS)).tolist()
        counts[WEIGHT] = dict(zip((f"{start:+}" for start in _BANDS), number, strict=True))
        return cls(counts)


def level_counts(comparison: str, found: Integers) -> dict[str, int]:
    """How many pairs came out at each level of a comparison, those with nothing to compare among them."""
    number = np.bincount(found + 1, minlength=len(LEVELS[comparison]) + 1).tolist()
    return dict(zip((ABSENT, *LEVELS[comparison]), number, strict=True))


def outcomes_of(parts: Sequence[Outcomes]) -> Outcomes:
    """The sum of some counts."""
    total: dict[str, dict[str, int]] = {}
    for part in parts:
        for comparison, levels in part.counts.items():
            into = total.setdefault(comparison, {})
            for level, pairs in levels.items():
                into[level] = into.get(level, 0) + pairs
    return Outcomes(total)


def outcomes_table(parts: Sequence[Outcomes]) -> pa.Table:
    """Comparison, level, pairs."""
    rows = [
        (comparison, level, pairs)
        for comparison, levels in outcomes_of(parts).counts.items()
        for level, pairs in levels.items()
    ]
    return arrow(
        {
            "comparison": ([row[0] for row in rows], pa.string()),
            "level": ([row[1] for row in rows], pa.string()),
            "pairs": ([row[2] for row in rows], pa.int64()),
        }
    )


def stability(then: Mapping[str, int], now: Mapping[str, int]) -> float:
    """The population stability index of two counts over the same levels; 0 where either counts nothing."""
    levels = sorted(set(then) | set(now))
    before = np.array([then.get(level, 0) for level in levels], dtype=np.float64)
    after = np.array([now.get(level, 0) for level in levels], dtype=np.float64)
    if not before.sum() or not after.sum():
        return 0.0
    before, after = (counts + _SMOOTHING for counts in (before, after))
    before, after = before / before.sum(), after / after.sum()
    return float(((after - before) * np.log(after / before)).sum())
