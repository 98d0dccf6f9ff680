"""Why are these records one customer: asked by whatever a person knows."""

from __future__ import annotations

import pytest
from people import a_record, later, match, resolve

from identity.explain import Branch, explain
from warehouse.database import Warehouse
from warehouse.errors import InputError
from warehouse.step import Run

ROWS = [
    a_record(full_name="Ann Archer", email="ann@a.example", phone="07911 123456"),
    a_record(full_name="Archer Ann", phone="+447911123456", address_line="12 High Street"),
    a_record(platform="mastodon", account_id="99", handle="@ann_archer", full_name="Ann Archer", phone="+447911123456"),
    a_record(full_name="Zoe Young", email="zoe@b.example"),
]


@pytest.fixture
def resolved(prepared: Warehouse, run: Run) -> Warehouse:
    resolve(prepared, run, ROWS)
    prepared.cursor().execute(
        "insert into staging.purchases (order_id, placed_at, status, is_test, currency, _feed, _batch_on, _file, _row)"
        " select 'o-1', seen_at, 'paid', false, 'GBP', feed, batch_on, file, row"
        " from identity.row_records where record_id = $id",
        {"id": ROWS[0]["record_id"]},
    )
    return prepared


@pytest.mark.parametrize(
    "who", ["ann@a.example", " ANN@A.example", "07911 123456", "o-1", "99", "ann_archer", "@Ann_Archer"]
)
def test_a_customer_is_found_by_anything_that_names_it(resolved: Warehouse, who: str) -> None:
    expected = match_of(resolved, 0)
    assert explain(resolved, who, default_country="GB").customer_id == expected


def test_the_explanation_is_a_tree_over_all_records_with_reasons_in_words(resolved: Warehouse) -> None:
    told = explain(resolved, match_of(resolved, 0))
    assert {record.record_id for record in told.records} == {row["record_id"] for row in ROWS[:3]}
    assert len(told.trees) == 1
    branches = all_branches(told.trees[0])
    assert {branch.record_id for branch in branches} == {row["record_id"] for row in ROWS[:3]}
    reasons = [reason for branch in branches for reason in branch.reasons]
    assert "the same phone" in {reason.words for reason in reasons}
    assert all(branch.weight is None or branch.weight > 0 for branch in branches)
    emails = [item.value for record in told.records for item in record.identifiers if item.kind == "email"]
    assert emails == ["ann@a.example"]


def test_the_weights_of_the_reasons_add_up_to_the_weight_of_the_edge(resolved: Warehouse) -> None:
    branches = all_branches(explain(resolved, match_of(resolved, 0)).trees[0])
    for branch in branches:
        if branch.weight is not None:
            assert sum(reason.weight for reason in branch.reasons) == pytest.approx(branch.weight, abs=0.1)


def test_a_former_id_resolves_to_the_customer_it_became(resolved: Warehouse, run: Run) -> None:
    former, kept = match_of(resolved, 3), match_of(resolved, 0)
    resolved.cursor().execute(
        "insert into identity.decisions values ('d', $now, null, 'person', 'a steward', 'merge', $one, $other,"
        " null, null, null, null)",
        {"now": run.now, "one": ROWS[0]["record_id"], "other": ROWS[3]["record_id"]},
    )
    match(resolved, later(run))
    told = explain(resolved, former)
    assert told.customer_id == kept
    assert told.former_ids == (former,)


def test_nobody_and_several_are_told_without_values(resolved: Warehouse) -> None:
    with pytest.raises(InputError, match="No customer has this"):
        explain(resolved, "nobody@nowhere.example")
    resolved.cursor().execute("update identity.identifiers set value = 'zoe@b.example' where value = 'ann@a.example'")
    with pytest.raises(InputError, match="This names 2 customers") as raised:
        explain(resolved, "zoe@b.example")
    assert "zoe" not in str(raised.value)


def match_of(warehouse: Warehouse, row: int) -> str:
    found = warehouse.cursor().execute(
        "select customer_id from identity.customer_links where record_id = $id", {"id": ROWS[row]["record_id"]}
    )
    return str(found.fetchall()[0][0])


def all_branches(branch: Branch) -> list[Branch]:
    return [branch, *(further for below in branch.below for further in all_branches(below))]
