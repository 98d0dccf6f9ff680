"""Doubtful pairs are asked by how much an answer would change; the answers are decisions."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from people import a_record, later, match, partition, resolve

from identity.declaration import default_rules
from identity.pipeline import matching_steps
from identity.review import answer, questions, read_answers
from identity.stewardship import take_back
from quality.resolution import Attempt
from warehouse.database import Warehouse
from warehouse.errors import InputError
from warehouse.step import Run, materialise

FATHER = a_record(full_name="John Archer", phone="07911123456", address_line="12 High Street", postcode="N1 1AA")
SON = a_record(full_name="James Archer", phone="07911123456", address_line="12 High Street", postcode="N1 1AA")
ANN = a_record(full_name="Ann Baxter", email="ann@a.example", city="Leeds")
ANNE = a_record(full_name="Annabel Young", phone="07922654321", city="York", email="young@b.example")
EVERYBODY = [FATHER, SON, ANN, ANNE]


@pytest.fixture
def asked(prepared: Warehouse, run: Run) -> Warehouse:
    """Both pairs in doubt, whatever the weights of the rules say today."""
    resolve(prepared, run, EVERYBODY)
    return prepared


def in_doubt(warehouse: Warehouse, run: Run, *pairs: tuple[dict[str, Any], dict[str, Any], float]) -> None:
    """Edges that are as probable as given, and the queue made of them."""
    warehouse.cursor().execute("delete from identity.edges")
    for one, other, probability in pairs:
        left, right = sorted((one["record_id"], other["record_id"]))
        warehouse.cursor().execute(
            "insert into identity.edges select $left, $right, 'rule', log2($p / (1 - $p)), $p,"
            " [{'comparison': 'phone', 'level': 'same', 'weight': 2.5}], false",
            {"left": left, "right": right, "p": probability},
        )
    rules = default_rules()
    assert rules is not None
    for step in matching_steps(rules)[-2:]:
        materialise(warehouse, step, replace(run, full_refresh=True))


def buys(warehouse: Warehouse, row: dict[str, Any], amount: int) -> None:
    warehouse.cursor().execute(
        "insert into staging.purchases (order_id, placed_at, status, is_test, currency, gross_amount, _feed, _batch_on,"
        " _file, _row) select 'o' || $amount, seen_at, 'paid', false, 'GBP', $amount, feed, batch_on, file, row"
        " from identity.row_records where record_id = $id",
        {"id": row["record_id"], "amount": amount},
    )


def pairs_of(warehouse: Warehouse, most: int = 50) -> list[set[str]]:
    return [{item.record_id_l, item.record_id_r} for item in questions(warehouse.cursor(), most)]


def ids(*rows: dict[str, Any]) -> set[str]:
    return {row["record_id"] for row in rows}


def test_the_pair_whose_answer_moves_more_comes_first(asked: Warehouse, run: Run) -> None:
    in_doubt(asked, run, (FATHER, SON, 0.3), (ANN, ANNE, 0.25))
    assert pairs_of(asked) == [ids(FATHER, SON), ids(ANN, ANNE)]
    for amount, row in ((500, ANN), (400, ANNE), (10, FATHER)):
        buys(asked, row, amount)
    in_doubt(asked, run, (FATHER, SON, 0.3), (ANN, ANNE, 0.25))
    first, second = questions(asked.cursor(), 50)
    assert {first.record_id_l, first.record_id_r} == ids(ANN, ANNE)
    assert (first.touched_records, first.touched_orders, first.touched_base_amount) == (1, 1, 400)
    assert second.touched_base_amount == 0
    assert pairs_of(asked, 1) == [ids(ANN, ANNE)]


def test_the_surer_pair_comes_later(asked: Warehouse, run: Run) -> None:
    in_doubt(asked, run, (FATHER, SON, 0.06), (ANN, ANNE, 0.4))
    assert pairs_of(asked) == [ids(ANN, ANNE), ids(FATHER, SON)]


def test_values_are_masked_unless_they_are_asked_for(asked: Warehouse, run: Run) -> None:
    in_doubt(asked, run, (ANN, ANNE, 0.4))
    (masked,) = questions(asked.cursor(), 50)
    for hidden in ("ann@a.example", "07922654321", "Baxter", "Leeds", "Annabel"):
        assert hidden not in str(masked)
    assert "a•••@a•••" in str(masked)
    (shown,) = questions(asked.cursor(), 50, reveal=True)
    assert "ann@a.example" in str(shown)
    assert [said.words for said in shown.evidence] == ["the same phone"]


@pytest.mark.parametrize(("given", "customers"), [("yes", 3), ("no", 4)])
def test_an_answer_is_a_decision_and_is_not_asked_again_until_it_is_taken_back(
    asked: Warehouse, run: Run, given: Any, customers: int
) -> None:
    in_doubt(asked, run, (ANN, ANNE, 0.4))
    (question,) = questions(asked.cursor(), 50)
    with asked.transaction() as connection:
        assert answer(connection, question, "skip", Attempt(run.now, "by-hand", "Joe", "")) is None
        written = answer(connection, question, given, Attempt(run.now, "by-hand", "Joe", "seen"))
    assert written is not None
    assert len(partition(match(asked, later(run)))) == customers
    in_doubt(asked, later(run), (ANN, ANNE, 0.4))
    assert pairs_of(asked) == []
    with asked.transaction() as connection:
        take_back(connection, written.decision_id, Attempt(run.now + timedelta(hours=2), "by-hand-2", "Joe", ""))
    match(asked, later(run, 3))
    in_doubt(asked, later(run, 3), (ANN, ANNE, 0.4))
    assert pairs_of(asked) == [ids(ANN, ANNE)]


def test_two_customers_are_asked_about_once(prepared: Warehouse, run: Run) -> None:
    more = a_record(full_name="Ann Baxter", email="ann@a.example", city="Hull")
    resolve(prepared, run, [*EVERYBODY, more])
    in_doubt(prepared, run, (ANN, ANNE, 0.4), (more, ANNE, 0.3))
    assert pairs_of(prepared) == [ids(ANN, ANNE)]


def test_every_wrong_line_of_a_file_of_answers_is_told(asked: Warehouse, run: Run, tmp_path: Any) -> None:
    in_doubt(asked, run, (ANN, ANNE, 0.4))
    known = questions(asked.cursor(), 50)
    file = tmp_path / "answers.csv"
    good = f"{ANNE['record_id']},{ANN['record_id']}"
    file.write_text(f"record_id_l,record_id_r,answer,reason\n{good},maybe,\nx,y,yes,\n{good},yes,\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"answers\.csv:2: `answer`.*\n.*answers\.csv:3: These two"):
        read_answers(file, known)
    file.write_text(f"record_id_l,record_id_r,answer\n{good},yes\n", encoding="utf-8")
    ((given, question),) = read_answers(file, known)
    assert (given.answer, question) == ("yes", known[0])
