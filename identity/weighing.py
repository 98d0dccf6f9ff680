"""Comparing and weighing pairs of nodes: in chunks, all nodes at once or some of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from identity.arrays import Flags, Floats, Integers, arrow, integers, read_table
from identity.cluster import Pairs, uncompared
from identity.compare import compare
from identity.declaration import IdentityRules
from identity.features import Feature, node_count, population, read_features, read_some_features
from identity.model import Model
from identity.outcomes import Outcomes, outcomes_of, packed
from identity.score import evidence_of, probability, score
from warehouse.database import Connection

COMPLETION = -1
"""Rule number of pairs that no blocking rule found: they stand in one linked group."""

_CHUNK = 3 * 122_880
"""Full groups of rows of the engine: once rows go, it moves together those of groups that are not full."""
_KEPT_SHAPE = {
    "node_l": pa.int64(),
    "node_r": pa.int64(),
    "rule_number": pa.int64(),
    "weight": pa.float64(),
    "probability": pa.float64(),
    "evidence": pa.list_(pa.struct([("comparison", pa.string()), ("level", pa.string()), ("weight", pa.float64())])),
    "is_apart": pa.bool_(),
}
_SCORED_SHAPE = {
    "node_l": pa.int64(),
    "node_r": pa.int64(),
    "rule_number": pa.int64(),
    "weight": pa.float64(),
    "is_apart": pa.bool_(),
    "informed": pa.float64(),
    "levels": pa.int64(),
}


@dataclass(frozen=True)
class Candidates:
    """Pairs of nodes to be compared, left < right, and the number of the rule that found each."""

    left: Integers
    right: Integers
    rule: Integers

    @classmethod
    def completing(cls, left: Integers, right: Integers) -> Candidates:
        """Pairs that no rule found."""
        return cls(left, right, np.full(len(left), COMPLETION, np.int64))


@dataclass(frozen=True)
class Weighing:
    """How pairs are weighed: the rules as the model corrects them, what is known of nodes, the odds to begin with."""

    rules: IdentityRules
    features: Mapping[str, Feature]
    nodes: int
    prior: float
    chosen: Integers | None = None
    """The nodes that features are of, in order; None: of all."""

    def places(self, nodes: Integers) -> Integers:
        """Where features have some nodes."""
        return nodes if self.chosen is None else np.searchsorted(self.chosen, nodes)


@dataclass(frozen=True)
class Batch:
    """Scored pairs, and the reasons of those worth keeping."""

    pairs: Candidates
    weight: Floats
    apart: Flags
    informed: Floats
    levels: Integers
    """The levels of all comparisons, packed."""
    kept: Integers
    evidence: pa.ListArray | None

    def scores(self) -> pa.Table:
        """Every pair, as it stands in ``identity._scores``."""
        columns = (self.pairs.left, self.pairs.right, self.pairs.rule, self.weight, self.apart, self.informed)
        return _table(_SCORED_SHAPE, (*columns, self.levels))

    def edges(self) -> pa.Table:
        """The pairs worth keeping, with their reasons."""
        kept, weight = self.kept, self.weight[self.kept]
        ends = self.pairs.left[kept], self.pairs.right[kept], self.pairs.rule[kept]
        told = np.round(weight, 4), np.round(probability(weight), 6), self.evidence
        return _table(_KEPT_SHAPE, (*ends, *told, self.apart[kept]))


def scores_of(batches: list[Batch]) -> pa.Table:
    """Every pair of some batches, as it stands in ``identity._scores``."""
    none = _table(_SCORED_SHAPE, ([],) * len(_SCORED_SHAPE))
    return pa.concat_tables([none, *(batch.scores() for batch in batches)])


def no_edges() -> pa.Table:
    """A table of no pair worth keeping."""
    return _table(_KEPT_SHAPE, ([],) * len(_KEPT_SHAPE))


def weighing_of(connection: Connection, rules: IdentityRules, model: Model) -> Weighing:
    """How a model weighs the pairs of the nodes that stand."""
    nodes, counted = node_count(connection), population(connection)
    features = read_features(connection, nodes, counted, model.frequencies)
    return Weighing(model.corrected(rules), features, nodes, model.prior(counted))


def weighing_of_some(
    connection: Connection, rules: IdentityRules, model: Model, chosen: Integers, counted: int
) -> Weighing:
    """The same, of some nodes alone; ``counted``: the population."""
    features = read_some_features(connection, chosen, counted, model.frequencies)
    return Weighing(model.corrected(rules), features, len(chosen), model.prior(counted), chosen)


def read_candidates(connection: Connection, query: str) -> Candidates:
    """The pairs of a select of node_l, node_r and rule_number."""
    table = read_table(connection, query)
    return Candidates(integers(table, "node_l"), integers(table, "node_r"), integers(table, "rule_number"))


def candidates_of(connection: Connection) -> Candidates:
    """All candidate pairs, in order."""
    return read_candidates(
        connection, "select node_l, node_r, rule_number from identity._candidates order by node_l, node_r"
    )


def weighed_pairs(weighing: Weighing, left: Integers, right: Integers) -> tuple[Pairs, Outcomes]:
    """Pairs as the clusters see them, with those that blocking did not find; and how the given ones came out."""
    batches = weighed(weighing, Candidates.completing(left, right), with_evidence=False)
    outcomes = outcomes_of([Outcomes.of(batch.levels, batch.weight) for batch in batches])
    more = Candidates.completing(*uncompared(weighing.nodes, pairs_of(batches), weighing.rules.clusters))
    return pairs_of([*batches, *weighed(weighing, more, with_evidence=False)]), outcomes


def weighed(weighing: Weighing, pairs: Candidates, *, with_evidence: bool = True) -> list[Batch]:
    """Compare and weigh in chunks, so that memory is bounded by the chunk."""
    batches = []
    for start in range(0, len(pairs.left), _CHUNK):
        part = slice(start, start + _CHUNK)
        chunk = Candidates(pairs.left[part], pairs.right[part], pairs.rule[part])
        compared = compare(weighing.features, weighing.places(chunk.left), weighing.places(chunk.right))
        scored = score(compared, weighing.rules, weighing.prior)
        kept = np.flatnonzero(scored.weight >= weighing.rules.clusters.review_from)
        evidence = evidence_of(scored, weighing.rules, kept) if with_evidence else None
        told = packed(compared.levels)
        batches.append(Batch(chunk, scored.weight, scored.apart, scored.informed, told, kept, evidence))
    return batches


def pairs_of(batches: list[Batch]) -> Pairs:
    """The pairs of some batches as the clusters see them."""
    if not batches:
        empty = np.zeros(0, np.int64)
        return Pairs(empty, empty, np.zeros(0), np.zeros(0, np.bool_), np.zeros(0))
    return Pairs(
        np.concatenate([batch.pairs.left for batch in batches]),
        np.concatenate([batch.pairs.right for batch in batches]),
        np.concatenate([batch.weight for batch in batches]),
        np.concatenate([batch.apart for batch in batches]),
        np.concatenate([batch.informed for batch in batches]),
    )


def _table(shape: Mapping[str, pa.DataType], values: tuple[object, ...]) -> pa.Table:
    return arrow({name: (column, kind) for (name, kind), column in zip(shape.items(), values, strict=True)})
