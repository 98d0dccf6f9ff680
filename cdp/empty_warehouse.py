"""The tables of a project, made over nothing: what the documentation and its tests look at."""

from __future__ import annotations

from datetime import UTC, date, datetime

from assets.declared import read_project
from sources.loading import create_tables
from warehouse.database import Warehouse, open_warehouse
from warehouse.project import Project
from warehouse.step import Run, materialise


def empty_warehouse(project: Project) -> Warehouse:
    """A warehouse in memory in which every table of the project stands, without a row: what the dictionary reads."""
    declared = read_project(project)
    warehouse = open_warehouse()
    run = Run("empty", date(2026, 1, 31), datetime(2026, 2, 1, tzinfo=UTC).replace(tzinfo=None), declared.business)
    with warehouse.transaction() as connection:
        create_tables(connection)
    for step in declared.steps:
        materialise(warehouse, step, run)
    return warehouse
