"""On labelled sets that others made, the comparisons are sane with the one default: precise first, then complete.

The floors guard against a break; they are no target. Parameters learnt from the data are what raises recall on the
heavily damaged sets.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import pytest
from kept_tables import GROWN, TABLES, tables
from labelled import Row, fake_1000, febrl3, read_labelled, zh_10k
from people import give_records, later, match, partition, prepare, resolve

from identity.scores import cluster_scores
from warehouse.database import Warehouse, open_warehouse
from warehouse.step import Run


@pytest.mark.parametrize(
    ("mapped", "precision", "f1"), [(fake_1000, 0.98, 0.55), (febrl3, 0.99, 0.94), (zh_10k, 0.97, 0.96)]
)
def test_a_labelled_set_is_resolved_with_the_default(
    prepared: Warehouse, run: Run, real_data: Path, mapped: Callable[[Row], Row], precision: float, f1: float
) -> None:
    persons, records = zip(*read_labelled(real_data, mapped), strict=True)
    links = resolve(prepared, run, records)
    found = [links[record["record_id"]] for record in records]
    scores = cluster_scores(_codes(persons), _codes(found))
    assert scores["precision"] >= precision
    assert scores["f1"] >= f1


def _codes(values: Any) -> np.ndarray:
    return np.unique(values, return_inverse=True)[1]


@pytest.mark.parametrize("mapped", [fake_1000, febrl3, zh_10k])
def test_a_labelled_set_in_batches_ends_in_the_tables_of_a_set_at_once(
    prepared: Warehouse, run: Run, real_data: Path, mapped: Callable[[Row], Row]
) -> None:
    records = [record for _, record in read_labelled(real_data, mapped)]
    draw = Random(mapped.__name__).random
    for hours, withheld in enumerate((0.02, 0.01, 0)):
        give_records(prepared, [record for record in records if draw() >= withheld])
        links = match(prepared, later(run, hours))
    heard = "select count(*) from identity._changes where subject = 'components' and not is_everything"
    assert prepared.cursor().execute(heard).fetchall() != [(0,)], "the runs that added began anew"
    with open_warehouse() as at_once:
        prepare(at_once)
        assert partition(resolve(at_once, run, records)) == partition(links)
        names = [name for name in TABLES if name not in GROWN]
        of_batches, of_one = tables(prepared, names), tables(at_once, names)
    for name in names:
        assert of_batches[name] == of_one[name], name
