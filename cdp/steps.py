"""All steps of a project, from staging to profiles, and the tables they make over nothing."""

from __future__ import annotations

from datetime import UTC, date, datetime

from identity.pipeline import identity_steps
from profiles.pipeline import profile_steps
from sources.feed import load_feeds
from sources.staging import staging_steps
from warehouse.business import Business, load_business
from warehouse.database import Warehouse, open_warehouse
from warehouse.declaration import Problems
from warehouse.project import Project
from warehouse.step import Run, Step, materialise


def all_steps(project: Project, business: Business) -> tuple[Step, ...]:
    """Every step in the order in which it must run.

    Raises:
        DeclarationError: something in ``config/`` is wrong.
    """
    problems = Problems()
    feeds = load_feeds(project, problems)
    problems.raise_if_any()
    return (*staging_steps(feeds), *identity_steps(project), *profile_steps(project, business))


def empty_warehouse(project: Project) -> Warehouse:
    """A warehouse in memory in which every table of the project stands, without a row: what the dictionary reads."""
    business = load_business(project)
    warehouse = open_warehouse()
    run = Run("empty", date(2026, 1, 31), datetime(2026, 2, 1, tzinfo=UTC).replace(tzinfo=None), business)
    for step in all_steps(project, business):
        materialise(warehouse, step, run)
    return warehouse
