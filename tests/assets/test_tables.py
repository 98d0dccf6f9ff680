"""Every table is an asset that says what it is, who answers for it, and where its columns come from."""

from __future__ import annotations

import dagster as dg

from assets.jobs import EVERYTHING, LAYERS
from assets.partitions import range_tags
from tests.assets.toy import DAYS, toy_definitions
from warehouse.database import open_warehouse
from warehouse.project import Project

Column = tuple[dg.AssetKey, str]


def a_full_run(project: Project, instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    job = toy_definitions(project).resolve_job_def(EVERYTHING)
    return job.execute_in_process(instance=instance, tags=range_tags(DAYS[0], DAYS[-1]))


def metadata_of(instance: dg.DagsterInstance, *key: str) -> dict[str, object]:
    event = instance.get_latest_materialization_event(dg.AssetKey(key))
    assert event is not None
    assert event.asset_materialization is not None
    return {name: value.value for name, value in event.asset_materialization.metadata.items()}


def test_every_asset_has_owner_group_kinds_and_description(project: Project) -> None:
    graph = toy_definitions(project).resolve_asset_graph()
    for key in graph.executable_asset_keys:
        node = graph.get(key)
        assert node.owners, key
        assert node.group_name == key.path[0], key
        assert node.kinds, key
        assert node.description, key


def test_a_staging_table_belongs_to_those_who_answer_for_its_feeds(project: Project) -> None:
    graph = toy_definitions(project).resolve_asset_graph()
    assert graph.get(dg.AssetKey(["staging", "purchases"])).owners == ["team:sales"]
    assert graph.get(dg.AssetKey(["staging", "contacts"])).owners == ["care@example.org"]


def test_tables_stand_below_what_they_read(project: Project) -> None:
    graph = toy_definitions(project).resolve_asset_graph()
    parents = {key: graph.get(key).parent_keys for key in graph.executable_asset_keys}
    assert parents[dg.AssetKey(["staging", "purchases"])] == {
        dg.AssetKey(["feeds", "north"]),
        dg.AssetKey(["feeds", "south"]),
    }
    assert parents[dg.AssetKey(["profiles", "customers"])] == {dg.AssetKey(["staging", "purchases"])}
    assert parents[dg.AssetKey(["profiles", "best_customers"])] == {dg.AssetKey(["profiles", "customers"])}


def test_a_table_tells_its_rows_and_columns(project: Project, instance: dg.DagsterInstance) -> None:
    a_full_run(project, instance)
    told = metadata_of(instance, "profiles", "customers")
    assert told["dagster/row_count"] == 2
    schema = told["dagster/column_schema"]
    assert isinstance(schema, dg.TableSchema)
    described = {column.name: column.description for column in schema.columns}
    assert described == {"customer_id": "The customer.", "order_count": "Orders.", "spent_amount": "What they spent."}


def test_a_column_of_a_published_table_reaches_the_fields_of_the_files(
    project: Project, instance: dg.DagsterInstance
) -> None:
    a_full_run(project, instance)
    assert sources_of(instance, dg.AssetKey(["profiles", "best_customers"]), "spent_amount") == {
        (dg.AssetKey(["feeds", "north"]), "total"),
        (dg.AssetKey(["feeds", "south"]), "total"),
    }


def sources_of(instance: dg.DagsterInstance, key: dg.AssetKey, column: str) -> set[Column]:
    """The columns of feeds that a column is made from, by walking the lineage Dagster was told."""
    if key.path[0] == "feeds":
        return {(key, column)}
    lineage = metadata_of(instance, *key.path)["dagster/column_lineage"]
    assert isinstance(lineage, dg.TableColumnLineage)
    deps = lineage.deps_by_column.get(column, [])
    return {found for dep in deps for found in sources_of(instance, dep.asset_key, dep.column_name)}


def test_there_is_a_job_per_layer_and_one_for_everything(project: Project) -> None:
    definitions = toy_definitions(project)
    for name in (*LAYERS, EVERYTHING):
        if name != "identity":  # the toy has no such table
            assert definitions.resolve_job_def(name).name == name


def test_a_layer_without_feeds_runs_by_itself(project: Project, instance: dg.DagsterInstance) -> None:
    a_full_run(project, instance)
    job = toy_definitions(project).resolve_job_def("profiles")
    result = job.execute_in_process(instance=instance)
    assert result.success


def test_a_day_can_be_asked_for_in_the_launchpad_but_none_before_all_data(
    project: Project, instance: dg.DagsterInstance
) -> None:
    a_full_run(project, instance)

    def orders_as_of(day: str) -> tuple[bool, object]:
        config = {"resources": {"project_run": {"config": {"as_of": day}}}}
        job = toy_definitions(project).resolve_job_def("profiles")
        result = job.execute_in_process(instance=instance, run_config=config, raise_on_error=False)
        with open_warehouse(project.database) as warehouse:
            found = warehouse.cursor().execute("select sum(order_count) from profiles.customers").fetchone()
        return result.success, int(found[0]) if found else None

    assert orders_as_of("2026-01-01") == (True, 5)
    assert orders_as_of("2025-12-31") == (False, 5)


def test_two_definitions_of_one_project_are_the_same(project: Project) -> None:
    first, second = (toy_definitions(project).resolve_asset_graph() for _ in range(2))
    assert first.executable_asset_keys == second.executable_asset_keys
