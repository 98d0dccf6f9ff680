"""Laws of golden records, orders and activities over a whole small world."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pytest

from profiles.golden_steps import golden_steps
from quality.contracts.table import all_tables, create_statement
from warehouse.business import Business
from warehouse.database import Connection, Warehouse, open_warehouse
from warehouse.project import Project
from warehouse.step import Run, Step, materialise

Rows = dict[str, list[dict[str, Any]]]

BUSINESS = Business(name="A shop", base_currency="CNY", time_zone="Asia/Shanghai", default_country="CN")
AS_OF = date(2026, 1, 31)
RUN = Run("run-1", AS_OF, datetime(2026, 2, 1), BUSINESS)
FIRST = datetime(2026, 1, 1)
IDENTITY = {
    "identity.records": {"record_id": "text", "feed": "text", "first_seen_at": "timestamp"},
    "identity.row_records": {
        "kind": "text", "feed": "text", "batch_on": "date", "file": "text", "row": "bigint", "record_id": "text"
    },
    "identity.customer_links": {"record_id": "text", "customer_id": "text", "valid_to": "timestamp"},
    "identity.identifiers": {
        "record_id": "text", "identifier_kind": "text", "value": "text", "is_blocked": "bool", "is_personal": "bool"
    },
}  # fmt: skip


class World:
    """Rows of a few people over forty days, of which the last ones lie after the as-of date."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.rows: Rows = {table: [] for table in IDENTITY}
        for number in range(12):
            self._person(number)
        for number in range(150):
            self._event(number)
        for number in range(40):
            self._order(number)
        for number in range(30):
            self._contact(number)
            self._message(number)
        for day in range(0, 40, 3):
            moment = (FIRST + timedelta(days=day)).date()
            rate = {"on": moment, "currency": "GBP", "base_currency": "CNY", "rate": 9 + day / 100}
            self._add("exchange_rates", "rates", day, rate)

    def before(self, moment: datetime) -> Rows:
        """The world as it was: without the rows of later moments."""
        times = ("occurred_at", "placed_at", "refunded_at", "updated_at")
        return {
            table: [row for row in rows if all(row.get(name) is None or row[name] < moment for name in times)]
            for table, rows in self.rows.items()
        }

    def shuffled(self, seed: int) -> Rows:
        random = Random(seed)
        return {table: random.sample(rows, len(rows)) for table, rows in self.rows.items()}

    def _moment(self) -> datetime:
        return FIRST + timedelta(hours=self.random.randrange(40 * 24))

    def _person(self, number: int) -> None:
        record = f"r{number}"
        is_named = number % 3 != 0
        value = f"p{number}@mail.test" if is_named else f"cookie{number}"
        link = {"record_id": record, "customer_id": f"c{number // 2}", "valid_to": None}
        kind = {"identifier_kind": "email" if is_named else "cookie", "value": value}
        self.rows["identity.records"].append({"record_id": record, "feed": "web", "first_seen_at": FIRST})
        self.rows["identity.customer_links"].append(link)
        self.rows["identity.identifiers"].append(
            {"record_id": record, **kind, "is_blocked": number == 4, "is_personal": is_named}
        )

    def _add(self, table: str, feed: str, number: int, row: Mapping[str, Any]) -> None:
        lineage = {"_feed": feed, "_batch_on": FIRST.date(), "_file": f"{table}.jsonl", "_row": number + 1}
        self.rows.setdefault(f"staging.{table}", []).append({**row, **lineage})

    def _owned(self, kind: str, feed: str, number: int) -> str | None:
        record = self.random.choice([None, *(f"r{n}" for n in range(12))])
        place = {"kind": kind, "feed": feed, "batch_on": FIRST.date(), "file": f"{kind}.jsonl", "row": number + 1}
        self.rows["identity.row_records"].append({**place, "record_id": record})
        return f"p{record[1:]}@mail.test" if record else None

    def _event(self, number: int) -> None:
        email = self._owned("web_events", "web", number)
        event = {"event_id": f"e{number}", "event_kind": "identify" if number % 9 == 0 else "page", "email": email}
        place = {"path": "/tea", "session_id": f"s{number % 20}", "country": self.random.choice(["CN", "GB", None])}
        self._add("web_events", "web", number, {**event, **place, "occurred_at": self._moment()})

    def _order(self, number: int) -> None:
        email = self._owned("purchases", "shop", number)
        choice = self.random.choice
        order = {"order_id": f"o{number}", "placed_at": self._moment(), "is_test": False, "email": email}
        money = {
            "currency": choice(["CNY", "GBP", "JPY"]),
            "gross_amount": number,
            "status": choice(["paid", "cancelled"]),
        }
        said = {"full_name": choice(["Ann Lee", "ann lee", None]), "city": choice(["Bath", "Leeds"])}
        self._add("purchases", "shop", number, {**order, **money, **said})
        if number % 5 == 0:
            refund = {"order_id": f"o{number}", "refund_id": "1", "amount": 1}
            self._add(
                "purchase_refunds", "shop", number, {**refund, "refunded_at": order["placed_at"] + timedelta(days=3)}
            )
        line = {"order_id": f"o{number}", "line_id": "1", "quantity": 1, "unit_amount": number}
        self._add("purchase_lines", "shop", number, line)

    def _contact(self, number: int) -> None:
        """Each contact has several versions; staging shows the newest of those that have arrived."""
        contact = f"k{number % 8}"
        email = self._owned("contacts", "crm", number)
        consents = json.dumps([{"channel": "email", "state": self.random.choice(["in", "out"])}])
        occupation = self.random.choice(["Baker", "Smith", None])
        said = {
            "contact_id": contact,
            "updated_at": FIRST + timedelta(days=number),
            "email": email,
            "occupation": occupation,
        }
        self._add("_contacts_versions", "crm", number, {**said, "consents": consents})
        self.rows["staging._contacts_versions"][-1]["_file"] = "contacts.jsonl"

    def _message(self, number: int) -> None:
        self._owned("messages", "email", number)
        what = {"message_id": f"m{number % 6}", "message_channel": "email", "occurred_at": self._moment()}
        event = self.random.choice(["sent", "opened", "unsubscribed"])
        self._add("messages", "email", number, {**what, "message_event": event})


