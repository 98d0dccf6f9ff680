"""How many nodes hold a value: what rarity, and with it the weight of an agreement, is made of.

Without a model everything is counted in the accepted rows. A model version remembers the size of the population and
the common values, so that an agreement on them weighs the same whatever arrives later; values it does not know count
as the rows have them. Values are remembered by hash, and only those that several nodes hold.
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
        return self.population or float(max(nodes, _SMALLEST_POPULATION))

    def held(self, feature: str, texts: Sequence[str], counted: Floats) -> Floats:
        """How many nodes hold each text: as remembered, else as ``counted``."""
        known = self.known.get(feature)
        if not known:
            return counted
        found = counted.copy()
        for place in np.flatnonzero(counted >= REMEMBERED_FROM).tolist():
            found[place] = known.get(value_key(self.salt, feature, texts[place]), counted[place])
        return found


def value_key(salt: str, feature: str, value: str) -> str:
    """The hash by which a model version remembers a value."""
    return hashlib.md5(f"{salt}|{feature}|{value}".encode(), usedforsecurity=False).hexdigest()


COUNTED = Frequencies()
"""Everything as the accepted rows have it."""
