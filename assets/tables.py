"""One asset per table, made of the step that makes it: key ``[schema, table]``, group = schema.

A step that makes several tables is one ``multi_asset``. What a table depends on is read off its step, so that nothing
is registered twice.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from assets.failure import shown_in_dagster
from assets.metadata import Columns, Sources, column_lineage, column_schema, read_columns
from assets.resources import ProjectRun
from warehouse.lineage import column_lineage as derived_lineage
from warehouse.step import Step, TableSpec, materialise

RawSources = Mapping[str, Mapping[str, Sequence[tuple[dg.AssetKey, str]]]]
"""Staging table (``staging.name``) → column → feeds and their source fields."""

WHEN_SOMETHING_NEW = (
    dg.AutomationCondition.eager().without(~dg.AutomationCondition.any_deps_missing())
    & dg.AutomationCondition.all_deps_blocking_checks_passed()
)
"""For whoever turns automation on. A feed need not have a file for every day, so missing days do not hold tables up."""


def table_key(full_name: str) -> dg.AssetKey:
    """The asset of ``schema.table``."""
    return dg.AssetKey(full_name.split("."))


@dataclass(frozen=True)
class TableGraph:
    """All steps of a project, who makes which table, and what stands below staging."""

    steps: tuple[Step, ...]
    raw: RawSources

    @property
    def specs(self) -> dict[str, TableSpec]:
        """Every table by its full name."""
        return {spec.full_name: spec for step in self.steps for spec in step.tables}

    def asset_deps(self, step: Step) -> list[dg.AssetKey]:
        """The assets a step reads: tables of other steps, and the feeds below a staging table."""
        own = {spec.full_name for spec in step.tables}
        found = {key for table in step.reads - own for key in self._assets_of(table, own)}
        return sorted(found)

    def _assets_of(self, table: str, own: set[str]) -> Iterator[dg.AssetKey]:
        made = self.made_table(table)
        if made is None:
            return
        if made not in own:
            yield table_key(made)
        else:
            yield from (key for columns in self.raw.get(made, {}).values() for key, _ in columns)

    def made_table(self, table: str) -> str | None:
        """The table of a step that stands for ``table``: itself, or the staging table whose private rows it holds.

        ``staging._contacts_versions`` is written by loading, as all of ``staging._<table>_…``; None for ``ops.…``.
        """
        names = self.specs
        if table in names:
            return table
        schema, _, name = table.partition(".")
        if schema != "staging" or not name.startswith("_"):
            return None
        inner = name.removeprefix("_")
        candidates = [made for made in names if made.startswith("staging.") and f"{inner}_".startswith(f"{made[8:]}_")]
        return max(candidates, key=len, default=None)

    def sources(self, step: Step, spec: TableSpec, columns: Columns) -> Sources:
        """Where each column of a table that a step makes comes from, down to assets and their columns."""
        found: dict[str, list[tuple[dg.AssetKey, str]]] = {}
        own = {made.full_name for made in step.tables}
        for column, origins in derived_lineage(step, spec, columns).items():
            found[column] = [item for origin in sorted(origins) for item in self._origin(own, *origin)]
        found.update({column: list(fields) for column, fields in self.raw.get(spec.full_name, {}).items()})
        return found

    def _origin(self, own: set[str], table: str, column: str) -> Iterator[tuple[dg.AssetKey, str]]:
        made = self.made_table(table)
        if made is not None and made not in own:
            yield table_key(made), column


def table_assets(graph: TableGraph, owners: Mapping[str, Sequence[str]], pool: str | None) -> list[dg.AssetsDefinition]:
    """The assets of all steps; ``owners`` by full name of the table."""
    return [_step_asset(graph, step, owners, pool) for step in graph.steps]


def _step_asset(
    graph: TableGraph, step: Step, owners: Mapping[str, Sequence[str]], pool: str | None
) -> dg.AssetsDefinition:
    deps = graph.asset_deps(step)
    language = "sql" if step.statement is not None else "python"
    specs = [
        dg.AssetSpec(
            spec.key,
            deps=deps,
            description=spec.description,
            group_name=spec.schema,
            owners=owners[spec.full_name],
            kinds={"duckdb", language},
            metadata={"dagster/table_name": spec.full_name, "grain": ", ".join(spec.grain) or "one row"},
            automation_condition=WHEN_SOMETHING_NEW,
        )
        for spec in step.tables
    ]

    @dg.multi_asset(name=step.name.replace(".", "__"), specs=specs, pool=pool)
    def make(project_run: dg.ResourceParam[ProjectRun]) -> Iterator[dg.MaterializeResult[None]]:
        with shown_in_dagster():
            made = materialise(project_run.warehouse, step, project_run.to_make_tables())
        columns = read_columns(project_run.warehouse, step.reads | made.rows.keys())
        for spec in step.tables:
            yield dg.MaterializeResult(
                asset_key=table_key(spec.full_name),
                metadata={
                    "dagster/row_count": made.rows[spec.full_name],
                    "dagster/column_schema": column_schema(spec, columns.get(spec.full_name, {})),
                    "dagster/column_lineage": column_lineage(graph.sources(step, spec, columns)),
                    "seconds": round(made.seconds, 3),
                    **made.figures,
                },
            )

    return make


def names_of(steps: Iterable[Step]) -> list[str]:
    """The full names of all tables that steps make."""
    return [spec.full_name for step in steps for spec in step.tables]
