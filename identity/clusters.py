"""The step that decides which records are one customer: ``identity._clusters`` (record_id, cluster_id).

The cluster id is the smallest record id of the cluster, so it says nothing about when records came. A node without
a name that fits two people who are kept apart joins neither. Visitors are clusters of their own, unless a person
decided who they are.

Where the table stands, the groups are cut anew in which anything changed that could matter, with those that decisions
of people tie to them: pairs of two groups matter only where a decision joins them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from identity.arrays import Flags, Integers, arrow, integers, read_table, write_temporary
from identity.cluster import Decided, Pairs, cluster
from identity.decisions import Constraint, standing_constraints
from identity.declaration import Clusters, IdentityRules
from identity.kept import Keeper, part, tell, tell_everything
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

_NAMED = "select distinct node_id from identity._features where feature = 'name' order by 1"
_SAID_SHAPE = "(record_id_l varchar, record_id_r varchar, is_together boolean)"
_CONSTRAINTS_MOVED = """
    create or replace temp table _moved as
    with moved as (
        (from _said except from identity._said)
        union all
        (from identity._said except from _said)
    )

    select record_id_l as record_id from moved
    union
    select record_id_r from moved
    union
    select _heard.key
    from _heard
    semi join (select record_id_l as record_id from _said union select record_id_r from _said) as said
        on _heard.key = said.record_id
    where _heard.subject = 'identified'
"""
_OPEN = """
    create or replace temp table _open as
    with weak as (
        select distinct coalesce(groups.group_id, _heard.one) as group_id
        from _heard
        left join identity._groups as groups on _heard.one = groups.node_id
        where _heard.subject = 'components' and _heard.key is not null
    ),

    tied as (
        select record_id_l as record_id from _said where is_together
        union
        select record_id_r from _said where is_together
    )

    select one as node_id from _heard where subject = 'components' and key is null
    union
    select nodes.node_id
    from identity._nodes as nodes
    semi join tied on nodes.record_id = tied.record_id
    left join identity._groups as groups on nodes.node_id = groups.node_id
    where coalesce(groups.group_id, nodes.node_id) in (from weak)
    union
    select nodes.node_id
    from identity._nodes as nodes
    semi join _moved on nodes.record_id = _moved.record_id
"""
_ENDS = """
    with ends as (
        select record_id_l as record_id from _said where is_together
        union
        select record_id_r from _said where is_together
    )

    select
        ends.record_id,
        nodes.node_id,
        coalesce(groups.group_id, nodes.node_id) as group_id,
        moved.record_id is not null or open.node_id is not null as is_open
    from ends
    left join identity._nodes as nodes on ends.record_id = nodes.record_id
    left join identity._groups as groups on nodes.node_id = groups.node_id
    left join _moved as moved on ends.record_id = moved.record_id
    left join _open as open on nodes.node_id = open.node_id
    order by ends.record_id
"""
_WIDEN = """
    create or replace temp table _chosen as
    with homes as (
        select groups.group_id
        from identity._groups as groups
        semi join _open on groups.node_id = _open.node_id
        union
        select group_id from _tied
    )

    select node_id from _open
    union
    select group_id from _tied
    union
    select groups.node_id
    from identity._groups as groups
    semi join homes on groups.group_id = homes.group_id
"""
_EVERY_NODE = "create or replace temp table _chosen as select distinct node_id from identity._nodes"
_MEMBERS = """
    select nodes.node_id, min(nodes.record_id) as record_id
    from identity._nodes as nodes
    semi join _chosen on nodes.node_id = _chosen.node_id
    group by nodes.node_id
    order by 2
"""
_RECORDS = """
    select nodes.record_id, nodes.node_id
    from identity._nodes as nodes
    semi join _chosen on nodes.node_id = _chosen.node_id
    semi join (select record_id_l as record_id from _said union select record_id_r from _said) as said
        on nodes.record_id = said.record_id
"""
_PAIRS = """
    select scores.node_l, scores.node_r, scores.weight, scores.is_apart, scores.informed
    from identity._scores as scores
    semi join _chosen on scores.node_l = _chosen.node_id
"""
_NAMED_AMONG = """
    select distinct features.node_id
    from identity._features as features
    semi join _chosen on features.node_id = _chosen.node_id
    where features.feature = 'name'
"""
_AFFECTED = """
    create or replace temp table _affected as
    select nodes.record_id
    from identity._nodes as nodes
    semi join _chosen on nodes.node_id = _chosen.node_id
    union
    select record_id from _visitors
    union
    select record_id from _moved
    union
    select key from _heard where subject = 'identified'
"""
_EVERY_RECORD = "create or replace temp table _affected as select record_id from identity.records"
_CLUSTERS = """
    create or replace temp table _clusters_now as
    with known as (
        select nodes.record_id, labels.label
        from identity._nodes as nodes
        inner join _labels as labels on nodes.node_id = labels.node_id
        union all
        select record_id, label
        from _visitors
    )
    select record_id, min(record_id) over (partition by label) as cluster_id
    from known
    union all
    select records.record_id, records.record_id as cluster_id
    from identity.records as records
    semi join _affected on records.record_id = _affected.record_id
    anti join known on records.record_id = known.record_id
