"""Records that runs kept and added to are those of a rebuild, whatever was staged, changed, went or was declared."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pyarrow as pa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from identity.declaration import default_rules
from identity.pipeline import record_steps
from quality.contracts.table import all_tables, create_statement
from warehouse.business import Business
from warehouse.database import Connection, Warehouse, open_warehouse
from warehouse.step import Run, materialise

BUSINESS = Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB")
LAW = settings(max_examples=25, suppress_health_check=list(HealthCheck))
TABLES = ("_web_identified", "_web_spans", "_claims", "row_records", "records")

Row = dict[str, Any]


def maybe(*values: str) -> st.SearchStrategy[str | None]:
    return st.sampled_from((None, *values))


hours = st.integers(0, 60).map(lambda hour: datetime(2026, 1, 1) + timedelta(hours=hour))
places = st.sampled_from([("shop", "a"), ("shop", "b"), ("second", "a")])
a_visit = st.fixed_dictionaries(
    {
        "event_kind": st.sampled_from(("page", "identify")),
        "occurred_at": hours,
        "anonymous_id": maybe("k1", "k2", "k3"),
        "device_id": maybe("d1"),
        "source_user_id": maybe("1", "2"),
        "order_id": maybe("a1", "a2"),
        "email": maybe("ann@a.example"),
        "phone": maybe("07911123456"),
    }
)
an_order = st.fixed_dictionaries(
    {
        "placed_at": hours,
        "source_customer_id": maybe("1", "2"),
        "anonymous_id": maybe("k1", "k2"),
        "email": maybe("ann@a.example", "mary@b.example"),
        "full_name": maybe("Ann Archer"),
    }
)
an_answer = st.fixed_dictionaries(
    {"submitted_at": hours, "anonymous_id": maybe("k1", "k3"), "email": maybe("mary@b.example")}
)
KINDS = {
    "web_events": (a_visit, "event_id"),
    "purchases": (an_order, "order_id"),
    "feedback": (an_answer, "feedback_id"),
}


def staged(kind: str) -> st.SearchStrategy[list[Row]]:
    """Rows of a kind; a place names one row, and its number the thing."""
    rows, key = KINDS[kind]
    placed = st.tuples(places, st.integers(1, 4), rows).map(
        lambda drawn: (
            drawn[2] | {"_feed": drawn[0][0], "_file": drawn[0][1], "_row": drawn[1], key: f"{drawn[0][1]}{drawn[1]}"}
        )
    )
    return st.lists(placed, max_size=8, unique_by=lambda row: (row["_feed"], row["_file"], row["_row"]))


spaces = st.sampled_from(({"shop": "shop", "second": "shop"}, {"shop": "shop", "second": "other"}))
countries = st.sampled_from(("GB", "DE"))
a_delivery = st.fixed_dictionaries({kind: staged(kind) for kind in KINDS} | {"spaces": spaces, "country": countries})
a_change = st.one_of(
    *(staged(kind).map(lambda rows, kind=kind: {kind: rows}) for kind in KINDS),
    spaces.map(lambda found: {"spaces": found}),
    countries.map(lambda found: {"country": found}),
)

Delivery = dict[str, Any]
"""Kind to rows; ``spaces``: feed to where its ids hold; ``country`` of both feeds."""


def prepare(warehouse: Warehouse) -> None:
    with warehouse.transaction() as connection:
        for table in all_tables():
            connection.execute(create_statement(table).sql(dialect="duckdb"))
        connection.execute("create or replace table staging._contacts_versions as from staging.contacts")


def stage(warehouse: Warehouse, delivery: Delivery) -> None:
    """Staging and the feeds are exactly what was delivered."""
    with warehouse.transaction() as connection:
        feeds = [
            {"feed": feed, "id_space": space, "country": delivery["country"]}
            for feed, space in delivery["spaces"].items()
        ]
        _fill(connection, "create or replace table ops.feeds as select * from _given", pa.Table.from_pylist(feeds))
        for kind in KINDS:
            rows = delivery[kind]
            table = f"staging.{kind}"
            connection.execute(f"create or replace table {table} as select * from {table} limit 0")
            if rows:
                given_rows = [row | {"_batch_on": date(2026, 1, 3)} for row in rows]
                _fill(connection, f"insert into {table} by name select * from _given", pa.Table.from_pylist(given_rows))


def _fill(connection: Connection, statement: str, table: pa.Table) -> None:
    connection.register("_given", table)
    connection.execute(statement)
    connection.unregister("_given")


def make(warehouse: Warehouse, run: Run) -> dict[str, list[tuple[Any, ...]]]:
    rules = default_rules()
    assert rules is not None
    for step in record_steps(rules):
        materialise(warehouse, step, run)
    return {name: warehouse.cursor().execute(f"from identity.{name} order by all").fetchall() for name in TABLES}


@LAW
@given(a_delivery, st.lists(a_change, min_size=1, max_size=3))
def test_after_any_changes_of_what_is_staged_records_are_those_of_a_rebuild(
    delivery: Delivery, changes: list[Delivery]
) -> None:
    with open_warehouse() as kept, open_warehouse() as rebuilt:
        for warehouse in (kept, rebuilt):
            prepare(warehouse)
        for number, change in enumerate(({}, *changes)):
            delivery |= change
            run = Run(f"run-{number}", date(2026, 1, 31), datetime(2026, 2, 1), BUSINESS)
            for warehouse in (kept, rebuilt):
                stage(warehouse, delivery)
            assert make(kept, run) == make(rebuilt, replace(run, full_refresh=True))
