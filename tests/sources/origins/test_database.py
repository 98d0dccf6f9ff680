"""Rows of a PostgreSQL land whole and once, with their values as they are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from pyarrow import parquet

from sources.feed import Feed
from sources.origins.fetched import OriginError
from sources.origins.fetching import fetch_feed
from tests.sources.conftest import Shop
from warehouse.project import Project

_TABLE = """
create table orders (
    id int primary key, total numeric(12, 2), ratio numeric, placed timestamptz, local timestamp, doc jsonb,
    updated timestamptz
)
"""


class Database:
    """A schema of its own for a test."""

    def __init__(self, address: str) -> None:
        import psycopg

        self.address, self.schema = address, f"shop_{uuid4().hex[:12]}"
        self._connection = psycopg.connect(address, autocommit=True)
        self.execute(f"create schema {self.schema}")
        self.execute(f"set search_path to {self.schema}")
        self.execute(_TABLE)

    def execute(self, statement: str) -> None:
        self._connection.execute(statement.encode())

    def add(self, first: int, last: int) -> None:
        """Orders; three share each moment of change."""
        self.execute(
            "insert into orders select i, i * 1.10, i * 0.000000000000000001, '2026-01-01 10:00+02', "
            "'2026-01-01 10:00', '{\"lines\": [1, 2]}', "
            "timestamptz '2026-01-01 00:00+00' + (i / 3) * interval '1 hour' "
            f"from generate_series({first}, {last}) i"
        )

    def feed(self, **changed: Any) -> Feed:
        origin = {"kind": "sql", "url": self.address, "table": f"{self.schema}.orders", "chunk_rows": 4}
        origin |= {"cursor": {"column": "updated"}, "attempts": 1} | changed.pop("origin", {})
        return Feed.named("orders", **({"kind": "messages", "mapping": "parquet", "origin": origin} | changed))

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def database(postgres_server: str) -> Iterator[Database]:
    opened = Database(postgres_server)
    yield opened
    opened.close()


def rows(project: Project) -> list[dict[str, Any]]:
    paths = sorted((project.landing / "orders").rglob("*.parquet"))
    return [row for path in paths for row in parquet.ParquetFile(path).read().to_pylist()]


def ids(project: Project) -> list[int]:
    return [row["id"] for row in rows(project)]


def test_a_table_lands_as_parquet_and_then_only_what_changed(
    database: Database, project: Project, now: datetime
) -> None:
    database.add(1, 10)
    assert fetch_feed(project, database.feed(), {}, now).files == ("dt=2026-01-05/rows-000001.parquet",)
    assert fetch_feed(project, database.feed(), {}, now).files == ()
    database.add(11, 13)
    assert fetch_feed(project, database.feed(), {}, now).files == ("dt=2026-01-05/rows-000002.parquet",)
    assert sorted(ids(project)) == list(range(1, 14))


def test_a_row_that_changes_within_the_moment_seen_last_comes_again(
    database: Database, project: Project, now: datetime
) -> None:
    database.add(1, 10)
    fetch_feed(project, database.feed(), {}, now)
    database.execute("update orders set total = 99 where id = 10")
    assert fetch_feed(project, database.feed(), {}, now).rows == 1


def test_values_land_as_they_are(database: Database, project: Project, now: datetime) -> None:
    database.add(7, 7)
    fetch_feed(project, database.feed(), {}, now)
    (row,) = rows(project)
    assert row["total"] == Decimal("7.70")
    assert Decimal(row["ratio"]) == Decimal("0.000000000000000007")
    assert row["placed"] == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert row["local"] == datetime(2026, 1, 1, 10)
    assert json.loads(row["doc"]) == {"lines": [1, 2]}


def test_a_feed_that_reads_json_gets_objects_with_what_is_nested_in_them(
    database: Database, project: Project, now: datetime
) -> None:
    database.add(7, 7)
    (file,) = fetch_feed(project, database.feed(mapping="jsonl"), {}, now).files
    line = json.loads((project.landing / "orders" / file).read_text())
    assert line["doc"] == {"lines": [1, 2]}
    assert (line["total"], line["placed"]) == ("7.70", "2026-01-01T08:00:00+00:00")


@pytest.mark.parametrize("column", ["updated", "local", "id"])
def test_the_first_fetch_begins_where_it_is_declared_to(
    column: str, database: Database, project: Project, now: datetime
) -> None:
    database.add(1, 10)
    start: str | int = 6 if column == "id" else "2026-01-01T02:00:00Z" if column == "updated" else "2026-01-01T11:00"
    fetch_feed(project, database.feed(origin={"cursor": {"column": column, "start": start}}), {}, now)
    expected = {"updated": [6, 7, 8, 9, 10], "id": [6, 7, 8, 9, 10], "local": []}
    assert ids(project) == expected[column]


def test_without_a_cursor_the_file_is_what_the_table_says_now(
    database: Database, project: Project, now: datetime
) -> None:
    database.add(1, 5)
    feed = database.feed(origin={"cursor": None, "columns": ["id", "total"]})
    assert fetch_feed(project, feed, {}, now).files == ("rows.parquet",)
    assert fetch_feed(project, feed, {}, now).unchanged == 1
    database.execute("delete from orders where id > 2")
    fetch_feed(project, feed, {}, now)
    assert rows(project) == [{"id": 1, "total": Decimal("1.10")}, {"id": 2, "total": Decimal("2.20")}]
    database.execute("delete from orders")
    assert fetch_feed(project, feed, {}, now).files == ("rows.parquet",)
    assert rows(project) == []


def test_a_connection_that_breaks_half_way_lands_nothing_and_loses_nothing(
    database: Database, project: Project, now: datetime
) -> None:
    database.add(1, 10)
    database.execute(
        "create view breaking as select id, updated, case when id = 9 then pg_terminate_backend(pg_backend_pid()) end "
        "as broken from orders order by id"
    )
    feed = database.feed(origin={"table": f"{database.schema}.breaking"})
    with pytest.raises(OriginError, match="went away"):
        fetch_feed(project, feed, {}, now)
    assert ids(project) == []
    database.execute("create or replace view breaking as select id, updated, true as broken from orders order by id")


@pytest.mark.parametrize(
    ("origin", "told"),
    [
        ({"table": "nowhere.orders"}, "does not exist"),
        ({"cursor": {"column": "changed"}}, "no column `changed`"),
        ({"url": "postgresql://reader:${PASSWORD}@127.0.0.1:1/shop"}, "refuses or went away"),
    ],
)
def test_what_is_wrong_is_told_without_a_secret(
    origin: dict[str, Any], told: str, database: Database, project: Project, now: datetime
) -> None:
    feed, secrets = database.feed(origin=origin), {"PASSWORD": "p@ss/word-3e1"}
    with pytest.raises(OriginError, match=told) as caught:
        fetch_feed(project, feed, secrets, now)
    written = "".join(path.read_text() for path in project.root.rglob("*") if path.is_file())
    assert secrets["PASSWORD"] not in f"{caught.value!r} {caught.value.__context__!r} {feed!r} {written}"


def test_a_password_with_any_character_opens_the_database(database: Database, project: Project, now: datetime) -> None:
    database.add(1, 1)
    address = database.address.replace("postgres@", "postgres:${PASSWORD}@")
    fetch_feed(project, database.feed(origin={"url": address}), {"PASSWORD": "a:b/c@d?e#f%"}, now)
    fetch_feed(project, database.feed(origin={"url": "${ADDRESS}"}), {"ADDRESS": database.address}, now)
    assert ids(project) == [1, 1]


def test_what_was_fetched_is_loaded_like_any_file(database: Database, shop: Shop, now: datetime) -> None:
    fields = {"order_id": "id", "placed_at": "placed", "gross_amount": "total"}
    constants = {"status": "paid", "currency": "GBP"}
    ignore = ["ratio", "local", "doc", "updated"]
    feed = database.feed(kind="purchases", fields=fields, constants=constants, ignore=ignore)
    database.add(1, 5)
    fetch_feed(shop.project, feed, {}, now)
    database.execute("update orders set total = 50, updated = updated + interval '1 day' where id = 5")
    fetch_feed(shop.project, feed, {}, now)
    shop.load(feed)
    shop.stage("purchases")
    found = shop.ask("select order_id, gross_amount, placed_at from staging.purchases order by order_id")
    assert found[:2] == [
        ("1", Decimal("1.10"), datetime(2026, 1, 1, 8)),
        ("2", Decimal("2.20"), datetime(2026, 1, 1, 8)),
    ]
    assert len(found) == 5
