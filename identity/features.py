"""What is known of each node, in the form in which pairs are compared: values as codes, grouped by node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from identity.arrays import Floats, Integers, encoded, expand, integers, read_table
from identity.frequencies import COUNTED, Frequencies
from warehouse.database import Connection

COMPARED = (
    "account",
    "order",
    "national_id",
    "email",
    "phone",
    "name",
    "birth_on",
    "address",
    "postcode",
    "city",
    "alias",
    "gender",
    "source_scope",
)
"""Features that are compared (others only find pairs)."""

_MOST_VALUES = 12


@dataclass(frozen=True)
class Feature:
    """The values of one feature: ``starts[n]`` and ``counts[n]`` say where the codes of node n stand in ``codes``."""

    starts: Integers
    counts: Integers
    codes: Integers
    texts: list[str]
    rarity: Floats
    """Per code: log2 of how few nodes hold the value, floored at zero."""
    frequencies: Frequencies

    def holders(self) -> Floats:
        """Per code: how many nodes hold the value in the accepted rows."""
        return np.bincount(self.codes, minlength=len(self.texts)).astype(np.float64)


@dataclass(frozen=True)
class ValuePairs:
    """All pairs of values of some pairs of nodes: which node pair each belongs to, and the two codes."""

    pair: Integers
    left: Integers
    right: Integers


def read_features(connection: Connection, nodes: int, frequencies: Frequencies = COUNTED) -> Mapping[str, Feature]:
    """The compared features of ``identity._features``. A node's values beyond the twelfth (by value) are left out."""
    return {name: _read(connection, name, nodes, frequencies) for name in COMPARED}


def node_count(connection: Connection) -> int:
    """How many nodes there are; they are numbered from 0."""
    found = connection.execute("select coalesce(max(node_id) + 1, 0) from identity._nodes").fetchone()
    return int(found[0]) if found else 0


def value_pairs(feature: Feature, left: Integers, right: Integers) -> ValuePairs:
    """The cross product of the values of each pair of nodes; pairs where one side has none are absent."""
    sizes = feature.counts[left] * feature.counts[right]
    pair, member = expand(sizes)
    per_left = feature.counts[right][pair]
    first = feature.starts[left][pair] + member // np.maximum(per_left, 1)
    second = feature.starts[right][pair] + member % np.maximum(per_left, 1)
    return ValuePairs(pair, feature.codes[first], feature.codes[second])


def _read(connection: Connection, name: str, nodes: int, frequencies: Frequencies) -> Feature:
    table = read_table(
        connection,
        "select node_id, value from ("
        " select node_id, value, row_number() over (partition by node_id order by value) as nth"
        " from identity._features where feature = $feature) where nth <= $most order by node_id, value",
        {"feature": name, "most": _MOST_VALUES},
    )
    node = integers(table, "node_id")
    codes, texts = encoded(table.column("value"))
    counts = np.bincount(node, minlength=nodes).astype(np.int64)
    counted = np.bincount(codes, minlength=len(texts)).astype(np.float64)
    holders = frequencies.held(name, texts, counted)
    rarity = np.log2(np.maximum(frequencies.people(nodes) / np.maximum(holders, 1.0), 1.0))
    return Feature(np.cumsum(counts) - counts, counts, codes, texts, rarity, frequencies)
