"""What the tests of this folder ask of: a small staging table, and suites written as YAML."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from quality.suites import Suite, TableDeclaration
from warehouse.database import Warehouse
from warehouse.declaration import Problems, parse_declaration
from warehouse.step import Run

TABLE = "staging.things"


def a_suite(text: str, table: str = TABLE) -> Suite:
    """A suite from the YAML of its expectations."""
    problems = Problems()
    declared = parse_declaration(text, TableDeclaration, problems, shown_as="things.yml")
    problems.raise_if_any()
    assert declared is not None
    return Suite(table, declared.expectations)


def a_table(warehouse: Warehouse, rows: list[tuple[str, str | None, float | None]], feed: str = "shop") -> None:
    """``staging.things`` with these (thing_id, email, amount); row numbers count from 1."""
    with warehouse.transaction() as connection:
        connection.execute(
            "create table if not exists staging.things (thing_id varchar, email varchar, amount decimal(18, 4),"
            " _feed varchar, _batch_on date, _file varchar, _row bigint)"
        )
        for place, (thing_id, email, amount) in enumerate(rows, start=1):
            connection.execute(
                "insert into staging.things values (?, ?, ?, ?, date '2026-01-05', 'dt=2026-01-05/things.csv', ?)",
                [thing_id, email, amount, feed, place],
            )


def later(run: Run, days: int) -> Run:
    """The run of so many days after."""
    span = timedelta(days=days)
    return replace(run, run_id=f"{run.run_id}+{days}", as_of=run.as_of + span, now=run.now + span)
