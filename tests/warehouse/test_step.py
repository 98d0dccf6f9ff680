"""How a statement becomes a table."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from warehouse.business import Business
from warehouse.database import Warehouse
from warehouse.errors import WarehouseError
from warehouse.lineage import column_lineage
from warehouse.sql_model import generated_step, in_order
from warehouse.step import Run, materialise


def make(name: str, statement: str, grain: tuple[str, ...] = ("a",), **parameters: object):
    return generated_step("profiles", name, f"The {name}.", grain, {"a": "An a."}, statement, parameters)


def test_a_step_replaces_its_table_and_explains_it(warehouse: Warehouse, run: Run) -> None:
    materialise(warehouse, make("things", "select 1 as a union all select 2"), run)
    result = materialise(warehouse, make("things", "select 3 as a"), run)
    assert result.rows == {"profiles.things": 1}
    found = warehouse.cursor().execute("select comment from duckdb_columns() where table_name = 'things'").fetchall()
    assert found == [("An a.",)]


def test_a_table_whose_grain_repeats_is_refused_and_the_old_one_stays(warehouse: Warehouse, run: Run) -> None:
    materialise(warehouse, make("things", "select 1 as a"), run)
    with pytest.raises(WarehouseError, match=r"2 more rows than distinct values of its grain \(a\)"):
        materialise(warehouse, make("things", "select 7 as a from range(3)"), run)
    assert warehouse.cursor().execute("from profiles.things").fetchall() == [(1,)]


def test_parameters_are_bound_and_never_spliced(warehouse: Warehouse, run: Run) -> None:
    hostile = "'; drop schema profiles cascade; --"
    materialise(warehouse, make("things", "select $word as a, $as_of as day", word=hostile), run)
    assert warehouse.cursor().execute("from profiles.things").fetchall() == [(hostile, date(2026, 1, 31))]


def test_an_unknown_parameter_is_named(warehouse: Warehouse, run: Run) -> None:
    with pytest.raises(WarehouseError, match="as_off"):
        materialise(warehouse, make("things", "select $as_off as a"), run)


def test_steps_run_after_what_they_read_whatever_order_they_are_given_in() -> None:
    first, second = make("zebra", "select 1 as a"), make("ape", "select a from profiles.zebra")
    assert [step.name for step in in_order((second, first))] == ["profiles.zebra", "profiles.ape"]
    with pytest.raises(WarehouseError, match="circle"):
        in_order((make("x", "select a from profiles.y"), make("y", "select a from profiles.x")))


@pytest.mark.parametrize(
    ("zone", "day", "end"),
    [
        ("Europe/London", date(2026, 3, 28), datetime(2026, 3, 29)),
        ("Europe/London", date(2026, 3, 29), datetime(2026, 3, 29, 23)),
        ("Asia/Shanghai", date(2026, 3, 29), datetime(2026, 3, 29, 16)),
    ],
)
def test_a_day_ends_when_the_business_says_midnight(zone: str, day: date, end: datetime) -> None:
    business = Business(name="x", base_currency="GBP", time_zone=zone, default_country="GB")
    assert Run("r", day, datetime(2026, 1, 1), business).as_of_end == end


def test_lineage_goes_through_common_table_expressions_to_the_tables() -> None:
    step = make(
        "totals",
        "with paid as ("
        "select o.customer_id as a, sum(o.amount) as total from profiles.orders as o group by o.customer_id)"
        " select paid.a, paid.total, 1 as one, (select count(*) from profiles.orders) as n, count(*) as m from paid"
        " group by all",
    )
    columns = {"profiles.orders": {"order_id": "VARCHAR", "customer_id": "VARCHAR", "amount": "DOUBLE"}}
    assert column_lineage(step, step.tables[0], columns) == {
        "a": {("profiles.orders", "customer_id")},
        "total": {("profiles.orders", "amount")},
        "one": frozenset(),
        "n": {("profiles.orders", "order_id")},
        "m": {("profiles.orders", "customer_id")},
    }
