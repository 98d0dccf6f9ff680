"""The groups that links join, before clusters are cut: ``identity._groups`` (node_id, group_id, doubts).

Candidate pairs that link make the groups; the pairs inside them that blocking did not find are compared as well,
because a guard may stand between them. ``doubts`` counts the pairs of a group that were not compared, do not link, or
are kept apart: a group without any is one customer whatever its weights are.

Where the tables stand, a group is made anew where a link, or a pair inside, came or went. Elsewhere its pairs may have
been weighed again; whoever cuts clusters hears of it only if there is any doubt, before or now.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from identity.arrays import Integers, arrow, components, integers, read_table
from identity.cluster import Pairs, uncompared
from identity.declaration import Clusters
from identity.weighing import Candidates, read_candidates
from warehouse.database import Connection

_REGROUPED = """
    create or replace temp table _regrouped as
    with was as (select node_l, node_r, weight >= $link_at as is_linked from _before where rule_number >= 0),

    pairs as (
        select
            coalesce(was.node_l, is_now.node_l) as node_l,
            coalesce(was.node_r, is_now.node_r) as node_r,
            coalesce(was.is_linked, false) as was_linked,
            coalesce(is_now.weight >= $link_at, false) as is_linked,
            was.node_l is null or is_now.node_l is null as is_moved
        from was
        full outer join _scored as is_now on was.node_l = is_now.node_l and was.node_r = is_now.node_r
    ),

    ends as (
        select node_id from _touched
        union
        select node_l from pairs where was_linked <> is_linked
        union
        select node_r from pairs where was_linked <> is_linked
    ),

    open_groups as (
        select groups.group_id
        from identity._groups as groups
        semi join ends on groups.node_id = ends.node_id
        union
        select l.group_id
        from pairs
        inner join identity._groups as l on pairs.node_l = l.node_id
        inner join identity._groups as r on pairs.node_r = r.node_id and l.group_id = r.group_id
        where pairs.is_moved
    )

    select node_id from ends
    union
    select groups.node_id
    from identity._groups as groups
    semi join open_groups on groups.group_id = open_groups.group_id
"""
_INSIDE = """
    select node_l, node_r, weight, is_apart, informed
    from identity._scores
    where node_l in (from _regrouped) and node_r in (from _regrouped) and rule_number >= 0
    order by node_l, node_r
"""
_REOPEN_COMPLETIONS = (
    """
    insert into _before
    select scores.*
    from identity._scores as scores
    where scores.rule_number < 0 and scores.node_l in (from _regrouped)
    """,
    "delete from identity._scores where rule_number < 0 and node_l in (from _regrouped)",
)
_COMPLETIONS_LEFT = """
    select node_l, node_r, rule_number
    from _before
    where rule_number < 0 and node_l not in (from _regrouped)
    order by 1, 2
"""
_MOVED_WEIGHTS = """
    create or replace temp table _moved_weights as
    with moved as materialized (
        select
            coalesce(was.node_l, is_now.node_l) as node_l,
            coalesce(was.node_r, is_now.node_r) as node_r,
            cast(coalesce(was.weight >= $link_at and not was.is_apart, false) as bigint)
            - cast(coalesce(is_now.weight >= $link_at and not is_now.is_apart, false) as bigint) as doubt
        from _before as was
        full outer join _scored as is_now on was.node_l = is_now.node_l and was.node_r = is_now.node_r
        where
            was.weight is distinct from is_now.weight
            or was.is_apart is distinct from is_now.is_apart
            or was.informed is distinct from is_now.informed
    ),

    ends as (
        select node_l as node_id from moved
        union
        select node_r from moved
    ),

    homes as materialized (
        select groups.*
        from identity._groups as groups
        semi join ends on groups.node_id = ends.node_id
    )

    select
        moved.node_l,
        moved.node_r,
        case when l.group_id = r.group_id then l.group_id end as group_id,
        l.doubts,
        moved.doubt
    from moved
    left join homes as l on moved.node_l = l.node_id
    left join homes as r on moved.node_r = r.node_id
"""
_DOUBTED = """
    create or replace temp table _doubted as
    select group_id, any_value(doubts) as before, cast(any_value(doubts) + sum(doubt) as bigint) as now
    from _moved_weights
    where group_id is not null and node_l not in (from _regrouped)
    group by group_id
