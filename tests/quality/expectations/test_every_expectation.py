"""For every declared expectation a seeded defect makes exactly that one fail."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path

import pytest

from quality import results
from quality.contracts.table import all_tables, create_statement
from quality.expectations import check
from quality.suites import Suite, load_suites
from quality.vocabulary import Expectation, tables_read
from tests.quality.expectations.seeded_defects import HERE, WRITTEN, changes, defect
from warehouse.business import Business
from warehouse.database import Connection, Warehouse, open_warehouse
from warehouse.project import Project
from warehouse.step import Run

ROOT = Path(__file__).resolve().parents[3]
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
    """A warehouse in which everything holds."""
    with open_warehouse() as opened:
        with opened.transaction() as connection:
            for table in all_tables():
                columns = create_statement(table, name=f"_{table.name}_shape").sql(dialect="duckdb")
                connection.execute(columns)
                connection.execute(f"create table staging.{table.name} as from staging._{table.name}_shape")
            connection.execute((HERE / "staging.sql").read_text(encoding="utf-8"))
            results.create_tables(connection)
        yield opened


def failing(connection: Connection, suites: dict[str, Suite]) -> set[tuple[str, str]]:
    return {
        (found.table, found.name)
        for suite in suites.values()
        for found in check(connection, suite, RUN)
        if not found.passed
    }


def touched_by(statements: tuple[str, ...]) -> dict[str, Suite]:
    """The expectations whose answer can change when these statements run."""
    made = changes(statements)
    reduced = {}
    for table, suite in SUITES.items():
        kept = tuple(item for item in suite.expectations if any(change.may_change(table, item) for change in made))
        if kept:
            reduced[table] = replace(suite, expectations=kept)
    return reduced


def test_everything_holds_before_a_defect_is_seeded(valid: Warehouse) -> None:
    with valid.transaction() as connection:
        assert failing(connection, SUITES) == set()


@contextmanager
def seeded(valid: Warehouse, table: str, item: Expectation) -> Iterator[Connection]:
    """A transaction in which the defect of an expectation stands; rolled back at the end."""
    statements = defect(table, item)
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
        statements = defect(table, item) or ()
        is_history = all(change.table == "ops.quality_results" for change in changes(statements))
        suites = {table: SUITES[table]} if is_history else touched_by(statements)
        assert failing(connection, suites) == {(table, item.name)}


@pytest.mark.parametrize("table", sorted(SUITES))
def test_no_expectation_of_any_table_fails_with_it(valid: Warehouse, table: str) -> None:
    """The test before this one asks only what can change; here every table is asked everything, for one defect each."""
    item = SUITES[table].expectations[-3]
    with seeded(valid, table, item) as connection:
        related = {
            other
            for other, suite in SUITES.items()
            for found in suite.expectations
            if table in tables_read(found, other)
        }
        assert failing(connection, {other: SUITES[other] for other in related}) == {(table, item.name)}


def test_every_written_defect_belongs_to_a_declared_expectation() -> None:
    declared = {(table, item.name) for table, item in DECLARED}
    assert {(table, name) for table, defects in WRITTEN.items() for name in defects} <= declared


@pytest.mark.parametrize("table", sorted(SUITES))
def test_a_table_has_eight_expectations_one_across_tables_and_one_against_history(table: str) -> None:
    suite = SUITES[table]
    assert len(suite.expectations) >= 8
    assert any(tables_read(item, table) - {table} for item in suite.expectations)
    assert any(item.expect in {"row_count", "median"} for item in suite.expectations)
