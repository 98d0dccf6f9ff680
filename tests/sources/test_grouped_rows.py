"""Flat files with a row per line: the rows of one file with the same value make one contract row."""

from __future__ import annotations

from datetime import datetime

import pytest

from sources.feed import Feed

FILE = "dt=2026-01-05/invoices.csv"
HEADER = "no,at,sku,count,price,who\n"
INVOICES = {
    "kind": "purchases",
    "mapping": "csv",
    "group_by": "no",
    "time_zone": "Europe/London",
    "currency": "GBP",
    "max_reject_ratio": 1,
    "fields": {
        "order_id": "no",
        "placed_at": "at",
        "status": {"constant": "paid"},
        "currency": {"setting": "currency"},
        "source_customer_id": {"path": "who", "then": ["integral"]},
        "lines": {
            "rows": True,
            "fields": {"line_id": {"position": True}, "product_id": "sku", "quantity": "count", "unit_amount": "price"},
        },
    },
}


def invoices(**declared):
    return Feed.named("invoices", **(INVOICES | declared))


def lines(shop):
    shop.stage("purchases")
    return shop.ask(
        "select order_id, line_id, product_id, _row from staging.purchase_lines order by 1, cast(line_id as integer)"
    )


def test_rows_become_lines_in_the_order_of_the_file(shop):
    shop.land(
        "invoices",
        FILE,
        HEADER + "B,2026-07-05 10:00,T1,1,2.50,17850.0\nA,2026-07-05 11:00,T2,1,1,\nB,2026-07-05 09:30,T3,2,3,9\n",
    )
    shop.load(invoices())
    assert lines(shop) == [("A", "1", "T2", 2), ("B", "1", "T1", 1), ("B", "2", "T3", 3)]
    found = shop.ask("select order_id, placed_at, source_customer_id, _row from staging.purchases order by 1")
    assert found == [("A", datetime(2026, 7, 5, 10), None, 2), ("B", datetime(2026, 7, 5, 8, 30), "9", 1)]
    assert shop.counts("invoices") == {FILE: (3, 3, 0, 0)}


@pytest.mark.parametrize(
    ("duplicates", "counts", "positions"),
    [("collapse", (4, 3, 1, 0), ["1", "2"]), ("keep", (4, 4, 0, 0), ["1", "2", "3"])],
)
def test_rows_that_repeat_exactly_collapse_unless_declared(shop, duplicates, counts, positions):
    row = "A,2026-01-05 10:00,T1,1,2.50,\n"
    shop.land("invoices", FILE, HEADER + row + row + "A,2026-01-05 10:00,T2,1,2.50,\nB,2026-01-05 10:00,T2,1,2.50,\n")
    shop.load(invoices(duplicates=duplicates))
    assert shop.counts("invoices") == {FILE: counts}
    assert [line_id for order_id, line_id, _, _ in lines(shop) if order_id == "A"] == positions


def test_a_group_with_one_bad_row_is_refused_whole_row_by_row(shop):
    shop.land(
        "invoices",
        FILE,
        HEADER
        + "A,2026-01-05,T1,1,1,\nA,2026-01-05,T2,two,1,\nB,2026-01-05,T1,1,1,\n"
        + ",2026-01-05,T1,1,1,\n ,2026-01-05,T1,1,1,\n",
    )
    shop.load(invoices())
    assert shop.refused("purchases") == [
        (FILE, 1, "lines[1].quantity", "wrong_type"),
        (FILE, 2, "lines[1].quantity", "wrong_type"),
        (FILE, 4, "order_id", "missing"),
        (FILE, 5, "order_id", "missing"),
    ]
    assert shop.counts("invoices") == {FILE: (5, 1, 0, 4)}


def test_the_same_invoice_sent_again_is_a_duplicate_with_all_its_rows(shop):
    rows = HEADER + "A,2026-01-05,T1,1,1,\nA,2026-01-05,T2,1,1,\n"
    shop.land("invoices", FILE, rows)
    shop.land("invoices", "dt=2026-01-06/again.csv", rows)
    shop.load(invoices())
    assert shop.counts("invoices") == {FILE: (2, 2, 0, 0), "dt=2026-01-06/again.csv": (2, 0, 2, 0)}


def test_a_group_is_never_cut_between_two_statements(shop, monkeypatch):
    monkeypatch.setattr("sources.waiting.MOST_ROWS", 10)
    rows = "".join(f"N{n % 7},2026-01-05,T{n},1,1,\n" for n in range(100))
    shop.land("invoices", FILE, HEADER + rows)
    shop.land("invoices", "dt=2026-01-06/b.csv", HEADER + rows.replace("N", "M"))
    shop.load(invoices())
    shop.stage("purchases")
    assert shop.ask("select count(*), count(distinct order_id) from staging.purchases") == [(14, 14)]
