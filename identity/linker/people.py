"""Links the person records of files: from rows and rules to clusters, edges and scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.arrays import Integers, encoded
from identity.linker.comparison import Records
from identity.linker.declaration import LinkRules
from identity.linker.evidence import edge_table
from identity.linker.linking import Linked, Sources, link
from identity.linker.table import records_of
from identity.scores import cluster_scores
from warehouse.errors import InputError

EDGES_FROM: Final = -4.0
"""Log2 odds from which pairs are written as edges."""


@dataclass(frozen=True)
class People:
    """Linked records, in the order of their ids; ``order`` says which input row each is."""

    ids: pa.Array
    order: pa.Array
    records: Records
    linked: Linked
    source: Integers | None

    def clusters(self) -> pa.Table:
        """One row per input row, in its place: record_id, cluster_id (the id of the cluster's first record)."""
        back = pc.sort_indices(self.order)
        named = self.ids.take(pa.array(self.linked.label))
        return pa.table({"record_id": self.ids.take(back), "cluster_id": named.take(back)})

    def edges(self) -> pa.Table:
        """Scored pairs with their evidence."""
        return edge_table(self.records, self.linked, self.ids, EDGES_FROM)

    def scores(self, truth: pa.Array) -> Mapping[str, float]:
        """Scores against the true person of every input row."""
        codes, _ = encoded(pc.fill_null(truth, "").take(self.order))
        return cluster_scores(codes, self.linked.label, self.source)


def link_people(
    table: pa.Table, rules: LinkRules, *, ids: pa.Array, source: pa.Array | None = None, across: bool = False
) -> People:
    """Link the rows of a table of texts.

    Args:
        table: the rows; only columns that a field names are looked at.
        rules: which columns make which field.
        ids: the id of every row.
        source: where every row comes from, if known.
        across: a person is looked for in other sources only.

    Raises:
        InputError: an id stands twice, or there is nothing to compare.
    """
    if pc.count_distinct(ids).as_py() != len(ids):
        raise InputError("Some record ids stand twice.", "Name a column with another id in every row (--id), or none.")
    order = pc.sort_indices(ids)
    sorted_ids, rows = ids.take(order), table.take(order)
    records = records_of(rows, rules)
    if not records.fields:
        raise InputError("No field of the rules has values.", "Check the columns named in the rules.")
    codes = None
    if source is not None:
        codes, _ = encoded(pc.fill_null(source, "").take(order))
    sources = Sources(codes.astype(np.int32), across) if codes is not None else None
    linked = link(records, sources, rules.link_at)
    return People(sorted_ids, order, records, linked, codes if across else None)
