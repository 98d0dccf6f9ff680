"""Records for identity tests: a factory, and an empty warehouse around them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import pyarrow as pa

from identity.declaration import IdentityRules, default_rules
from identity.pipeline import matching_steps
from quality.contracts.table import all_tables, create_statement
from warehouse.database import Connection, Warehouse
from warehouse.step import Run, Step, materialise

_TEXTS = (
    "person_key source_customer_id anonymous_id device_id platform account_id handle email phone full_name given_name "
    "family_name gender address_line city region postcode country company national_id_hash wechat_unionid "
    "wechat_openid wecom_external_userid"
)
TEXTS = _TEXTS.split()

FEEDS = pa.table(
    {
        "feed": ["shop", "web", "crm"],
        "kind": ["purchases", "web_events", "contacts"],
        "id_space": ["shop", "shop", "crm"],
        "country": ["GB", "GB", "GB"],
    }
)


def a_record(**values: Any) -> dict[str, Any]:
    """A record of the shop with the values given; its id follows from them."""
    row: dict[str, Any] = dict.fromkeys(TEXTS) | {"birth_on": None}
    row |= {"feed": "shop", "kind": "purchases", "feed_country": "GB", "first_seen_at": datetime(2026, 1, 1)}
    row |= {"occurrences": 1} | values
    row.setdefault("id_space", row["feed"])
    row.setdefault("last_seen_at", row["first_seen_at"])
    content = "|".join(f"{key}={row[key]}" for key in sorted(row) if key not in {"first_seen_at", "last_seen_at"})
    digest = hashlib.md5(content.encode()).hexdigest()
    row.setdefault("record_id", digest)
    row["person_key"] = row["person_key"] or f"order:{row['record_id']}"
    row["source_key"] = hashlib.md5(f"{row['feed']}{row['kind']}{row['person_key']}".encode()).hexdigest()
    device = row["anonymous_id"] or row["device_id"]
    row["device_key"] = hashlib.md5(f"{row['feed']}{device}".encode()).hexdigest() if device else None
    return row


def prepare(warehouse: Warehouse) -> None:
    """Empty staging tables and three feeds."""
    with warehouse.transaction() as connection:
        for table in all_tables():
            connection.execute(create_statement(table).sql(dialect="duckdb"))
        load(connection, "ops.feeds", FEEDS)


def load(connection: Connection, name: str, table: pa.Table) -> None:
    connection.register("_given", table)
    connection.execute(f"create or replace table {name} as select * from _given")
    connection.unregister("_given")


def give_records(warehouse: Warehouse, rows: Iterable[Mapping[str, Any]]) -> None:
    """Make identity.records hold exactly these rows, in this order."""
    rows = list(rows)
    types = {
        name: pa.string()
        for name in (*TEXTS, "record_id", "feed", "kind", "id_space", "feed_country", "source_key", "device_key")
    }
    types |= {
        "birth_on": pa.date32(),
        "occurrences": pa.int64(),
        "first_seen_at": pa.timestamp("us"),
        "last_seen_at": pa.timestamp("us"),
    }
    table = pa.table({name: pa.array([row[name] for row in rows], type=kind) for name, kind in types.items()})
    with warehouse.transaction() as connection:
        load(connection, "identity.records", table)
        connection.execute(
            "create or replace table identity.row_records as select kind, feed, current_date as batch_on, 'f' as file,"
            " row_number() over (order by record_id) as row, record_id, first_seen_at as seen_at from identity.records"
        )


def give_orders(warehouse: Warehouse, *, last_first: bool = False) -> None:
    """Three sales in foreign money for each record, and its rate; staged in the order of records, or the other way."""
    direction = "desc" if last_first else "asc"
    with warehouse.transaction() as connection:
        connection.execute("delete from staging.purchases")
        connection.execute("delete from staging.exchange_rates")
        connection.execute(
            "insert into staging.purchases (order_id, placed_at, status, is_test, currency, gross_amount, _feed,"
            " _batch_on, _file, _row) select row || '-' || nth, seen_at, 'paid', false, 'USD',"
            " row * 3.17 + nth / 10, feed, batch_on, file, row from identity.row_records, range(3) as times (nth)"
            f" where kind = 'purchases' order by row {direction}, nth {direction}"
        )
        connection.execute(
            'insert into staging.exchange_rates ("on", currency, base_currency, rate, _feed, _batch_on, _file, _row)'
            " values (date '2026-01-01', 'USD', 'GBP', 0.7912345678, 'rates', date '2026-01-01', 'f', 1)"
        )


@cache
def default_steps() -> tuple[Step, ...]:
    """The matching steps of the packaged rules."""
    rules = default_rules()
    assert rules is not None
    return matching_steps(rules)


def match(warehouse: Warehouse, run: Run, rules: IdentityRules | None = None) -> dict[str, str]:
    """Run the matching steps; record id → customer id."""
    for step in matching_steps(rules) if rules is not None else default_steps():
        materialise(warehouse, step, run)
    return dict(warehouse.cursor().execute("select record_id, customer_id from identity.customer_links").fetchall())


def resolve(warehouse: Warehouse, run: Run, rows: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Records → customers in one go."""
    give_records(warehouse, rows)
    return match(warehouse, run)


def later(run: Run, hours: int = 1) -> Run:
    """The next run, some hours after."""
    return replace(run, run_id=f"{run.run_id}+{hours}", now=run.now + timedelta(hours=hours))


def partition(links: Mapping[str, str]) -> set[frozenset[str]]:
    """The sets of records that are one customer."""
    groups: dict[str, set[str]] = {}
    for record, customer in links.items():
        groups.setdefault(customer, set()).add(record)
    return {frozenset(group) for group in groups.values()}
