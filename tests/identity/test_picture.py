"""A customer as a picture: every group of records, every tie that is weighed, and no value that is not asked for."""

from __future__ import annotations

from datetime import datetime
from xml.etree import ElementTree

import pytest
from people import a_record, later, match, resolve

from identity.explain import Branch, Explanation, Reason, SeenRecord, explain
from identity.picture import picture
from identity.stewardship import decide, two_parties
from identity.words import _WORDS
from identity.words_zh import WORDS_ZH
from quality.resolution import Attempt
from warehouse.database import Warehouse
from warehouse.step import Run

ROWS = [
    a_record(full_name="Ann Archer", email="ann@a.example", phone="07911 123456", first_seen_at=datetime(2026, 1, 1)),
    a_record(full_name="Archer Ann", phone="+447911123456", address_line="12 High Street"),
    a_record(full_name="小明 <王>", email="wang@b.example"),
]
_SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def resolved(prepared: Warehouse, run: Run) -> Warehouse:
    resolve(prepared, run, ROWS)
    return prepared


def texts(drawn: str) -> list[str]:
    return [str(item.text) for item in ElementTree.fromstring(drawn).iter(f"{_SVG}text")]


def count(drawn: str, tag: str, style: str) -> int:
    found = ElementTree.fromstring(drawn).iter(f"{_SVG}{tag}")
    return sum(item.get("class") == style for item in found)


def test_each_record_is_a_circle_and_each_tie_a_waterfall_that_ends_at_its_weight(resolved: Warehouse) -> None:
    told = explain(resolved, "ann@a.example")
    drawn = picture(told)
    assert count(drawn, "circle", "node") == 2
    assert count(drawn, "line", "tie") == 1
    assert count(drawn, "rect", "card") == 1
    (branch,) = told.trees[0].below
    assert branch.weight is not None
    assert texts(drawn)[-1] == f"{branch.weight:+.1f}"
    for reason in branch.reasons:
        assert reason.words in texts(drawn)
    assert count(drawn, "rect", "for") + count(drawn, "rect", "against") == len(branch.reasons)


def test_values_are_masked_unless_they_are_asked_for(resolved: Warehouse) -> None:
    told = explain(resolved, "ann@a.example")
    masked = picture(told)
    for hidden in ("ann@a", "Archer", "archer", "123456", "High Street"):
        assert hidden not in masked
    assert "a•••@a•••" in masked
    assert "•••56" in masked
    assert "ann@a.example" in picture(told, reveal=True)


def test_it_speaks_chinese(resolved: Warehouse) -> None:
    drawn = picture(explain(resolved, "ann@a.example"), language="zh")
    assert "电话相同" in texts(drawn)
    assert f"为什么这 2 条记录是客户 {explain(resolved, 'ann@a.example').customer_id}" in texts(drawn)


def test_every_outcome_has_its_chinese_words() -> None:
    assert WORDS_ZH.keys() == _WORDS.keys()


def test_what_people_decided_is_a_line_of_its_own_and_values_are_escaped(resolved: Warehouse, run: Run) -> None:
    with resolved.transaction() as connection:
        parties = two_parties(connection, "ann@a.example", "wang@b.example", "GB")
        written = decide(connection, "merge", *parties, Attempt(run.now, "by-hand", "a steward", "one"))
    match(resolved, later(run))
    told = explain(resolved, "wang@b.example")
    assert [said.decision_id for said in told.decisions] == [written.decision_id]
    drawn = picture(told, reveal=True)
    assert count(drawn, "line", "said") == 1
    assert any("<王>" in text for text in texts(drawn))


def test_a_customer_of_one_record_has_nothing_to_weigh(resolved: Warehouse) -> None:
    drawn = picture(explain(resolved, "wang@b.example"))
    assert count(drawn, "circle", "node") == 1
    assert any("nothing to weigh" in text for text in texts(drawn))


def test_a_large_customer_is_drawn_in_part_and_says_so() -> None:
    records = tuple(SeenRecord(f"r{n}", "shop", "purchases", 1, None, None, ()) for n in range(30))
    reasons = (Reason("phone", "same", 12.0, ""), Reason("prior", "two people at random", -10.0, ""))
    below = tuple(Branch(record.record_id, "phone", 2.0, 0.8, reasons) for record in records[1:])
    drawn = picture(Explanation("c0", (), records, (Branch("r0", below=below),), 29))
    assert count(drawn, "circle", "node") == 24
    assert count(drawn, "rect", "card") == 12
    assert "and 6 more" in texts(drawn)
