"""The fields that traits and segments may name are columns that exist, of the type that is promised."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path

import pytest

from identity.pipeline import identity_steps
from profiles.fields import SQL_TYPES, Catalogue
from profiles.pipeline import profile_steps
from profiles.segment_fields import segment_fields
from profiles.trait_sources import SOURCES
from profiles.traits import load_traits
from quality.contracts.registry import CONTRACTS
from quality.contracts.table import tables
from warehouse.business import load_business
from warehouse.database import Warehouse, open_warehouse
from warehouse.declaration import Problems
from warehouse.lineage import column_lineage
from warehouse.project import Project
from warehouse.sql_model import in_order
from warehouse.step import Run, Step, materialise

PROJECT = Project(Path(__file__).resolve().parents[2])
WHOLE_NUMBERS = {"TINYINT", "SMALLINT", "INTEGER", "BIGINT"}
Columns = dict[str, dict[str, str]]


def all_steps() -> tuple[Step, ...]:
    return in_order((*identity_steps(PROJECT), *profile_steps(PROJECT)))


@pytest.fixture(scope="module")
def warehouse() -> Iterator[Warehouse]:
    """Every table of the sample business, empty."""
    run = Run("run-1", date(2026, 1, 31), datetime(2026, 2, 1), load_business(PROJECT))
    with open_warehouse() as opened:
        connection = opened.cursor()
        for table in (table for kind in CONTRACTS for table in tables(kind)):
            columns = ", ".join(f'"{column.name}" {column.sql_type}' for column in table.all_columns)
            connection.execute(f"create table staging.{table.name} ({columns})")
            connection.execute(f"create table staging._{table.name}_versions ({columns})")
        connection.execute("create table ops.feeds (feed varchar, kind varchar, id_space varchar, country varchar)")
        for step in all_steps():
            materialise(opened, step, run)
        yield opened


@pytest.fixture(scope="module")
def columns(warehouse: Warehouse) -> Columns:
    found: Columns = {}
    rows = warehouse.cursor().execute(
        "select table_schema || '.' || table_name, column_name, data_type from information_schema.columns"
    )
    for table, column, kind in rows.fetchall():
        found.setdefault(table, {})[column] = kind
    return found


def assert_promised(catalogue: Catalogue, columns: Columns) -> None:
    for name, field in catalogue.items():
        found = columns[f"profiles.{field.table}"].get(field.column)
        if field.type == "integer":
            assert found in WHOLE_NUMBERS, name
        else:
            assert found == SQL_TYPES[field.type], name


def test_segments_name_columns_of_the_promised_type(columns: Columns) -> None:
    problems = Problems()
    assert_promised(segment_fields(load_traits(PROJECT, problems)), columns)
    problems.raise_if_any()


@pytest.mark.parametrize("name", list(SOURCES))
def test_traits_name_columns_of_the_promised_type(name: str, columns: Columns) -> None:
    source = SOURCES[name]
    assert_promised(source.fields, columns)
    found = columns[f"profiles.{source.table}"]
    assert found[source.moment] == "TIMESTAMP"
    assert found[source.day] == "DATE"
    assert source.only is None or found[source.only] == "BOOLEAN"


def test_every_table_of_profiles_exists_and_every_column_of_it_has_a_meaning(columns: Columns) -> None:
    for step in profile_steps(PROJECT):
        for spec in step.tables:
            unexplained = set(columns[spec.full_name]) - set(spec.columns)
            assert not unexplained, spec.full_name


@pytest.mark.parametrize(
    ("table", "column", "source"),
    [
        ("profiles.web_traits", "page_count", ("profiles._web_events", "event_kind")),
        ("profiles.purchase_traits", "total_base_amount", ("profiles.orders", "base_amount")),
        ("profiles.purchase_traits", "favourite_bought_category", ("profiles.order_lines", "category")),
        ("profiles.lifecycle_history", "valid_from", ("profiles._sale_days", "placed_on")),
        ("profiles.segment_members", "customer_id", ("profiles._segment_subjects", "customer_id")),
    ],
)
def test_columns_can_be_traced_to_what_they_are_made_of(
    columns: Columns, table: str, column: str, source: tuple[str, str]
) -> None:
    step, spec = next((step, spec) for step in all_steps() for spec in step.tables if spec.full_name == table)
    assert source in column_lineage(step, spec, columns)[column]
