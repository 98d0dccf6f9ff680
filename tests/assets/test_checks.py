"""An expectation of severity error holds back exactly what is made from its table; a warning holds back nothing."""

from __future__ import annotations

import dagster as dg
import pytest

from assets.check_places import places
from assets.jobs import EVERYTHING
from assets.partitions import range_tags
from assets.project_definitions import raw_sources
from assets.tables import TableGraph
from quality.suites import Suite
from quality.vocabulary import Expectation, NoRows
from tests.assets.toy import DAYS, at_least, declared, rule, toy_definitions, unique
from warehouse.database import open_warehouse
from warehouse.project import Project


def run(
    project: Project, instance: dg.DagsterInstance, suites: dict[str, tuple[Expectation, ...]]
) -> dg.ExecuteInProcessResult:
    job = toy_definitions(project, suites).resolve_job_def(EVERYTHING)
    tags = range_tags(DAYS[0], DAYS[-1])
    return job.execute_in_process(instance=instance, tags=tags, raise_on_error=False)


def made(result: dg.ExecuteInProcessResult) -> set[str]:
    return {event.asset_key.to_user_string() for event in result.get_asset_materialization_events()}


def everything(project: Project) -> set[str]:
    keys = toy_definitions(project).resolve_asset_graph().executable_asset_keys
    return {key.to_user_string() for key in keys}


def test_a_breach_of_severity_error_holds_back_the_descendants_and_nothing_else(
    project: Project, instance: dg.DagsterInstance
) -> None:
    result = run(project, instance, {"profiles.customers": (rule("nobody_buys", "order_count < 0"),)})
    assert not result.success
    assert made(result) == everything(project) - {
        "profiles/best_customers",
        "ops/quality_results",
        "published/snapshot",
    }


def test_a_warning_holds_back_nothing(project: Project, instance: dg.DagsterInstance) -> None:
    result = run(project, instance, {"profiles.customers": (rule("nobody_buys", "order_count < 0", "warn"),)})
    assert result.success
    assert made(result) == everything(project)
    (evaluation,) = (item for item in result.get_asset_check_evaluations() if item.check_name == "nobody_buys")
    assert not evaluation.passed
    assert evaluation.severity == dg.AssetCheckSeverity.WARN


def test_every_result_is_told_by_counts_and_kept(project: Project, instance: dg.DagsterInstance) -> None:
    suites = {"staging.purchases": (unique("order_id"), at_least(1), rule("dear", "gross_amount > 2", "warn"))}
    result = run(project, instance, suites)
    told = {item.check_name: item for item in result.get_asset_check_evaluations()}
    assert told["dear"].metadata["unexpected"].value == 14
    assert told["dear"].metadata["looked_at"].value == 35
    assert set(told["dear"].metadata) == {"unexpected", "looked_at"}
    with open_warehouse(project.database) as warehouse:
        kept = warehouse.cursor().execute("select expectation, passed from ops.quality_results").fetchall()
    assert sorted(kept) == [("dear", False), ("has_rows", True), ("order_id_is_unique", True)]


def looks_at(name: str, table: str, severity: str = "error") -> Expectation:
    query = f"select 1 from {table} where false"
    return NoRows(name=name, severity=severity, description="Looks aside.", expect="no_rows", query=query)


def placed(project: Project, suites: dict[str, tuple[Expectation, ...]]) -> dict[str, tuple[str, set[str]]]:
    found = declared(project)
    graph = TableGraph(found.steps, raw_sources(found.feeds.values()))
    given = {table: Suite(table, expectations) for table, expectations in suites.items()}
    return {place.check_name: (place.asked_at, set(place.after)) for place in places(graph, given)}


def test_an_expectation_waits_for_the_other_tables_it_looks_at(project: Project) -> None:
    found = placed(project, {"profiles.members": (looks_at("members_buy", "profiles.customers"),)})
    assert found == {"members_buy": ("profiles.members", {"profiles.customers"})}


def test_what_its_table_is_made_from_need_not_be_waited_for(project: Project) -> None:
    found = placed(project, {"profiles.best_customers": (looks_at("they_bought", "staging.purchases"),)})
    assert found == {"they_bought": ("profiles.best_customers", set())}


def test_an_expectation_that_looks_at_what_is_made_from_its_table_is_asked_there(project: Project) -> None:
    found = placed(project, {"profiles.customers": (looks_at("some_are_good", "profiles.best_customers"),)})
    assert found == {"profiles_customers_some_are_good": ("profiles.best_customers", set())}


def test_tables_that_look_at_each_other_are_both_asked_when_both_are_made(
    project: Project, instance: dg.DagsterInstance
) -> None:
    suites = {
        "profiles.members": (looks_at("one", "profiles.customers"),),
        "profiles.customers": (looks_at("other", "profiles.members"),),
    }
    found = placed(project, suites)
    assert {at for at, _ in found.values()} == {"profiles.members"}
    result = run(project, instance, suites)
    assert result.success
    assert {item.check_name for item in result.get_asset_check_evaluations()} >= found.keys()


@pytest.mark.parametrize("severity", ["error", "warn"])
def test_one_check_can_be_asked_alone(project: Project, instance: dg.DagsterInstance, severity: str) -> None:
    suites = {"profiles.customers": (unique("customer_id", severity), at_least(1))}
    assert run(project, instance, suites).success
    key = dg.AssetCheckKey(dg.AssetKey(["profiles", "customers"]), "customer_id_is_unique")
    definitions = toy_definitions(project, suites)
    alone = definitions.resolve_implicit_job_def_def_for_assets([key.asset_key])
    assert alone is not None
    job = alone.get_subset(asset_check_selection={key}, asset_selection=set())
    result = job.execute_in_process(instance=instance)
    assert [item.check_name for item in result.get_asset_check_evaluations()] == ["customer_id_is_unique"]
