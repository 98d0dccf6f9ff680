"""An origin is an asset above its feed; one that fails keeps nobody waiting."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import dagster as dg
import pytest

from assets.feeds import feed_key
from assets.jobs import EVERYTHING, FETCH
from assets.origins import FETCHED_STEP, origin_key
from cdp.run import run_project
from tests.assets.toy import DAYS, declared, toy_definitions
from tests.sources.origins.api import Api
from warehouse.database import open_warehouse
from warehouse.project import Project

_FEED = """
kind: purchases
mapping: jsonl
currency: GBP
origin:
  kind: http
  url: {url}
  rows: orders
  attempts: 1
  pages:
    by: offset
    size: 5
  cursor:
    field: updated_at
    parameter: since
fields:
  order_id: id
  placed_at: updated_at
  status: {{constant: paid}}
  source_customer_id: customer
  gross_amount: total
  currency: {{setting: currency}}
"""


@pytest.fixture
def api(project: Project) -> Iterator[Api]:
    """Seven web orders at the origin of a third feed."""
    with Api.serving() as opened:
        opened.rows = [
            {"id": f"w{n}", "updated_at": f"2026-01-0{n}T10:00:00Z", "customer": f"c{n % 2}", "total": n}
            for n in range(1, 8)
        ]
        (project.config / "feeds" / "web.yml").write_text(_FEED.format(url=opened.url), encoding="utf-8")
        yield opened


def run(project: Project, instance: dg.DagsterInstance, job: str, *keys: dg.AssetKey) -> dg.ExecuteInProcessResult:
    found = toy_definitions(project).resolve_job_def(job)
    return found.execute_in_process(instance=instance, asset_selection=list(keys) or None, raise_on_error=False)


def orders_of(project: Project, feed: str) -> int:
    with open_warehouse(project.database) as warehouse:
        found = warehouse.cursor().execute("select count(*) from staging.purchases where _feed = $feed", {"feed": feed})
        return int(found.fetchone()[0])


def test_one_run_fetches_loads_and_makes_everything(project: Project, instance: dg.DagsterInstance, api: Api) -> None:
    assert run(project, instance, EVERYTHING).success
    assert orders_of(project, "web") == len(api.rows)
    told = instance.get_latest_materialization_event(origin_key("web"))
    assert told is not None
    assert told.asset_materialization is not None
    assert told.asset_materialization.metadata["rows"].value == 7


def test_an_origin_that_fails_leaves_every_other_feed_and_what_landed_before(
    project: Project, instance: dg.DagsterInstance, api: Api
) -> None:
    run(project, instance, FETCH)
    api.trouble = [500]
    result = run(project, instance, EVERYTHING)
    assert not result.success
    assert [event.step_key for event in result.all_events if event.is_step_failure] == [FETCHED_STEP]
    assert orders_of(project, "web") == len(api.rows)
    assert orders_of(project, "north") == 2 * len(DAYS)
    checks = {item.asset_key: item.passed for item in result.get_asset_check_evaluations()}
    assert checks[origin_key("web")] is False
    assert checks[feed_key("north")] is True


def test_cdp_run_fetches_before_it_looks_for_what_is_pending(
    project: Project, instance: dg.DagsterInstance, api: Api
) -> None:
    summary = run_project(project, instance=instance, declared=declared(project), feeds=["web", "north"])
    assert summary["feeds"]["web"]["accepted"] == len(api.rows)
    assert summary["errors"] == {}


def test_cdp_run_tells_of_an_origin_that_failed_and_loads_the_rest(
    project: Project, instance: dg.DagsterInstance, api: Api
) -> None:
    api.trouble = [500]
    summary = run_project(project, instance=instance, declared=declared(project), feeds=["web", "north"])
    assert summary["feeds"]["north"]["accepted"] == 2 * len(DAYS)
    assert list(summary["errors"]) == ["web"]
    assert "answered 500" in summary["errors"]["web"]
    before = len(api.requests)
    assert run_project(project, instance=instance, declared=declared(project), fetch=False)["errors"] == {}
    assert len(api.requests) == before


def test_fetching_alone_needs_no_warehouse(project: Project, instance: dg.DagsterInstance, api: Api) -> None:
    with open_warehouse(project.database):
        assert run(project, instance, FETCH).success
    assert list((project.landing / "web").rglob("*.jsonl"))
    assert not instance.get_materialized_partitions(feed_key("web"))


def test_a_project_without_origins_has_no_such_job(project: Project) -> None:
    names = {job.name for job in toy_definitions(project).resolve_all_job_defs()}
    assert EVERYTHING in names
    assert FETCH not in names


def test_fetched_rows_are_the_batch_of_the_day_they_came(
    project: Project, instance: dg.DagsterInstance, api: Api
) -> None:
    run(project, instance, FETCH)
    (day,) = {path.parent.name for path in (project.landing / "web").rglob("*.jsonl")}
    assert day.startswith("dt=")
    assert date.fromisoformat(day.removeprefix("dt="))
