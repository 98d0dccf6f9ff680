"""What is known of each node, in the form in which pairs are compared: values as codes, grouped by node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar, cast

import numpy as np
import pyarrow as pa

from identity.arrays import Floats, Integers, arrow, encoded, expand, integers, read_table, write_temporary
from identity.frequencies import COUNTED, Frequencies, in_steps, in_wide_steps
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

Made = TypeVar("Made")

_MOST_VALUES = 12
_ALL_OF_ONE = "select node_id, value from identity._features where feature = $feature"
_SOME = """
    create or replace temp table _some_features as
    select features.node_id, features.feature, features.value, holders.nodes
    from identity._features as features
    semi join _chosen on features.node_id = _chosen.node_id
    inner join identity._holders as holders on features.feature = holders.feature and features.value = holders.value
    where list_contains($compared, features.feature)
"""
_SOME_OF_ONE = "select node_id, value, nodes from _some_features where feature = $feature"
_SOME_PARTS = """
    with parts as (
        select 'name.given' as feature, split_part(value, chr(9), 1) as value
        from _some_features
        where feature = 'name'
        union
        select 'name.family', split_part(value, chr(9), 2)
        from _some_features
        where feature = 'name'
    )

    select holders.feature, holders.value, holders.nodes
    from identity._holders as holders
    semi join parts on holders.feature = parts.feature and holders.value = parts.value
"""
_NAMES = "select coalesce(sum(nodes), 0), coalesce(min(nodes), 1) from identity._holders where feature = 'name'"


@dataclass(frozen=True, eq=False)
class Feature:
    """The values of one feature: ``starts[n]`` and ``counts[n]`` say where the codes of node n stand in ``codes``."""

    starts: Integers
    counts: Integers
    codes: Integers
    texts: list[str]
    rarity: Floats
    """Per code: log2 of how few nodes hold the value, floored at zero."""
    frequencies: Frequencies
    held: Floats
    """Per code: how many of all nodes hold the value in the accepted rows."""
    people: float
    """How many people rarity is measured against."""
    names: float = 0.0
    """How many names parts of names are measured against (of names only)."""
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """Of names: how many of all nodes hold a part; where it is empty, the values here are all there are."""

    made: dict[object, object] = field(default_factory=dict, repr=False)

    def once(self, make: Callable[[Feature], Made]) -> Made:
        """What is made of the feature as a whole, made when it is first asked for."""
        if make not in self.made:
            self.made[make] = make(self)
        return cast("Made", self.made[make])

    def holders(self) -> Floats:
        """Per code: how many nodes hold the value in the accepted rows."""
        return self.held


@dataclass(frozen=True)
class ValuePairs:
    """All pairs of values of some pairs of nodes: which node pair each belongs to, and the two codes."""

    pair: Integers
    left: Integers
    right: Integers


def read_features(
    connection: Connection, nodes: int, counted: int, frequencies: Frequencies = COUNTED
) -> Mapping[str, Feature]:
    """The compared features of ``identity._features``; ``counted``: the population.

    A node's values beyond the twelfth (by value) are left out.
    """
    people = frequencies.people(counted)
    found: dict[str, Feature] = {}
    for name in COMPARED:
        table = read_table(connection, _ALL_OF_ONE, {"feature": name})
        node = integers(table, "node_id")
        codes, texts = encoded(table.column("value"))
        held = np.bincount(codes, minlength=len(texts)).astype(np.float64)
        found[name] = _feature(name, nodes, (node, codes, texts, held), people, frequencies)
    held = found["name"].held
    counts = (float(held.sum()), float(held.min()) if len(held) else 1.0)
    return found | {"name": replace(found["name"], names=names_in_all(counts, people, frequencies))}


def read_some_features(
    connection: Connection, chosen: Integers, counted: int, frequencies: Frequencies
) -> Mapping[str, Feature]:
    """The same of some nodes alone, which are numbered here by their place in ``chosen`` (in order, each once)."""
    people = frequencies.people(counted)
    write_temporary(connection, "_chosen", arrow({"node_id": (chosen, pa.int64())}))
    connection.execute(_SOME, {"compared": list(COMPARED)})
    found: dict[str, Feature] = {}
    for name in COMPARED:
        table = read_table(connection, _SOME_OF_ONE, {"feature": name})
        codes, texts = encoded(table.column("value"))
        held = np.zeros(len(texts))
        held[codes] = integers(table, "nodes")
        node = np.searchsorted(chosen, integers(table, "node_id"))
        found[name] = _feature(name, len(chosen), (node, codes, texts, held), people, frequencies)
    parts: dict[str, dict[str, float]] = {}
    for part, value, held_by in connection.execute(_SOME_PARTS).fetchall():
        parts.setdefault(part.removeprefix("name."), {})[value] = float(held_by)
    connection.execute("drop table _some_features")
    names = names_in_all(name_counts(connection), people, frequencies)
    return found | {"name": replace(found["name"], names=names, parts=parts)}


def names_in_all(counts: tuple[float, float], people: float, frequencies: Frequencies) -> float:
    """How many names parts of names are measured against: as remembered, else as many as there are, in steps.

    Few names are a sample of a larger whole as far as some are rare: where all bear one name, it tells nobody apart.
    """
    total, fewest = counts
    return frequencies.names or max(in_wide_steps(total), people / float(in_steps(np.array(fewest))))


def name_counts(connection: Connection) -> tuple[float, float]:
    """How many names nodes hold, and how many nodes hold the rarest."""
    [(names, fewest)] = connection.execute(_NAMES).fetchall()
    return float(names), float(fewest)


def population(connection: Connection) -> int:
    """How many nodes there are."""
    [(nodes,)] = connection.execute("select count(distinct node_id) from identity._nodes").fetchall()
    return int(nodes)


def node_count(connection: Connection) -> int:
    """Nodes are numbered from 0 to below this; after runs that added to others some numbers are nobody's."""
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


def _feature(
    name: str,
    nodes: int,
    said: tuple[Integers, Integers, list[str], Floats],
    people: float,
    frequencies: Frequencies,
) -> Feature:
    node, codes, texts, held = said
    order = np.argsort(node, kind="stable")
    node, codes = _bounded(node[order], codes[order], texts)
    counts = np.bincount(node, minlength=nodes).astype(np.int64)
    rarity = np.log2(np.maximum(people / np.maximum(frequencies.held(name, texts, held), 1.0), 1.0))
    return Feature(np.cumsum(counts) - counts, counts, codes, texts, rarity, frequencies, held, people)


def _bounded(node: Integers, codes: Integers, texts: list[str]) -> tuple[Integers, Integers]:
    """Without the values of a node beyond the twelfth, by value."""
    starts = np.flatnonzero(np.r_[True, node[1:] != node[:-1]]) if len(node) else np.zeros(0, np.int64)
    sizes = np.diff(np.r_[starts, len(node)])
    kept = np.ones(len(node), dtype=np.bool_)
    for start, size in zip(starts[sizes > _MOST_VALUES].tolist(), sizes[sizes > _MOST_VALUES].tolist(), strict=True):
        by_value = sorted(range(start, start + size), key=lambda place: texts[codes[place]])
        kept[by_value[_MOST_VALUES:]] = False
    return node[kept], codes[kept]
