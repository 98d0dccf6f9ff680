"""How good a partition is: figures checked by hand, and by a second way of counting."""

from __future__ import annotations

from importlib.resources import files
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from people import a_record, later, resolve

from identity.estimated import estimated_scores
from identity.scorecard import scorecard_step
from identity.scores import cluster_scores
from warehouse.database import Warehouse
from warehouse.step import Run, materialise

labels = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=15)


def test_figures_of_a_small_partition_are_those_of_a_pencil() -> None:
    scores = cluster_scores(np.array([1, 1, 1, 2, 2, 3]), np.array([1, 1, 2, 3, 3, 3]))
    assert scores["precision"] == pytest.approx(2 / 4)
    assert scores["recall"] == pytest.approx(2 / 4)
    assert scores["exact_cluster_f1"] == 0.0


@given(labels)
def test_pairwise_figures_equal_a_count_over_all_pairs(pairs: list[tuple[int, int]]) -> None:
    truth, found = np.array([pair[0] for pair in pairs]), np.array([pair[1] for pair in pairs])
    both = sum(a[0] == b[0] and a[1] == b[1] for a, b in combinations(pairs, 2))
    claimed = sum(a[1] == b[1] for a, b in combinations(pairs, 2))
    wanted = sum(a[0] == b[0] for a, b in combinations(pairs, 2))
    scores = cluster_scores(truth, found)
    assert scores["precision"] == pytest.approx(both / claimed if claimed else 1.0)
    assert scores["recall"] == pytest.approx(both / wanted if wanted else 1.0)


def test_a_run_is_scored_against_truth_and_by_signals(prepared: Warehouse, run: Run, tmp_path: Path) -> None:
    rows = [a_record(full_name="Ann Archer", email="ann@a.example", city=city) for city in ("Leeds", "York")]
    visitor = a_record(feed="web", kind="web_events", anonymous_id="k", person_key="visitor")
    resolve(prepared, run, [*rows, visitor])
    found = prepared.cursor().execute("select feed, file, row, record_id from identity.row_records").fetchall()
    lines = [
        f"{feed},{file},{row},{'ann' if record != visitor['record_id'] else 'bob'}" for feed, file, row, record in found
    ]
    truth = tmp_path / "persons.csv"
    truth.write_text("feed,file,row,person_id\n" + "\n".join(lines), encoding="utf-8")
    materialise(prepared, scorecard_step(truth, ""), run)
    figures = {
        (data_set, metric): value
        for data_set, metric, value in prepared.cursor()
        .execute("select data_set, metric, value from identity.scorecard")
        .fetchall()
    }
    assert figures["truth", "f1"] == figures["truth_known_customers", "exact_cluster_f1"] == 1.0
    assert figures["signals", "customers"] == figures["signals", "visitors"] == 1.0
    assert figures["signals", "records"] == 3.0
    assert figures["signals", "id_churn"] == 0.0


def test_without_truth_there_are_signals_and_estimates(prepared: Warehouse, run: Run, tmp_path: Path) -> None:
    resolve(prepared, run, [a_record(email="ann@a.example")])
    materialise(prepared, scorecard_step(tmp_path / "absent.csv", ""), run)
    found = prepared.cursor().execute("select distinct data_set from identity.scorecard order by 1").fetchall()
    assert found == [("estimated",), ("model",), ("signals",)]


def test_estimates_of_a_small_partition_are_those_of_a_pencil(warehouse: Warehouse) -> None:
    cursor = warehouse.cursor()
    cursor.execute(
        "create table identity._nodes as from (values ('r1', 3), ('r2', 3), ('r3', 4), ('r4', 7), ('r5', 90))"
        " as t (record_id, node_id)"
    )
    cursor.execute(
        "create table identity.customer_links as select record_id, case when node_id < 90 then 'a' else 'b' end"
        " as customer_id from identity._nodes"
    )
    cursor.execute(
        "create table identity._scores as from (values (3, 4, 2.0, false), (4, 7, 1.0, false),"
        " (3, 7, -3.0, false), (7, 90, -1.0, false), (3, 90, 5.0, true)) as t (node_l, node_r, weight, is_apart)"
    )
    found = estimated_scores(cursor)
    sure, probably = 1, 2 * 0.8 + 3 * 2 / 3
    assert found["precision"] == pytest.approx((sure + probably) / 6)
    assert found["recall"] == pytest.approx((sure + probably) / (sure + probably + 4 * 1 / 3))


@pytest.mark.parametrize(
    ("data_set", "metric", "before", "now", "is_told"),
    [
        ("estimated", "precision", 0.98, 0.92, True),
        ("estimated", "recall", 0.98, 0.95, False),
        ("signals", "strong_values_shared_across_customers", 20.0, 90.0, True),
        ("signals", "largest_customer", 40.0, 90.0, False),
        ("truth", "precision", 0.98, 0.5, False),
    ],
)
def test_a_sudden_change_of_estimates_or_signals_is_told(
    prepared: Warehouse, run: Run, tmp_path: Path, data_set: str, metric: str, before: float, now: float, is_told: bool
) -> None:
    suite = (files("quality") / "defaults" / "identity" / "scorecard.yml").read_text(encoding="utf-8")
    (query,) = (
        item["query"] for item in yaml.safe_load(suite)["expectations"] if item["name"] == "signals_change_slowly"
    )
    resolve(prepared, run, [a_record(email="ann@a.example")])
    materialise(prepared, scorecard_step(tmp_path / "none.csv", ""), run)
    with prepared.transaction() as connection:
        for number, value in enumerate((before, now), 1):
            at = later(run, number)
            connection.execute(
                "insert into identity.scorecard values ($run_id, $data_set, $metric, $value, $at)",
                {"run_id": at.run_id, "data_set": data_set, "metric": metric, "value": value, "at": at.now},
            )
        assert bool(connection.execute(query).fetchall()) is is_told
