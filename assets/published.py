"""The asset ``published/snapshot``: what readers get, replaced when every table it holds was made and checked."""

from collections.abc import Iterable

import dagster as dg

from assets.failure import shown_in_dagster
from assets.resources import ProjectRun
from assets.tables import WHEN_SOMETHING_NEW, table_key
from profiles.publishing.publish import publish
from warehouse.step import TableSpec

GROUP = "published"
SNAPSHOT = dg.AssetKey([GROUP, "snapshot"])


def snapshot_asset(tables: Iterable[TableSpec], owner: str, pool: str | None) -> dg.AssetsDefinition:
    """The asset that publishes: it waits for all ``tables``, and publishes those that readers get."""
    specs = list(tables)

    @dg.asset(
        key=SNAPSHOT,
        deps=[table_key(spec.full_name) for spec in specs if not spec.name.startswith("_")],
        description="The read-only DuckDB file, Parquet and CSV exports and quality pages, swapped in atomically.",
        group_name=GROUP,
        owners=[owner],
        kinds={"duckdb", "parquet"},
        automation_condition=WHEN_SOMETHING_NEW,
        pool=pool,
    )
    def snapshot(project_run: dg.ResourceParam[ProjectRun]) -> dg.MaterializeResult[None]:
        project = project_run.project
        with shown_in_dagster():
            run = project_run.to_make_tables()
            published = publish(project_run.warehouse, project, run, specs)
            project_run.note_published()
        return dg.MaterializeResult(
            metadata={
                "as_of": run.as_of.isoformat(),
                "tables": published.tables,
                "snapshot": published.snapshot.relative_to(project.root).as_posix(),
                "manifest": published.manifest.relative_to(project.root).as_posix(),
                "quality_pages": published.pages.relative_to(project.root).as_posix(),
            }
        )

    return snapshot
