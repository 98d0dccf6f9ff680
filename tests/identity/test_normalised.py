"""What was normalised by an earlier run is not normalised again, and nobody can tell from the tables."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from people import a_record, give_records, later

from identity.normalised import normalised_step
from warehouse.database import Warehouse, open_warehouse
from warehouse.step import Run, materialise

TABLES = ("_texts", "_phones", "_names")
KEPT = "update identity._texts set value = 'kept' where field = 'email'"
EMAIL = "select value from identity._texts where field = 'email'"


def maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from((None, *values))


a_row = st.builds(
    a_record,
    full_name=maybe("Ann Archer", "王小明", "?"),
    given_name=maybe("Ann", "Bea"),
    family_name=maybe("Archer"),
    email=maybe("Ann@A.example", "no address"),
    phone=maybe("07911 123456", "12", "+86 138 1234 5678"),
    country=maybe("GB", "cn", "Britain"),
    handle=maybe("@ann"),
    address_line=maybe("12 High St", "3 Mill Ln"),
    city=maybe("Leeds", "leeds"),
    postcode=maybe("LS1 4AB"),
    gender=maybe("F", "male"),
)
batches = st.lists(st.lists(a_row, max_size=4, unique_by=lambda row: row["record_id"]), min_size=1, max_size=4)


def tables(warehouse: Warehouse) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of all tables."""
    return {name: warehouse.cursor().execute(f"from identity.{name} order by all").fetchall() for name in TABLES}


@settings(max_examples=10, suppress_health_check=list(HealthCheck))
@given(found=batches)
def test_after_any_batches_the_tables_are_those_of_a_full_rebuild_row_by_row(run: Run, found: list[list[Any]]) -> None:
    with open_warehouse() as warehouse, open_warehouse() as fresh:
        for number, rows in enumerate(found):
            give_records(warehouse, rows)
            materialise(warehouse, normalised_step(), later(run, number + 1))
        give_records(fresh, found[-1])
        materialise(fresh, normalised_step(), run)
        assert tables(warehouse) == tables(fresh)


@pytest.fixture
def normalised(prepared: Warehouse, run: Run) -> Warehouse:
    """One record, normalised; the result was replaced by another that can be told."""
    give_records(prepared, [a_record(email="Ann@A.example")])
    materialise(prepared, normalised_step(), run)
    prepared.cursor().execute(KEPT)
    return prepared


def test_a_value_that_an_earlier_run_normalised_is_not_normalised_again(normalised: Warehouse, run: Run) -> None:
    materialise(normalised, normalised_step(), later(run))
    assert normalised.cursor().execute(EMAIL).fetchall() == [("kept",)]


def test_other_code_or_a_full_refresh_normalises_everything_again(normalised: Warehouse, run: Run) -> None:
    materialise(normalised, normalised_step(), replace(later(run), full_refresh=True))
    assert normalised.cursor().execute(EMAIL).fetchall() == [("ann@a.example",)]
    normalised.cursor().execute(KEPT)
    normalised.cursor().execute("update identity._kept set fingerprint = 'older'")
    materialise(normalised, normalised_step(), later(run, 2))
    assert normalised.cursor().execute(EMAIL).fetchall() == [("ann@a.example",)]
