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

from identity.arrays import Floats, Integers, arrow, integers
from identity.declaration import LEVELS
from warehouse.database import Connection

ABSENT = "nothing to compare"
WEIGHT = "weight"
"""Stands for a comparison; its levels are bands of bits, named by where they begin."""

_BAND_BITS, _LOWEST, _HIGHEST = 4, -24, 40
_BANDS = tuple(range(_LOWEST, _HIGHEST, _BAND_BITS))
_SMOOTHING = 0.5


_BITS = 4
"""Of a level in the whole number that holds the levels of all comparisons."""

_COUNTED = "select comparison, level, pairs from identity._outcomes"
COUNT_PATTERNS = """
    select
        levels,
        cast(greatest(least(floor((weight - $lowest) / $bits), $last), 0) as bigint) as band,
        count(*) as pairs
    from identity._scores
    where rule_number >= 0
    group by 1, 2
"""
"""How many candidate pairs came out how, in one go: packed levels, number of the band of weight, pairs."""

COUNT_MOVED_PATTERNS = """
    select
        levels,
        cast(greatest(least(floor((weight - $lowest) / $bits), $last), 0) as bigint) as band,
        cast(sum(pairs) as bigint) as pairs
    from (
        select levels, weight, 1 as pairs from _scored where rule_number >= 0
        union all
        select levels, weight, -1 from _before where rule_number >= 0
    )
    group by 1, 2
"""
"""The same of pairs scored anew, less what these were before."""

BANDS = {"lowest": _LOWEST, "bits": _BAND_BITS, "last": len(_BANDS) - 1}
"""What these selects bind."""


def packed(levels: Mapping[str, Integers]) -> Integers:
    """The levels of all comparisons of each pair as one whole number."""
    found = np.zeros(len(next(iter(levels.values()))), dtype=np.int64)
    for name in LEVELS:
        found = (found << _BITS) | (levels[name] + 1)
    return found


def level_bits(comparison: str) -> int:
    """How many bits of that number are below the level of a comparison; levels count from 1 there, 0 is none."""
    return _BITS * tuple(reversed(LEVELS)).index(comparison)


@dataclass(frozen=True)
class Outcomes:
    """Pairs per comparison and level."""

    counts: Mapping[str, Mapping[str, int]]

    @classmethod
    def of(cls, levels: Integers, weight: Floats) -> Outcomes:
        """Count the packed levels and the weights of some pairs."""
        band = np.clip((weight - _LOWEST) // _BAND_BITS, 0, len(_BANDS) - 1).astype(np.int64)
        return cls.of_patterns(levels, band, np.ones(len(weight), dtype=np.int64))

    @classmethod
    def of_table(cls, patterns: pa.Table) -> Outcomes:
        """What a select of patterns counted."""
        return cls.of_patterns(*(integers(patterns, column) for column in ("levels", "band", "pairs")))

    @classmethod
    def of_patterns(cls, patterns: Integers, band: Integers, pairs: Integers) -> Outcomes:
        """Count pairs of which so many have the same packed levels and band of weight."""
        counts: dict[str, dict[str, int]] = {}
        for place, comparison in enumerate(reversed(LEVELS)):
            found = (patterns >> (_BITS * place)) & ((1 << _BITS) - 1)
            number = np.bincount(found, pairs, len(LEVELS[comparison]) + 1).astype(np.int64).tolist()
            counts[comparison] = dict(zip((ABSENT, *LEVELS[comparison]), number, strict=True))
        number = np.bincount(band, pairs, len(_BANDS)).astype(np.int64).tolist()
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


def outcomes_before(connection: Connection) -> Outcomes:
    """What stands in ``identity._outcomes``."""
    counts: dict[str, dict[str, int]] = {}
    for comparison, level, pairs in connection.execute(
        "select comparison, level, pairs from identity._outcomes"
    ).fetchall():
        counts.setdefault(comparison, {})[level] = pairs
    return Outcomes(counts)


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