def fill(connection: Connection, rows: Rows) -> None:
    for table in all_tables():
        connection.execute(create_statement(table).sql(dialect="duckdb"))
    contacts = next(table for table in all_tables() if table.name == "contacts")
    connection.execute(create_statement(contacts, name="_contacts_versions").sql(dialect="duckdb"))
    for table, columns in IDENTITY.items():
        connection.execute(f"create table {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    newest: dict[str, dict[str, Any]] = {}
    for row in sorted(rows["staging._contacts_versions"], key=lambda row: row["updated_at"]):
        newest[row["contact_id"]] = row
    for table, given in (rows | {"staging.contacts": list(newest.values())}).items():
        if given:
            names = ", ".join(f'"{name}"' for name in given[0])
            marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in given)
            values = [value for row in given for value in row.values()]
            connection.execute(f"insert into {table} ({names}) values {marks}", values)


def made(steps: tuple[Step, ...], rows: Rows) -> dict[str, list[str]]:
    """Every table that the steps make of the rows, as sorted text."""
    with open_warehouse() as warehouse:
        with warehouse.transaction() as connection:
            fill(connection, rows)
        for step in steps:
            materialise(warehouse, step, RUN)
        return {step.name: contents(warehouse, step.name) for step in steps}


def contents(warehouse: Warehouse, table: str) -> list[str]:
    return sorted(map(repr, warehouse.cursor().execute(f"from {table}").fetchall()))


@pytest.fixture(scope="module")
def steps(tmp_path_factory: pytest.TempPathFactory) -> tuple[Step, ...]:
    """The golden steps but the wide table, which waits for traits."""
    found = golden_steps(Project(tmp_path_factory.mktemp("project")))
    return tuple(step for step in found if step.name != "profiles.customers")


def test_the_order_in_which_rows_arrived_changes_nothing(steps: tuple[Step, ...]) -> None:
    world = World(seed=1)
    assert made(steps, world.shuffled(seed=2)) == made(steps, world.rows)


def test_what_happened_after_the_as_of_date_changes_nothing(steps: tuple[Step, ...]) -> None:
    world = World(seed=3)
    whole, past = made(steps, world.rows), made(steps, world.before(RUN.as_of_end))
    # Whose a later row is belongs to identity, which knows what it knows today.
    assert whole | {"profiles._row_customers": []} == past | {"profiles._row_customers": []}
    assert whole["profiles.orders"], "the world has orders"


def test_every_activity_of_a_row_is_there_once_whoever_it_belongs_to(steps: tuple[Step, ...]) -> None:
    world = World(seed=4)
    tables = made(steps, world.rows)
    past = world.before(RUN.as_of_end)
    expected = sum(len(past[f"staging.{table}"]) for table in ("web_events", "purchases", "messages"))
    refunds = len(tables["profiles.order_refunds"])
    assert len(tables["profiles.activities"]) == expected + refunds


def test_customers_and_visitors_share_nobody_and_leave_out_nobody(steps: tuple[Step, ...]) -> None:
    tables = made(steps, World(seed=5).rows)
    assert len(tables["profiles._golden"]) + len(tables["profiles.visitors"]) == len(tables["profiles._people"]) == 6


def test_every_column_of_every_table_is_described(steps: tuple[Step, ...]) -> None:
    with open_warehouse() as warehouse:
        with warehouse.transaction() as connection:
            fill(connection, World(seed=6).rows)
        for step in steps:
            materialise(warehouse, step, RUN)
        missing = (
            warehouse.cursor()
            .execute(
                "select table_name || '.' || column_name from duckdb_columns() "
                "where schema_name = 'profiles' and comment is null"
            )
            .fetchall()
        )
    assert missing == []


def test_a_project_folder_without_declarations_has_all_steps(tmp_path: Path) -> None:
    names = [step.name for step in golden_steps(Project(tmp_path))]
    assert (
        names.index("profiles.attribute_values") < names.index("profiles._golden") < names.index("profiles.customers")
    )
