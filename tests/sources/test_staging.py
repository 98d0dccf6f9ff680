"""``staging.<kind>`` shows the winning version of every source id, and its nested rows."""

from __future__ import annotations

import json
from datetime import date

from quality.contracts.registry import CONTRACTS
from quality.contracts.table import all_tables
from sources.feed import Feed
from sources.staging import staging_steps
from warehouse.step import materialise

ORDERS = "dt=2026-01-05/orders.json"


def an_order(number=1, **changed):
    return {
        "id": number,
        "created_at": "2026-01-05T10:00:00Z",
        "updated_at": "2026-01-05T10:00:00Z",
        "currency": "GBP",
        "financial_status": "paid",
        "total_price": "10.00",
        "line_items": [
            {"id": 11, "title": "Tea", "quantity": 1, "price": "4.00"},
            {"id": 12, "title": "Cup", "quantity": 2, "price": "3.00"},
        ],
        "refunds": [],
    } | changed


def orders_feed(**declared):
    return Feed.named(
        "orders", **({"kind": "purchases", "mapping": "shopify_orders", "max_reject_ratio": 1} | declared)
    )


def columns_of(shop, table):
    found = shop.ask(
        "select column_name from information_schema.columns "
        f"where table_schema = 'staging' and table_name = '{table}' order by ordinal_position"
    )
    return [name for (name,) in found]


def test_tables_of_all_kinds_exist_with_the_contracts_columns(shop):
    for step in staging_steps({}):
        materialise(shop.warehouse, step, shop.run)
    for table in all_tables():
        assert columns_of(shop, table.name) == [column.name for column in table.all_columns]
    for kind in CONTRACTS:
        first = columns_of(shop, kind)
        assert columns_of(shop, f"_{kind}_versions")[: len(first)] == first


def test_the_newest_version_wins_and_the_others_are_kept(shop):
    newer = an_order(
        updated_at="2026-01-07T10:00:00Z",
        financial_status="refunded",
        line_items=[{"id": 13, "title": "Pot", "quantity": 1, "price": "9.00"}],
    )
    shop.land("orders", "dt=2026-01-07/orders.json", [newer])
    shop.land("orders", "dt=2026-01-09/orders.json", [an_order()])
    shop.load(orders_feed())
    shop.stage("purchases")
    assert shop.ask("select status, _batch_on from staging.purchases") == [("refunded", date(2026, 1, 7))]
    assert shop.ask("select line_id from staging.purchase_lines") == [("13",)]
    assert shop.ask("select count(*) from staging._purchases_versions") == [(2,)]


def test_an_equal_version_stands_where_it_came_first(shop):
    shop.land("orders", "dt=2026-01-09/orders.json", [an_order()])
    shop.load(orders_feed())
    shop.land("orders", ORDERS, [an_order()])
    shop.load(orders_feed())
    shop.stage("purchases")
    assert shop.ask("select _file from staging.purchases union select _file from staging.purchase_lines") == [(ORDERS,)]
    assert shop.counts("orders") == {ORDERS: (1, 1, 0, 0), "dt=2026-01-09/orders.json": (1, 0, 1, 0)}


def test_nested_rows_carry_their_parents_id_and_source_row(shop):
    orders = [an_order(number, line_items=[{"id": 1, "quantity": 1}]) for number in (7, 8)]
    shop.land("orders", ORDERS, json.dumps({"orders": orders}))
    shop.load(orders_feed())
    shop.stage("purchases")
    assert shop.ask("select order_id, line_id, _feed, _file, _row from staging.purchase_lines order by 1") == [
        ("7", "1", "orders", ORDERS, 1),
        ("8", "1", "orders", ORDERS, 2),
    ]


def test_an_order_with_one_bad_line_is_refused_whole(shop):
    bad = an_order(2, line_items=[{"id": 1, "quantity": 1}, {"id": 2, "quantity": "two"}])
    twice = an_order(3, line_items=[{"id": 1, "quantity": 1}, {"id": 1, "quantity": 1}])
    shop.land("orders", ORDERS, [an_order(1), bad, twice])
    shop.load(orders_feed())
    assert shop.refused("purchases") == [
        (ORDERS, 2, "lines[1].quantity", "wrong_type"),
        (ORDERS, 3, "lines[1].line_id", "inconsistent"),
    ]
    assert shop.counts("orders") == {ORDERS: (3, 1, 0, 2)}


def test_only_refunds_that_happened_count(shop):
    def refund(number, *transactions):
        return {"id": number, "created_at": "2026-01-06T10:00:00Z", "transactions": list(transactions)}

    good = {"kind": "refund", "status": "success", "amount": "2.50"}
    failed = {"kind": "refund", "status": "failure", "amount": "99"}
    shop.land("orders", ORDERS, [an_order(refunds=[refund(1, good, failed, good)])])
    shop.load(orders_feed())
    shop.stage("purchases")
    [(refund_id, amount)] = shop.ask("select refund_id, amount from staging.purchase_refunds")
    assert (refund_id, float(amount)) == ("1", 5.0)


def test_a_field_that_no_source_fills_is_absent_whatever_its_type(shop):
    shop.land("letters", "2026-01-05.csv", "id,at,text\n1,2026-01-05,Too late\n")
    fields = {"feedback_id": "id", "submitted_at": "at", "text": "text"}
    shop.load(
        Feed.named("letters", kind="feedback", mapping="csv", fields=fields, constants={"feedback_kind": "complaint"})
    )
    shop.stage("feedback")
    assert shop.ask("select text, score, score_scale, answers, opened_at from staging.feedback") == [
        ("Too late", None, None, None, None)
    ]
