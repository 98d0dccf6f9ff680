"""A feed is a partitioned asset; one bad day stops nothing but itself."""

from __future__ import annotations

from datetime import date

import dagster as dg

from assets.feeds import COLUMNS, LOADED, feed_key
from assets.jobs import EVERYTHING
from assets.partitions import range_tags
from tests.assets.toy import DAYS, receive, sell, spoil, toy_definitions
from warehouse.database import open_warehouse
from warehouse.project import Project


def run(project: Project, instance: dg.DagsterInstance, tags: dict[str, str], *names: str) -> dg.ExecuteInProcessResult:
    """Run everything, or the assets named ``layer/table``, over the days of the tags."""
    job = toy_definitions(project).resolve_job_def(EVERYTHING)
    selection = [dg.AssetKey(name.split("/")) for name in names] or None
    return job.execute_in_process(instance=instance, tags=tags, asset_selection=selection, raise_on_error=False)


def whole_week() -> dict[str, str]:
    return range_tags(DAYS[0], DAYS[-1])


def partitions_of(instance: dg.DagsterInstance, feed: str) -> set[str]:
    return instance.get_materialized_partitions(feed_key(feed))


def count(project: Project, question: str) -> int:
    with open_warehouse(project.database) as warehouse:
        return warehouse.cursor().execute(question).fetchone()[0]


def test_one_day_loads_only_the_batch_of_that_day(project: Project, instance: dg.DagsterInstance) -> None:
    day = range_tags(DAYS[2], DAYS[2])
    tables = [f"staging/{name}" for name in ("purchases", "purchase_lines", "purchase_refunds")]
    result = run(project, instance, day, "feeds/north", *tables)
    assert result.success
    assert partitions_of(instance, "north") == {"2026-01-03"}
    assert count(project, "select count(*) from staging.purchases") == 2


def test_a_week_is_one_run_and_every_day_of_it_tells_its_own_rows(
    project: Project, instance: dg.DagsterInstance
) -> None:
    sell(project, "south", DAYS[4], orders=5)
    result = run(project, instance, whole_week(), "feeds/south")
    assert result.success
    assert partitions_of(instance, "south") == {str(day) for day in DAYS}
    told = {
        event.partition: event.materialization.metadata["dagster/partition_row_count"].value
        for event in result.get_asset_materialization_events()
    }
    assert told["2026-01-05"] == 5
    assert told["2026-01-06"] == 3


def test_a_batch_that_cannot_be_loaded_leaves_everything_else_standing(
    project: Project, instance: dg.DagsterInstance
) -> None:
    spoil(project, "north", DAYS[3])
    result = run(project, instance, whole_week())
    failed = {event.step_key for event in result.get_step_failure_events()}
    assert failed == {"feeds_loaded"}
    assert not result.success
    assert partitions_of(instance, "south") == {str(day) for day in DAYS}
    assert partitions_of(instance, "north") == {str(day) for day in DAYS} - {"2026-01-04"}
    assert count(project, "select count(*) from staging.purchases") == 6 * 2 + 7 * 3
    assert (project.published / "cdp.duckdb").exists()


def test_the_broken_day_counts_as_failed_and_no_other(project: Project, instance: dg.DagsterInstance) -> None:
    spoil(project, "north", DAYS[3])
    run(project, instance, whole_week())
    partitions = toy_definitions(project).resolve_assets_def(feed_key("north")).partitions_def
    statuses = instance.get_status_by_partition(feed_key("north"), [str(day) for day in DAYS], partitions)
    assert {day for day, status in statuses.items() if status and status.name == "FAILED"} == {"2026-01-04"}


def test_a_day_that_crashes_is_blamed_alone_and_every_other_day_has_its_own_reason_or_is_loaded(
    project: Project, instance: dg.DagsterInstance, codec_with_a_bug: str
) -> None:
    declared = project.config / "feeds" / "north.yml"
    declared.write_text(f"{declared.read_text(encoding='utf-8')}encoding: {codec_with_a_bug}\n", encoding="utf-8")
    spoil(project, "north", DAYS[1])
    (project.landing / "north" / f"dt={DAYS[3]}" / "rows.csv").write_bytes(b"order\x80\n")
    result = run(project, instance, whole_week())
    assert {event.step_key for event in result.get_step_failure_events()} == {"feeds_loaded"}
    assert partitions_of(instance, "north") == {str(day) for day in DAYS} - {str(DAYS[1]), str(DAYS[3])}
    with open_warehouse(project.database) as warehouse:
        found = warehouse.cursor().execute("select batch_on, exit_code, reason from ops.broken_batches order by 1")
        (first, input_code, spoiled), (second, bug_code, crashed) = found.fetchall()
    assert ((first, input_code), (second, bug_code)) == ((DAYS[1], 11), (DAYS[3], 1))
    assert spoiled.startswith("2 of 2 rows break the contract")
    assert crashed.startswith("Loading has a bug: ZeroDivisionError")
    failure = next(event.step_failure_data.user_failure_data for event in result.get_step_failure_events())
    assert failure.metadata["exit_code"].value == 1


