"""The step that compares and weighs: ``identity._scores`` (pairs of nodes) and ``identity.edges`` (pairs of records).

Edges hold the reasons as outcomes and bits, never as values. Candidates come from blocking; then the pairs inside
linked groups that blocking did not find are compared as well, because a guard may stand between them. How often the
comparisons of candidates came out how is kept in ``identity._outcomes``: it is what drift is measured by.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa

from identity.arrays import Flags, Floats, Integers, arrow, integers, read_table, write_table
from identity.cluster import Pairs, uncompared
from identity.compare import compare
from identity.declaration import IdentityRules
from identity.features import Feature, node_count, read_features
from identity.model import Model
from identity.models import pinned_model
from identity.outcomes import Outcomes, outcomes_of, outcomes_table
from identity.score import evidence_of, probability, score
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

COMPLETION = -1
"""Rule number of pairs that no blocking rule found: they stand in one linked group."""

_CHUNK = 400_000
_EVIDENCE = pa.list_(pa.struct([("comparison", pa.string()), ("level", pa.string()), ("weight", pa.float64())]))
_EDGES = """
    create or replace table identity.edges as
    with first_records as (
        select node_id, min(record_id) as record_id
        from identity._nodes
        group by node_id
    ),

    shared as (
        select
            nodes.record_id,
            first_records.record_id as first_record_id,
            min(own.identifier_kind) as identifier_kind
        from identity._nodes as nodes
        inner join first_records on nodes.node_id = first_records.node_id
        left join identity.identifiers as own
            on nodes.record_id = own.record_id and own.strength = 'unique' and not own.is_blocked
        where nodes.record_id <> first_records.record_id
        group by nodes.record_id, first_records.record_id
    )

    select
        first_record_id as record_id_l,
        record_id as record_id_r,
        coalesce('same_' || identifier_kind, 'same_values') as rule,
        $certain as weight,
        cast(1.0 as double) as probability,
        [{'comparison': coalesce(identifier_kind, 'all values'), 'level': 'same', 'weight': $certain}] as evidence,
        false as is_apart
    from shared

    union all

    select
        least(l.record_id, r.record_id) as record_id_l,
        greatest(l.record_id, r.record_id) as record_id_r,
        kept.rule,
        kept.weight,
        kept.probability,
        kept.evidence,
        kept.is_apart
    from _kept_edges as kept
    inner join first_records as l on kept.node_l = l.node_id
    inner join first_records as r on kept.node_r = r.node_id
    order by record_id_l, record_id_r
