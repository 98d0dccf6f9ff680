"""The job `replay` does from the launchpad what the command does; a reason that jumps is a warning on its feed."""

from __future__ import annotations

from datetime import date

import dagster as dg

from assets.feeds import feed_key
from assets.jobs import EVERYTHING
from assets.partitions import range_tags
from assets.reason_check import REASONS
from assets.replay_job import REPLAY
from tests.assets.toy import DAYS, receive, toy_definitions
from warehouse.database import open_warehouse
from warehouse.project import Project

CORRECTION = """
corrections:
  - feed: north
    where: {total: free}
    set: {total: "0.00"}
    author: mei
    on: 2026-01-09
    why: the till writes free
"""
HEADER = "order,customer,placed,total\n"


def load(project: Project, instance: dg.DagsterInstance, *feeds: str) -> dg.ExecuteInProcessResult:
    job = toy_definitions(project).resolve_job_def(EVERYTHING)
    return job.execute_in_process(
        instance=instance,
        tags=range_tags(DAYS[0], DAYS[-1]),
        asset_selection=[feed_key(name) for name in feeds],
        raise_on_error=False,
    )


def replay(project: Project, instance: dg.DagsterInstance, **options: object) -> dg.ExecuteInProcessResult:
    config = {"who": "mei", "why": "free is nothing"} | options
    job = toy_definitions(project).resolve_job_def(REPLAY)
    return job.execute_in_process(
        instance=instance, run_config={"ops": {"replay_rows": {"config": config}}}, raise_on_error=False
    )


def put_free_orders(project: Project, day: date, rows: int, free: int) -> None:
    lines = (f"n{day.day}-{n},c1,{day}T10:00:00Z,{'free' if n < free else '2.00'}\n" for n in range(rows))
    receive(project, "north", day, HEADER + "".join(lines))


def test_rows_are_replayed_from_run_config_and_the_run_tells_how_many(
    project: Project, instance: dg.DagsterInstance
) -> None:
    put_free_orders(project, DAYS[1], 12, 2)
    load(project, instance, "north")
    corrections = project.config / "corrections" / "north.yml"
    corrections.parent.mkdir()
    corrections.write_text(CORRECTION, encoding="utf-8")
    result = replay(project, instance, feed="north")
    assert result.success
    [output] = [event for event in result.all_node_events if event.is_successful_output]
    told = {name: item.value for name, item in output.step_output_data.metadata.items()}
    assert (told["attempted"], told["replayed"], told["still_open"]) == (2, 2, 0)
    [observed] = result.get_asset_observation_events()
    assert observed.asset_key == feed_key("north")
    with open_warehouse(project.database) as warehouse:
        found = warehouse.cursor().execute(
            "select status, resolved_by, resolution, count(*) from quarantine.purchases group by all"
        )
        words = "free is nothing; corrected: the till writes free (2026-01-09)"
        assert found.fetchall() == [("replayed", "mei", words, 2)]
    assert replay(project, instance).success


def test_a_replay_of_a_feed_that_is_none_fails_with_what_was_meant(
    project: Project, instance: dg.DagsterInstance
) -> None:
    result = replay(project, instance, feed="nroth")
    assert not result.success
    [failure] = [event for event in result.all_events if event.is_step_failure]
    assert "Did you mean `north`?" in str(failure.step_failure_data.user_failure_data.metadata)


def test_a_reason_that_jumps_warns_and_is_told_with_the_batch(project: Project, instance: dg.DagsterInstance) -> None:
    for day in DAYS[:-1]:
        put_free_orders(project, day, 60, 0)
    put_free_orders(project, DAYS[-1], 60, 10)
    result = load(project, instance, "north", "south")
    assert result.success
    checks = {item.asset_key: item for item in result.get_asset_check_evaluations() if item.check_name == REASONS}
    jumped = checks[feed_key("north")]
    assert (jumped.passed, jumped.severity) == (False, dg.AssetCheckSeverity.WARN)
    assert "in 10 rows, 16.7%; usual 0.0%" in (jumped.description or "")
    assert checks[feed_key("south")].passed
    newest = {
        event.partition: event.materialization.metadata
        for event in result.get_asset_materialization_events()
        if event.asset_key == feed_key("north")
    }[str(DAYS[-1])]
    assert "10 rows, 16.7%, such as q" in str(newest["rejected_told"].value)
