"""The step that compares and weighs: ``identity._scores`` (pairs of nodes) and ``identity.edges`` (pairs of records).

Edges hold the reasons as outcomes and bits, never as values. Candidates come from blocking; then the pairs inside
linked groups that blocking did not find are compared as well, because a guard may stand between them. How often the
comparisons of candidates came out how is kept in ``identity._outcomes``: it is what drift is measured by.

Where the tables stand, ``identity.reweighing`` says which pairs are weighed again, ``identity.groups`` which groups
they make, and whose clusters may be others now.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import pyarrow as pa

from identity.arrays import add_rows, arrow, read_table, write_table, write_temporary
from identity.cluster import uncompared
from identity.declaration import IdentityRules
from identity.features import name_counts, names_in_all, population
from identity.groups import TOLD, completions_to_weigh, count_doubts, groups_of, open_groups, placed
from identity.kept import Keeper, narrowed, part, tell, tell_everything
from identity.model import Model
from identity.models import pinned_model
from identity.outcomes import BANDS, COUNT_MOVED_PATTERNS, COUNT_PATTERNS, Outcomes, outcomes_before, outcomes_table
from identity.reweighing import candidates_to_weigh
from identity.specs import spec
from identity.weighing import (
    COMPLETION,
    Batch,
    Candidates,
    candidates_of,
    no_edges,
    pairs_of,
    scores_of,
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
_DROP_SCORES = """
    delete from identity._scores as scores using _before
    where scores.node_l = _before.node_l and scores.node_r = _before.node_r
"""
_EDGES_BEFORE = """
    create or replace temp table _edges_before as
    with touched_records as (
        select first_records.record_id
        from identity._first_records as first_records
        semi join _touched on first_records.node_id = _touched.node_id
    )

    select least(l.record_id, r.record_id) as record_id_l, greatest(l.record_id, r.record_id) as record_id_r
    from _before as pairs
    inner join identity._first_records as l on pairs.node_l = l.node_id
    inner join identity._first_records as r on pairs.node_r = r.node_id
    where pairs.weight >= $review_from
    union all
    select edges.record_id_l, edges.record_id_r
    from identity.edges as edges
    semi join touched_records on edges.record_id_l = touched_records.record_id
    where starts_with(edges.rule, 'same_')
"""
_DROP_EDGES = (
    """
    delete from identity.edges as edges using _edges_before as gone
    where edges.record_id_l = gone.record_id_l and edges.record_id_r = gone.record_id_r
    """,
    "delete from identity._first_records where node_id in (select node_id from _touched)",
    "insert into identity._first_records select node_id, min(record_id) from _part_nodes group by node_id",
)
_EDGES_MOVED = """
    select record_id_l || ' ' || record_id_r as key, null as one, null as other
    from (
        select record_id_l, record_id_r from _edges_before
        union
        select record_id_l, record_id_r from _edges_now
    )
