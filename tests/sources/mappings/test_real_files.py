"""The vendors' own files, as they are, go through loading into staging: nothing refused, no source field unknown."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sources.feed_declaration import Feed
from sources.loading import FeedLoad, load_feed
from sources.staging import staging_step
from warehouse.database import Warehouse
from warehouse.project import Project
from warehouse.step import Run, materialise

Load = Callable[..., FeedLoad]


@pytest.fixture
def load(warehouse: Warehouse, run: Run, tmp_path: Path) -> Load:
    """``load(kind, mapping, file, **feed)``: land one file as a feed, load it, and make its staging tables."""

    def load_file(kind: str, mapping: str, file: Path, **declared: Any) -> FeedLoad:
        landing = tmp_path / "landing" / mapping / "dt=2026-01-05"
        landing.mkdir(parents=True)
        shutil.copy(file, landing / file.name)
        feed = Feed.named(mapping, kind=kind, mapping=mapping, **declared)
        loaded = load_feed(warehouse, Project(tmp_path), feed, run)
        materialise(warehouse, staging_step(kind), run)
        return loaded

    return load_file


def _counts(loaded: FeedLoad) -> tuple[int, int, int, int, tuple[str, ...]]:
    [batch] = loaded.batches
    assert batch.batch_on == date(2026, 1, 5)
    return batch.rows_read, batch.accepted, batch.duplicate, batch.rejected, batch.unknown_columns


@pytest.mark.parametrize(
    ("kind", "mapping", "file", "rows", "declared"),
    [
        ("web_events", "segment", "segment/identify.json", 1, {}),
        ("web_events", "segment", "segment/common.json", 1, {}),
        ("web_events", "segment", "segment/track.json", 1, {}),
        ("web_events", "rudderstack", "rudderstack/common-fields.json", 3, {}),
        ("web_events", "snowplow_tsv", "snowplow/enriched_event.tsv", 1, {}),
        ("purchases", "shopify_orders", "shopify/orders.json", 1, {}),
        ("purchases", "shopify_orders", "shopify/order.json", 1, {}),
        ("contacts", "shopify_customers", "shopify/customer.json", 1, {}),
        ("contacts", "shopify_customers", "shopify/customers_search.json", 1, {}),
        ("social_interactions", "mastodon", "mastodon/Status.json", 1, {}),
        ("feedback", "zendesk_tickets", "zendesk/tickets.json", 1, {}),
        ("feedback", "delighted", "delighted/survey_responses.json", 2, {}),
        ("contacts", "hubspot_contacts", "hubspot/contacts_v3_page.json", 5, {}),
        (
            "contacts",
            "hubspot_contacts",
            "hubspot/contacts_export.csv",
            7,
            {"format": "csv", "time_zone": "America/New_York"},
        ),
    ],
)
def test_a_vendors_file_is_read_as_it_is(
    load: Load, samples: Path, kind: str, mapping: str, file: str, rows: int, declared: dict[str, Any]
) -> None:
    assert _counts(load(kind, mapping, samples / file, **declared)) == (rows, rows, 0, 0, ())


def test_snowplows_real_events_reach_staging_once_each(load: Load, real_data: Path, warehouse: Warehouse) -> None:
    loaded = load("web_events", "snowplow_tsv", real_data / "snowplow/snowplow_web_events.parquet", format="parquet")
    assert _counts(loaded) == (160, 160, 0, 0, ())
    found = warehouse.cursor().execute("select count(*), count(distinct event_id) from staging.web_events")
    assert found.fetchall() == [(157, 157)]


def test_ga4_items_are_a_feed_by_declaration_alone(load: Load, real_data: Path, warehouse: Warehouse) -> None:
    sentinels = [{"null_if": ["(not set)", "(data deleted)", "<Other>"]}]
    key = ["user_pseudo_id", "event_timestamp", "item_id", "item_name", "price", "quantity"]
    fields = {
        "event_id": {"concat": key, "with": "/"},
        "event_kind": {"constant": "track"},
        "event_name": {"constant": "purchase"},
        "occurred_at": {"path": "event_timestamp", "then": [{"epoch": "microseconds"}]},
        "anonymous_id": "user_pseudo_id",
        "product_id": {"path": "item_id", "then": sentinels},
        "product_name": {"path": "item_name", "then": sentinels},
        "value_amount": "item_revenue",
        "currency": {"setting": "currency"},
        "country": {"path": "country", "then": sentinels},
    }
    ignored = ["event_date", "region", "mobile_*", "*_in_usd", "price", "quantity"]
    loaded = load(
        "web_events", "parquet", real_data / "ga4/ga4_items.parquet", fields=fields, ignore=ignored, currency="USD"
    )
    assert _counts(loaded) == (16003, 16003 - 46, 46, 0, ())
    found = warehouse.cursor().execute(
        "select occurred_at, anonymous_id, product_id, value_amount, currency from staging.web_events "
        "where starts_with(event_id, '2697787.2422183099/1605937059520352/') "
        "or starts_with(event_id, '3868899112.4128253975/1605924623681729/9195197/') order by occurred_at desc"
    )
    assert found.fetchall() == [
        (datetime(2020, 11, 21, 5, 37, 39, 520352), "2697787.2422183099", None, None, "USD"),
        (datetime(2020, 11, 21, 2, 10, 23, 681729), "3868899112.4128253975", "9195197", Decimal(24), "USD"),
    ]


def test_airline_tweets_are_a_feed_by_declaration_alone(load: Load, real_data: Path, warehouse: Warehouse) -> None:
    tweets = real_data / "sentiment/airline_tweets_even.parquet"
    fields = {
        "interaction_id": "tweet_id",
        "platform": {"constant": "x"},
        "interaction_kind": {"constant": "mention"},
        "occurred_at": {"path": "tweet_created", "then": [{"time": "iso"}]},
        "handle": "name",
        "text": {"path": "text", "then": ["unescape"]},
    }
    ignored = ["airline*", "negativereason*", "retweet_count", "tweet_coord", "tweet_location", "user_timezone"]
    loaded = load("social_interactions", "parquet", tweets, fields=fields, ignore=ignored)
    # 111 rows repeat a tweet; what tells some of them apart (confidences of the labels) is no part of the contract.
    assert _counts(loaded) == (11335, 11224, 111, 0, ())
    cursor = warehouse.cursor()
    assert cursor.execute("select count(*) from staging.social_interactions").fetchall() == [(11224,)]
    found = cursor.execute(
        "select occurred_at, handle, text from staging.social_interactions where interaction_id = '570301031407624196'"
    )
    [(occurred_at, handle, text)] = found.fetchall()
    assert (occurred_at, handle) == (datetime(2015, 2, 24, 19, 15, 36), "jnardino")
    assert text.endswith("in your guests' faces & they have little recourse")


def test_a_column_that_bears_a_fields_name_maps_by_itself(load: Load, tmp_path: Path, warehouse: Warehouse) -> None:
    file = tmp_path / "products.csv"
    file.write_text(
        "product_id,name,price_amount,currency,is_in_stock,colour\n7.0,Teapot 茶壶,12.50,CNY,true,red\n", "utf-8"
    )
    loaded = load("products", "csv", file)
    assert _counts(loaded) == (1, 1, 0, 0, ("colour",))
    found = warehouse.cursor().execute("select product_id, name, price_amount, is_in_stock from staging.products")
    assert found.fetchall() == [("7", "Teapot 茶壶", Decimal("12.5"), True)]


def test_an_order_with_its_lines_reaches_three_tables(load: Load, samples: Path, warehouse: Warehouse) -> None:
    load("purchases", "shopify_orders", samples / "shopify/order.json")
    cursor = warehouse.cursor()
    order = cursor.execute("select order_id, status, gross_amount, currency, placed_at, country from staging.purchases")
    assert order.fetchall() == [("450789469", "pending", Decimal("409.9400"), "USD", datetime(2008, 1, 10, 16), "US")]
    lines = cursor.execute("select line_id, quantity, unit_amount from staging.purchase_lines order by line_id")
    assert lines.fetchall() == [
        ("466157049", Decimal(1), Decimal(199)),
        ("518995019", Decimal(1), Decimal(199)),
        ("703073504", Decimal(1), Decimal(199)),
    ]
    assert cursor.execute("select count(*) from staging.purchase_refunds").fetchall() == [(0,)]
