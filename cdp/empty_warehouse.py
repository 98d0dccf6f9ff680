"""The tables of a project, made over nothing: what the documentation and its tests look at."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Final

from assets import broken_batches, run_log
from assets.declared import read_project
from quality import access_log, quarantine_history, results
from sources import ledger_tables
from sources.loading import create_tables
from warehouse.database import Warehouse, open_warehouse
from warehouse.project import Project
from warehouse.step import Run, TableSpec, materialise

LEDGERS: Final[tuple[TableSpec, ...]] = (
    *(run_log.RUNS, *ledger_tables.TABLES, broken_batches.BROKEN_BATCHES),
    *(results.RESULTS, results.FAILURES, quarantine_history.HISTORY, access_log.ACCESS_LOG),
)
"""The tables about the work: who has something to note makes them."""


def empty_warehouse(project: Project) -> Warehouse:
    """A warehouse in memory in which every table of the project stands, without a row: what the dictionary reads."""
    declared = read_project(project)
    warehouse = open_warehouse()
    run = Run("empty", date(2026, 1, 31), datetime(2026, 2, 1, tzinfo=UTC).replace(tzinfo=None), declared.business)
    with warehouse.transaction() as connection:
        create_tables(connection)
        for module in (run_log, broken_batches, access_log):
            module.create_table(connection)
        results.create_tables(connection)
    for step in declared.steps:
        materialise(warehouse, step, run)
    return warehouse
