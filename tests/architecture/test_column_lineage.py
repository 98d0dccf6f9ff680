"""Every published column of the sample business can be followed down to the fields of its files."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import dagster as dg

from assets.declared import read_project
from assets.metadata import read_columns
from assets.project_definitions import raw_sources
from assets.tables import TableGraph
from cdp.empty_warehouse import empty_warehouse
from profiles.publishing.publish import published_tables
from warehouse.project import Project

ROOT = Path(__file__).resolve().parents[2]
NO_FIELD = {
    "moments and runs of ours": """
        identity.customer_aliases.since identity.customer_changes.changed_at identity.customer_changes.run_id
        identity.customer_link_history.run_id identity.customer_link_history.valid_from
        identity.customer_link_history.valid_to identity.customer_links.valid_from identity.customer_links.valid_to
        identity.scorecard.measured_at identity.scorecard.run_id profiles.segment_history.valid_from
        profiles.segment_history.valid_to profiles.segment_members.as_of profiles.segment_sizes.as_of""",
    "where a row stands": """
        profiles.activities.feed profiles.activities.source_kind profiles.attribute_values.batch_on
        profiles.attribute_values.feed profiles.attribute_values.file profiles.attribute_values.kind
        profiles.attribute_values.row profiles.customers.feeds profiles.order_lines.feed profiles.order_refunds.feed
        profiles.orders.feed profiles.visitors.feeds""",
    "what is declared": """
        profiles.activities.base_currency profiles.attribute_values.attribute profiles.attribute_values.rule
        profiles.attribute_values.strategy profiles.customers.revenue_currency profiles.order_lines.base_currency
        profiles.order_refunds.base_currency profiles.orders.base_currency profiles.rfm.base_currency
        profiles.segment_history.segment profiles.segment_members.family profiles.segment_members.segment
        profiles.segment_sizes.family profiles.segment_sizes.segment profiles.segments.definition
        profiles.segments.description profiles.segments.family profiles.segments.segment""",
    "words of ours": """
        identity.customer_aliases.reason identity.customer_changes.change identity.edges.rule
        identity.scorecard.data_set identity.scorecard.metric profiles.households.evidence""",
    "told by the mapping, not by a field": "profiles.social_traits.favourite_platform",
}
"""Columns that no field of a file decides, and why."""


def test_every_published_column_reaches_the_fields_of_the_files() -> None:
    declared = read_project(Project(ROOT))
    graph = TableGraph(declared.steps, raw_sources(declared.feeds.values()))
    makers = {spec.full_name: (step, spec) for step in declared.steps for spec in step.tables}
    with empty_warehouse(Project(ROOT)) as warehouse:
        reads = {table for step in declared.steps for table in step.reads} | makers.keys()
        columns = read_columns(warehouse, reads)
        published = published_tables(warehouse, graph.specs.values())

    @cache
    def sources(table: str) -> dict[str, list[tuple[dg.AssetKey, str]]]:
        step, spec = makers[table]
        return {column: list(found) for column, found in graph.sources(step, spec, columns).items()}

    reached: dict[tuple[str, str], bool] = {}

    def reaches(table: str, column: str) -> bool:
        if (table, column) not in reached:
            reached[table, column] = False  # a column that is made of itself reaches nothing by that
            reached[table, column] = any(
                key.path[0] == "feeds" or reaches(".".join(key.path), name)
                for key, name in sources(table).get(column, ())
            )
        return reached[table, column]

    silent = {
        f"{table.spec.full_name}.{column}"
        for table in published
        if table.spec.schema != "ops"  # what is noted about the work is in no file
        for column in table.columns
        if not reaches(table.spec.full_name, column)
    }
    assert silent == {name for names in NO_FIELD.values() for name in names.split()}


def test_origins_that_are_declared_name_columns_that_a_step_reads() -> None:
    with empty_warehouse(Project(ROOT)) as warehouse:
        steps = read_project(Project(ROOT)).steps
        columns = read_columns(warehouse, {spec.full_name for step in steps for spec in step.tables})
    for step in steps:
        for spec in step.tables:
            assert not spec.origins or step.statement is None, f"{spec.full_name} is made by a statement"
            assert spec.origins.keys() <= columns[spec.full_name].keys(), spec.full_name
            for table, column in (origin for found in spec.origins.values() for origin in found):
                assert table in step.reads, f"{spec.full_name} is not made of {table}"
                assert column in columns[table], f"{table}.{column}"
