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
        "line_amount": Decimal(199),
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


def test_a_line_adds_what_is_left_after_its_discounts(interpret) -> None:
    shares = [{"amount": "3.00"}, {"amount": "0.50"}]
    lines = [
        {"id": 1, "quantity": 2, "price": "10.00", "total_discount": "0.00", "discount_allocations": shares},
        {"id": 2, "quantity": 2, "price": "10.00", "total_discount": "1.00", "discount_allocations": []},
        {"id": 3, "quantity": 2, "price": "10.00"},
        {"id": 4, "quantity": 2},
    ]
    [row] = interpret("shopify_orders", [an_order(line_items=lines)]).rows
    assert [line.get("line_amount") for line in row["purchase_lines"]] == [
        Decimal("16.50"),
        Decimal(19),
        Decimal(20),
        None,
    ]


EXPORT = """Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Shipping,Taxes,Total,\
Discount Code,Discount Amount,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem sku,Lineitem discount,\
Billing Name,Billing Phone,Shipping Zip,Shipping Country,Cancelled at,Refunded Amount,Id,Tags,Source,Tax 1 Name,Colour
#1001,marta@shop.example,partially_refunded,2025-10-07 09:51:00 +0200,fulfilled,EUR,30.00,4.90,5.00,34.90,TEA,2.00,\
2025-10-07 09:50:26 +0200,2,Tea,10.00,T1,2.00,Marta Lind,'+33123456789,'75008,FR,,5.00,5500000000001,vip,web,VAT,red
#1001,marta@shop.example,,,,,,,,,,,,1,Lantern,12.00,L1,0.00,,,,,,,,,,,
#1002,,voided,,unfulfilled,EUR,10.00,0.00,0.00,10.00,,0.00,2025-10-08 09:50:26 +0200,1,Tea,10.00,T1,0.00,Li,,,CN,\
2025-10-08 10:00:00 +0200,0.00,5500000000002,,pos,,
""".replace("\\\n", "")


def test_the_export_has_a_row_per_line_and_the_order_in_its_first(deliver) -> None:
    found = deliver("shopify_orders", EXPORT, format="csv")
    assert (found.unknown, found.refused) == ({"Colour"}, {})
    first, second = found.rows
    assert first == {
        "order_id": "5500000000001",
        "placed_at": datetime(2025, 10, 7, 7, 50, 26),
        "updated_at": datetime(2025, 10, 7, 7, 51),
        "status": "fulfilled",
        "is_test": False,
        "email": "marta@shop.example",
        "phone": "+33123456789",
        "full_name": "Marta Lind",
        "postcode": "75008",
        "country": "FR",
        "sales_channel": "web",
        "currency": "EUR",
        "gross_amount": Decimal("34.90"),
        "discount_amount": Decimal(2),
        "tax_amount": Decimal(5),
        "shipping_amount": Decimal("4.90"),
        "coupon_code": "TEA",
        "extra": '{"order_name":"#1001"}',
        "lines": [
            {
                "line_id": "1",
                "product_name": "Tea",
                "quantity": Decimal(2),
                "unit_amount": Decimal(10),
                "line_amount": Decimal(18),
                "extra": '{"sku":"T1"}',
            },
            {
                "line_id": "2",
                "product_name": "Lantern",
                "quantity": Decimal(1),
                "unit_amount": Decimal(12),
                "line_amount": Decimal(12),
                "extra": '{"sku":"L1"}',
            },
        ],
        "refunds": [
            {"refund_id": "refunded", "refunded_at": datetime(2025, 10, 7, 7, 51), "amount": Decimal(5)},
        ],
    }
    assert (second["status"], second["updated_at"], second["refunds"]) == (
        "cancelled",
        datetime(2025, 10, 8, 8),
        [],
    )


def test_a_customer_to_be_forgotten_is_a_tombstone_without_a_name(deliver) -> None:
    redact = {
        "shop_id": 954889,
        "shop_domain": "x.example",
        "customer": {"id": 191167, "email": "john@shop.example", "phone": "555-625-1199"},
        "orders_to_redact": [299938],
    }
    asked = redact | {"orders_requested": [299938], "data_request": {"id": 9999}}
    deleted = {"id": 706405506930370084, "phone": None, "addresses": [], "tax_exemptions": [],
               "admin_graphql_api_id": "gid://shopify/Customer/706405506930370084"}  # fmt: skip
    found = deliver("shopify_customers", "\n".join(map(json.dumps, [redact, asked, deleted])))
    assert (found.unknown, found.refused) == (set(), {})
    assert found.rows[0] == {
        "contact_id": "191167",
        "updated_at": datetime(2026, 3, 5, 23, 59, 59),
        "deleted_at": datetime(2026, 3, 5),
    }
    assert "deleted_at" not in found.rows[1]
    assert (found.rows[2]["contact_id"], found.rows[2]["deleted_at"]) == ("706405506930370084", datetime(2026, 3, 5))


def test_the_export_of_customers_is_read_by_its_headings(deliver) -> None:
    text = (
        "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
        "Default Address Address1,Default Address City,Default Address Country Code,Default Address Zip,Phone,"
        "Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,Tags\n"
        "'207119551,Marta,Lind,marta@shop.example,yes,,1 High St,Leeds,GB,'0123,'+441134960000,no,9.00,1,,no,vip\n"
    )
    found = deliver("shopify_customers", text)
    assert (found.unknown, found.refused) == (set(), {})
    [row] = found.rows
    assert [(item["channel"], item["state"]) for item in json.loads(row.pop("consents"))] == [
        ("email", "in"),
        ("sms", "unknown"),
    ]
    assert row == {
        "contact_id": "207119551",
        "email": "marta@shop.example",
        "phone": "+441134960000",
        "given_name": "Marta",
        "family_name": "Lind",
        "address_line": "1 High St",
        "city": "Leeds",
        "postcode": "0123",
        "country": "GB",
    }
