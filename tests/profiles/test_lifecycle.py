"""Lifecycle stages, their history and flows: the set-wise SQL against a naive day-by-day oracle."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from profiles.lifecycle import STAGES, LifecycleRules, load_lifecycle
from warehouse.business import Business
from warehouse.database import Warehouse, open_warehouse
from warehouse.declaration import Problems
from warehouse.errors import DeclarationError
from warehouse.project import Project
from warehouse.sql_model import sql_step
from warehouse.step import Run, materialise

START = date(2025, 1, 1)
BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")


@dataclass(frozen=True)
class Buyer:
    """A customer known since ``known_on`` with the days of the sales, a day as often as there were sales."""

    known_on: date
    sales: tuple[date, ...]


def rules_of(at_risk: int, churned: int, orders: int, within_days: int) -> LifecycleRules:
    return LifecycleRules.model_validate(
        {
            "loyal": {"orders": orders, "within_days": within_days},
            "at_risk": {"after_days": at_risk},
            "churned": {"after_days": churned},
        }
    )


def make_lifecycle(warehouse: Warehouse, buyers: Sequence[Buyer], as_of: date, rules: LifecycleRules) -> None:
    connection = warehouse.cursor()
    connection.execute("create or replace table profiles._golden (customer_id varchar, first_seen_on date)")
    connection.execute(
        "create or replace table profiles.orders "
        "(customer_id varchar, feed varchar, order_id varchar, placed_on date, is_sale boolean)"
    )
    people = [[f"c{number}", buyer.known_on] for number, buyer in enumerate(buyers)]
    connection.executemany("insert into profiles._golden values (?, ?)", people)
    placed = [
        [f"c{number}", "shop", f"{number}-{count}", day, True]
        for number, buyer in enumerate(buyers)
        for count, day in enumerate(buyer.sales)
        if day <= as_of
    ]
    if placed:
        connection.executemany("insert into profiles.orders values (?, ?, ?, ?, ?)", placed)
    run = Run("run-1", as_of, datetime(2026, 2, 1), BUSINESS)
    for name in ("_sale_days", "lifecycle_history", "lifecycle", "lifecycle_flows"):
        materialise(warehouse, sql_step("profiles", "profiles", name, parameters=rules.parameters()), run)


def stage_on(buyer: Buyer, day: date, rules: LifecycleRules) -> str | None:
    """The oracle: what a person would say who looks at the orders on that evening."""
    past = sorted(sale for sale in buyer.sales if sale <= day)
    if not past:
        return "prospect" if buyer.known_on <= day else None
    silence = (day - past[-1]).days
    if silence >= rules.churned.after_days:
        return "churned"
    if silence >= rules.at_risk.after_days:
        return "at_risk"
    earlier = [sale for sale in past if sale < past[-1]]
    if earlier and (past[-1] - earlier[-1]).days > rules.churned.after_days:
        return "won_back"
    if len(past) == 1:
        return "first_purchase"
    recent = [sale for sale in past if (past[-1] - sale).days < rules.loyal.within_days]
    return "loyal" if len(recent) >= rules.loyal.orders else "repeat"


def history_of(warehouse: Warehouse, customer_id: str) -> list[tuple[str, date, date | None]]:
    return (
        warehouse.cursor()
        .execute(
            "select lifecycle_stage, valid_from, valid_to from profiles.lifecycle_history "
            "where customer_id = ? order by valid_from",
            [customer_id],
        )
        .fetchall()
    )


def told_on(history: list[tuple[str, date, date | None]], day: date) -> str | None:
    found = [stage for stage, since, until in history if since <= day and (until is None or day < until)]
    assert len(found) <= 1, "intervals of one customer overlap"
    return found[0] if found else None


DAYS = st.integers(0, 60).map(lambda days: START + timedelta(days=days))
BUYERS = st.lists(st.builds(Buyer, known_on=DAYS, sales=st.lists(DAYS, max_size=8).map(tuple)), min_size=1, max_size=6)
RULES = st.builds(
    lambda at_risk, more, orders, within: rules_of(at_risk, at_risk + more, orders, within),
    st.integers(1, 12),
    st.integers(1, 12),
    st.integers(2, 4),
    st.integers(1, 30),
)


@settings(max_examples=30)
@given(buyers=BUYERS, rules=RULES, as_of=st.integers(0, 90).map(lambda days: START + timedelta(days=days)))
def test_on_every_day_the_intervals_say_what_a_person_who_looks_at_the_orders_would_say(
    buyers: list[Buyer], rules: LifecycleRules, as_of: date
) -> None:
    with open_warehouse() as warehouse:
        make_lifecycle(warehouse, buyers, as_of, rules)
        present = dict(
            warehouse.cursor().execute("select customer_id, lifecycle_stage from profiles.lifecycle").fetchall()
        )
        assert len(present) == len(buyers)
        for number, buyer in enumerate(buyers):
            known = replace(
                buyer, known_on=min(buyer.known_on, as_of), sales=tuple(day for day in buyer.sales if day <= as_of)
            )
            history = history_of(warehouse, f"c{number}")
            for days in range((as_of - START).days + 1):
                day = START + timedelta(days=days)
                assert told_on(history, day) == stage_on(known, day, rules), f"{day} of {buyer}"
            assert present[f"c{number}"] == told_on(history, as_of)


@settings(max_examples=12)
@given(buyers=BUYERS, rules=RULES, earlier=st.integers(0, 60), later=st.integers(0, 60))
def test_history_says_for_an_earlier_day_what_a_run_as_of_that_day_says(
    buyers: list[Buyer], rules: LifecycleRules, earlier: int, later: int
) -> None:
    then = START + timedelta(days=earlier)
    with open_warehouse() as warehouse:
        make_lifecycle(warehouse, buyers, then + timedelta(days=later), rules)
        history = {f"c{number}": history_of(warehouse, f"c{number}") for number in range(len(buyers))}
        make_lifecycle(warehouse, buyers, then, rules)
        present = dict(
            warehouse.cursor().execute("select customer_id, lifecycle_stage from profiles.lifecycle").fetchall()
        )
    for number, buyer in enumerate(buyers):
        if buyer.known_on <= then:
            assert told_on(history[f"c{number}"], then) == present[f"c{number}"]


@settings(max_examples=12)
@given(buyers=BUYERS, rules=RULES)
def test_flows_carry_every_customer_from_month_end_to_month_end(buyers: list[Buyer], rules: LifecycleRules) -> None:
    as_of = date(2025, 4, 10)
    with open_warehouse() as warehouse:
        make_lifecycle(warehouse, buyers, as_of, rules)
        flows = warehouse.cursor().execute("from profiles.lifecycle_flows order by all").fetchall()
        histories = [history_of(warehouse, f"c{number}") for number in range(len(buyers))]
    expected: Counter[tuple[date, str, str]] = Counter()
    first = min(history[0][1] for history in histories).replace(day=1)
    for month in (date(2025, number, 1) for number in range(1, 5)):
        next_month = (month + timedelta(days=31)).replace(day=1)
        for history in histories:
            closed = told_on(history, min(next_month - timedelta(days=1), as_of))
            if closed is not None and month >= first:
                expected[month, told_on(history, month - timedelta(days=1)) or "new", closed] += 1
    assert {(month, before, after): customers for month, before, after, customers, _ in flows} == dict(expected)
    assert {month for month, *_, is_complete in flows if not is_complete} <= {date(2025, 4, 1)}


def test_a_stage_that_an_order_does_not_change_goes_on(warehouse: Warehouse) -> None:
    sales = (date(2025, 1, 10), date(2025, 2, 10), date(2025, 3, 10))
    make_lifecycle(warehouse, [Buyer(date(2025, 1, 1), sales)], date(2025, 3, 31), rules_of(90, 180, 4, 365))
    assert history_of(warehouse, "c0") == [
        ("prospect", date(2025, 1, 1), date(2025, 1, 10)),
        ("first_purchase", date(2025, 1, 10), date(2025, 2, 10)),
        ("repeat", date(2025, 2, 10), None),
    ]


def test_an_order_on_the_very_day_of_churning_comes_in_time(warehouse: Warehouse) -> None:
    rules = rules_of(90, 180, 4, 365)
    in_time = Buyer(START, (START, START + timedelta(days=180)))
    late = Buyer(START, (START, START + timedelta(days=181)))
    make_lifecycle(warehouse, [in_time, late], START + timedelta(days=200), rules)
    assert [stage for stage, *_ in history_of(warehouse, "c0")] == ["first_purchase", "at_risk", "repeat"]
    assert [stage for stage, *_ in history_of(warehouse, "c1")] == ["first_purchase", "at_risk", "churned", "won_back"]


def test_orders_that_are_no_sales_do_not_move_a_customer(warehouse: Warehouse, run: Run) -> None:
    make_lifecycle(warehouse, [Buyer(START, (START,))], START, rules_of(90, 180, 4, 365))
    warehouse.cursor().execute("update profiles.orders set is_sale = false")
    parameters = LifecycleRules().parameters()
    for name in ("_sale_days", "lifecycle_history", "lifecycle"):
        materialise(warehouse, sql_step("profiles", "profiles", name, parameters=parameters), run)
    assert warehouse.cursor().execute("select lifecycle_stage from profiles.lifecycle").fetchall() == [("prospect",)]


def test_thresholds_come_from_the_project_or_else_from_the_package(tmp_path: Path) -> None:
    problems = Problems()
    packaged = load_lifecycle(Project(tmp_path), problems)
    assert packaged is not None
    assert packaged.model_dump() == LifecycleRules().model_dump()
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "lifecycle.yml").write_text("churned:\n  after_days: 400\n", encoding="utf-8")
    found = load_lifecycle(Project(tmp_path), problems)
    assert found is not None
    assert (found.at_risk.after_days, found.churned.after_days) == (90, 400)
    problems.raise_if_any()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "at_risk:\n  after_days: 200\n",
            ":2: `at_risk.after_days` (200) is not less than `churned.after_days` (180).",
        ),
        ("loyal:\n  order: 3\n", "config/lifecycle.yml:2: `loyal.order` is not a key here. Did you mean `orders`?"),
        ("churned:\n  after_days: soon\n", "config/lifecycle.yml:2: `churned.after_days`"),
    ],
)
def test_wrong_thresholds_are_told_with_their_line(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "lifecycle.yml").write_text(text, encoding="utf-8")
    problems = Problems()
    assert load_lifecycle(Project(tmp_path), problems) is None
    with pytest.raises(DeclarationError) as raised:
        problems.raise_if_any()
    assert message in raised.value.reason


def test_every_stage_can_be_reached() -> None:
    rules = rules_of(10, 20, 3, 100)
    sales = tuple(START + timedelta(days=days) for days in (5, 8, 9, 60))
    buyer = Buyer(START, sales)
    assert {stage_on(buyer, START + timedelta(days=days), rules) for days in range(100)} == set(STAGES)