def test_the_check_of_the_broken_feed_says_what_to_do_until_the_batch_is_mended(
    project: Project, instance: dg.DagsterInstance
) -> None:
    spoil(project, "north", DAYS[3])
    told = run(project, instance, whole_week()).get_asset_check_evaluations()
    first = {item.asset_key: item for item in told if item.check_name == LOADED}
    assert not first[feed_key("north")].passed
    assert "config/feeds/north.yml" in (first[feed_key("north")].description or "")
    assert first[feed_key("south")].passed
    sell(project, "north", DAYS[3], orders=2)
    second = run(project, instance, range_tags(DAYS[3], DAYS[3]))
    assert second.success
    assert all(item.passed for item in second.get_asset_check_evaluations())


def test_loading_what_is_loaded_reads_nothing_again(project: Project, instance: dg.DagsterInstance) -> None:
    run(project, instance, whole_week(), "feeds/north")
    result = run(project, instance, whole_week(), "feeds/north")
    told = [event.materialization.metadata for event in result.get_asset_materialization_events()]
    assert len(told) == len(DAYS)
    assert not any("rows_read" in metadata for metadata in told)


def test_partitions_reach_from_the_first_batch_past_the_newest_one(project: Project) -> None:
    sell(project, "north", date(2026, 3, 1), orders=1)
    partitions = toy_definitions(project).resolve_assets_def(feed_key("north")).partitions_def
    assert partitions is not None
    keys = partitions.get_partition_keys()
    assert keys[0] == "2026-01-01"
    assert "2026-03-01" in keys


def metadata_by_day(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, object]]:
    return {
        event.partition: {name: value.value for name, value in event.materialization.metadata.items()}
        for event in result.get_asset_materialization_events()
    }


def test_every_batch_tells_the_same_numbers_so_that_they_can_be_plotted(
    project: Project, instance: dg.DagsterInstance
) -> None:
    header = "order,customer,placed,total\n"
    rows = "n1,c1,2026-01-01T10:00:00Z,1\n" * 2 + "n2,c1,2026-01-03T10:00:00Z,2\n" + "n3,c1,2026-01-03T10:00:00Z,many\n"
    more = "".join(f"n{n},c1,2026-01-03T1{n}:00:00Z,3\n" for n in range(4, 9))
    path = project.landing / "north" / "dt=2026-01-03" / "rows.csv"
    receive(project, "north", DAYS[2], header + rows + more)
    told = metadata_by_day(run(project, instance, whole_week(), "feeds/north"))
    numbers = {
        day: {name for name, value in found.items() if isinstance(value, int | float)} for day, found in told.items()
    }
    assert len({frozenset(names) for names in numbers.values()}) == 1
    day = told["2026-01-03"]
    counts = {name: day[name] for name in ("files", "bytes", "rows_read", "accepted", "duplicate", "rejected")}
    size = path.stat().st_size
    assert counts == {"files": 1, "bytes": size, "rows_read": 9, "accepted": 7, "duplicate": 1, "rejected": 1}
    assert (day["rejected_wrong_type"], day["rejected_missing"]) == (1, 0)
    assert (day["late_rows"], day["days_late"]) == (2, 2)
    assert day["rows_per_second"] > 0


def test_a_column_that_changes_is_told_with_its_day_and_warns_once(
    project: Project, instance: dg.DagsterInstance
) -> None:
    text = "order,customer,placed,total,till\nn1,c1,2026-01-04T10:00:00Z,1,7\n"
    receive(project, "north", DAYS[3], text)
    first = run(project, instance, whole_week())
    assert first.success
    told = metadata_by_day(first)
    found = {item.asset_key: item for item in first.get_asset_check_evaluations() if item.check_name == COLUMNS}
    assert (found[feed_key("north")].passed, found[feed_key("south")].passed) == (False, True)
    assert found[feed_key("north")].severity == dg.AssetCheckSeverity.WARN
    assert found[feed_key("north")].description == "2026-01-05: till is missing; 2026-01-04: till is new (integer)"
    assert "schema_changes_told" not in told["2026-01-03"]
    second = run(project, instance, whole_week())
    assert all(item.passed for item in second.get_asset_check_evaluations())
