"""How good the partition probably is where no truth is known: what the probabilities of the evidence amount to.

Two records of a customer are one person as surely as the weakest tie on the strongest way between them. Two customers
are one person after all as probably as their best pair says. Pairs that blocking never brought together count as two
people, so recall is an upper estimate.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np

from identity.arrays import Floats, Integers, integers, read_table, root
from identity.score import probability
from identity.scores import harmonic
from warehouse.database import Connection

_NODES: Final = """
    select nodes.node_id, count(*) as records, dense_rank() over (order by min(links.customer_id)) - 1 as customer
    from identity._nodes as nodes
    inner join identity.customer_links as links on nodes.record_id = links.record_id
    group by nodes.node_id
    order by nodes.node_id
"""
_PAIRS: Final = """
    select node_l, node_r, weight from identity._scores
    where not is_apart
    order by weight desc, node_l, node_r
"""


def estimated_scores(connection: Connection) -> Mapping[str, float]:
    """Precision, recall and F1 over pairs of records as the evidence of this run has them."""
    nodes = read_table(connection, _NODES)
    records, customer = integers(nodes, "records"), integers(nodes, "customer")
    pairs = read_table(connection, _PAIRS)
    # A node keeps its number from run to run, so numbers have gaps: nodes go by their place among those that are.
    number = integers(nodes, "node_id")
    left, right = (np.searchsorted(number, integers(pairs, side)) for side in ("node_l", "node_r"))
    likely = probability(np.asarray(pairs.column("weight").to_numpy(), dtype=np.float64))
    inside = customer[left] == customer[right]
    certain = float((records * (records - 1) // 2).sum())
    claimed, right_ones = _inside(records, left[inside], right[inside], likely[inside])
    missed = _missed(records, customer, left[~inside], right[~inside], likely[~inside])
    claimed, right_ones = claimed + certain, right_ones + certain
    precision = right_ones / claimed if claimed else 1.0
    recall = right_ones / (right_ones + missed) if right_ones + missed else 1.0
    return {
        "precision": precision,
        "recall": recall,
        "f1": harmonic(precision, recall),
    }


def _inside(records: Integers, left: Integers, right: Integers, likely: Floats) -> tuple[float, float]:
    """Pairs of records that ties bring together, and how many of them are probably right; the likeliest ties first."""
    parent = list(range(len(records)))
    size = records.tolist()
    claimed = right_ones = 0.0
    for one, other, share in zip(left.tolist(), right.tolist(), likely.tolist(), strict=True):
        a, b = root(parent, one), root(parent, other)
        if a == b:
            continue
        joined = size[a] * size[b]
        claimed += joined
        right_ones += joined * share
        parent[b] = a
        size[a] += size[b]
    return claimed, right_ones


def _missed(records: Integers, customer: Integers, left: Integers, right: Integers, likely: Floats) -> float:
    """Pairs of records of two customers that are probably one person, by the best pair of the two; it comes first."""
    held = np.bincount(customer, records)
    low, high = np.minimum(customer[left], customer[right]), np.maximum(customer[left], customer[right])
    _, first = np.unique(low * max(len(held), 1) + high, return_index=True)
    return float((held[low[first]] * held[high[first]] * likely[first]).sum())