"""
_REPLACE = (
    "delete from identity._clusters where record_id in (select record_id from _affected)",
    "insert into identity._clusters select * from _clusters_now",
)
_MOVED_CLUSTERS = """
    with moved as (
        select distinct cluster_id
        from (
            (from _clusters_now except from _clusters_before)
            union all
            (from _clusters_before except from _clusters_now)
        )
    )

    select distinct record_id as key, null as one, null as other
    from (from _clusters_now union from _clusters_before) as clusters
    semi join moved on clusters.cluster_id = moved.cluster_id
"""


@dataclass(frozen=True)
class _Members:
    """Nodes by the order of their smallest records, which ties go by; visitors that people decided about come last."""

    nodes: Integers
    place_of: Mapping[str, int]
    """Of records that people decided about."""
    visitors: tuple[str, ...]


def clusters_step(rules: IdentityRules) -> Step:
    """Make ``identity._clusters``."""
    table = spec("_clusters", "Which records are one customer, before ids are assigned.", ("record_id",))
    reads = frozenset(
        {"identity._scores", "identity._groups", "identity._nodes", "identity._features", "identity.records"}
    )
    return Step(table.full_name, (table,), reads, partial(_execute, rules), keeps_grain=True)


def _execute(rules: IdentityRules, connection: Connection, run: Run) -> None:
    declared = rules.model_dump_json(include={"clusters"})
    keeper = Keeper("identity._clusters", ("components", "identified"), (declared,))
    stands = keeper.stands(connection, run)
    constraints = standing_constraints(connection)
    _write_constraints(connection, constraints)
    visitors = _choose(connection) if stands else _choose_all(connection)
    members = _members(connection, visitors)
    _write_labels(connection, members, _label(connection, members, rules.clusters, constraints))
    connection.execute(_AFFECTED if stands else _EVERY_RECORD)
    connection.execute(_CLUSTERS)
    if stands:
        part(connection, "_clusters_before", "identity._clusters", "_affected", "record_id")
        for statement in _REPLACE:
            connection.execute(statement)
        tell(connection, "clusters", _MOVED_CLUSTERS)
    else:
        connection.execute("create or replace table identity._clusters as select * from _clusters_now")
        tell_everything(connection, "clusters")
    connection.execute("create or replace table identity._said as select * from _said")
    keeper.done(connection)


def named_nodes(connection: Connection, count: int) -> Flags:
    """Which of so many nodes have a name."""
    named = np.zeros(count, dtype=np.bool_)
    named[integers(read_table(connection, _NAMED), "node_id")] = True
    return named


def without_ambiguous(pairs: Pairs, named: Flags, rules: Clusters) -> Pairs:
    """Take the links from nodes without a name that fit, about equally well, two nodes which are kept apart."""
    linked = (pairs.weight >= rules.link_at) & ~pairs.apart
    fits: dict[int, list[tuple[float, int, int]]] = {}
    for position in np.flatnonzero(linked & (named[pairs.left] != named[pairs.right])).tolist():
        ends = (int(pairs.left[position]), int(pairs.right[position]))
        own, other = ends if named[ends[1]] else ends[::-1]
        fits.setdefault(own, []).append((-float(pairs.weight[position]), other, position))
    rivals = np.zeros(len(named), dtype=np.bool_)
    rivals[[other for choices in fits.values() for _, other, _ in choices]] = True
    among = np.flatnonzero(pairs.apart & rivals[pairs.left] & rivals[pairs.right])
    kept_apart = set(zip(pairs.left[among].tolist(), pairs.right[among].tolist(), strict=True))
    if not kept_apart:
        return pairs
    dropped = [position for choices in fits.values() for position in _undecided(choices, kept_apart, rules)]
    kept = np.ones(len(pairs.weight), dtype=np.bool_)
    kept[dropped] = False
    return Pairs(pairs.left[kept], pairs.right[kept], pairs.weight[kept], pairs.apart[kept], pairs.informed[kept])


def _undecided(choices: list[tuple[float, int, int]], kept_apart: set[tuple[int, int]], rules: Clusters) -> list[int]:
    choices = sorted(choices)
    best, first, _ = choices[0]
    close = [choice for choice in choices if choice[0] - best <= rules.ambiguous_within]
    rivals = any((min(first, other), max(first, other)) in kept_apart for _, other, _ in close[1:])
    return [position for _, _, position in choices] if rivals else []


def _write_constraints(connection: Connection, constraints: Iterable[Constraint]) -> None:
    said = [(item.record_id_l, item.record_id_r, item.is_together) for item in constraints]
    columns = {
        "record_id_l": ([row[0] for row in said], pa.string()),
        "record_id_r": ([row[1] for row in said], pa.string()),
        "is_together": ([row[2] for row in said], pa.bool_()),
    }
    write_temporary(connection, "_said", arrow(columns))


def _choose_all(connection: Connection) -> tuple[str, ...]:
    """All nodes, and all visitors of whom a person said whose they are."""
    connection.execute(_EVERY_NODE)
    connection.execute("create or replace temp table _moved (record_id varchar)")
    connection.execute("create or replace temp table _open (node_id bigint)")
    ends = connection.execute(_ENDS).fetchall()
    return tuple(record for record, node, *_ in ends if node is None)


def _choose(connection: Connection) -> tuple[str, ...]:
    """The nodes of groups in which anything changed, and of those that decisions tie to them; such visitors."""
    connection.execute(f"create table if not exists identity._said {_SAID_SHAPE}")
    connection.execute(_CONSTRAINTS_MOVED)
    connection.execute(_OPEN)
    tied = _tied(connection)
    groups = sorted({group for _, group in tied if group is not None})
    write_temporary(connection, "_tied", arrow({"group_id": (groups, pa.int64())}))
    connection.execute(_WIDEN)
    return tuple(record for record, group in tied if group is None)


def _tied(connection: Connection) -> list[tuple[str, int | None]]:
    """Ends of decisions that tie (record, group) and that hang together with what changed, over any number of steps."""
    ends = {record: (group, bool(is_open)) for record, _, group, is_open in connection.execute(_ENDS).fetchall()}
    homes: dict[object, set[object]] = {}
    for one, other in connection.execute("select record_id_l, record_id_r from _said where is_together").fetchall():
        for end, beside in ((one, other), (other, one)):
            homes.setdefault(_home(end, ends), set()).add(_home(beside, ends))
    waiting = [_home(record, ends) for record, (_, is_open) in sorted(ends.items()) if is_open]
    reached = set(waiting)
    while waiting:
        for home in homes.get(waiting.pop(), ()):
            if home not in reached:
                reached.add(home)
                waiting.append(home)
    return [(record, group) for record, (group, _) in sorted(ends.items()) if _home(record, ends) in reached]


def _home(record: str, ends: Mapping[str, tuple[int | None, bool]]) -> object:
    group = ends[record][0]
    return record if group is None else group


def _members(connection: Connection, visitors: tuple[str, ...]) -> _Members:
    nodes = integers(read_table(connection, _MEMBERS), "node_id")
    place = {int(node): number for number, node in enumerate(nodes.tolist())}
    known = {str(record): place[node] for record, node in connection.execute(_RECORDS).fetchall()}
    return _Members(nodes, known | {record: len(nodes) + n for n, record in enumerate(visitors)}, visitors)


def _label(connection: Connection, members: _Members, rules: Clusters, constraints: Iterable[Constraint]) -> Integers:
    count = len(members.nodes) + len(members.visitors)
    place = np.full(int(members.nodes.max(initial=-1)) + 1, -1, dtype=np.int64)
    place[members.nodes] = np.arange(len(members.nodes))
    named = np.zeros(count, dtype=np.bool_)
    named[place[integers(read_table(connection, _NAMED_AMONG), "node_id")]] = True
    pairs = without_ambiguous(_read_pairs(connection, place), named, rules)
    return cluster(count, pairs, rules, _decided(constraints, members.place_of))


def _read_pairs(connection: Connection, place: Integers) -> Pairs:
    """The weighed pairs among the chosen nodes, by their places."""
    table = read_table(connection, _PAIRS)
    ends = integers(table, "node_l"), integers(table, "node_r")
    inside = (ends[1] < len(place)) & (place[np.minimum(ends[1], len(place) - 1)] >= 0)
    one, other = (place[end[inside]] for end in ends)
    left, right = np.minimum(one, other), np.maximum(one, other)
    order = np.lexsort((right, left))
    weight, informed = (
        np.asarray(table.column(name).to_numpy(), dtype=np.float64)[inside][order] for name in ("weight", "informed")
    )
    apart = np.asarray(table.column("is_apart").to_numpy(zero_copy_only=False), dtype=np.bool_)[inside][order]
    return Pairs(left[order], right[order], weight, apart, informed)


def _decided(constraints: Iterable[Constraint], place_of: Mapping[str, int]) -> Decided:
    """Decisions as pairs of places. Visitors are apart from everybody anyway."""
    pairs: dict[bool, set[tuple[int, int]]] = {True: set(), False: set()}
    for item in constraints:
        one, other = place_of.get(item.record_id_l), place_of.get(item.record_id_r)
        if one is not None and other is not None and one != other:
            pairs[item.is_together].add((min(one, other), max(one, other)))
    return Decided(tuple(sorted(pairs[True])), tuple(sorted(pairs[False])))


def _write_labels(connection: Connection, members: _Members, label: Integers) -> None:
    nodes = len(members.nodes)
    labels = {"node_id": (members.nodes, pa.int64()), "label": (label[:nodes], pa.int64())}
    write_temporary(connection, "_labels", arrow(labels))
    visitors = {"record_id": (list(members.visitors), pa.string()), "label": (label[nodes:], pa.int64())}
    write_temporary(connection, "_visitors", arrow(visitors))
