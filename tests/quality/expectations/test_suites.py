"""Where expectations come from: defaults, contracts, the project and its feeds."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from quality.suites import Suite, default_suites, load_suites
from quality.vocabulary import Expectation, RowCount, tables_read
from tests.quality.expectations.asking import a_suite
from warehouse.declaration import Problems
from warehouse.errors import DeclarationError
from warehouse.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project without declarations."""
    (tmp_path / "config").mkdir()
    return Project(tmp_path)


def declare(project: Project, text: str) -> None:
    (project.config / "quality.yml").write_text(text, encoding="utf-8")


@dataclass(frozen=True)
class AFeed:
    name: str
    kind: str
    expectations: tuple[Expectation, ...]


def by_name(suite: Suite) -> dict[str, Expectation]:
    return {item.name: item for item in suite.expectations}


def test_a_project_without_declarations_has_every_suite(project: Project) -> None:
    assert load_suites(project) == default_suites()
    assert {"staging.purchases", "profiles.customers", "identity.customer_links"} <= load_suites(project).keys()


def test_a_required_column_of_a_contract_is_expected_without_being_declared(project: Project) -> None:
    names = by_name(load_suites(project)["staging.purchases"])
    assert {"key_is_unique", "placed_at_is_present", "status_is_known", "currency_is_a_code"} <= names.keys()
    assert names["placed_at_is_present"].severity == "error"


def test_a_project_adds_replaces_regrades_and_switches_off(project: Project) -> None:
    declare(
        project,
        """
expectations:
  staging.deals:
    - {name: not_huge, expect: between, column: amount, at_most: 100, severity: warn, description: d}
    - {name: staged, expect: present, column: stage, severity: error, description: d}
severities:
  staging.deals.won_or_lost: error
  staging.deals.contact_exists: off
""",
    )
    names = by_name(load_suites(project)["staging.deals"])
    assert "not_huge" in names
    assert (names["staged"].severity, getattr(names["staged"], "share", None)) == ("error", 1.0)
    assert names["won_or_lost"].severity == "error"
    assert "contact_exists" not in names


def test_every_mistake_is_told_with_its_line_and_what_is_meant(project: Project) -> None:
    declare(
        project,
        """expectations:
  staging.dealz:
    - {name: a, expect: present, column: stage, severity: warn, description: d}
  staging.deals:
    - {name: a, expect: rule, rule: amounts > this.won_at, severity: warn, description: d}
severities:
  staging.deals.won_or_lots: warn
""",
    )
    problems = Problems()
    load_suites(project, problems)
    assert [str(problem) for problem in problems.found] == [
        "config/quality.yml:2: `staging.dealz` is no table with expectations. Did you mean `staging.deals`?",
        "config/quality.yml:5: `a`: staging.deals has no column `amounts`. Did you mean `amount`?",
        "config/quality.yml:7: `staging.deals.won_or_lots` names no expectation. Did you mean `won_or_lost`?",
    ]


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("{name: a, expect: rule, rule: 'a >', severity: warn, description: d}", "not a SQL condition"),
        ("{name: a, expect: rule, rule: select 1, severity: warn, description: d}", "not a SQL condition"),
        ("{name: a, expect: no_rows, query: drop table x, severity: warn, description: d}", "not a SQL select"),
        (
            "{name: a, expect: between, column: amount, severity: warn, description: d}",
            "Add `at_least:`, `at_most:`",
        ),
        (
            "{name: a, expect: row_count, severity: warn, description: d}",
            "Add one of at_least, at_most,",
        ),
        ("{name: A b, expect: present, column: x, severity: warn, description: d}", "such as `a_b`"),
        ("{name: a, expect: presence, column: x, severity: warn, description: d}", "presence"),
        ("{name: a, expect: present, column: x, severity: fatal, description: d}", "Known: error, warn."),
    ],
)
def test_an_expectation_that_is_written_wrongly_is_refused(project: Project, entry: str, told: str) -> None:
    declare(project, f"expectations:\n  staging.deals:\n    - {entry}\n")
    with pytest.raises(DeclarationError, match=r"config/quality\.yml:3") as caught:
        load_suites(project)
    assert told in caught.value.reason


def test_a_feed_adds_expectations_for_its_own_rows(project: Project) -> None:
    suite = a_suite("expectations: [{name: known, expect: present, column: email, severity: warn, description: d}]")
    feed = AFeed("shop", "purchases", suite.expectations)
    added = by_name(load_suites(project, feeds=[feed])["staging.purchases"])["shop_known"]
    assert added.feed == "shop"
    assert "shop_known" not in by_name(load_suites(project)["staging.purchases"])


def test_the_tables_that_decide_about_a_rule_are_known() -> None:
    (item,) = a_suite(
        """
expectations:
  - {name: a, expect: rule, severity: warn, description: d,
     rule: exists (select 1 from staging.others as other where other.id = this.thing_id)}
"""
    ).expectations
    assert tables_read(item, "staging.things") == {"staging.things", "staging.others"}
    assert item.columns_read == ("thing_id",)


@pytest.mark.parametrize(
    ("previous", "bounds"),
    [(None, (5, None)), (0, (5, None)), (100, (90, 300)), (4, (5, 12)), (-100, (5, 100))],
)
def test_bounds_come_from_the_declaration_and_from_the_run_before(
    previous: float | None, bounds: tuple[float | None, float | None]
) -> None:
    item = RowCount(
        expect="row_count", name="n", severity="warn", description="d", at_least=5, may_fall=0.1, may_rise=2
    )
    assert item.bounds(previous) == bounds
