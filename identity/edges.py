"""The step that compares and weighs: ``identity._scores`` (pairs of nodes) and ``identity.edges`` (pairs of records).

Edges hold the reasons as outcomes and bits, never as values. Candidates come from blocking; then the pairs inside
linked groups that blocking did not find are compared as well, because a guard may stand between them. How often the
comparisons of candidates came out how is kept in ``identity._outcomes``: it is what drift is measured by.

Where the tables stand, pairs are weighed that are new, that have a node which changed, or that agree on a value which
is rarer or more common now than its step allows (``identity.frequencies``). The groups of ``identity._groups``
(node_id, group_id) that such pairs belong to are completed again; the nodes of these groups are what clusters are made
of anew.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa

from identity.arrays import Integers, add_rows, arrow, components, integers, read_table, write_table, write_temporary
from identity.cluster import Pairs, uncompared
from identity.compare_names import NAME_PARTS
from identity.declaration import IdentityRules
from identity.features import name_counts, names_in_all, population
from identity.kept import Keeper, narrowed, part, tell, tell_everything, touched_nodes
from identity.model import Model
from identity.models import pinned_model
from identity.outcomes import BANDS, COUNT_PATTERNS, Outcomes, level_bits, outcomes_table
from identity.specs import spec
from identity.weighing import (
    COMPLETION,
    Batch,
    Candidates,
    candidates_of,
    no_edges,
    no_scores,
    pairs_of,
    read_candidates,
    weighed,
    weighing_of,
    weighing_of_some,
)
from warehouse.database import Connection
from warehouse.step import Run, Step

CERTAIN_BITS = 60.0
_FIRST_RECORDS = """
    create or replace table identity._first_records as
    select node_id, min(record_id) as record_id
    from identity._nodes
    group by node_id
"""
_CERTAIN_EDGES = """
    with shared as (
        select
            nodes.record_id,
            first_records.record_id as first_record_id,
            min(own.identifier_kind) as identifier_kind
        from identity._nodes as nodes
        inner join identity._first_records as first_records on nodes.node_id = first_records.node_id
        left join identity.identifiers as own
            on nodes.record_id = own.record_id and own.strength = 'unique' and not own.is_blocked
        where nodes.record_id <> first_records.record_id
        group by nodes.record_id, first_records.record_id
    )

    select
        first_record_id as record_id_l,
        record_id as record_id_r,
        coalesce('same_' || identifier_kind, 'same_values') as rule,
        cast($certain as double) as weight,
        cast(1.0 as double) as probability,
        [{'comparison': coalesce(identifier_kind, 'all values'), 'level': 'same', 'weight': cast($certain as double)}]
            as evidence,
        false as is_apart
    from shared
"""
_MODEL_EDGES = """
    select
        least(l.record_id, r.record_id) as record_id_l,
        greatest(l.record_id, r.record_id) as record_id_r,
        rules.rule,
        kept.weight,
        kept.probability,
        kept.evidence,
        kept.is_apart
    from _kept_edges as kept
    inner join identity._first_records as l on kept.node_l = l.node_id
    inner join identity._first_records as r on kept.node_r = r.node_id
    inner join _rules as rules on kept.rule_number = rules.rule_number
"""
_COUNTS_MOVED = """
    with moved as (
        select split_part(key, ':', 1) as feature, substr(key, strpos(key, ':') + 1) as value, one, other, version
        from _heard
        where subject = 'holders'
    )

    select feature, value, arg_min(one, version) as before, arg_max(other, version) as now
    from moved
    where list_contains($asked, feature) and feature <> 'name'
    group by feature, value
    order by feature, value
"""
_SHIFTED = """
    create or replace temp table _shifted as
    select features.node_id, features.feature as comparison
    from identity._features as features
    semi join _shifted_values as shifted on features.feature = shifted.feature and features.value = shifted.value
    union
    select features.node_id, features.feature as comparison
    from identity._features as features
    where
        features.feature = 'name'
        and (
            split_part(features.value, chr(9), 1)
            in (select value from _shifted_values where feature = 'name.given')
            or split_part(features.value, chr(9), 2)
            in (select value from _shifted_values where feature = 'name.family')
        )
