"""Orders, customers and reviews of WooCommerce, after the documented objects."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

ADDRESS = {
    "first_name": "Marta", "last_name": "Lind", "company": "", "address_1": "1 High St", "address_2": "",
    "city": "Leeds", "state": "", "postcode": "LS1", "country": "GB",
}  # fmt: skip
LINE = {
    "id": 315, "name": "Tea 250 g", "product_id": 93, "variation_id": 0, "quantity": 2, "tax_class": "",
    "subtotal": "12.00", "subtotal_tax": "0.90", "total": "10.80", "total_tax": "0.81", "taxes": [], "meta_data": [],
    "sku": "TEA", "price": 5.4, "image": {"id": "", "src": ""}, "parent_name": None,
}  # fmt: skip
ORDER = {
    "id": 727, "parent_id": 0, "number": "727", "order_key": "wc_order_58d2d042d1d", "created_via": "checkout",
    "version": "9.4.2", "status": "processing", "currency": "GBP", "date_created": "2026-03-01T10:30:00",
    "date_created_gmt": "2026-03-01T09:30:00", "date_modified": "2026-03-01T11:00:00",
    "date_modified_gmt": "2026-03-01T10:00:00", "discount_total": "1.20", "discount_tax": "0.09",
    "shipping_total": "4.00", "shipping_tax": "0.30", "cart_tax": "0.81", "total": "15.91", "total_tax": "1.11",
    "prices_include_tax": False, "customer_id": 26, "customer_ip_address": "10.0.0.1", "customer_user_agent": "B/1",
    "customer_note": "", "billing": ADDRESS | {"email": "marta@shop.example", "phone": "0113 496 0000"},
    "shipping": ADDRESS | {"address_1": "2 Low Rd", "phone": ""}, "payment_method": "stripe",
    "payment_method_title": "Card", "transaction_id": "ch_1", "date_paid": "2026-03-01T10:31:00",
    "date_paid_gmt": "2026-03-01T09:31:00", "date_completed": None, "date_completed_gmt": None, "cart_hash": "x",
    "meta_data": [{"id": 1, "key": "colour", "value": {"a": 1}}, {"id": 2, "key": "anonymous_id", "value": "a1"}],
    "line_items": [LINE], "tax_lines": [], "shipping_lines": [{"id": 1, "total": "4.00"}], "fee_lines": [],
    "coupon_lines": [{"id": 9, "code": "spring"}, {"id": 10, "code": "tea"}], "refunds": [], "payment_url": "",
    "is_editable": False, "needs_payment": False, "needs_processing": True, "currency_symbol": "£", "_links": {},
}  # fmt: skip


def an_order(**fields: Any) -> dict[str, Any]:
    return ORDER | fields


def test_a_documented_order_fills_every_field(deliver) -> None:
    found = deliver("woocommerce_orders", [an_order()], time_zone="Europe/Paris")
    assert (found.unknown, found.refused) == (set(), {})
    [row] = found.rows
    assert json.loads(row.pop("extra")) == {
        "order_number": "727", "shop_status": "processing", "payment_method": "stripe", "transaction_id": "ch_1",
    }  # fmt: skip
    assert row.pop("lines") == [
        {
            "line_id": "315",
            "product_id": "93",
            "product_name": "Tea 250 g",
            "quantity": Decimal(2),
            "unit_amount": Decimal(6),
            "line_amount": Decimal("10.80"),
            "extra": '{"sku":"TEA"}',
        }
    ]
    assert row == {
        "order_id": "727",
        "placed_at": datetime(2026, 3, 1, 9, 30),
        "updated_at": datetime(2026, 3, 1, 10),
        "status": "paid",
        "is_test": False,
        "source_customer_id": "26",
        "anonymous_id": "a1",
        "email": "marta@shop.example",
        "phone": "0113 496 0000",
        "given_name": "Marta",
        "family_name": "Lind",
        "address_line": "2 Low Rd",
        "city": "Leeds",
        "postcode": "LS1",
        "country": "GB",
        "sales_channel": "checkout",
        "currency": "GBP",
        "gross_amount": Decimal("15.91"),
        "discount_amount": Decimal("1.20"),
        "tax_amount": Decimal("1.11"),
        "shipping_amount": Decimal(4),
        "coupon_code": "spring,tea",
        "refunds": [],
    }


STATUSES: dict[str, str] = {
    "pending": "pending", "on-hold": "pending", "checkout-draft": "pending", "processing": "paid",
    "completed": "fulfilled", "cancelled": "cancelled", "failed": "cancelled", "trash": "cancelled",
    "refunded": "refunded", "wc-completed": "fulfilled", "shipped": "paid",
}  # fmt: skip


def test_the_shops_words_and_those_of_plugins(deliver) -> None:
    found = deliver("woocommerce_orders", [an_order(id=name, status=name) for name in STATUSES])
    assert {row["order_id"]: row["status"] for row in found.rows} == STATUSES
    unpaid = an_order(status="awaiting-quote", date_paid=None, date_paid_gmt=None)
    assert deliver("woocommerce_orders", unpaid).refused == {1: [("status", "not_in_set")]}


def test_a_guest_is_customer_0_and_known_by_the_billing_address(deliver) -> None:
    rows = deliver("woocommerce_orders", [an_order(customer_id=0), an_order(customer_id="0")]).rows
    assert [row.get("source_customer_id") for row in rows] == [None, None]
    assert [row["email"] for row in rows] == ["marta@shop.example"] * 2


def test_refunds_inside_an_order_are_negative_and_timed_by_its_change(deliver) -> None:
    refunds = [{"id": 73, "reason": "broken", "total": "-10.00"}, {"id": 74, "reason": "", "total": "-0.50"}]
    whole = {"id": 75, "amount": "3.00", "date_created_gmt": "2026-03-02T08:00:00", "reason": None}
    [row] = deliver("woocommerce_orders", an_order(refunds=[*refunds, whole])).rows
    assert row["status"] == "paid"
    assert row["gross_amount"] == Decimal("15.91")
    assert [(item["refund_id"], item["refunded_at"], item["amount"]) for item in row["refunds"]] == [
        ("73", datetime(2026, 3, 1, 10), Decimal(10)),
        ("74", datetime(2026, 3, 1, 10), Decimal("0.50")),
        ("75", datetime(2026, 3, 2, 8), Decimal(3)),
    ]


def test_moments_without_their_utc_twin_are_on_the_clocks_of_the_feed(deliver) -> None:
    old = {name: value for name, value in ORDER.items() if not name.endswith("_gmt")}
    [row] = deliver("woocommerce_orders", old, time_zone="Europe/Paris").rows
    assert (row["placed_at"], row["updated_at"]) == (datetime(2026, 3, 1, 9, 30), datetime(2026, 3, 1, 10))


def test_nulls_and_blanks_are_the_same_nothing(deliver) -> None:
    blank = dict.fromkeys(("billing", "shipping", "coupon_lines", "line_items", "refunds", "meta_data"))
    found = deliver(
        "woocommerce_orders", [an_order(**blank, created_via=""), an_order(billing=ADDRESS | {"email": ""})]
    )
    assert found.refused == {}
    assert "email" not in found.rows[0] | found.rows[1]


def test_lines_of_deleted_products_and_of_several_variations(deliver) -> None:
    lines = [LINE | {"product_id": 0, "variation_id": 7}, LINE | {"id": 316, "quantity": 0, "price": "5.40"}]
    [row] = deliver("woocommerce_orders", an_order(line_items=lines)).rows
    assert [(line.get("product_id"), line["unit_amount"]) for line in row["lines"]] == [
        (None, Decimal(6)),
        ("93", Decimal("5.40")),
    ]
    assert row["lines"][0]["extra"] == '{"sku":"TEA","variation_id":"7"}'


def test_names_of_goods_are_read_as_pages_show_them(deliver) -> None:
    line = LINE | {"name": "Tea &amp; Cake &#8211; <span>250&nbsp;g</span>"}
    [row] = deliver("woocommerce_orders", [an_order(line_items=[line])]).rows
    assert row["lines"][0]["product_name"] == "Tea & Cake \u2013 250\u00a0g"


def test_orders_arrive_alone_in_lists_lines_and_batches(deliver) -> None:
    for content in (
        json.dumps(an_order()),
        json.dumps([an_order()]),
        json.dumps(an_order()) + "\n",
        json.dumps({"update": [an_order()], "create": []}),
        json.dumps({"orders": [an_order()]}),
    ):
        assert [row["order_id"] for row in deliver("woocommerce_orders", content).rows] == ["727"]


def test_fields_of_plugins_are_reported_and_not_refused(deliver) -> None:
    found = deliver("woocommerce_orders", an_order(loyalty_points=7))
    assert (found.unknown, len(found.rows)) == ({"loyalty_points"}, 1)


CUSTOMER = {
    "id": 25, "date_created": "2026-03-01T10:30:00", "date_created_gmt": "2026-03-01T09:30:00",
    "date_modified": "2026-03-01T11:00:00", "date_modified_gmt": "2026-03-01T10:00:00", "email": "marta@shop.example",
    "first_name": "Marta", "last_name": "", "role": "customer", "username": "marta.lind",
    "billing": ADDRESS | {"email": "bills@shop.example", "phone": "0113 496 0000"}, "shipping": ADDRESS,
    "is_paying_customer": True, "avatar_url": "https://x.example/a.png", "meta_data": [], "_links": {},
}  # fmt: skip


def test_a_documented_customer_fills_every_field(deliver) -> None:
    found = deliver("woocommerce_customers", [CUSTOMER])
    assert (found.unknown, found.refused) == (set(), {})
    [row] = found.rows
    assert json.loads(row.pop("extra")) == {"role": "customer", "username": "marta.lind"}
    assert row == {
        "contact_id": "25",
        "created_at": datetime(2026, 3, 1, 9, 30),
        "updated_at": datetime(2026, 3, 1, 10),
        "email": "marta@shop.example",
        "phone": "0113 496 0000",
        "given_name": "Marta",
        "family_name": "Lind",
        "address_line": "1 High St",
        "city": "Leeds",
        "postcode": "LS1",
        "country": "GB",
    }


REVIEW = {
    "id": 22, "date_created": "2026-03-01T10:30:00", "date_created_gmt": "2026-03-01T09:30:00", "product_id": 31,
    "product_name": "Tea", "product_permalink": "https://x.example/tea", "status": "approved", "reviewer": "Marta",
    "reviewer_email": "marta@shop.example", "review": "<p>Nice &amp; warm<br />again</p>\n", "rating": 5,
    "verified": True, "reviewer_avatar_urls": {"24": "https://x.example/a.png"}, "_links": {},
}  # fmt: skip


def test_a_documented_review_fills_every_field(deliver) -> None:
    found = deliver("woocommerce_reviews", [REVIEW])
    assert (found.unknown, found.refused) == (set(), {})
    [row] = found.rows
    assert json.loads(row.pop("extra")) == {"review_status": "approved", "is_verified": "true"}
    assert row == {
        "feedback_id": "22",
        "feedback_kind": "review",
        "submitted_at": datetime(2026, 3, 1, 9, 30),
        "email": "marta@shop.example",
        "full_name": "Marta",
        "channel": "web",
        "score": 5.0,
        "score_scale": "stars",
        "text": "Nice & warm\nagain",
        "product_id": "31",
        "topic": "Tea",
    }


def test_no_stars_are_no_score_and_spam_is_nobodys_voice(deliver) -> None:
    unrated, spam = REVIEW | {"rating": 0}, REVIEW | {"status": "spam"}
    first, second = deliver("woocommerce_reviews", [unrated, spam]).rows
    assert not first.keys() & {"score", "score_scale"}
    assert first["text"] == "Nice & warm\nagain"
    assert not second.keys() & {"score", "score_scale", "text"}
    assert deliver("woocommerce_reviews", REVIEW | {"rating": 9}).refused == {1: [("score", "out_of_range")]}
