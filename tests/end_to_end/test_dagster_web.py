"""What a data engineer does in the Dagster UI, over GraphQL against the real web server and daemon."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import pytest

from cdp.command import run_command
from tests.assets.toy import DAYS, a_project, sell, spoil
from tests.end_to_end.dagster_server import Server, serving, wait_for
from warehouse.project import Project

pytestmark = pytest.mark.end_to_end

START, END = "dagster/asset_partition_range_start", "dagster/asset_partition_range_end"
NORTH, SOUTH = ["feeds", "north"], ["feeds", "south"]
ROOT = Path(__file__).resolve().parent.parent.parent
PURCHASES = [["staging", name] for name in ("purchases", "purchase_lines", "purchase_refunds")]


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """The corner shop with two weeks of files, and the dagster.yaml and workspace.yaml that every project gets."""
    made = a_project(tmp_path_factory.mktemp("web") / "shop")
    for offset in range(7, 14):
        day = DAYS[0] + timedelta(days=offset)
        sell(made, "north", day, orders=2)
        sell(made, "south", day, orders=3)
    templates = files("cdp") / "templates"
    for name in ("dagster.yaml", "workspace.yaml"):
        (made.root / name).write_bytes((templates / name).read_bytes())
    return made


@pytest.fixture(scope="module")
def server(project: Project) -> Iterator[Server]:
    """The web server and daemon over the corner shop."""
    with serving(project.root) as started:
        yield started


def a_day(day: date) -> dict[str, str]:
    return {"dagster/partition": str(day)}


def days(first: date, last: date) -> dict[str, str]:
    return {START: str(first), END: str(last)}


def test_one_day_of_one_feed_is_materialised(server: Server) -> None:
    run = server.ended(server.launch("feeds", [NORTH], **a_day(DAYS[0])))
    assert run["status"] == "SUCCESS"
    (told,) = server.materializations(*NORTH)
    assert told["partition"] == str(DAYS[0])
    rows = {entry["label"]: entry.get("intValue") for entry in told["metadataEntries"]}
    assert rows["dagster/partition_row_count"] == 2


def test_seven_days_are_backfilled_in_one_run(server: Server) -> None:
    wanted = [str(day) for day in DAYS]
    answer = server.ask(
        """mutation($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) {
            __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }""",
        params={"partitionNames": wanted, "assetSelection": [{"path": SOUTH}], "title": "a week"},
    )["launchPartitionBackfill"]
    assert answer["__typename"] == "LaunchBackfillSuccess", answer
    backfill = answer["backfillId"]
    wait_for(lambda: bool(_runs_of_backfill(server, backfill)), 120, "the backfill's run")
    (run_id,) = _runs_of_backfill(server, backfill)
    assert server.ended(run_id)["status"] == "SUCCESS"
    told = server.materializations(*SOUTH)
    assert {item["partition"] for item in told} == set(wanted)
    assert {item["runId"] for item in told} == {run_id}
    assert len(_runs_of_backfill(server, backfill)) == 1


def _runs_of_backfill(server: Server, backfill: str) -> list[str]:
    return [run["runId"] for run in server.runs() if {"key": "dagster/backfill", "value": backfill} in run["tags"]]


def test_a_failing_feed_leaves_the_other_feeds_green(project: Project, server: Server) -> None:
    first, broken, last = (DAYS[0] + timedelta(days=offset) for offset in (7, 8, 9))
    spoil(project, "north", broken)
    run = server.ended(server.launch("everything", **days(first, last)))
    steps = server.steps(run["runId"])
    assert run["status"] == "FAILURE"
    assert {step for step, status in steps.items() if status == "FAILURE"} == {"feeds_loaded"}
    assert {status for step, status in steps.items() if step != "feeds_loaded"} == {"SUCCESS"}
    assert server.partitions(*SOUTH)["partitionStats"]["numFailed"] == 0
    failed = [
        span for span in server.partitions(*NORTH)["assetPartitionStatuses"]["ranges"] if span["status"] == "FAILED"
    ]
    assert [(span["startKey"], span["endKey"]) for span in failed] == [(str(broken), str(broken))]
    assert (project.published / "cdp.duckdb").exists()


def test_the_day_is_green_again_once_the_file_is_mended(project: Project, server: Server) -> None:
    broken = DAYS[0] + timedelta(days=8)
    sell(project, "north", broken, orders=2)
    run = server.ended(server.launch("feeds", [NORTH], **a_day(broken)))
    assert run["status"] == "SUCCESS"
    assert server.partitions(*NORTH)["partitionStats"]["numFailed"] == 0


def test_two_runs_at_once_follow_one_another(server: Server) -> None:
    first, second = (
        server.launch("everything", [feed, *PURCHASES], **days(DAYS[0], DAYS[-1])) for feed in (NORTH, SOUTH)
    )
    ended = sorted((server.ended(run_id) for run_id in (first, second)), key=lambda run: run["startTime"])
    assert [run["status"] for run in ended] == ["SUCCESS", "SUCCESS"]
    assert ended[0]["endTime"] <= ended[1]["startTime"]


def test_a_new_file_wakes_the_sensor(project: Project, server: Server) -> None:
    before = {run["runId"] for run in server.runs()}
    selector = {"sensorName": "landing", "repositoryName": "__repository__", "repositoryLocationName": "cdp"}
    started = server.ask(
        """mutation($selector: SensorSelector!) { startSensor(sensorSelector: $selector) {
            __typename ... on PythonError { message } } }""",
        selector=selector,
    )["startSensor"]
    assert started["__typename"] == "Sensor", started
    wait_for(lambda: len(server.runs()) > len(before), 120, "the sensor's first run")
    (first,) = (run["runId"] for run in server.runs() if run["runId"] not in before)
    assert server.ended(first)["status"] == "SUCCESS"
    day = DAYS[0] + timedelta(days=20)
    sell(project, "north", day, orders=4)
    wait_for(lambda: len(server.runs()) > len(before) + 1, 120, "the run over the new file")
    newest = server.ended(server.runs()[0]["runId"])
    assert newest["status"] == "SUCCESS"
    assert {"key": START, "value": str(day)} in newest["tags"]
    assert str(day) in {item["partition"] for item in server.materializations(*NORTH)}
    told = server.materializations("staging", "purchases")[0]
    assert told["runId"] == newest["runId"]


def test_dg_finds_a_new_project_in_its_folder(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    assert run_command(["init", str(root), "--sample"]) == 0
    query = """{ workspaceOrError { ... on Workspace { locationEntries { name locationOrLoadError {
        __typename ... on RepositoryLocation { repositories { assetNodes { assetKey { path } } } } } } } } }"""
    with serving(root, by="dg") as started:
        (entry,) = started.ask(query)["workspaceOrError"]["locationEntries"]
    assert entry["name"] == "cdp"
    (repository,) = entry["locationOrLoadError"]["repositories"]
    assert {"path": ["feeds", "web"]} in [node["assetKey"] for node in repository["assetNodes"]]
    shutil.rmtree(root / ".dagster", ignore_errors=True)


def test_dg_lists_what_is_defined_in_the_folder_of_a_project_and_in_the_repository(tmp_path: Path) -> None:
    root = tmp_path / "shop"
    assert run_command(["init", str(root)]) == 0
    program = str(Path(sys.executable).with_name("dg"))
    for folder in (root, ROOT):
        environment = os.environ | {"DAGSTER_HOME": str(root), "CDP_PROJECT": str(root), "PYTHONWARNINGS": "ignore"}
        told = subprocess.run(
            [program, "list", "defs", "--json"], cwd=folder, env=environment, capture_output=True, text=True, check=True
        )
        assert "profiles/customers" in {asset["asset_key"] for asset in json.loads(told.stdout)["assets"]}


def test_a_wrong_declaration_shows_every_problem_where_the_location_fails_to_load(tmp_path: Path) -> None:
    broken = a_project(tmp_path / "shop")
    templates = files("cdp") / "templates"
    for name in ("dagster.yaml", "workspace.yaml"):
        (broken.root / name).write_bytes((templates / name).read_bytes())
    feed = broken.config / "feeds" / "north.yml"
    feed.write_text(feed.read_text(encoding="utf-8").replace("mapping: csv", "mapping: cvs"), encoding="utf-8")
    business = broken.config / "business.yml"
    business.write_text(
        business.read_text(encoding="utf-8").replace("Europe/London", "Europe/Lodnon"), encoding="utf-8"
    )
    query = """{ workspaceOrError { ... on Workspace { locationEntries {
        locationOrLoadError { __typename ... on PythonError { message causes { message } } } } } } }"""
    with serving(broken.root) as started:
        (entry,) = started.ask(query)["workspaceOrError"]["locationEntries"]
    error = entry["locationOrLoadError"]
    assert error["__typename"] == "PythonError"
    told = error["message"] + "".join(cause["message"] for cause in error["causes"])
    assert "config/feeds/north.yml:3" in told
    assert "config/business.yml:4" in told
    shutil.rmtree(broken.root / ".dagster", ignore_errors=True)