"""
_COUNT_DOUBTS = """
    update identity._groups as groups
    set doubts = _doubted.now
    from _doubted
    where groups.group_id = _doubted.group_id and _doubted.before <> _doubted.now
"""
TOLD = """
    with open_nodes as (
        select node_id from _regrouped
        union
        select groups.node_id
        from identity._groups as groups
        semi join (select group_id from _doubted where before > 0 or now > 0) as doubted
            on groups.group_id = doubted.group_id
    ),

    weak as (
        select node_l as node_id from _moved_weights where group_id is null
        union
        select node_r from _moved_weights where group_id is null
    )

    select null as key, node_id as one, null as other from open_nodes
    union all
    select 'weak', weak.node_id, null from weak anti join open_nodes on weak.node_id = open_nodes.node_id
"""
"""What clusters hear: nodes to be cut anew; under the key ``weak`` those of which only pairs of two groups changed."""


@dataclass(frozen=True)
class Members:
    """Nodes whose groups are made anew, in order, and their candidate pairs, numbered by place among the nodes."""

    nodes: Integers
    pairs: Pairs


def open_groups(connection: Connection, rules: Clusters) -> Members:
    """The nodes whose groups are made anew, and the completions among them out of the way.

    ``_before``: the scores that no longer hold; ``_scored``: those of candidates in their place, which stand already.
    """
    connection.execute(_REGROUPED, {"link_at": rules.link_at})
    for statement in _REOPEN_COMPLETIONS:
        connection.execute(statement)
    nodes = integers(read_table(connection, "select node_id from _regrouped order by 1"), "node_id")
    table = read_table(connection, _INSIDE)
    pairs = Pairs(
        np.searchsorted(nodes, integers(table, "node_l")),
        np.searchsorted(nodes, integers(table, "node_r")),
        np.asarray(table.column("weight").to_numpy(), dtype=np.float64),
        np.asarray(table.column("is_apart").to_numpy(zero_copy_only=False), dtype=np.bool_),
        np.asarray(table.column("informed").to_numpy(), dtype=np.float64),
    )
    return Members(nodes, pairs)


def completions_to_weigh(connection: Connection, members: Members, rules: Clusters) -> Candidates:
    """The pairs to be compared that no rule found: inside groups made anew, and those of ``_before`` that go on."""
    left, right = uncompared(len(members.nodes), members.pairs, rules)
    others = read_candidates(connection, _COMPLETIONS_LEFT)
    return Candidates.completing(np.r_[members.nodes[left], others.left], np.r_[members.nodes[right], others.right])


def count_doubts(connection: Connection, rules: Clusters) -> None:
    """Count in the groups that stay what their pairs say now."""
    connection.execute(_MOVED_WEIGHTS, {"link_at": rules.link_at})
    for statement in (_DOUBTED, _COUNT_DOUBTS):
        connection.execute(statement)


def groups_of(nodes: Integers, candidates: Pairs, completed: Pairs, link_at: float) -> pa.Table:
    """The groups of more than one node that linking candidates join; pairs by their places among the nodes."""
    linked = candidates.weight >= link_at
    label = components(len(nodes), candidates.left[linked], candidates.right[linked])
    size = np.bincount(label, minlength=len(label))
    agreed = np.zeros(len(label), dtype=np.int64)
    for pairs in (candidates, completed):
        agrees = (pairs.weight >= link_at) & ~pairs.apart & (label[pairs.left] == label[pairs.right])
        agreed += np.bincount(label[pairs.left[agrees]], minlength=len(label))
    doubts = size * (size - 1) // 2 - agreed
    inside = np.flatnonzero(size[label] > 1)
    columns = {"node_id": nodes[inside], "group_id": nodes[label[inside]], "doubts": doubts[label[inside]]}
    return arrow({name: (values, pa.int64()) for name, values in columns.items()})


def placed(pairs: Pairs, nodes: Integers) -> Pairs:
    """Those of some pairs that stand among some nodes, by their places among them."""
    inside = np.isin(pairs.left, nodes) & np.isin(pairs.right, nodes)
    left, right = (np.searchsorted(nodes, end[inside]) for end in (pairs.left, pairs.right))
    return Pairs(left, right, pairs.weight[inside], pairs.apart[inside], pairs.informed[inside])
