"""Charges and customers of Stripe, orders of Square: minor units, refunds, expanded and deleted objects, deliveries."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import zstandard


def a_charge(**fields: Any) -> dict[str, Any]:
    charge = {
        "id": "ch_1",
        "object": "charge",
        "amount": 1999,
        "amount_captured": 1999,
        "amount_refunded": 0,
        "captured": True,
        "created": 1772000000,
        "currency": "gbp",
        "customer": "cus_1",
        "livemode": True,
        "paid": True,
        "refunded": False,
        "status": "succeeded",
    }
    return charge | fields


def a_refund(**fields: Any) -> dict[str, Any]:
    refund = {"id": "re_1", "object": "refund", "amount": 500, "currency": "gbp", "status": "succeeded"}
    return refund | {"created": 1772100000, "charge": "ch_1", "reason": "requested_by_customer"} | fields


def an_event(kind: str, held: dict[str, Any], **fields: Any) -> dict[str, Any]:
    event = {"id": "evt_1", "object": "event", "type": kind, "created": 1772200000, "livemode": held.get("livemode")}
    return event | {"api_version": "2024-06-20", "data": {"object": held, "previous_attributes": {}}} | fields


def a_list(*held: dict[str, Any]) -> dict[str, Any]:
    return {"object": "list", "url": "/v1/charges", "has_more": False, "data": list(held)}


def test_stripes_documented_charge_is_accepted_and_no_field_is_unknown(deliver, samples: Path) -> None:
    found = deliver("stripe_charges", samples / "stripe/charge.json")
    assert (found.unknown, found.refused) == (set(), {})
    assert found.rows == [
        {
            "order_id": "ch_1PgafuB7WZ01zgkWXYmPNZs8",
            "placed_at": datetime(2009, 2, 13, 23, 31, 30),
            "status": "pending",
            "is_test": True,
            "full_name": "Jenny Rosen",
            "sales_channel": "stripe",
            "currency": "USD",
            "gross_amount": Decimal("1.0000"),
            "lines": [],
            "refunds": [],
        }
    ]


AMOUNTS = {
    "gbp": "19.99", "jpy": "1999", "JPY": "1999", "krw": "1999", "vnd": "1999", "xof": "1999", "kwd": "1.999",
    "tnd": "1.999", "isk": "19.99", "ugx": "19.99", "huf": "19.99", "twd": "19.99",
}  # fmt: skip


def test_amounts_are_in_the_smallest_unit_of_their_currency(deliver) -> None:
    rows = deliver("stripe_charges", [a_charge(id=currency, currency=currency) for currency in AMOUNTS]).rows
    assert {row["order_id"]: row["gross_amount"] for row in rows} == {
        currency: Decimal(amount) for currency, amount in AMOUNTS.items()
    }
    assert {row["currency"] for row in rows} == {currency.upper() for currency in AMOUNTS}


STATES: list[tuple[dict[str, Any], str, str]] = [
    ({}, "paid", "19.99"),
    ({"status": "pending", "paid": False}, "pending", "19.99"),
    ({"status": "failed", "paid": False, "captured": False, "amount_captured": 0}, "cancelled", "19.99"),
    ({"captured": False, "amount_captured": 0}, "pending", "19.99"),
    ({"captured": False, "amount_captured": 0, "refunded": True, "amount_refunded": 1999}, "cancelled", "19.99"),
    ({"refunded": True, "amount_refunded": 1999}, "refunded", "19.99"),
    ({"amount_refunded": 500}, "paid", "19.99"),
    ({"amount_captured": 1500}, "paid", "15.00"),
    ({"amount_captured": None}, "paid", "19.99"),
]


def test_what_a_charge_is_and_what_was_taken(deliver) -> None:
    rows = deliver("stripe_charges", [a_charge(**fields) for fields, _, _ in STATES]).rows
    assert [(row["status"], row["gross_amount"]) for row in rows] == [
        (status, Decimal(gross)) for _, status, gross in STATES
    ]


def test_refunds_are_listed_and_failed_ones_gave_nothing_back(deliver) -> None:
    listed = {"object": "list", "data": [a_refund(), a_refund(id="re_2", status="failed", amount=99)]}
    found = deliver("stripe_charges", a_charge(amount_refunded=500, refunds=listed))
    assert found.rows[0]["refunds"] == [
        {
            "refund_id": "re_1",
            "refunded_at": datetime(2026, 2, 26, 10),
            "amount": Decimal(5),
            "extra": '{"reason":"requested_by_customer","refund_status":"succeeded"}',
        }
    ]
    assert found.rows[0]["updated_at"] == datetime(2026, 2, 26, 10)


def test_a_sum_of_refunds_without_their_list_is_one_refund(deliver) -> None:
    charge = a_charge(currency="jpy", amount_refunded=500)
    charges = [charge, charge | {"refunds": None}, charge | {"refunds": {"object": "list", "data": []}}]
    rows = deliver("stripe_charges", [an_event("charge.refunded", charge) for charge in charges]).rows
    assert [row["refunds"] for row in rows] == [
        [{"refund_id": "ch_1:refunded", "refunded_at": datetime(2026, 2, 27, 13, 46, 40), "amount": Decimal(500)}]
    ] * 3
    assert {row["updated_at"] for row in rows} == {datetime(2026, 2, 27, 13, 46, 40)}


def test_an_authorisation_that_was_released_gave_nothing_back(deliver) -> None:
    released = a_charge(captured=False, amount_captured=0, refunded=True, amount_refunded=1999)
    assert deliver("stripe_charges", released).rows[0]["refunds"] == []


def test_a_state_with_money_given_back_is_newer_than_one_without(deliver) -> None:
    before, after = a_charge(), a_charge(amount_refunded=500)
    first, second = deliver("stripe_charges", [before, after]).rows
    assert "updated_at" not in first
    assert second["updated_at"] == second["placed_at"]


def test_a_customer_is_nobody_an_id_an_expanded_or_a_deleted_object(deliver) -> None:
    expanded = {"id": "cus_1", "object": "customer", "email": "li@shop.example"}
    deleted = {"id": "cus_1", "object": "customer", "deleted": True}
    found = deliver("stripe_charges", [a_charge(customer=customer) for customer in (None, "cus_1", expanded, deleted)])
    assert [(row.get("source_customer_id"), row.get("email")) for row in found.rows] == [
        (None, None),
        ("cus_1", None),
        ("cus_1", "li@shop.example"),
        ("cus_1", None),
    ]
    assert found.unknown == set()


def test_expanded_payment_intents_and_invoices_are_their_ids(deliver) -> None:
    charge = a_charge(payment_intent={"id": "pi_1", "amount": 1999}, invoice="in_1", disputed=True)
    [row] = deliver("stripe_charges", charge).rows
    assert json.loads(row["extra"]) == {"payment_intent": "pi_1", "invoice": "in_1", "is_disputed": "true"}


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(a_charge()),
        json.dumps([a_charge()], indent=1),
        json.dumps(a_list(a_charge())),
        json.dumps(an_event("charge.succeeded", a_charge())),
        json.dumps(a_list(an_event("charge.succeeded", a_charge()))),
        json.dumps(an_event("charge.succeeded", a_charge())) + "\n" + json.dumps({"object": "list", "data": []}) + "\n",
        gzip.compress(json.dumps(an_event("charge.succeeded", a_charge())).encode()),
        zstandard.compress(json.dumps(a_list(a_charge())).encode()),
    ],
)
def test_a_charge_arrives_alone_in_lists_and_in_events(deliver, content: str | bytes) -> None:
    found = deliver("stripe_charges", content)
    assert [(row["order_id"], row["is_test"]) for row in found.rows] == [("ch_1", False)]
    assert (found.refused, found.unknown) == ({}, set())


def test_lines_of_events_and_charges_may_be_mixed(deliver) -> None:
    lines = [a_charge(id="a"), an_event("charge.updated", a_charge(id="b")), a_list(a_charge(id="c"), a_charge(id="d"))]
    found = deliver("stripe_charges", "\n".join(map(json.dumps, [*lines, a_charge(id="e")])))
    assert [(place, row["order_id"]) for place, row in zip(found.places, found.rows, strict=True)] == [
        (1, "a"), (2, "b"), (3, "c"), (4, "d"), (5, "e"),
    ]  # fmt: skip


def test_what_is_no_charge_is_refused_and_not_taken_for_one(deliver, samples: Path) -> None:
    files = ("refund", "dispute", "event", "payment_intent", "customer", "checkout.session")
    objects = [json.loads((samples / f"stripe/{file}.json").read_text("utf-8")) for file in files]
    found = deliver("stripe_charges", objects)
    assert found.rows == []
    assert [("order_id", "missing") in reasons for reasons in found.refused.values()] == [True] * len(files)


def test_an_amount_that_is_no_whole_number_is_refused(deliver) -> None:
    found = deliver("stripe_charges", [a_charge(amount=19.99, amount_captured=None), a_charge(amount_captured="x")])
    assert found.refused == {1: [("gross_amount", "wrong_type")], 2: [("gross_amount", "wrong_type")]}


def test_stripes_documented_customer_is_accepted_and_no_field_is_unknown(deliver, samples: Path) -> None:
    found = deliver("stripe_customers", samples / "stripe/customer.json")
    assert (found.unknown, found.refused) == (set(), {})
    assert found.rows == [
        {
            "contact_id": "cus_QXg1o8vcGmoR32",
            "created_at": datetime(2009, 2, 13, 23, 31, 30),
            "extra": '{"is_test":"true"}',
        }
    ]


def test_a_customer_of_an_event_is_as_new_as_the_event(deliver) -> None:
    customer = {
        "id": "cus_1", "object": "customer", "created": 1772000000, "email": "li@shop.example", "phone": None,
        "name": "Li Wang", "address": {"line1": "1 High St", "line2": None, "city": "Leeds", "country": "GB"},
        "preferred_locales": ["zh-CN", "en"], "livemode": True, "metadata": {"tier": "gold"},
    }  # fmt: skip
    found = deliver("stripe_customers", [an_event("customer.updated", customer), customer])
    assert found.unknown == set()
    assert found.rows[0] == {
        "contact_id": "cus_1",
        "created_at": datetime(2026, 2, 25, 6, 13, 20),
        "updated_at": datetime(2026, 2, 27, 13, 46, 40),
        "email": "li@shop.example",
        "full_name": "Li Wang",
        "address_line": "1 High St",
        "city": "Leeds",
        "country": "GB",
        "language": "zh",
    }
    assert "updated_at" not in found.rows[1]


def test_a_deleted_customer_is_a_tombstone_of_the_event_or_of_its_batch(deliver, samples: Path) -> None:
    [bare] = deliver("stripe_customers", samples / "stripe/deleted_customer.json").rows
    assert bare == {
        "contact_id": "cus_QXg1o8vcGmoR32",
        "updated_at": datetime(2026, 3, 5, 23, 59, 59),
        "deleted_at": datetime(2026, 3, 5),
    }
    customer = {"id": "cus_1", "object": "customer", "created": 1772000000, "email": "li@shop.example"}
    [told] = deliver("stripe_customers", an_event("customer.deleted", customer)).rows
    assert (told["deleted_at"], told["updated_at"]) == (datetime(2026, 2, 27, 13, 46, 40),) * 2


def money(amount: int, currency: str = "USD") -> dict[str, object]:
    return {"amount": amount, "currency": currency}


def a_square_order(**fields: Any) -> dict[str, Any]:
    line = {
        "uid": "l1", "catalog_object_id": "W62UWFY35CWMYGVWK6TW", "quantity": "2", "name": "Tea",
        "item_type": "ITEM", "variation_name": "250 g", "base_price_money": money(599),
        "gross_sales_money": money(1198),
        "total_discount_money": money(100), "total_tax_money": money(0), "total_money": money(1098),
    }  # fmt: skip
    order = {
        "id": "CAISENgvlJ6jLWAzERDzjyHVybY", "location_id": "D7AVYMEAPJ3A3", "customer_id": "5S9MXCS9Y99KK",
        "source": {"name": "Online Store"}, "line_items": [line], "total_money": money(1098), "version": 4,
        "total_discount_money": money(100), "total_tax_money": money(0), "total_tip_money": money(0),
        "net_amounts": {"total_money": money(1098)}, "state": "COMPLETED", "created_at": "2026-03-01T09:00:00.000Z",
        "updated_at": "2026-03-01T09:05:00Z", "closed_at": "2026-03-01T09:05:00Z",
        "tenders": [{"id": "t1", "type": "CARD", "amount_money": money(1098), "customer_id": "5S9MXCS9Y99KK"}],
    }  # fmt: skip
    return order | fields


@pytest.mark.parametrize(
    "wrap",
    [
        lambda order: order,
        lambda order: {"order": order},
        lambda order: {"orders": [order], "cursor": "x"},
        lambda order: {"type": "order.updated", "data": {"type": "order", "id": "o", "object": {"order": order}}},
    ],
)
def test_squares_orders_arrive_alone_in_pages_and_in_webhooks(deliver, wrap: Any) -> None:
    found = deliver("square_orders", wrap(a_square_order()))
    assert (found.unknown, found.refused) == (set(), {})
    [row] = found.rows
    assert json.loads(row.pop("extra")) == {"version": "4", "tip_amount": "0.00", "tender_kind": "CARD"}
    assert row.pop("lines") == [
        {
            "line_id": "l1",
            "product_id": "W62UWFY35CWMYGVWK6TW",
            "product_name": "Tea",
            "quantity": Decimal(2),
            "unit_amount": Decimal("5.99"),
            "line_amount": Decimal("10.98"),
            "extra": '{"variation_name":"250 g","item_type":"ITEM"}',
        }
    ]
    assert row == {
        "order_id": "CAISENgvlJ6jLWAzERDzjyHVybY",
        "placed_at": datetime(2026, 3, 1, 9),
        "updated_at": datetime(2026, 3, 1, 9, 5),
        "status": "paid",
        "is_test": False,
        "source_customer_id": "5S9MXCS9Y99KK",
        "sales_channel": "Online Store",
        "store_id": "D7AVYMEAPJ3A3",
        "currency": "USD",
        "gross_amount": Decimal("10.98"),
        "discount_amount": Decimal(1),
        "tax_amount": Decimal(0),
        "refunds": [],
    }


@pytest.mark.parametrize("event", ["order_created", "order_updated"])
def test_a_webhook_of_squares_without_the_order_takes_no_money_away(deliver, event) -> None:
    notice = {
        "order_id": "o1",
        "version": 3,
        "location_id": "L",
        "state": "COMPLETED",
        "updated_at": "2026-03-01T09:05:00Z",
    }
    hook = {"type": event, "event_id": "e", "data": {"type": event, "id": "o1", "object": {event: notice}}}
    found = deliver("square_orders", json.dumps(hook) + "\n" + json.dumps({"order": a_square_order()}), currency="USD")
    assert (len(found.rows), list(found.refused), found.unknown) == (1, [1], set())


def test_an_empty_page_of_squares_holds_nothing(deliver) -> None:
    found = deliver("square_orders", "\n".join([json.dumps({"cursor": "x"}), json.dumps({"order": a_square_order()})]))
    assert (len(found.rows), found.refused) == (1, {})


SQUARE_STATES: list[tuple[dict[str, Any], str]] = [
    ({"state": "COMPLETED"}, "paid"),
    ({"state": "COMPLETED", "fulfillments": [{"state": "COMPLETED", "type": "SHIPMENT"}]}, "fulfilled"),
    ({"state": "OPEN"}, "pending"),
    ({"state": "OPEN", "net_amount_due_money": money(0)}, "paid"),
    ({"state": "OPEN", "net_amount_due_money": money(0), "tenders": []}, "pending"),
    ({"state": "OPEN", "net_amount_due_money": money(5)}, "pending"),
    ({"state": "CANCELED"}, "cancelled"),
    ({"state": "DRAFT"}, "pending"),
]


def test_the_state_of_a_square_order(deliver) -> None:
    rows = deliver("square_orders", [a_square_order(**fields) for fields, _ in SQUARE_STATES]).rows
    assert [row["status"] for row in rows] == [status for _, status in SQUARE_STATES]


def test_squares_yen_have_no_decimals_and_refunds_count_once_approved(deliver) -> None:
    refunds = [
        {"id": "r1", "amount_money": money(300, "JPY"), "created_at": "2026-03-02T00:00:00Z", "status": "APPROVED"},
        {"id": "r2", "amount_money": money(700, "JPY"), "created_at": "2026-03-02T00:00:00Z", "status": "REJECTED"},
    ]
    order = a_square_order(total_money=money(1098, "JPY"), refunds=refunds, line_items=[])
    [row] = deliver("square_orders", order).rows
    assert (row["gross_amount"], row["currency"]) == (Decimal(1098), "JPY")
    assert [(refund["refund_id"], refund["amount"]) for refund in row["refunds"]] == [("r1", Decimal(300))]


def test_a_return_at_squares_till_gives_money_back(deliver) -> None:
    returned = a_square_order(
        id="R1", line_items=None, total_money=money(0), customer_id=None, tenders=None,
        returns=[{"source_order_id": "CAISENgvlJ6jLWAzERDzjyHVybY"}], return_amounts={"total_money": money(599)},
    )  # fmt: skip
    [row] = deliver("square_orders", returned).rows
    assert "source_customer_id" not in row
    assert [(item["refund_id"], item["amount"]) for item in row["refunds"]] == [("R1:returned", Decimal("5.99"))]
    assert json.loads(row["extra"])["returned_order_id"] == "CAISENgvlJ6jLWAzERDzjyHVybY"


def test_who_gets_a_square_shipment_is_known_by_the_fulfilment(deliver) -> None:
    recipient = {
        "display_name": "Marta Lind", "email_address": "marta@shop.example", "phone_number": "+16175550100",
        "address": {"address_line_1": "1 High St", "locality": "Leeds", "postal_code": "LS1", "country": "GB"},
    }  # fmt: skip
    shipment = {"recipient": recipient, "shipped_at": "2026-03-02T08:00:00Z"}
    fulfilment = {"uid": "f", "type": "SHIPMENT", "state": "COMPLETED", "shipment_details": shipment}
    [row] = deliver("square_orders", a_square_order(customer_id=None, tenders=[], fulfillments=[fulfilment])).rows
    assert {name: row[name] for name in ("email", "phone", "full_name", "address_line", "postcode", "country")} == {
        "email": "marta@shop.example",
        "phone": "+16175550100",
        "full_name": "Marta Lind",
        "address_line": "1 High St",
        "postcode": "LS1",
        "country": "GB",
    }
    assert row["fulfilled_at"] == datetime(2026, 3, 2, 8)
