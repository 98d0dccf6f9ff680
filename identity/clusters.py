"""The step that decides which records are one customer: ``identity._clusters`` (record_id, cluster_id).

The cluster id is the smallest record id of the cluster, so it says nothing about when records came. A node without
a name that fits two people who are kept apart joins neither. Visitors are clusters of their own, unless a person
decided who they are.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa

from identity.arrays import Flags, Integers, arrow, integers, read_table
from identity.cluster import Decided, Pairs, cluster
from identity.decisions import Constraint, standing_constraints
from identity.declaration import Clusters, IdentityRules
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

_NAMED = "select distinct node_id from identity._features where feature = 'name' order by 1"
_CLUSTERS = """
    create or replace table identity._clusters as
    with known as (
        select nodes.record_id, labels.label
        from identity._nodes as nodes
        inner join _labels as labels on nodes.node_id = labels.node_id
        union all
        select visitors.record_id, labels.label
        from _visitors as visitors
        inner join _labels as labels on visitors.node_id = labels.node_id
    )
    select record_id, min(record_id) over (partition by label) as cluster_id
    from known
    union all
    select records.record_id, records.record_id as cluster_id
    from identity.records as records
    left join known on records.record_id = known.record_id
    where known.record_id is null
"""


def clusters_step(rules: IdentityRules) -> Step:
    """Make ``identity._clusters``."""
    table = spec("_clusters", "Which records are one customer, before ids are assigned.", ("record_id",))
    reads = frozenset({"identity._scores", "identity._nodes", "identity._features", "identity.records"})
    return Step(table.full_name, (table,), reads, partial(_execute, rules))


def _execute(rules: IdentityRules, connection: Connection, _: Run) -> None:
    nodes = read_table(connection, "select record_id, node_id from identity._nodes order by record_id")
    node_of = dict(zip(nodes.column("record_id").to_pylist(), nodes.column("node_id").to_pylist(), strict=True))
    constraints = standing_constraints(connection)
    first = int(max(node_of.values(), default=-1)) + 1
    visitors = {record: first + place for place, record in enumerate(_decided_visitors(constraints, node_of))}
    count = first + len(visitors)
    pairs = _read_pairs(connection)
    pairs = without_ambiguous(pairs, named_nodes(connection, count), rules.clusters)
    label = cluster(count, pairs, rules.clusters, _decided(constraints, node_of | visitors))
    tables = {
        "_labels": arrow({"node_id": (np.arange(count), pa.int64()), "label": (label, pa.int64())}),
        "_visitors": arrow(
            {"record_id": (list(visitors), pa.string()), "node_id": (list(visitors.values()), pa.int64())}
        ),
    }
    for name, table in tables.items():
        connection.register(name, table)
    try:
        connection.execute(_CLUSTERS)
    finally:
        for name in tables:
            connection.unregister(name)


def named_nodes(connection: Connection, count: int) -> Flags:
    """Which of so many nodes have a name."""
    named = np.zeros(count, dtype=np.bool_)
    named[integers(read_table(connection, _NAMED), "node_id")] = True
    return named


def without_ambiguous(pairs: Pairs, named: Flags, rules: Clusters) -> Pairs:
    """Take the links from nodes without a name that fit, about equally well, two nodes which are kept apart."""
    linked = np.flatnonzero((pairs.weight >= rules.link_at) & ~pairs.apart)
    kept_apart = {
        (int(a), int(b))
        for a, b in zip(pairs.left[pairs.apart].tolist(), pairs.right[pairs.apart].tolist(), strict=True)
    }
    if not kept_apart:
        return pairs
    fits: dict[int, list[tuple[float, int, int]]] = {}
    for position in linked.tolist():
        ends = (int(pairs.left[position]), int(pairs.right[position]))
        for own, other in (ends, ends[::-1]):
            if not named[own] and named[other]:
                fits.setdefault(own, []).append((-float(pairs.weight[position]), other, position))
    dropped = [position for choices in fits.values() for position in _undecided(choices, kept_apart, rules)]
    kept: Integers = np.setdiff1d(np.arange(len(pairs.weight)), np.array(dropped, dtype=np.int64))
    return Pairs(pairs.left[kept], pairs.right[kept], pairs.weight[kept], pairs.apart[kept], pairs.informed[kept])


def _undecided(choices: list[tuple[float, int, int]], kept_apart: set[tuple[int, int]], rules: Clusters) -> list[int]:
    choices = sorted(choices)
    best, first, _ = choices[0]
    close = [choice for choice in choices if choice[0] - best <= rules.ambiguous_within]
    rivals = any((min(first, other), max(first, other)) in kept_apart for _, other, _ in close[1:])
    return [position for _, _, position in choices] if rivals else []


def _read_pairs(connection: Connection) -> Pairs:
    table = read_table(
        connection, "select node_l, node_r, weight, is_apart, informed from identity._scores order by node_l, node_r"
    )
    return Pairs(
        integers(table, "node_l"),
        integers(table, "node_r"),
        np.asarray(table.column("weight").to_numpy(), dtype=np.float64),
        np.asarray(table.column("is_apart").to_numpy(zero_copy_only=False), dtype=np.bool_),
        np.asarray(table.column("informed").to_numpy(), dtype=np.float64),
    )


def _decided_visitors(constraints: tuple[Constraint, ...], node_of: dict[str, int]) -> list[str]:
    """Records without a node of which a person said that they are somebody's."""
    tied = (record for item in constraints if item.is_together for record in (item.record_id_l, item.record_id_r))
    return sorted({record for record in tied if record not in node_of})


def _decided(constraints: tuple[Constraint, ...], node_of: dict[str, int]) -> Decided:
    """Decisions as pairs of nodes. Visitors are apart from everybody anyway."""
    pairs: dict[bool, set[tuple[int, int]]] = {True: set(), False: set()}
    for item in constraints:
        one, other = node_of.get(item.record_id_l), node_of.get(item.record_id_r)
        if one is not None and other is not None and one != other:
            pairs[item.is_together].add((min(one, other), max(one, other)))
    return Decided(tuple(sorted(pairs[True])), tuple(sorted(pairs[False])))
