"""How many nodes hold a value: what rarity, and with it the weight of an agreement, is made of.

Without a model everything is counted in the accepted rows. A model version remembers the size of the population and
the common values, so that an agreement on them weighs the same whatever arrives later; values it does not know count
as the rows have them. Values are remembered by hash, and only those that several nodes hold.

What is counted is told in steps: a common value counts as many as the middle of its step, so does the population. So
one record more leaves nearly all weights as they were, and those that change change for everybody who holds the value,
whether records came one by one or at once.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from identity.arrays import Floats

REMEMBERED_FROM = 5
"""A value that fewer nodes hold is nobody's but theirs, and is not remembered."""

_SMALLEST_POPULATION = 1000
_COUNTED_TO = 8


@dataclass(frozen=True)
class Frequencies:
    """What a model version remembers of values; by default nothing."""

    population: float | None = None
    """Nodes there were."""
    names: float | None = None
    """Names there were: what parts of names are measured against."""
    known: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    """Feature, or part of a name, → hash of a value → nodes that held it."""
    salt: str = ""

    def people(self, nodes: int) -> float:
        """How many people frequencies are measured against; small data is treated as a sample of a larger whole."""
        if self.population:
            return self.population
        return float(_SMALLEST_POPULATION) if nodes <= _SMALLEST_POPULATION else in_wide_steps(nodes)

    def held(self, feature: str, texts: Sequence[str], counted: Floats) -> Floats:
        """How many nodes hold each text: as remembered, else as ``counted``, in steps."""
        known = self.known.get(feature)
        if not known:
            return in_steps(counted)
        found = counted.copy()
        for place in np.flatnonzero(counted >= REMEMBERED_FROM).tolist():
            found[place] = known.get(value_key(self.salt, feature, texts[place]), counted[place])
        return in_steps(found)


def in_steps(counted: Floats) -> Floats:
    """Counts to seven as they are, greater ones as the middle between the powers of two around them."""
    middle = np.exp2(np.floor(np.log2(np.maximum(counted, 1.0))) + 0.5)
    return np.where(counted < _COUNTED_TO, np.maximum(counted, 1.0), middle)


def in_wide_steps(count: float) -> float:
    """How many there are in all, as the middle of its half of a doubling: every weight hangs on it."""
    return float(2.0 ** ((np.floor(2.0 * np.log2(max(count, 1.0))) + 0.5) / 2.0))


def value_key(salt: str, feature: str, value: str) -> str:
    """The hash by which a model version remembers a value."""
    return hashlib.md5(f"{salt}|{feature}|{value}".encode(), usedforsecurity=False).hexdigest()


COUNTED = Frequencies()
"""Everything as the accepted rows have it."""