"""
CERTAIN_BITS = 60.0


@dataclass(frozen=True)
class _Batch:
    """Scored pairs and the reasons of those worth keeping."""

    left: Integers
    right: Integers
    rule: Integers
    weight: Floats
    apart: Flags
    informed: Floats
    outcomes: Outcomes
    kept: Integers
    evidence: list[list[dict[str, object]]]


@dataclass(frozen=True)
class Weighing:
    """How pairs are weighed: the rules as the model corrects them, what is known of nodes, the odds to begin with."""

    rules: IdentityRules
    features: Mapping[str, Feature]
    nodes: int
    prior: float


def weighing_of(connection: Connection, rules: IdentityRules, model: Model) -> Weighing:
    """How a model weighs the pairs of the nodes that stand."""
    nodes = node_count(connection)
    return Weighing(
        model.corrected(rules), read_features(connection, nodes, model.frequencies), nodes, model.prior(nodes)
    )


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
    )
    reads = frozenset(
        {
            "identity._candidates",
            "identity._features",
            "identity._nodes",
            "identity.identifiers",
            "identity.models",
            "identity.model_values",
        }
    )
    return Step("identity.edges", tables, reads, partial(_execute, rules))


def _execute(rules: IdentityRules, connection: Connection, _: Run) -> None:
    weighing = weighing_of(connection, rules, pinned_model(connection))
    left, right, rule = candidates_of(connection)
    batches = list(_scored(weighing, left, right, rule))
    write_table(connection, "identity._outcomes", outcomes_table([batch.outcomes for batch in batches]))
    more_left, more_right = uncompared(weighing.nodes, _pairs_of(batches), rules.clusters)
    batches += _scored(weighing, more_left, more_right, np.full(len(more_left), COMPLETION, np.int64))
    _write(connection, rules, batches)


def candidates_of(connection: Connection) -> tuple[Integers, Integers, Integers]:
    """The candidate pairs, in order: left node, right node, number of the rule."""
    table = read_table(
        connection, "select node_l, node_r, rule_number from identity._candidates order by node_l, node_r"
    )
    return integers(table, "node_l"), integers(table, "node_r"), integers(table, "rule_number")


def weighed_pairs(weighing: Weighing, left: Integers, right: Integers) -> tuple[Pairs, Outcomes]:
    """Pairs as the clusters see them, with those that blocking did not find; and how the given ones came out."""
    nothing = np.full(len(left), COMPLETION, np.int64)
    batches = _scored(weighing, left, right, nothing, with_evidence=False)
    outcomes = outcomes_of([batch.outcomes for batch in batches])
    more_left, more_right = uncompared(weighing.nodes, _pairs_of(batches), weighing.rules.clusters)
    more = np.full(len(more_left), COMPLETION, np.int64)
    return _pairs_of([*batches, *_scored(weighing, more_left, more_right, more, with_evidence=False)]), outcomes


def _scored(
    weighing: Weighing, left: Integers, right: Integers, rule: Integers, *, with_evidence: bool = True
) -> list[_Batch]:
    """Compare and weigh in chunks, so that memory is bounded by the chunk."""
    batches = []
    for start in range(0, len(left), _CHUNK):
        part = slice(start, start + _CHUNK)
        compared = compare(weighing.features, left[part], right[part])
        scored = score(compared, weighing.rules, weighing.prior)
        kept = np.flatnonzero(scored.weight >= weighing.rules.clusters.review_from)
        evidence = evidence_of(scored, weighing.rules, kept) if with_evidence else []
        found = Outcomes.of(compared.levels, scored.weight)
        ends = left[part], right[part], rule[part]
        batches.append(_Batch(*ends, scored.weight, scored.apart, scored.informed, found, kept, evidence))
    return batches


def _pairs_of(batches: list[_Batch]) -> Pairs:
    if not batches:
        empty = np.zeros(0, np.int64)
        return Pairs(empty, empty, np.zeros(0), np.zeros(0, np.bool_), np.zeros(0))
    return Pairs(
        np.concatenate([batch.left for batch in batches]),
        np.concatenate([batch.right for batch in batches]),
        np.concatenate([batch.weight for batch in batches]),
        np.concatenate([batch.apart for batch in batches]),
        np.concatenate([batch.informed for batch in batches]),
    )


def _write(connection: Connection, rules: IdentityRules, batches: list[_Batch]) -> None:
    pairs = _pairs_of(batches)
    write_table(
        connection,
        "identity._scores",
        arrow(
            {
                "node_l": (pairs.left, pa.int64()),
                "node_r": (pairs.right, pa.int64()),
                "weight": (pairs.weight, pa.float64()),
                "is_apart": (pairs.apart, pa.bool_()),
                "informed": (pairs.informed, pa.float64()),
            }
        ),
    )
    names = [rule.rule for rule in rules.blocking]
    kept = [(batch, batch.kept) for batch in batches]
    numbers = [int(number) for batch, chosen in kept for number in batch.rule[chosen].tolist()]
    weights = np.concatenate([batch.weight[chosen] for batch, chosen in kept]) if kept else np.zeros(0)
    edges = arrow(
        {
            "node_l": ([node for batch, chosen in kept for node in batch.left[chosen].tolist()], pa.int64()),
            "node_r": ([node for batch, chosen in kept for node in batch.right[chosen].tolist()], pa.int64()),
            "rule": (["within_group" if number == COMPLETION else names[number] for number in numbers], pa.string()),
            "weight": (np.round(weights, 4), pa.float64()),
            "probability": (np.round(probability(weights), 6), pa.float64()),
            "evidence": ([lines for batch in batches for lines in batch.evidence], _EVIDENCE),
            "is_apart": ([no for batch, chosen in kept for no in batch.apart[chosen].tolist()], pa.bool_()),
        }
    )
    connection.register("_kept_edges", edges)
    try:
        connection.execute(_EDGES, {"certain": CERTAIN_BITS})
    finally:
        connection.unregister("_kept_edges")
