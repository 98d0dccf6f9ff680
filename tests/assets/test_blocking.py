"""In the project's own pipeline, what does not hold of a table holds back what is made from it, and nothing else.

That a breach in the rows makes a check fail is tested with the expectations; here Dagster runs the project's own ops
and checks, with bodies that do nothing, and is compared with what the SQL of the steps says they read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import dagster as dg
import pytest
import sqlglot
from sqlglot import exp

from assets.declared import read_project
from assets.published import SNAPSHOT
from assets.tables import names_of, table_key
from cdp.definitions import definitions
from quality.vocabulary import Expectation
from tests.assets.idle import IdleProject, forgetful_instance
from warehouse.project import Project
from warehouse.step import Step

ROOT = Path(__file__).resolve().parents[2]
DECLARED = read_project(Project(ROOT))
TABLES = set(names_of(DECLARED.steps))
SUITES = {table: suite.expectations for table, suite in DECLARED.suites.items() if table in TABLES}
PUBLISHED = "published.snapshot"


def stands_for(name: str) -> str:
    """The table that is shown for one that loading writes: ``staging._purchases_rows`` belongs to staging.purchases."""
    inner = name.removeprefix("staging._")
    shown = [table for table in TABLES if f"{inner}_".startswith(f"{table.removeprefix('staging.')}_")]
    return max(shown, key=len) if inner != name and shown else name


def read_by(step: Step) -> set[str]:
    """Tables of others that a step reads: by its SQL, else as it says."""
    if step.statement is None:
        found = set(step.reads)
    else:
        trees = [tree for tree in sqlglot.parse(step.statement, read="duckdb") if tree is not None]
        found = {f"{table.db}.{table.name}" for tree in trees for table in tree.find_all(exp.Table) if table.db}
    return {stands_for(name) for name in found} & TABLES - set(names_of([step]))


READS = {step.name: read_by(step) for step in DECLARED.steps}


def made_from(table: str) -> set[str]:
    """The descendants of a table."""
    found: set[str] = set()
    waiting = {table}
    while waiting:
        made = {name for step in DECLARED.steps if READS[step.name] & waiting for name in names_of([step])}
        waiting = made - found
        found |= made
    return found


class Pipeline(IdleProject):
    """The project's pipeline, and what it does not make when a check fails; a run for every op that checks."""

    def __init__(self, definitions: dg.Definitions, instance: dg.DagsterInstance) -> None:
        super().__init__(definitions, instance)
        self._held_back: dict[str, set[str]] = {}
        self._all = [*map(table_key, names_of(DECLARED.steps)), SNAPSHOT]

    def check_of(self, table: str, item: Expectation) -> dg.AssetCheckSpec:
        """The check that asks an expectation."""
        own = dg.AssetCheckKey(table_key(table), item.name)
        elsewhere = [key for key in self.checks if key.name == f"{table.replace('.', '_')}_{item.name}"]
        return self.checks[own if own in self.checks else elsewhere[0]]

    def held_back(self, op_name: str) -> set[str]:
        """What is not made when a check of severity error of this op fails."""
        if op_name not in self._held_back:
            made = self.made(self._one_check_an_op, [self._first_of[op_name]])
            self._held_back[op_name] = {*TABLES, PUBLISHED} - made
        return self._held_back[op_name]

    @cached_property
    def _first_of(self) -> Mapping[str, dg.AssetCheckKey]:
        return {self.op_of[key]: key for key, spec in reversed(self.checks.items()) if spec.blocking}

    @cached_property
    def _one_check_an_op(self) -> dg.JobDefinition:
        return self.job(self._all, self._first_of.values())

    def made_in_spite_of(self, broken: list[dg.AssetCheckKey]) -> set[str]:
        """What is made when these checks fail, which are asked beside those of severity error."""
        return self.made(self.job(self._all, [*self._first_of.values(), *broken]), broken)


@pytest.fixture(scope="module")
def pipeline() -> Iterator[Pipeline]:
    with pytest.MonkeyPatch.context() as environment, forgetful_instance() as instance:
        environment.setenv("CDP_PROJECT", str(ROOT))
        yield Pipeline(definitions(), instance)


@pytest.mark.parametrize("table", sorted(SUITES))
def test_a_breach_of_severity_error_holds_back_exactly_the_descendants_of_its_table(
    pipeline: Pipeline, table: str
) -> None:
    for item in SUITES[table]:
        if item.severity == "error":
            check = pipeline.check_of(table, item)
            assert check.blocking
            assert pipeline.held_back(pipeline.op_of[check.key]) == made_from(table) | {PUBLISHED}, item.name


@pytest.mark.parametrize("table", sorted(SUITES))
def test_what_is_asked_of_a_table_itself_goes_through_one_step(pipeline: Pipeline, table: str) -> None:
    keys = [dg.AssetCheckKey(table_key(table), item.name) for item in SUITES[table] if item.severity == "error"]
    assert len({pipeline.op_of[key] for key in keys if key in pipeline.op_of}) == 1


def test_warnings_hold_back_nothing_even_all_at_once(pipeline: Pipeline) -> None:
    items = [(table, item) for table, found in SUITES.items() for item in found if item.severity == "warn"]
    checks = [pipeline.check_of(table, item) for table, item in items]
    assert len(checks) > 100
    assert not any(check.blocking for check in checks)
    assert pipeline.made_in_spite_of([check.key for check in checks]) == {*TABLES, PUBLISHED}
