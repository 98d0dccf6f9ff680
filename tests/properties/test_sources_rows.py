"""A block of rows comes out the same whether sets go through SQL or every row goes through Python."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from copy import deepcopy
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.block_check import BlockCheck
from sources.feed import Feed
from sources.landing import LandingFile
from sources.loading import create_tables
from sources.mapped_feed import map_feed
from sources.readers.file_reader import FileReader
from sources.replacement import Replacement
from sources.source_rows import Block, Reading
from warehouse.database import Warehouse, open_warehouse

SEGMENT = {
    "type": "track",
    "messageId": "m-1",
    "event": "Order Completed",
    "anonymousId": "a-1",
    "userId": "u-1",
    "timestamp": "2026-01-05T10:00:00.123Z",
    "receivedAt": "2026-01-05T10:00:01Z",
    "version": 2,
    "context": {
        "ip": "10.0.0.1",
        "locale": "zh-CN",
        "userAgent": "Browser 1.0",
        "page": {"url": "https://shop.example/茶", "path": "/茶"},
        "campaign": {"name": "spring", "source": "mail"},
        "device": {"id": "d-1", "type": "desktop"},
        "consent": {"ads": True},
    },
    "properties": {"order_id": "o-1", "total": 12.5, "currency": "GBP", "product_id": 7},
    "traits": {"email": "li@shop.example", "firstName": "Li"},
}
SHOPIFY = {
    "id": 450789469,
    "name": "#1001",
    "email": "li@shop.example",
    "created_at": "2026-01-05T10:00:00-05:00",
    "updated_at": "2026-01-06T10:00:00-05:00",
    "financial_status": "paid",
    "currency": "GBP",
    "total_price": "12.50",
    "test": False,
    "customer": {"id": 207119551, "first_name": "Li", "last_name": "王"},
    "total_discounts": "0.00",
    "note_attributes": [],
    "discount_codes": [{"code": "TEA", "amount": "1.00"}],
    "source_name": "web",
    "line_items": [
        {"id": 1, "product_id": 9, "title": "Tea", "quantity": 2, "price": "5.00"},
        {"id": 2, "product_id": None, "title": "Lantern", "quantity": 1, "price": "2.50"},
    ],
    "refunds": [
        {
            "id": 5,
            "created_at": "2026-01-07T10:00:00Z",
            "transactions": [{"kind": "refund", "status": "success", "amount": "1.00"}],
        },
    ],
    "shipping_address": {"address1": "1 High St", "city": "Leeds", "country_code": "GB", "zip": "LS1"},
}
CHARGE = {
    "id": "ch_1",
    "object": "charge",
    "amount": 1999,
    "amount_captured": 1999,
    "amount_refunded": 500,
    "captured": True,
    "created": 1772000000,
    "currency": "jpy",
    "customer": "cus_1",
    "livemode": True,
    "refunded": False,
    "status": "succeeded",
    "billing_details": {"email": "li@shop.example", "address": {"line1": "1 High St", "city": "Leeds"}},
    "refunds": {
        "data": [{"id": "re_1", "amount": 500, "currency": "jpy", "status": "succeeded", "created": 1772100000}]
    },
}
WOO = {
    "id": 727,
    "status": "processing",
    "currency": "GBP",
    "date_created_gmt": "2026-03-01T09:30:00",
    "date_modified_gmt": "2026-03-01T10:00:00",
    "total": "15.91",
    "customer_id": 0,
    "billing": {"email": "li@shop.example", "phone": ""},
    "line_items": [
        {"id": 315, "name": "Tea", "product_id": 93, "quantity": 3, "subtotal": "10.00", "total": "9.00", "price": 3}
    ],
    "coupon_lines": [{"code": "TEA"}],
    "refunds": [{"id": 73, "reason": "broken", "total": "-10.00"}],
}
TICKET = {
    "id": 35436,
    "created_at": "2026-01-05T10:00:00Z",
    "updated_at": "2026-01-06T10:00:00Z",
    "subject": "Late",
    "description": "Where is it?",
    "status": "open",
    "priority": "high",
    "requester_id": 20978392,
    "external_id": "u-1",
    "via": {"channel": "email", "source": {"from": {"address": "li@shop.example", "name": "Li"}}},
    "satisfaction_rating": {"score": "good"},
    "metric_set": {"reopens": 0, "solved_at": None},
}
WEIBO = {
    "created_at": "Wed Apr 16 18:58:11 +0800 2014",
    "idstr": "11488058246",
    "mid": "11488058246",
    "text": "好茶 //@别人:转",
    "user": {"idstr": "1404376560", "screen_name": "王小明", "name": "王小明", "followers_count": 1369},
}
CONTACT = {
    "Record ID": "101",
    "First Name": "Li",
    "Last Name": "Wang",
    "Email": "li@shop.example",
    "Phone Number": "+44 20 7946 0000",
    "Create Date": "2026-01-05 10:00",
    "Last Modified Date": "2026-01-06 10:00",
    "Interests": "tea;ceramics",
    "Gender": "Female",
    "Points balance": "12.5",
    "Email consent": "true",
    "Consent updated at": "2026-01-05 10:00",
    "Date of birth": "1990-02-03",
}
CONTACT_OBJECT = {
    "id": "101",
    "createdAt": "2026-01-05T10:00:00Z",
    "updatedAt": "2026-01-06T10:00:00Z",
    "archived": False,
    "properties": {"email": "li@shop.example", "firstname": "Li", "hs_email_optout": None, "interests": "tea; 茶;"},
    "Email consent": "true",
    "SMS consent": "false",
    "Consent updated at": "2026-01-05T10:00:00.5Z",
}
CUSTOMER = {
    "id": 207119551,
    "email": "li@shop.example",
    "created_at": "2026-01-05T10:00:00-05:00",
    "updated_at": "2026-01-06T10:00:00-05:00",
    "email_marketing_consent": {"state": "subscribed", "opt_in_level": "single_opt_in", "consent_updated_at": None},
    "sms_marketing_consent": {
        "state": "not_subscribed",
        "opt_in_level": None,
        "consent_updated_at": "2026-01-05T10:00",
    },
}
MAIL = {
    "message_id": "m-1",
    "campaign_id": "c-1",
    "campaign_name": "Spring",
    "event": "opened",
    "occurred_at": "2026-01-05T09:00:00Z",
    "email": "li@shop.example",
    "customer_id": "u-1",
    "cost": "0.01",
    "currency": "GBP",
}
KEPT = {
    "message_id": "m-1",
    "message_channel": "email",
    "message_event": "sent",
    "occurred_at": "2026-01-05",
    "segment": {"a": 1},
}
INVOICE = {
    "no": "A1",
    "at": "2026-01-05 10:00",
    "who": "17850.0",
    "sku": "T1",
    "count": "2",
    "price": "2.55",
    "currency": "GBP",
}
INVOICES = {
    "kind": "purchases",
    "mapping": "csv",
    "group_by": "no",
    "time_zone": "Europe/London",
    "fields": {
        "order_id": "no",
        "placed_at": "at",
        "status": {"constant": "paid"},
        "currency": "currency",
        "source_customer_id": {"path": "who", "then": ["integral"]},
        "lines": {
            "rows": True,
            "fields": {"line_id": {"position": True}, "product_id": "sku", "quantity": "count", "unit_amount": "price"},
        },
    },
}

CASES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "segment": ({"kind": "web_events", "mapping": "segment"}, SEGMENT),
    "segment in a zone": ({"kind": "web_events", "mapping": "segment", "time_zone": "Asia/Shanghai"}, SEGMENT),
    "shopify": ({"kind": "purchases", "mapping": "shopify_orders"}, SHOPIFY),
    "stripe": ({"kind": "purchases", "mapping": "stripe_charges"}, CHARGE),
    "woocommerce": ({"kind": "purchases", "mapping": "woocommerce_orders", "time_zone": "Europe/Paris"}, WOO),
    "tickets": ({"kind": "feedback", "mapping": "zendesk_tickets"}, TICKET),
    "weibo": ({"kind": "social_interactions", "mapping": "weibo"}, WEIBO),
    "contacts": (
        {"kind": "contacts", "mapping": "hubspot_contacts", "format": "csv", "time_zone": "Asia/Shanghai"},
        CONTACT,
    ),
    "contacts as objects": (
        {"kind": "contacts", "mapping": "hubspot_contacts", "format": "json", "time_zone": "Asia/Shanghai"},
        CONTACT_OBJECT,
    ),
    "customers": ({"kind": "contacts", "mapping": "shopify_customers", "format": "json"}, CUSTOMER),
    "mail": ({"kind": "messages", "mapping": "email_messages"}, MAIL),
    "new columns are kept": ({"kind": "messages", "mapping": "jsonl", "on_new_column": "keep"}, KEPT),
    "invoices": (INVOICES, INVOICE),
    "invoices keep repeats": (INVOICES | {"duplicates": "keep"}, INVOICE),
}

SCALARS = st.one_of(
    st.sampled_from(
        [
            "",
            " ",
            "x",
            "17850.0",
            "1e5",
            "12.50",
            "12.123456",
            "-3",
            "true",
            "GBP",
            "gbp",
            "paid",
            "2026-01-05",
            "\x07",
            "tea\x85",
            "\x7f",
            "\u00a0x",
            "\u3000茶",
            "\u2003",
            "\ufeff",
            "é\u00a0",
            "e\u0301",
            "１２",
            "茶\u200b",
            "-0",
            "a" * 300,
            "茶" * 300,
        ]
    ),
    st.sampled_from(
        [
            "2026-01-05T10:00:00",
            "2026-03-29 01:30:00",
            "2199-01-01T00:00:00Z",
            "yesterday",
            "2026-13-45T99:00:00Z",
            "茶",
        ]
    ),
    st.integers(-5, 2**66),
    st.floats(allow_nan=False, allow_infinity=False, width=32),
    st.sampled_from([0, 1, 1.5, 17850.0, 1e300, -0.0]),
    st.booleans(),
    st.none(),
)
VALUES = st.one_of(
    SCALARS, st.lists(SCALARS, max_size=2), st.dictionaries(st.sampled_from(["id", "a", "email"]), SCALARS, max_size=2)
)


@st.composite
def changed(draw: st.DrawFn, template: dict[str, Any]) -> dict[str, Any]:
    """The template with a few places changed, dropped or added."""
    row = deepcopy(template)
    for _ in range(draw(st.integers(0, 3))):
        place: Any = row
        for _ in range(draw(st.integers(1, 4))):
            keys = list(range(len(place))) if isinstance(place, list) else sorted(place)
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and draw(st.booleans()):
                place = place[key]
                continue
            match draw(st.sampled_from(["change", "drop", "add", "repeat"])):
                case "change":
                    place[key] = draw(VALUES)
                case "drop":
                    del place[key]
                case "add" if isinstance(place, dict):
                    place[draw(st.sampled_from(["new", "id", "Email"]))] = draw(VALUES)
                case "repeat" if isinstance(place, list):
                    place.append(deepcopy(place[key]))
            break
    return row


@pytest.fixture(scope="module")
def opened() -> Iterator[Warehouse]:
    with open_warehouse() as warehouse:
        with warehouse.transaction() as connection:
            create_tables(connection)
        yield warehouse


def as_file(feed: Feed, rows: Sequence[dict[str, Any]], path: Path) -> Path:
    if feed.mapping in {"csv", "email_messages"} or feed.format == "csv":
        names = list(dict.fromkeys(name for row in rows for name in row))
        text = io.StringIO()
        writer = csv.DictWriter(text, names, restval="")
        writer.writeheader()
        plain = [{name: "" if value is None else value for name, value in row.items()} for row in rows]
        writer.writerows(plain)
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
    else:
        path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def outcome(
    opened: Warehouse, feed: Feed, path: Path, *, trusts: bool, worth: tuple[int, int] = (1, 0)
) -> tuple[list[Any], list[Any], dict[int, int], Any]:
    mapped = map_feed(feed)
    reader = FileReader.of(mapped)
    blocks = [item for item in reader.read(path, Reading()) if isinstance(item, Block)]
    connection = opened.cursor()
    connection.execute("begin")
    replacement = Replacement(connection, mapped, [LandingFile(feed.name, date(2026, 1, 5), "f", path, 1, 1)])
    replacement.begin()
    check = BlockCheck(opened.cursor(), mapped, reader.gate, replacement, trusts, *worth)
    refused: list[Any] = []
    collapsed: dict[int, int] = {}
    filled: Counter[str] = Counter()
    for block in blocks:
        ids = pa.array([0] * block.rows.num_rows, pa.int32())
        rows = block.rows.rename_columns(["_row", *block.rows.column_names[1:]]).add_column(0, "_file_id", ids)
        result = check.check(rows, block.header)
        refused += result.refused
        collapsed |= result.collapsed
        filled.update(result.filled.get(0, {}))
    accepted = connection.execute(f"select * from staging._{feed.kind}_rows order by _row").fetchall()
    connection.execute("rollback")
    return accepted, sorted(refused, key=lambda row: row.row), collapsed, filled


@pytest.mark.parametrize("case", CASES)
@settings(max_examples=6, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_sets_and_single_rows_agree(
    opened: Warehouse, tmp_path_factory: pytest.TempPathFactory, case: str, data: st.DataObject
) -> None:
    declared, template = CASES[case]
    rows = data.draw(st.lists(changed(template), min_size=1, max_size=40))
    feed = Feed.named("feed", **declared)
    path = as_file(feed, rows, tmp_path_factory.getbasetemp() / "rows.txt")
    worth = data.draw(st.sampled_from([(1, 0), (1, 300), (1_000, 0)]))
    by_sets = outcome(opened, feed, path, trusts=True, worth=worth)
    assert by_sets == outcome(opened, feed, path, trusts=False)


@pytest.mark.parametrize("case", CASES)
def test_an_ordinary_row_is_accepted(opened: Warehouse, tmp_path: Path, case: str) -> None:
    declared, template = CASES[case]
    feed = Feed.named("feed", **declared)
    accepted, refused, *_ = outcome(opened, feed, as_file(feed, [template], tmp_path / "rows.txt"), trusts=True)
    assert (len(accepted), refused) == (1, [])
