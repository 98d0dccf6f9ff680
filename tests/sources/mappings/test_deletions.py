"""What vendors say of what is gone, and objects beside an order that are none."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

WENT = datetime(2026, 3, 4, 9, 15, 22)
LISTED = "2026-03-04T09:15:22.000+0000"
END_OF_BATCH = datetime(2026, 3, 5, 23, 59, 59)
SALESFORCE: dict[str, Any] = {"earliestDateAvailable": LISTED, "latestDateCovered": LISTED}


def test_salesforces_list_of_deleted_deals_ends_them(deliver) -> None:
    listed = SALESFORCE | {"deletedRecords": [{"id": "006Qv00000x1yZa", "deletedDate": LISTED}]}
    found = deliver("salesforce_opportunities", listed)
    assert found.refused == {}
    assert found.rows == [
        {"deal_id": "006Qv00000x1yZaIAI", "updated_at": WENT, "lost_at": WENT, "lost_reason": "deleted"}
    ]


def test_zohos_list_of_deleted_records_is_known_whole(deliver) -> None:
    record = {
        "id": "555", "display_name": "n", "type": "recycle", "deleted_by": {"name": "x", "id": "1"},
        "created_by": {"name": "x", "id": "1"}, "deleted_time": "2026-03-04T09:15:22+00:00",
    }  # fmt: skip
    page = {"data": [record], "info": {"per_page": 200, "count": 1, "page": 1, "more_records": False}}
    for mapping, gone in (("zoho_contacts", "deleted_at"), ("zoho_deals", "lost_at")):
        found = deliver(mapping, page)
        assert (found.refused, found.unknown) == ({}, set())
        assert [row[gone] for row in found.rows] == [WENT]


@pytest.mark.parametrize(
    "deleted",
    [
        {"id": 706405506930370084},
        {
            "id": 706405506930370084, "phone": None, "addresses": [], "tax_exemptions": [],
            "email_marketing_consent": None, "admin_graphql_api_id": "gid://shopify/Customer/706405506930370084",
        },
    ],
)  # fmt: skip
def test_a_customer_that_shopify_deleted_is_hardly_more_than_an_id(deliver, deleted: dict[str, Any]) -> None:
    [row] = deliver("shopify_customers", deleted).rows
    assert (row["contact_id"], row["deleted_at"], row["updated_at"]) == (
        "706405506930370084", datetime(2026, 3, 5), END_OF_BATCH
    )  # fmt: skip


def test_a_part_of_a_customer_is_no_deletion_and_a_shop_to_be_forgotten_no_customer(deliver) -> None:
    parts = [{"id": 1, "phone": "+442079460000"}, {"id": 2, "tags": "vip"}, {"id": 3, "orders_count": 0}]
    assert all("deleted_at" not in row for row in deliver("shopify_customers", parts).rows)
    shop = deliver("shopify_customers", {"shop_id": 954889, "shop_domain": "shop.myshopify.example"})
    assert (shop.rows, shop.refused) == ([], {})


@pytest.mark.parametrize(
    "file", ["refund.json", "transaction.json", "transactions.json", "checkouts.json", "products.json"]
)
def test_what_belongs_to_shopifys_orders_is_no_order(deliver, samples: Path, file: str) -> None:
    found = deliver("shopify_orders", samples / "shopify" / file, currency="USD")
    assert found.rows == []
    assert found.refused


@pytest.mark.parametrize(
    "other",
    [
        {"order_id": 820982911946154508, "transactions": [{"kind": "refund", "status": "success", "amount": "5.00"}]},
        {"order_id": 820982911946154508, "status": "success", "tracking_number": "1Z"},
        {"abandoned_checkout_url": "https://shop.example/checkouts/1", "total_price": "5.00"},
        {"invoice_url": "https://shop.example/invoices/1", "status": "open", "total_price": "5.00"},
    ],
)
def test_what_shopify_delivers_beside_orders_is_refused_for_its_id(deliver, other: dict[str, Any]) -> None:
    found = deliver("shopify_orders", {"id": 1, "created_at": "2026-01-05T10:00:00Z"} | other, currency="USD")
    assert found.refused == {1: [("order_id", "missing")]}


def test_a_currency_of_a_game_is_no_error_of_ga4(deliver) -> None:
    parameters = [
        {"key": "currency", "value": {"string_value": "gems"}},
        {"key": "value", "value": {"int_value": "5"}},
    ]
    event = {
        "event_timestamp": "1767607200000000", "event_name": "spend", "user_pseudo_id": "3.1",
        "event_params": parameters,
    }  # fmt: skip
    [row] = deliver("ga4_events", event).rows
    assert "value_amount" not in row
    assert "currency" not in row
    assert '"gems"' in row["extra"]


@pytest.mark.parametrize("gone", ["deleted", "archived"])
def test_a_contact_that_intercom_deletes_or_archives_is_hardly_more_than_an_id(deliver, gone: str) -> None:
    answer = {"type": "contact", "id": "u1", "external_id": "77", gone: True}
    [row] = deliver("intercom_contacts", answer).rows
    assert (row["deleted_at"], row["updated_at"]) == (datetime(2026, 3, 5), datetime(2026, 3, 5, 23, 59, 59))
    [kept] = deliver("intercom_contacts", answer | {gone: False}).rows
    assert not kept.keys() & {"deleted_at", "updated_at"}
