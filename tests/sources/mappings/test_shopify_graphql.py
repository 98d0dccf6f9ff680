"""What Shopify's GraphQL interface answers, and its bulk exports, is read like what its REST interface sends."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

from sources.readers import content


def money(amount: str) -> dict[str, Any]:
    return {"shopMoney": {"amount": amount, "currencyCode": "EUR"}}


LINE = {
    "id": "gid://shopify/LineItem/11",
    "title": "Tea",
    "quantity": 2,
    "originalUnitPriceSet": money("6.00"),
    "totalDiscountSet": money("2.00"),
    "product": {"id": "gid://shopify/Product/7", "productType": "Drinks"},
}
TRANSACTION = {
    "id": "gid://shopify/OrderTransaction/9", "kind": "REFUND", "status": "SUCCESS", "amountSet": money("4.00"),
}  # fmt: skip
REFUND = {"id": "gid://shopify/Refund/5", "createdAt": "2026-01-07T10:00:00Z"}
ORDER = {
    "__typename": "Order",
    "id": "gid://shopify/Order/1001",
    "name": "#1001",
    "email": "m@b.example",
    "createdAt": "2026-01-05T10:00:00Z",
    "processedAt": "2026-01-05T09:00:00Z",
    "updatedAt": "2026-01-07T10:00:00Z",
    "displayFinancialStatus": "PARTIALLY_REFUNDED",
    "displayFulfillmentStatus": "FULFILLED",
    "test": False,
    "currencyCode": "EUR",
    "totalPriceSet": money("12.00"),
    "totalTaxSet": money("1.00"),
    "totalShippingPriceSet": money("2.00"),
    "discountCodes": ["SPRING"],
    "discountCode": "SPRING",
    "customAttributes": [{"key": "segment_anonymous_id", "value": "a1"}],
    "customer": {"id": "gid://shopify/Customer/77", "firstName": "Marta", "lastName": "Lind"},
    "shippingAddress": {"name": "Marta Lind", "city": "Kiel", "countryCodeV2": "DE", "zip": "24103"},
}
EXPECTED = {
    "order_id": "1001",
    "placed_at": datetime(2026, 1, 5, 9),
    "updated_at": datetime(2026, 1, 7, 10),
    "status": "fulfilled",
    "is_test": False,
    "source_customer_id": "77",
    "anonymous_id": "a1",
    "email": "m@b.example",
    "full_name": "Marta Lind",
    "given_name": "Marta",
    "family_name": "Lind",
    "city": "Kiel",
    "postcode": "24103",
    "country": "DE",
    "currency": "EUR",
    "gross_amount": Decimal(12),
    "tax_amount": Decimal(1),
    "shipping_amount": Decimal(2),
    "coupon_code": "SPRING",
    "extra": '{"order_name":"#1001"}',
    "lines": [
        {
            "line_id": "11",
            "product_id": "7",
            "product_name": "Tea",
            "category": "Drinks",
            "quantity": Decimal(2),
            "unit_amount": Decimal(6),
            "line_amount": Decimal(10),
        }
    ],
    "refunds": [{"refund_id": "5", "refunded_at": datetime(2026, 1, 7, 10), "amount": Decimal(4)}],
}


def edges(*nodes: Any) -> dict[str, Any]:
    return {"edges": [{"cursor": "c", "node": node} for node in nodes], "pageInfo": {"hasNextPage": False}}


def nodes(*found: Any) -> dict[str, Any]:
    return {"nodes": list(found)}


def list_of(*found: Any) -> list[Any]:
    return list(found)


def whole(connect: Any) -> dict[str, Any]:
    refund = REFUND | {"transactions": connect(TRANSACTION)}
    return ORDER | {"lineItems": connect(LINE), "refunds": [refund]}


@pytest.mark.parametrize(
    "answer",
    [
        {"data": {"orders": edges(whole(edges))}, "extensions": {"cost": {"requestedQueryCost": 2}}},
        {"data": {"orders": nodes(whole(nodes))}},
        {"data": {"order": whole(list_of)}},
        [whole(edges)],
        whole(nodes),
    ],
)
def test_an_order_of_a_graphql_answer_is_the_order_rest_would_send(deliver, answer) -> None:
    found = deliver("shopify_orders", json.dumps(answer, indent=1))
    assert (found.refused, found.rows, found.places) == ({}, [EXPECTED], [1])
    assert found.unknown <= {"refunds.transactions.id"}


def test_children_of_a_bulk_export_stand_on_lines_behind_their_order(deliver, monkeypatch) -> None:
    second = ORDER | {"id": "gid://shopify/Order/1002"}
    stray = LINE | {"id": "gid://shopify/LineItem/13", "__parentId": "gid://shopify/Order/999"}
    lines = [
        ORDER | {"refunds": [REFUND]},
        LINE | {"__parentId": ORDER["id"]},
        TRANSACTION | {"__parentId": REFUND["id"]},
        second,
        LINE | {"id": "gid://shopify/LineItem/12", "__parentId": second["id"]},
        stray,
    ]
    text = "".join(json.dumps(line) + "\n" for line in lines)
    for size in (4 << 20, 300):  # blocks that end anywhere between and inside of lines
        monkeypatch.setattr(content, "BLOCK", size)
        found = deliver("shopify_orders", text)
        assert found.rows[0] == EXPECTED
        assert (found.rows[1]["order_id"], [line["line_id"] for line in found.rows[1]["lines"]]) == ("1002", ["12"])
        assert (found.places, list(found.refused)) == ([1, 4], [6])


def test_customers_of_a_graphql_answer(deliver) -> None:
    customer = {
        "id": "gid://shopify/Customer/77",
        "firstName": "Marta",
        "createdAt": "2026-01-05T10:00:00Z",
        "updatedAt": "2026-01-06T10:00:00Z",
        "state": "ENABLED",
        "numberOfOrders": "3",
        "defaultEmailAddress": {"emailAddress": "m@b.example", "marketingState": "SUBSCRIBED"},
        "defaultPhoneNumber": {"phoneNumber": "+491701234567"},
        "defaultAddress": {"city": "Kiel", "countryCodeV2": "DE"},
    }
    found = deliver("shopify_customers", {"data": {"customers": edges(customer)}})
    assert (found.refused, found.unknown) == ({}, set())
    [row] = found.rows
    assert {name: row[name] for name in ("contact_id", "email", "phone", "given_name", "city", "country")} == {
        "contact_id": "77",
        "email": "m@b.example",
        "phone": "+491701234567",
        "given_name": "Marta",
        "city": "Kiel",
        "country": "DE",
    }
    assert [(item["channel"], item["state"]) for item in json.loads(row["consents"])] == [("email", "in")]
    assert "deleted_at" not in row


def test_objects_of_rest_stay_as_they_are(deliver) -> None:
    order = {
        "id": 1, "admin_graphql_api_id": "gid://shopify/Order/1", "created_at": "2026-01-05T10:00:00Z",
        "currency": "EUR", "financial_status": "paid", "total_price": "1.00",
    }  # fmt: skip
    assert deliver("shopify_orders", {"orders": [order]}).rows[0]["order_id"] == "1"
