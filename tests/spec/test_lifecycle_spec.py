"""Lifecycle: where a customer stands between the first contact and leaving.

Every customer is in exactly one stage on every day since we have known them. Stages are judged on sales only, by the
days of the business's time zone. Two things move a customer: an order, and silence.
"""

from __future__ import annotations

from datetime import date, datetime

from profiles.lifecycle import LifecycleRules
from warehouse.business import Business
from warehouse.database import Warehouse
from warehouse.sql_model import sql_step
from warehouse.step import Run, materialise

BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
RULES = LifecycleRules()  # loyal: 4 orders within 365 days, at risk after 90, churned after 180


def stages(warehouse: Warehouse, as_of: date, *orders: date, known_on: date = date(2025, 1, 1)) -> dict[str, str]:
    """First day → stage of one customer who ordered on these days."""
    connection = warehouse.cursor()
    connection.execute(
        "create or replace table profiles._golden as select 'c1' as customer_id, $day as first_seen_on",
        {"day": known_on},
    )
    connection.execute("create or replace table profiles.orders (customer_id varchar, placed_on date, is_sale boolean)")
    for placed_on in orders:
        connection.execute("insert into profiles.orders values ('c1', $day, true)", {"day": placed_on})
    run = Run("run-1", as_of, datetime(2026, 2, 1), BUSINESS)
    for name in ("_sale_days", "lifecycle_history"):
        materialise(warehouse, sql_step("profiles", "profiles", name, parameters=RULES.parameters()), run)
    found = connection.execute("select valid_from, lifecycle_stage from profiles.lifecycle_history order by valid_from")
    return {day.isoformat(): stage for day, stage in found.fetchall()}


def test_who_has_never_bought_is_a_prospect_for_as_long_as_it_takes(warehouse: Warehouse) -> None:
    """Silence alone never loses a prospect: there is nothing to lose yet."""
    assert stages(warehouse, date(2029, 1, 1)) == {"2025-01-01": "prospect"}


def test_the_first_order_opens_the_second_repeats_and_the_fourth_within_a_year_is_loyal(warehouse: Warehouse) -> None:
    """The count for loyalty looks back from each order; it is asked again with every order, and only then."""
    orders = (date(2025, 2, 1), date(2025, 3, 1), date(2025, 4, 1), date(2025, 5, 1))
    assert stages(warehouse, date(2025, 5, 31), *orders) == {
        "2025-01-01": "prospect",
        "2025-02-01": "first_purchase",
        "2025-03-01": "repeat",
        "2025-05-01": "loyal",
    }


def test_silence_puts_a_buyer_at_risk_and_then_loses_them(warehouse: Warehouse) -> None:
    """The stage begins on the day on which the silence has lasted long enough, whether or not anything ran that day."""
    assert stages(warehouse, date(2025, 12, 31), date(2025, 2, 1), known_on=date(2025, 2, 1)) == {
        "2025-02-01": "first_purchase",
        "2025-05-02": "at_risk",
        "2025-07-31": "churned",
    }


def test_an_order_before_churning_is_a_return_to_the_usual_an_order_after_it_wins_back(warehouse: Warehouse) -> None:
    """Won back lasts until the next order, which judges the customer as usual, or until the next silence."""
    day = date(2025, 2, 1)
    before = stages(warehouse, date(2025, 12, 31), day, date(2025, 6, 1), known_on=day)
    assert before["2025-06-01"] == "repeat"
    after = stages(warehouse, date(2025, 12, 31), day, date(2025, 9, 1), date(2025, 9, 9), known_on=day)
    assert (after["2025-09-01"], after["2025-09-09"]) == ("won_back", "repeat")


def test_history_is_what_the_orders_known_now_tell_so_a_late_order_rewrites_it(warehouse: Warehouse) -> None:
    """Nothing is remembered of what an earlier run believed: for that there is the history of segments."""
    day = date(2025, 2, 1)
    assert stages(warehouse, date(2025, 8, 31), day, known_on=day)["2025-07-31"] == "churned"
    rewritten = stages(warehouse, date(2025, 8, 31), day, date(2025, 7, 1), known_on=day)
    assert "churned" not in rewritten.values()
    assert rewritten["2025-07-01"] == "repeat"


def test_the_end_of_the_present_stage_is_not_known(warehouse: Warehouse) -> None:
    """What silence will do one day is foretold in profiles.lifecycle (next_stage_on), never in the history."""
    stages(warehouse, date(2025, 2, 10), date(2025, 2, 1))
    found = warehouse.cursor().execute(
        "select valid_to from profiles.lifecycle_history where lifecycle_stage = 'first_purchase'"
    )
    assert found.fetchall() == [(None,)]