"""
_PAIRS = """
    create or replace temp table _moved_pairs as
    select distinct one as node_l, other as node_r from _heard where subject = 'candidates'
"""
_BEFORE = """
    create or replace temp table _before as
    with asking as (
        select shifted.node_id, asking.bits, asking.level
        from _shifted as shifted
        inner join _asking as asking on shifted.comparison = asking.comparison
    )

    select scores.*
    from identity._scores as scores
    where scores.node_l in (from _touched) or scores.node_r in (from _touched)
    union
    select scores.*
    from identity._scores as scores
    semi join _moved_pairs on scores.node_l = _moved_pairs.node_l and scores.node_r = _moved_pairs.node_r
    union
    select scores.*
    from identity._scores as scores
    inner join asking on scores.node_l = asking.node_id and ((scores.levels >> asking.bits) & 15) = asking.level
    union
    select scores.*
    from identity._scores as scores
    inner join asking on scores.node_r = asking.node_id and ((scores.levels >> asking.bits) & 15) = asking.level
"""
_TO_SCORE = """
    with pairs as (
        select node_l, node_r from _before
        union
        select node_l, node_r from _moved_pairs
    )

    select candidates.node_l, candidates.node_r, candidates.rule_number
    from identity._candidates as candidates
    semi join pairs on candidates.node_l = pairs.node_l and candidates.node_r = pairs.node_r
    order by 1, 2