"""
_PART = {"identity._nodes": "_part_nodes", "identity.identifiers": "_part_identifiers"}


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
    model, counted = pinned_model(connection), population(connection)
    keeper = _keeper(connection, rules, model, counted)
    if keeper.stands(connection, run):
        _weigh_again(connection, rules, model, counted)
        tell(connection, "components", TOLD)
        tell(connection, "edges", _EDGES_MOVED)
    else:
        _weigh_all(connection, rules, model)
        tell_everything(connection, "components", "edges")
    keeper.done(connection)


def _keeper(connection: Connection, rules: IdentityRules, model: Model, counted: int) -> Keeper:
    """Weights hang on the rules, the model, and how many people there are."""
    people = model.frequencies.people(counted)
    names = names_in_all(name_counts(connection), people, model.frequencies)
    declared = rules.model_dump_json(include={"comparisons", "guards", "clusters", "blocking"})
    subjects = ("candidates", "featured", "holders")
    return Keeper("identity.edges", subjects, (declared, model.fingerprint(), f"{people} {names}"))


def _weigh_all(connection: Connection, rules: IdentityRules, model: Model) -> None:
    weighing = weighing_of(connection, rules, model)
    batches = weighed(weighing, candidates_of(connection))
    pairs = pairs_of(batches)
    completed = weighed(weighing, Candidates.completing(*uncompared(weighing.nodes, pairs, rules.clusters)))
    nodes = np.arange(weighing.nodes)
    write_table(connection, "identity._groups", groups_of(nodes, pairs, pairs_of(completed), rules.clusters.link_at))
    batches += completed
    write_table(connection, "identity._scores", scores_of(batches))
    connection.execute(_FIRST_RECORDS)
    _write_edges(connection, rules, batches, "create or replace table identity.edges as", _CERTAIN_EDGES)
    patterns = read_table(connection, COUNT_PATTERNS, BANDS)
    write_table(connection, "identity._outcomes", outcomes_table([Outcomes.of_table(patterns)]))


def _weigh_again(connection: Connection, rules: IdentityRules, model: Model, counted: int) -> None:
    batches = _weighed_some(connection, rules, model, candidates_to_weigh(connection, rules, model), counted)
    scored = scores_of(batches)
    write_temporary(connection, "_scored", scored)
    patterns = Outcomes.of_table(read_table(connection, COUNT_MOVED_PATTERNS, BANDS))
    connection.execute(_DROP_SCORES)
    add_rows(connection, "identity._scores", scored)
    members = open_groups(connection, rules.clusters)
    completions = completions_to_weigh(connection, members, rules.clusters)
    completed = _weighed_some(connection, rules, model, completions, counted)
    for table in ("_scored", "identity._scores"):
        add_rows(connection, table, scores_of(completed))
    connection.execute("delete from identity._groups where node_id in (from _regrouped)")
    inside = placed(pairs_of(completed), members.nodes)
    add_rows(connection, "identity._groups", groups_of(members.nodes, members.pairs, inside, rules.clusters.link_at))
    count_doubts(connection, rules.clusters)
    part(connection, "_part_nodes", "identity._nodes", "_touched", "node_id")
    part(connection, "_part_identifiers", "identity.identifiers", "_part_nodes", "record_id")
    connection.execute(_EDGES_BEFORE, {"review_from": rules.clusters.review_from})
    for statement in _DROP_EDGES:
        connection.execute(statement)
    certain = narrowed(_CERTAIN_EDGES, _PART)
    _write_edges(connection, rules, [*batches, *completed], "create or replace temp table _edges_now as", certain)
    connection.execute("insert into identity.edges from _edges_now")
    write_table(connection, "identity._outcomes", outcomes_table([outcomes_before(connection), patterns]))


def _weighed_some(
    connection: Connection, rules: IdentityRules, model: Model, pairs: Candidates, counted: int
) -> list[Batch]:
    if not len(pairs.left):
        return []
    chosen = np.union1d(pairs.left, pairs.right)
    return weighed(weighing_of_some(connection, rules, model, chosen, counted), pairs)


def _write_edges(connection: Connection, rules: IdentityRules, batches: list[Batch], how: str, certain: str) -> None:
    """Write what is certain and what was weighed as edges of records, in one statement.

    In order they fill whole groups of rows of the engine, which it leaves alone when some of them go.
    """
    numbers = list(range(len(rules.blocking)))
    names = [rule.rule for rule in rules.blocking]
    table = {
        "rule_number": ([COMPLETION, *numbers], pa.int64()),
        "rule": (["within_group", *names], pa.string()),
    }
    connection.register("_rules", arrow(table))
    connection.register("_kept_edges", pa.concat_tables([no_edges(), *(batch.edges() for batch in batches)]))
    try:
        both = (how, "from (", _MODEL_EDGES, ") union all from (", certain, ") order by record_id_l, record_id_r")
        connection.execute(" ".join(both), {"certain": CERTAIN_BITS})
    finally:
        for name in ("_rules", "_kept_edges"):
            connection.unregister(name)
