"""Runs the YAML cases: what each table must hold, in sentences."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from case import Case, comparable, give, read_cases

from identity.pipeline import identity_steps
from profiles.pipeline import profile_steps
from quality.contracts.registry import CONTRACTS
from quality.contracts.table import tables
from warehouse.database import Warehouse
from warehouse.project import Project
from warehouse.step import Run, Step, materialise

FOLDER = Path(__file__).parent
CASES = read_cases(FOLDER)


@cache
def known_steps() -> dict[str, Step]:
    project = Project(FOLDER.parent.parent)
    steps = (*identity_steps(project), *profile_steps(project))
    return {spec.full_name: step for step in steps for spec in step.tables}


@cache
def contract_columns() -> dict[str, dict[str, str]]:
    """Staging tables with the types of their contracts and the columns of lineage."""
    lineage = {"extra": "JSON", "_feed": "VARCHAR", "_batch_on": "DATE", "_file": "VARCHAR", "_row": "BIGINT"}
    return {
        f"staging.{name}": {column.name: column.sql_type for column in table.columns} | lineage
        for kind in CONTRACTS
        for table in tables(kind)
        for name in (table.name, f"_{table.name}_versions")
    }


@pytest.mark.parametrize("case", CASES, ids=[f"{case.table}: {case.sentence}" for case in CASES])
def test_the_table_holds_what_the_case_says(case: Case, warehouse: Warehouse, run: Run) -> None:
    steps = [known_steps()[name] for name in (*case.through, case.table)]
    parameters = dict(case.parameters)
    business = run.business.model_copy(
        update={
            key: parameters.pop(key)
            for key in ("time_zone", "base_currency", "revenue", "week_starts_on")
            if key in parameters
        }
    )
    as_of = parameters.pop("as_of", run.as_of)
    this_run = replace(run, as_of=date.fromisoformat(str(as_of)), business=business)
    assert not parameters, f"unknown parameters {sorted(parameters)}"
    with warehouse.transaction() as connection:
        give(connection, case, steps, contract_columns())
    for step in steps:
        materialise(warehouse, step, this_run)
    columns = sorted({name for row in case.expect for name in row})
    names = ", ".join(f'"{name}"' for name in columns) or "count(*)"
    found = warehouse.cursor().execute(f"select {names} from {case.table}").fetchall()
    if not columns:
        assert found == [(0,)], "the table should be empty"
        return
    assert sorted((tuple(comparable(value) for value in row) for row in found), key=repr) == sorted(
        (tuple(comparable(row.get(name)) for name in columns) for row in case.expect), key=repr
    )
