"""Orders and customers of Shopify."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest


def an_order(**fields: Any) -> dict[str, Any]:
    order = {
        "id": 450789469,
        "created_at": "2026-01-10T11:00:00-05:00",
        "financial_status": "paid",
        "fulfillment_status": None,
        "cancelled_at": None,
        "currency": "USD",
        "total_price": "598.94",
        "line_items": [],
        "refunds": [],
    }
    return order | fields


def test_shopifys_documented_order_is_accepted_and_no_field_is_unknown(interpret, samples: Path) -> None:
    whole = json.loads((samples / "shopify/order.json").read_text("utf-8"))["order"]
    listed = json.loads((samples / "shopify/orders.json").read_text("utf-8"))["orders"]
    refund = json.loads((samples / "shopify/refund.json").read_text("utf-8"))["refund"]
    found = interpret("shopify_orders", [whole | {"refunds": [refund]}, *listed])
    assert found.unknown == set()
    row = found.rows[0]
    assert row["placed_at"] == datetime(2008, 1, 10, 16)
    assert {name: row[name] for name in ("order_id", "status", "source_customer_id", "gross_amount", "tax_amount")} == {
        "order_id": "450789469",
        "status": "pending",
        "source_customer_id": "207119551",
        "gross_amount": Decimal("409.94"),
        "tax_amount": Decimal("11.94"),
    }
    assert (row["address_line"], row["postcode"], row["country"]) == ("Chestnut Street 92", "40202", "US")
    assert row["coupon_code"] == "TENOFF"
    assert "fulfilled_at" not in row  # the only fulfilment failed
    assert [line["line_id"] for line in row["purchase_lines"]] == ["466157049", "518995019", "703073504"]
    assert row["purchase_lines"][0] == {
        "order_id": "450789469",
        "line_id": "466157049",
        "product_id": "632910392",
        "product_name": "IPod Nano - 8gb",
        "quantity": Decimal(1),
        "unit_amount": Decimal(199),
    }
    assert row["purchase_refunds"] == [
        {
            "order_id": "450789469",
            "refund_id": "509562969",
            "refunded_at": datetime(2016, 6, 20, 17, 35, 6),
            "amount": Decimal(209),
        }
    ]
    assert found.rows[1]["status"] == "paid"


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({}, "paid"),
        ({"financial_status": "authorized"}, "pending"),
        ({"financial_status": "pending"}, "pending"),
        ({"financial_status": None}, "pending"),
        ({"financial_status": "partially_paid"}, "paid"),
        ({"fulfillment_status": "fulfilled"}, "fulfilled"),
        ({"fulfillment_status": "partial"}, "paid"),
        ({"financial_status": "pending", "fulfillment_status": "fulfilled"}, "pending"),
        ({"financial_status": "partially_refunded", "fulfillment_status": "fulfilled"}, "fulfilled"),
        ({"financial_status": "refunded", "cancelled_at": "2026-01-11T00:00:00Z"}, "refunded"),
        ({"financial_status": "voided"}, "cancelled"),
        ({"cancelled_at": "2026-01-11T00:00:00Z"}, "cancelled"),
    ],
)
def test_the_status_of_an_order_follows_from_payment_cancellation_and_shipping(
    interpret, fields: dict[str, Any], status: str
) -> None:
    assert interpret("shopify_orders", [an_order(**fields)]).rows[0]["status"] == status


def test_an_unknown_payment_status_is_refused_and_not_guessed(interpret) -> None:
    assert interpret("shopify_orders", [an_order(financial_status="maybe")]).codes == [[("status", "not_in_set")]]


def test_a_refund_is_the_money_that_went_back(interpret) -> None:
    refunds = [
        {
            "id": 1,
            "created_at": "2026-01-12T00:00:00Z",
            "transactions": [
                {"kind": "refund", "status": "success", "amount": "10.50"},
                {"kind": "refund", "status": "success", "amount": "0.25"},
                {"kind": "refund", "status": "failure", "amount": "99.00"},
                {"kind": "void", "status": "success", "amount": "99.00"},
            ],
        },
        {"id": 2, "created_at": "2026-01-13T00:00:00Z", "transactions": []},
    ]
    [row] = interpret("shopify_orders", [an_order(refunds=refunds)]).rows
    assert [refund["amount"] for refund in row["purchase_refunds"]] == [Decimal("10.75"), Decimal(0)]


def test_the_time_of_sale_of_an_imported_order_is_when_it_was_processed(interpret) -> None:
    order = an_order(processed_at="2020-05-01T12:00:00+08:00")
    assert interpret("shopify_orders", [order]).rows[0]["placed_at"] == datetime(2020, 5, 1, 4)


def test_a_guest_has_no_customer_id_and_an_empty_mail_is_none(interpret) -> None:
    order = an_order(
        customer=None, email="", contact_email=None, shipping_address={"phone": "555-625-1199", "zip": "'75008"}
    )
    [row] = interpret("shopify_orders", [order]).rows
    assert not row.keys() & {"source_customer_id", "email"}
    assert (row["phone"], row["postcode"]) == ("555-625-1199", "75008")


def test_test_orders_are_marked(interpret) -> None:
    assert [row["is_test"] for row in interpret("shopify_orders", [an_order(test=True), an_order()]).rows] == [
        True,
        False,
    ]


def test_ids_of_the_graphql_api_are_those_of_the_rest_api(interpret) -> None:
    order = an_order(id="gid://shopify/Order/450789469", customer={"id": "gid://shopify/Customer/7"})
    [row] = interpret("shopify_orders", [order]).rows
    assert (row["order_id"], row["source_customer_id"]) == ("450789469", "7")


def test_the_visitors_cookie_is_read_from_the_note_attributes(interpret) -> None:
    notes = [{"name": "colour", "value": "green"}, {"name": "segment_anonymous_id", "value": "a1"}]
    assert interpret("shopify_orders", [an_order(note_attributes=notes)]).rows[0]["anonymous_id"] == "a1"


def test_a_line_without_a_product_or_with_a_broken_quantity(interpret) -> None:
    deleted = an_order(line_items=[{"id": 1, "product_id": None, "title": "Gone", "quantity": 1, "price": "0.00"}])
    broken = an_order(line_items=[{"id": 1, "quantity": 1}, {"id": 2, "quantity": "two"}])
    twice = an_order(line_items=[{"id": 1, "quantity": 1}, {"id": 1, "quantity": 1}])
    assert "product_id" not in interpret("shopify_orders", [deleted]).rows[0]["purchase_lines"][0]
    assert interpret("shopify_orders", [broken, twice]).codes == [
        [("lines[1].quantity", "wrong_type")],
        [("lines[1].line_id", "inconsistent")],
    ]


def test_shopifys_documented_customers_are_accepted_and_no_field_is_unknown(interpret, samples: Path) -> None:
    customers = json.loads((samples / "shopify/customers_search.json").read_text("utf-8"))["customers"]
    customers.append(json.loads((samples / "shopify/customer.json").read_text("utf-8"))["customer"])
    found = interpret("shopify_customers", customers)
    assert found.unknown == set()
    row = found.rows[0]
    assert row["updated_at"] == datetime(2014, 1, 20, 22, 25, 18)
    assert (row["contact_id"], row["email"], row["given_name"]) == ("207119551", "bob.norman@hostmail.com", "Bob")
    assert '"state":"unknown"' in row["consents"]


def test_consent_to_mail_and_to_text_messages_are_two_facts(interpret) -> None:
    customer = {
        "id": 7,
        "email_marketing_consent": {"state": "subscribed", "consent_updated_at": "2026-01-05T10:00:00+08:00"},
        "sms_marketing_consent": {"state": "unsubscribed", "consent_updated_at": None},
    }
    [row] = interpret("shopify_customers", [customer]).rows
    assert [(item["channel"], item["state"], item["at"]) for item in json.loads(row["consents"])] == [
        ("email", "in", "2026-01-05T02:00:00"),
        ("sms", "out", None),
    ]
