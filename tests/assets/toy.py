"""A business small enough to see through: two tills, a list of members, and three tables above."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path

import dagster as dg

from assets.declared import Declared
from assets.ledgers import ledger_steps
from assets.project_definitions import definitions_of
from assets.resources import WarehouseSettings
from quality.suites import Suite
from quality.vocabulary import Expectation, RowCount, Rule, Unique
from sources.feed import load_feeds
from sources.staging import staging_step
from warehouse.business import load_business
from warehouse.declaration import Problems
from warehouse.project import Project
from warehouse.sql_model import generated_step
from warehouse.step import Step

DAYS = [date(2026, 1, day) for day in range(1, 8)]
NOW = datetime(2026, 1, 8, 12, tzinfo=UTC)
SETTINGS_HEADER = "order,customer,placed,total\n"

_BUSINESS = """
name: A corner shop
base_currency: GBP
time_zone: Europe/London
default_country: GB
"""
_TILL = """
kind: purchases
mapping: csv
files: ["dt=*/*.csv"]
currency: GBP
owner: {owner}
description: What the {name} till sold.
purpose: To know what is bought.
fields:
  order_id: order
  placed_at: placed
  status: {{constant: paid}}
  source_customer_id: customer
  gross_amount: total
  currency: {{setting: currency}}
"""
_MEMBERS = """
kind: contacts
mapping: csv
files: ["dt=*/*.csv"]
owner: care@example.org
fields:
  contact_id: member
  updated_at: changed
  city: city
"""


def a_project(root: Path) -> Project:
    """The declarations, and a week of files of every feed."""
    feeds = root / "config" / "feeds"
    feeds.mkdir(parents=True)
    (root / "config" / "business.yml").write_text(_BUSINESS, encoding="utf-8")
    for name, owner in (("north", "sales"), ("south", "team:sales")):
        (feeds / f"{name}.yml").write_text(_TILL.format(name=name, owner=owner), encoding="utf-8")
    (feeds / "members.yml").write_text(_MEMBERS, encoding="utf-8")
    project = Project(root)
    for day in DAYS:
        sell(project, "north", day, orders=2)
        sell(project, "south", day, orders=3)
        receive(project, "members", day, f"member,changed,city\nm{day.day},{day}T09:00:00Z,York\n")
    return project


def sell(project: Project, till: str, day: date, *, orders: int) -> None:
    """A till's file of a day: so many orders of two customers."""
    rows = "".join(f"{till}-{day.day}-{n},c{n % 2},{day}T10:0{n}:00Z,{n + 1}.50\n" for n in range(orders))
    receive(project, till, day, SETTINGS_HEADER + rows)


def spoil(project: Project, till: str, day: date) -> None:
    """A till's file of a day in which no row keeps the contract."""
    receive(project, till, day, SETTINGS_HEADER + "x1,c1,not a time,1\nx2,c2,nor this,2\n")


def receive(project: Project, feed: str, day: date, text: str) -> None:
    """Put a file into the landing folder."""
    folder = project.landing / feed / f"dt={day}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.csv").write_text(text, encoding="utf-8")


def steps_above_staging() -> tuple[Step, ...]:
    """Customers and totals from purchases, and members from contacts."""
    customers = (
        "select source_customer_id as customer_id, count(*) as order_count, sum(gross_amount) as spent_amount "
        "from staging.purchases where placed_at < $as_of_end group by all"
    )
    best = "select customer_id, spent_amount from profiles.customers where spent_amount > 1"
    members = "select contact_id, city from staging.contacts"
    return (
        _step("customers", "Who bought.", ("customer_id",), customers),
        _step("best_customers", "Who bought a lot.", ("customer_id",), best),
        _step("members", "Who joined.", ("contact_id",), members),
    )


def _step(name: str, description: str, grain: tuple[str, ...], query: str) -> Step:
    columns = {"customer_id": "The customer.", "spent_amount": "What they spent.", "order_count": "Orders."}
    return generated_step("profiles", name, description, grain, columns, query)


def unique(column: str, severity: str = "error") -> Expectation:
    """No two rows share the value."""
    return Unique(
        name=f"{column}_is_unique", severity=severity, description="Once.", expect="unique", columns=(column,)
    )


def rule(name: str, condition: str, severity: str = "error") -> Expectation:
    """A condition on every row."""
    return Rule(name=name, severity=severity, description="Always so.", expect="rule", rule=condition)


def at_least(rows: int, severity: str = "error") -> Expectation:
    """So many rows."""
    return RowCount(name="has_rows", severity=severity, description="Enough.", expect="row_count", at_least=rows)


def declared(project: Project, suites: dict[str, tuple[Expectation, ...]] | None = None) -> Declared:
    """What the toy business declares."""
    problems = Problems()
    feeds = load_feeds(project, problems)
    problems.raise_if_any()
    steps = (staging_step("purchases"), staging_step("contacts"), *steps_above_staging())
    found = {table: Suite(table, expectations) for table, expectations in (suites or {}).items()}
    return Declared(project, load_business(project), feeds, (*steps, *ledger_steps(steps)), found)


def toy_definitions(project: Project, suites: dict[str, tuple[Expectation, ...]] | None = None) -> dg.Definitions:
    """What Dagster shows of the toy business."""
    return definitions_of(declared(project, suites), WarehouseSettings(project, wait_seconds=5), NOW)