"""
_REGROUPED = """
    create or replace temp table _regrouped as
    with was as (
        select node_l, node_r, rule_number, weight, is_apart, informed from _before where rule_number >= 0
    ),

    is_now as (
        select node_l, node_r, rule_number, weight, is_apart, informed from _scored
    ),

    moved as (
        (from was except from is_now)
        union all
        (from is_now except from was)
        union all
        select node_l, node_r, rule_number, weight, is_apart, informed from _before where rule_number < 0
    ),

    ends as (
        select node_id from _touched
        union
        select node_l from moved
        union
        select node_r from moved
    ),

    open_groups as (
        select distinct groups.group_id
        from identity._groups as groups
        semi join ends on groups.node_id = ends.node_id
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
_COMPLETIONS_BEFORE = """
    create or replace temp table _completions_before as
    select scores.*
    from identity._scores as scores
    where scores.rule_number < 0 and scores.node_l in (from _regrouped) and scores.node_r in (from _regrouped)
"""
_DROP_COMPLETIONS = """
    delete from identity._scores
    where rule_number < 0 and node_l in (from _regrouped) and node_r in (from _regrouped)
"""
_DROP_SCORES = """
    delete from identity._scores as scores using _before
    where scores.node_l = _before.node_l and scores.node_r = _before.node_r
"""
_DROP_EDGES = (
    """
    create or replace temp table _edges_before as
    select least(l.record_id, r.record_id) as record_id_l, greatest(l.record_id, r.record_id) as record_id_r
    from (from _before union all from _completions_before) as pairs
    inner join identity._first_records as l on pairs.node_l = l.node_id
    inner join identity._first_records as r on pairs.node_r = r.node_id
    """,
    """
    delete from identity.edges as edges using _edges_before as gone
    where edges.record_id_l = gone.record_id_l and edges.record_id_r = gone.record_id_r
    """,
    """
    delete from identity.edges as edges using (
        select first_records.record_id
        from identity._first_records as first_records
        semi join _touched on first_records.node_id = _touched.node_id
    ) as gone
    where edges.record_id_l = gone.record_id and starts_with(edges.rule, 'same_')
    """,
    "delete from identity._first_records where node_id in (select node_id from _touched)",
    "insert into identity._first_records select node_id, min(record_id) from _part_nodes group by node_id",
)
_PART = {"identity._nodes": "_part_nodes", "identity.identifiers": "_part_identifiers"}
_TOLD = "select null as key, node_id as one, null as other from _regrouped"


def edges_step(rules: IdentityRules) -> Step:
    """Make ``identity._scores``, ``identity._outcomes`` and ``identity.edges``."""
    tables = (
        spec("_scores", "What the comparison of two nodes amounts to, in bits.", ("node_l", "node_r")),
        spec(
            "edges",
            "Two records that may be one person, with the weight of the evidence and the reasons.",
            ("record_id_l", "record_id_r"),
        ),
        spec("_outcomes", "How many candidate pairs came out how in a comparison.", ("comparison", "level")),
        spec("_groups", "The nodes that links join over any number of steps, before clusters are cut.", ("node_id",)),
    )
    reads = frozenset(
        {
            "identity._candidates",
            "identity._features",
            "identity._holders",
            "identity._nodes",
            "identity.identifiers",
            "identity.models",
            "identity.model_values",
        }
    )
    return Step("identity.edges", tables, reads, partial(_execute, rules), keeps_grain=True)


def _execute(rules: IdentityRules, connection: Connection, run: Run) -> None:
    model = pinned_model(connection)
    keeper = _keeper(connection, rules, model)
    if keeper.stands(connection, run):
        _weigh_again(connection, rules, model)
        tell(connection, "components", _TOLD)
    else:
        _weigh_all(connection, rules, model)
        tell_everything(connection, "components")
    patterns = read_table(connection, COUNT_PATTERNS, BANDS)
    outcomes = Outcomes.of_patterns(*(integers(patterns, column) for column in ("levels", "band", "pairs")))
    write_table(connection, "identity._outcomes", outcomes_table([outcomes]))
    keeper.done(connection)


def _keeper(connection: Connection, rules: IdentityRules, model: Model) -> Keeper:
    """Weights hang on the rules, the model, and how many people there are."""
    people = model.frequencies.people(population(connection))
    names = names_in_all(name_counts(connection), people, model.frequencies)
    declared = rules.model_dump_json(include={"comparisons", "guards", "clusters", "blocking"})
    subjects = ("candidates", "featured", "holders")
    return Keeper("identity.edges", subjects, (declared, model.fingerprint(), f"{people} {names}"))


def _weigh_all(connection: Connection, rules: IdentityRules, model: Model) -> None:
    weighing = weighing_of(connection, rules, model)
    batches = weighed(weighing, candidates_of(connection))
    pairs = pairs_of(batches)
    batches += weighed(weighing, Candidates.completing(*uncompared(weighing.nodes, pairs, rules.clusters)))
    write_table(connection, "identity._scores", pa.concat_tables([no_scores(), *(batch.scores() for batch in batches)]))
    write_table(connection, "identity._groups", _groups(np.arange(weighing.nodes), pairs, rules.clusters.link_at))
    connection.execute(_FIRST_RECORDS)
    _write_edges(connection, rules, batches, "create or replace table identity.edges as", _CERTAIN_EDGES)


def _weigh_again(connection: Connection, rules: IdentityRules, model: Model) -> None:
    _read_shifted(connection, rules, model)
    touched_nodes(connection, "featured")
    for statement in (_PAIRS, _BEFORE):
        connection.execute(statement)
    batches = _weighed_some(connection, rules, model, read_candidates(connection, _TO_SCORE))
    scored = pa.concat_tables([no_scores(), *(batch.scores() for batch in batches)])
    write_temporary(connection, "_scored", scored)
    for statement in (_REGROUPED, _DROP_SCORES):
        connection.execute(statement)
    add_rows(connection, "identity._scores", scored)
    members = integers(read_table(connection, "select node_id from _regrouped order by 1"), "node_id")
    pairs = _local_pairs(connection, members)
    left, right = uncompared(len(members), pairs, rules.clusters)
    for statement in (_COMPLETIONS_BEFORE, _DROP_COMPLETIONS):
        connection.execute(statement)
    completed = _weighed_some(connection, rules, model, Candidates.completing(members[left], members[right]))
    add_rows(connection, "identity._scores", pa.concat_tables([no_scores(), *(batch.scores() for batch in completed)]))
    connection.execute("delete from identity._groups where node_id in (from _regrouped)")
    add_rows(connection, "identity._groups", _groups(members, pairs, rules.clusters.link_at))
    part(connection, "_part_nodes", "identity._nodes", "_touched", "node_id")
    part(connection, "_part_identifiers", "identity.identifiers", "_part_nodes", "record_id")
    for statement in _DROP_EDGES:
        connection.execute(statement)
    certain = narrowed(_CERTAIN_EDGES, _PART)
    _write_edges(connection, rules, [*batches, *completed], "insert into identity.edges", certain)


def _weighed_some(connection: Connection, rules: IdentityRules, model: Model, pairs: Candidates) -> list[Batch]:
    if not len(pairs.left):
        return []
    chosen = np.union1d(pairs.left, pairs.right)
    return weighed(weighing_of_some(connection, rules, model, chosen), pairs)


def _local_pairs(connection: Connection, members: Integers) -> Pairs:
    """The weighed pairs of some nodes, which are numbered by their place among them."""
    table = read_table(connection, _INSIDE)
    return Pairs(
        np.searchsorted(members, integers(table, "node_l")),
        np.searchsorted(members, integers(table, "node_r")),
        np.asarray(table.column("weight").to_numpy(), dtype=np.float64),
        np.asarray(table.column("is_apart").to_numpy(zero_copy_only=False), dtype=np.bool_),
        np.asarray(table.column("informed").to_numpy(), dtype=np.float64),
    )


def _groups(members: Integers, pairs: Pairs, link_at: float) -> pa.Table:
    """The groups of more than one node that links join."""
    linked = pairs.weight >= link_at
    label = components(len(members), pairs.left[linked], pairs.right[linked])
    inside = np.flatnonzero(np.bincount(label, minlength=len(label))[label] > 1)
    return arrow({"node_id": (members[inside], pa.int64()), "group_id": (members[label[inside]], pa.int64())})


def _read_shifted(connection: Connection, rules: IdentityRules, model: Model) -> None:
    """The nodes that hold a value which counts as rarer or more common than before, and the levels that ask for it."""
    asking = [
        (item.comparison, level_bits(item.comparison), place + 1)
        for item in rules.comparisons
        for place, level in enumerate(item.levels)
        if level.rarity
    ]
    columns = {
        "comparison": ([row[0] for row in asking], pa.string()),
        "bits": ([row[1] for row in asking], pa.int32()),
        "level": ([row[2] for row in asking], pa.int64()),
    }
    write_temporary(connection, "_asking", arrow(columns))
    asked = [*{row[0] for row in asking}, *(f"name.{part}" for part in NAME_PARTS)]
    table = read_table(connection, _COUNTS_MOVED, {"asked": asked})
    before, now = (np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in ("before", "now"))
    features, values = np.array(table.column("feature").to_pylist(), dtype=object), table.column("value").to_pylist()
    shifted = np.zeros(len(values), dtype=np.bool_)
    for feature in sorted(set(features)):
        chosen = np.flatnonzero(features == feature)
        texts, held = [values[place] for place in chosen.tolist()], model.frequencies.held
        name = feature.removeprefix("name.")
        shifted[chosen] = held(name, texts, before[chosen]) != held(name, texts, now[chosen])
    write_temporary(
        connection, "_shifted_values", table.select(["feature", "value"]).filter(pa.array(shifted, pa.bool_()))
    )
    connection.execute(_SHIFTED)


def _write_edges(connection: Connection, rules: IdentityRules, batches: list[Batch], how: str, certain: str) -> None:
    """Write what is certain and what was weighed as edges of records, in one statement."""
    numbers = list(range(len(rules.blocking)))
    names = [rule.rule for rule in rules.blocking]
    table = {
        "rule_number": ([COMPLETION, *numbers], pa.int64()),
        "rule": (["within_group", *names], pa.string()),
    }
    connection.register("_rules", arrow(table))
    connection.register("_kept_edges", pa.concat_tables([no_edges(), *(batch.edges() for batch in batches)]))
    try:
        both = (how, "from (", certain, ") union all from (", _MODEL_EDGES, ")")
        connection.execute(" ".join(both), {"certain": CERTAIN_BITS})
    finally:
        for name in ("_rules", "_kept_edges"):
            connection.unregister(name)
