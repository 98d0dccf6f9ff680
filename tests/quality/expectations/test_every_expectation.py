"""For every declared expectation a seeded defect makes exactly that one fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from assets.declared import read_project
from profiles.publishing.publish import published_tables
from quality import results
from quality.contracts.table import all_tables, create_statement
from quality.expectations import check
from quality.offending import breaches_allowed, count_breaches
from quality.suites import Suite, load_suites
from quality.vocabulary import Expectation, Median, RowCount, Unique, tables_read
from tests.quality.expectations.seeded_defects import HERE, WRITTEN, changes, defect
from warehouse.business import Business
from warehouse.database import Connection, Warehouse, open_warehouse
from warehouse.project import Project
from warehouse.step import Run, materialise

ROOT = Path(__file__).resolve().parents[3]
STEPS = read_project(Project(ROOT)).steps
SUITES = load_suites(Project(ROOT))
DECLARED = [(table, item) for table, suite in SUITES.items() for item in suite.expectations]
RUN = Run(
    run_id="run-1",
    as_of=date(2026, 1, 31),
    now=datetime(2026, 2, 1, 6),
    business=Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB"),
)


@pytest.fixture(scope="module")
def valid() -> Iterator[Warehouse]:
    """A warehouse in which everything holds: staging as in staging.sql, and all that is made from it."""
    with open_warehouse() as opened:
        with opened.transaction() as connection:
            for table in all_tables():
                columns = create_statement(table, name=f"_{table.name}_shape").sql(dialect="duckdb")
                connection.execute(columns)
                connection.execute(f"create table staging.{table.name} as from staging._{table.name}_shape")
            connection.execute((HERE / "staging.sql").read_text(encoding="utf-8"))
            results.create_tables(connection)
        for step in STEPS:
            if step.tables[0].schema != "staging":
                materialise(opened, step, RUN)
        with opened.transaction() as connection:
            connection.execute((HERE / "after.sql").read_text(encoding="utf-8"))
        yield opened


def failing(connection: Connection, suites: dict[str, Suite]) -> set[tuple[str, str]]:
    return {
        (found.table, found.name)
        for suite in suites.values()
        for found in check(connection, suite, RUN)
        if not found.passed
    }


def broken_by_counting(connection: Connection, statements: tuple[str, ...]) -> set[tuple[str, str]]:
    """Of the expectations whose answer can change when these statements run, those that more rows break than may."""
    made = changes(statements)
    found = set()
    for table, suite in SUITES.items():
        for item in suite.expectations:
            if any(change.may_change(table, item) for change in made):
                rows = results.count_rows(connection, table)
                if (count_breaches(connection, item, table, RUN) or 0) > breaches_allowed(item, rows):
                    found.add((table, item.name))
    return found


def test_everything_holds_before_a_defect_is_seeded(valid: Warehouse) -> None:
    with valid.transaction() as connection:
        assert failing(connection, SUITES) == set()


def broken(table: str, item: Expectation) -> tuple[str, ...] | None:
    keys = [found.columns for found in SUITES[table].expectations if isinstance(found, Unique)]
    return defect(table, item, frozenset(keys[0]) if keys else frozenset())


@contextmanager
def seeded(valid: Warehouse, table: str, item: Expectation) -> Iterator[Connection]:
    """A transaction in which the defect of an expectation stands; rolled back at the end."""
    statements = broken(table, item)
    assert statements is not None, f"Say in defects.yml how to break {table}.{item.name}."
    connection = valid.cursor()
    connection.execute("begin transaction")
    try:
        for statement in statements:
            connection.execute(statement)
        yield connection
    finally:
        connection.execute("rollback")
        connection.close()


@pytest.mark.parametrize(("table", "item"), DECLARED, ids=[f"{table}.{item.name}" for table, item in DECLARED])
def test_a_seeded_defect_makes_exactly_this_one_fail(valid: Warehouse, table: str, item: Expectation) -> None:
    with seeded(valid, table, item) as connection:
        statements = broken(table, item) or ()
        if isinstance(item, RowCount | Median):  # it looks at what was found before, as others of its kind do
            measured = [other for other in SUITES[table].expectations if isinstance(other, RowCount | Median)]
            found = check(connection, replace(SUITES[table], expectations=tuple(measured)), RUN)
            assert [(one.name, one.observed is None) for one in found if not one.passed] == [(item.name, False)]
            assert broken_by_counting(connection, statements) == set()
            return
        (only,) = check(connection, replace(SUITES[table], expectations=(item,)), RUN)
        assert not only.passed
        assert only.unexpected_count == count_breaches(connection, item, table, RUN)
        assert broken_by_counting(connection, statements) == {(table, item.name)}


@pytest.mark.parametrize("table", sorted(SUITES))
def test_asked_by_great_expectations_nothing_else_fails_either(valid: Warehouse, table: str) -> None:
    """The test before this one counts by itself; here related tables are asked everything, for one defect each."""
    item = SUITES[table].expectations[-3]
    related = {
        other: suite
        for other, suite in SUITES.items()
        if any(table in tables_read(found, other) for found in suite.expectations)
    }
    with seeded(valid, table, item) as connection:
        assert failing(connection, related) == {(table, item.name)}


@pytest.mark.parametrize(
    ("table", "name", "place"),
    [
        ("profiles.orders", "tests_are_no_sales", ("shop", "orders.json", 1)),
        ("profiles.orders", "no_purchase_is_lost", ("shop", "orders.json", 40)),
        ("profiles.order_lines", "customer_is_the_orders", ("shop", "orders.json", 1)),
        ("identity.row_records", "orders_are_here", ("shop", "orders.json", 40)),
        ("staging.exchange_rates", "orders_can_be_converted", ("shop", "orders.json", 1)),
        ("staging.loyalty_entries", "balances_are_not_negative", ("loyalty", "points.csv", 40)),
    ],
)
def test_what_breaks_an_expectation_is_named_by_its_source_row(
    valid: Warehouse, table: str, name: str, place: tuple[str, str, int]
) -> None:
    (item,) = (one for one in SUITES[table].expectations if one.name == name)
    suite = replace(SUITES[table], expectations=(item,))
    with seeded(valid, table, item) as connection:
        results.store(connection, suite, RUN, check(connection, suite, RUN))
        named = connection.execute(
            "select table_name, expectation, feed, file, row from ops.quality_failures"
        ).fetchall()
    assert named == [(table, name, *place)]


_STAND_IN = (
    "select distinct told.feed, told.batch_on, told.file, told.row from identity.row_records as told"
    " inner join {table} as broken on told.record_id in ({records}) where {broken} order by all"
)


@pytest.mark.parametrize(
    ("table", "name", "expected"),
    [
        (
            "profiles.attribute_values",
            "value_is_present",
            "select feed, batch_on, file, row from profiles.attribute_values where value is null",
        ),
        (
            "profiles.activities",
            "customer_exists",
            _STAND_IN.format(
                table="profiles.activities", records="broken.record_id", broken="broken.customer_id = 'nobody'"
            ),
        ),
        (
            "identity.records",
            "last_seen_after_first_seen",
            _STAND_IN.format(
                table="identity.records", records="broken.record_id", broken="last_seen_at < first_seen_at"
            ),
        ),
        (
            "identity.edges",
            "rule_is_present",
            _STAND_IN.format(
                table="identity.edges", records="broken.record_id_l, broken.record_id_r", broken="broken.rule is null"
            ),
        ),
    ],
    ids=["by itself", "of a record's activity", "of a record", "of both records of an edge"],
)
def test_records_that_break_an_expectation_are_named_by_the_rows_they_stand_in(
    valid: Warehouse, table: str, name: str, expected: str
) -> None:
    (item,) = (one for one in SUITES[table].expectations if one.name == name)
    suite = replace(SUITES[table], expectations=(item,))
    with seeded(valid, table, item) as connection:
        results.store(connection, suite, RUN, check(connection, suite, RUN))
        named = connection.execute("select feed, batch_on, file, row from ops.quality_failures order by all").fetchall()
        stand_in = connection.execute(expected).fetchall()
    assert named == stand_in != []


def test_every_written_defect_belongs_to_a_declared_expectation() -> None:
    declared = {(table, item.name) for table, item in DECLARED}
    assert {(table, name) for table, defects in WRITTEN.items() for name in defects} <= declared


@pytest.mark.parametrize("table", sorted(SUITES))
def test_a_table_has_eight_expectations_one_across_tables_and_one_against_history(table: str) -> None:
    suite = SUITES[table]
    assert len(suite.expectations) >= 8
    assert any(tables_read(item, table) - {table} for item in suite.expectations)
    assert any(item.expect in {"row_count", "median"} for item in suite.expectations)


def test_everything_that_is_published_is_asked(valid: Warehouse) -> None:
    published = {
        table.spec.full_name for table in published_tables(valid, [spec for step in STEPS for spec in step.tables])
    }
    assert {"profiles.customers", "identity.scorecard", "ops.runs"} <= published <= SUITES.keys()
