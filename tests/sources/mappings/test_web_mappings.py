"""Web events of Segment, RudderStack, Snowplow and GA4."""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sources.mapping import read_mapping

CALL = {"messageId": "m1", "type": "track", "timestamp": "2026-01-05T10:00:00.000Z"}


def a_call(**fields: Any) -> dict[str, Any]:
    return CALL | fields


def test_segments_documented_calls_are_accepted_and_only_free_properties_are_reported(interpret, samples: Path) -> None:
    calls = [
        row for file in sorted((samples / "segment").glob("*.json")) for row in json.loads(file.read_text("utf-8"))
    ]
    found = interpret("segment", [CALL | call for call in calls])
    assert len(found.rows) == len(calls)
    assert found.unknown == {"properties.variation"}


def test_segments_identify_call_says_who_the_person_is(interpret, samples: Path) -> None:
    [row] = interpret("segment", json.loads((samples / "segment/identify.json").read_text("utf-8"))).rows
    assert row["occurred_at"] == datetime(2015, 2, 23, 22, 28, 55, 111000)
    assert row["received_at"] == datetime(2015, 2, 23, 22, 28, 55, 387000)
    assert {
        name: row[name] for name in ("event_kind", "anonymous_id", "source_user_id", "email", "full_name", "city")
    } == {
        "event_kind": "identify",
        "anonymous_id": "507f191e810c19729de860ea",
        "source_user_id": "97980cfea0067",
        "email": "peter@example.com",
        "full_name": "Peter Gibbons",
        "city": "San Francisco",
    }


def test_the_name_of_a_group_is_nobodys_name(interpret, samples: Path) -> None:
    [row] = interpret("segment", json.loads((samples / "segment/group.json").read_text("utf-8"))).rows
    assert not row.keys() & {"full_name", "given_name", "email"}
    assert row["extra"] == '{"group_id":"0e8c78ea9d97a7b8185e8632"}'


def test_the_corrected_time_wins_over_the_devices_own(interpret) -> None:
    call = a_call(
        originalTimestamp="2026-01-05T09:00:00Z", sentAt="2026-01-05T09:00:01Z", receivedAt="2026-01-05T10:00:01Z"
    )
    assert interpret("segment", [call]).rows[0]["occurred_at"] == datetime(2026, 1, 5, 10)
    del call["timestamp"]
    assert interpret("segment", [call]).rows[0]["occurred_at"] == datetime(2026, 1, 5, 10)
    del call["sentAt"]
    assert interpret("segment", [call]).rows[0]["occurred_at"] == datetime(2026, 1, 5, 9)


@pytest.mark.parametrize(
    ("properties", "amount"),
    [
        ({"total": 30, "revenue": 25.0, "value": 1}, "30"),
        ({"revenue": 25.5, "value": 1}, "25.5"),
        ({"value": 18.99}, "18.99"),
    ],
)
def test_an_order_is_worth_its_total_else_its_revenue_and_never_both(
    interpret, properties: dict[str, Any], amount: str
) -> None:
    call = a_call(event="Order Completed", properties=properties | {"order_id": 7, "currency": "usd"})
    [row] = interpret("segment", [call]).rows
    assert (row["value_amount"], row["currency"], row["order_id"]) == (Decimal(amount), "USD", "7")


def test_the_name_of_a_promotion_is_no_products_name(interpret) -> None:
    viewed = a_call(
        event="Product Viewed", properties={"product_id": "p1", "name": "Lantern", "url": "https://x.example/p1"}
    )
    promoted = a_call(event="Promotion Viewed", properties={"name": "Sale"})
    product, promotion = interpret("segment", [viewed, promoted]).rows
    assert (product["product_id"], product["product_name"]) == ("p1", "Lantern")
    assert "url" not in product
    assert "product_name" not in promotion


def test_traits_are_read_in_camel_and_snake_case(interpret) -> None:
    camel = a_call(type="identify", traits={"firstName": "Marta", "lastName": "Lind"})
    snake = a_call(type="identify", traits={"first_name": "Marta", "last_name": "Lind"})
    for row in interpret("segment", [camel, snake]).rows:
        assert (row["given_name"], row["family_name"]) == ("Marta", "Lind")


def test_a_trait_left_out_is_unchanged_and_one_that_is_null_is_cleared(deliver) -> None:
    calls = [
        a_call(
            type="identify", userId="u1", messageId="m1", traits={"email": "a@b.example", "phone": None, "name": None}
        ),
        a_call(type="identify", messageId="m2", traits={"email": "a@b.example"}),
        a_call(type="identify", messageId="m3", traits={"email": ""}),
        a_call(type="identify", messageId="m4", traits=None),
    ]
    for mapping in ("segment", "rudderstack"):
        rows = deliver(mapping, "\n".join(map(json.dumps, calls))).rows
        assert [(row.get("email"), row.get("extra")) for row in rows] == [
            ("a@b.example", '{"cleared":"phone,full_name"}'),
            ("a@b.example", None),
            (None, None),
            (None, None),
        ]


@pytest.mark.parametrize("mapping", ["segment", "rudderstack"])
def test_a_property_of_an_unexpected_type_is_kept_and_no_error(deliver, mapping: str) -> None:
    properties: list[dict[str, Any]] = [
        {"value": "blue"},
        {"category": ["a", "b"]},
        {"total": "n/a", "revenue": 12, "currency": "USD"},
        {"value": 12, "currency": "gems"},
        {"subtotal": "x", "tax": 1},
        {"email": True},
    ]
    calls = [a_call(messageId=str(number), properties=item) for number, item in enumerate(properties)]
    found = deliver(mapping, "\n".join(map(json.dumps, calls)), currency="GBP")
    assert found.refused == {}
    told = [(row.get("value_amount"), row.get("category"), row.get("currency"), row.get("extra")) for row in found.rows]
    assert told == [
        (None, None, "GBP", '{"properties.value":"blue"}'),
        (None, None, "GBP", '{"properties.category":["a","b"]}'),
        (Decimal(12), None, "USD", '{"properties.total":"n/a"}'),
        (None, None, None, '{"properties.currency":"gems","properties.value":12}'),
        (None, None, "GBP", '{"properties.subtotal":"x","properties.tax":1}'),
        (None, None, "GBP", None),
    ]


def test_a_free_column_of_a_warehouse_table_is_kept_too(deliver) -> None:
    rows = ["id,received_at,event,value,currency", "1,2026-01-05 10:00:00,x,blue,", "2,2026-01-05 10:00:00,x,3,GBP"]
    table = "\n".join(rows)
    found = deliver("segment", table, format="csv")
    assert [(row.get("value_amount"), row.get("extra")) for row in found.rows] == [
        (None, '{"value":"blue"}'),
        (Decimal(3), None),
    ]


def test_an_unknown_call_or_a_broken_id_is_refused(interpret) -> None:
    calls = [a_call(type="purchase"), a_call(userId={"id": 1}), a_call(messageId=None), a_call(timestamp="yesterday")]
    assert interpret("segment", calls).codes == [
        [("event_kind", "not_in_set")],
        [("source_user_id", "wrong_type")],
        [("event_id", "missing")],
        [("occurred_at", "bad_format")],
    ]


def test_rudderstacks_documented_calls_are_accepted(interpret, samples: Path) -> None:
    calls = [
        row for file in sorted((samples / "rudderstack").glob("*.json")) for row in json.loads(file.read_text("utf-8"))
    ]
    found = interpret("rudderstack", [CALL | call for call in calls])
    assert len(found.rows) == len(calls)
    assert found.unknown == {"properties.prop_key"}


def test_rudderstacks_own_calls_carry_the_original_time_alone(interpret, samples: Path) -> None:
    rows = interpret("rudderstack", json.loads((samples / "rudderstack/common-fields.json").read_text("utf-8"))).rows
    assert [row["occurred_at"] for row in rows] == [datetime(2020, 1, 9, 10, 1, 53, 558000)] * 3
    assert [row.get("device_kind") for row in rows] == [None, "android", "iOS"]


def test_rudderstacks_merge_call_ties_an_id_to_mail_and_phone(interpret, samples: Path) -> None:
    [merge] = json.loads((samples / "rudderstack/merge.json").read_text("utf-8"))
    [row] = interpret("rudderstack", [CALL | merge]).rows
    assert {name: row[name] for name in ("event_kind", "source_user_id", "email", "phone")} == {
        "event_kind": "alias",
        "source_user_id": "1hKOmRA4GRlm",
        "email": "alex@example.com",
        "phone": "+1-202-555-0146",
    }


def test_traits_in_the_context_stand_in_for_those_on_top(interpret) -> None:
    call = a_call(
        type="identify", traits={"email": "a@b.example"}, context={"traits": {"email": "old@b.example", "phone": "1"}}
    )
    [row] = interpret("rudderstack", [call]).rows
    assert (row["email"], row["phone"]) == ("a@b.example", "1")


def test_snowplows_sample_line_has_its_131_columns(interpret, samples: Path) -> None:
    columns = read_mapping("snowplow_tsv").columns
    cells = (samples / "snowplow/enriched_event.tsv").read_text("utf-8").rstrip("\n").split("\t")
    assert (samples / "snowplow/enriched_columns.txt").read_text("utf-8").split() == list(columns)
    found = interpret("snowplow_tsv", [dict(zip(columns, (cell or None for cell in cells), strict=True))], flat=True)
    [row] = found.rows
    assert found.unknown == set()
    assert {
        name: row[name] for name in ("event_id", "event_kind", "occurred_at", "received_at", "session_id", "path")
    } == {
        "event_id": "c6ef3124-b53a-4b13-a233-0088f79dcbcb",
        "event_kind": "page",
        "occurred_at": datetime(2013, 11, 26, 0, 3, 57, 886000),
        "received_at": datetime(2013, 11, 26, 0, 2, 5),
        "session_id": "2b15e5c8-d3b1-11e4-b9d6-1681e6b88ec1",
        "path": "/product/index.html",
    }


def test_snowplows_real_events_are_all_accepted_and_no_column_is_unknown(interpret, real_data: Path) -> None:
    rows = pl.read_parquet(real_data / "snowplow/snowplow_web_events.parquet").to_dicts()
    found = interpret("snowplow_tsv", rows, flat=True, format="parquet")
    assert len(found.rows) == 160
    assert found.unknown == set()
    assert len({row["event_id"] for row in found.rows}) == 157
    assert Counter(row["event_kind"] for row in found.rows) == {"track": 110, "page": 50}
    assert Counter(row["event_name"] for row in found.rows)["page_ping"] == 8


def _param(key: str, **value: Any) -> dict[str, Any]:
    return {
        "key": key,
        "value": {"string_value": None, "int_value": None, "float_value": None, "double_value": None} | value,
    }


GA4 = {
    "event_date": "20201121",
    "event_timestamp": "1605937059520352",
    "event_name": "purchase",
    "event_bundle_sequence_id": "12",
    "user_id": None,
    "user_pseudo_id": "2697787.2422183099",
    "event_params": [
        _param("page_location", string_value="https://shop.example/thanks"),
        _param("ga_session_id", int_value="1605936000"),
        _param("currency", string_value="usd"),
        _param("value", double_value=24.0),
    ],
    "device": {"category": "mobile", "language": "en-us", "mobile_brand_name": "<Other>"},
    "geo": {"country": "Sri Lanka", "city": "(not set)"},
    "traffic_source": {"source": "(direct)", "medium": "(none)"},
    "collected_traffic_source": {"manual_source": "newsletter", "manual_medium": "(not set)", "gclid": "x"},
    "ecommerce": {"transaction_id": "T1", "purchase_revenue": 24, "unique_items": 1},
    "items": [{"item_id": "(not set)", "item_name": "Pin", "price": 24}],
    "privacy_info": {"analytics_storage": "Yes"},
    "stream_id": "1",
    "platform": "WEB",
}


def test_a_ga4_event_gets_an_id_a_time_and_the_values_of_its_parameters(interpret) -> None:
    found = interpret("ga4_events", [GA4])
    [row] = found.rows
    assert found.unknown == set()
    assert row == {
        "event_id": "2697787.2422183099/1605937059520352/purchase/12",
        "event_kind": "track",
        "event_name": "purchase",
        "occurred_at": datetime(2020, 11, 21, 5, 37, 39, 520352),
        "anonymous_id": "2697787.2422183099",
        "session_id": "2697787.2422183099.1605936000",
        "url": "https://shop.example/thanks",
        "utm_source": "newsletter",
        "order_id": "T1",
        "value_amount": Decimal(24),
        "currency": "USD",
        "device_kind": "mobile",
        "locale": "en-us",
        "country": "Sri Lanka",
    }


def test_a_ga4_event_without_session_or_consent_has_no_session_and_no_visitor(interpret) -> None:
    event = GA4 | {"event_params": [], "user_pseudo_id": None, "event_name": "page_view"}
    [row] = interpret("ga4_events", [event]).rows
    assert row["event_kind"] == "page"
    assert not row.keys() & {"session_id", "anonymous_id", "source_user_id"}


def test_what_ga4_does_not_know_is_no_value(deliver) -> None:
    unknown = [
        _param("page_title", string_value="(not set)"),
        _param("page_referrer", string_value="(data deleted)"),
        _param("search_term", string_value="<Other>"),
    ]
    event = {
        "event_name": "view_item",
        "event_params": unknown,
        "items": [{"item_id": "(not set)", "item_name": "<Other>", "item_category": "(data deleted)"}],
        "device": {"category": "(not set)", "language": "(not set)"},
        "geo": {"country": "<Other>", "city": "(data deleted)"},
        "ecommerce": {"transaction_id": "(data deleted)"},
    }
    [row] = deliver("ga4_events", json.dumps(GA4 | event)).rows
    assert row.keys() == {"event_id", "event_kind", "event_name", "occurred_at", "anonymous_id", "utm_source"}


def test_bigquerys_files_of_lines_and_of_nested_columns_say_the_same(deliver, tmp_path: Path) -> None:
    column = {
        "event_params": pa.list_(
            pa.struct(
                [
                    ("key", pa.string()),
                    (
                        "value",
                        pa.struct(
                            [
                                ("string_value", pa.string()),
                                ("int_value", pa.int64()),
                                ("float_value", pa.float64()),
                                ("double_value", pa.float64()),
                            ]
                        ),
                    ),
                ]
            )
        ),
        "items": pa.list_(pa.struct([("item_id", pa.string()), ("item_name", pa.string()), ("price", pa.float64())])),
    }
    typed = GA4 | {"event_timestamp": 1605937059520352, "event_bundle_sequence_id": 12}
    typed["event_params"] = [
        {"key": param["key"], "value": param["value"] | {"int_value": int(number) if number else None}}
        for param in GA4["event_params"]
        for number in [param["value"]["int_value"]]
    ]
    typed["traffic_source"] = {"source": "(direct)", "medium": "(none)"}
    refund = typed | {"event_name": "refund", "ecommerce": {"transaction_id": "T1", "refund_value": 24.5}}
    rows = [typed, refund]
    names = sorted(set(typed) - {"user_id"})
    arrays = {
        name: pa.array([row[name] for row in rows], column.get(name))  # type: ignore[arg-type]
        for name in names
    }
    pq.write_table(pa.table(arrays), tmp_path / "events.parquet")
    nested = deliver("ga4_events", tmp_path / "events.parquet", format="parquet")
    lines = deliver("ga4_events", "\n".join(json.dumps(row) for row in (GA4, GA4 | refund)))
    assert (nested.unknown, nested.refused) == (set(), {})
    assert nested.rows == lines.rows
    assert [(row["event_name"], row["value_amount"], row["order_id"]) for row in nested.rows] == [
        ("purchase", Decimal(24), "T1"),
        ("refund", Decimal("24.5"), "T1"),
    ]
    assert nested.rows[0]["session_id"] == "2697787.2422183099.1605936000"


def test_snowplows_times_are_utc_whatever_the_feeds_zone_and_spiders_are_told(deliver, samples: Path) -> None:
    cells = (samples / "snowplow/enriched_event.tsv").read_text("utf-8").rstrip("\n").split("\t")
    columns = read_mapping("snowplow_tsv").columns
    spider = list(cells)
    spider[columns.index("derived_contexts")] = '{"data":[{"schema":"iglu:x","data":{"spiderOrRobot":true}}]}'
    found = deliver("snowplow_tsv", "\n".join(map("\t".join, [cells, spider])), time_zone="Asia/Shanghai")
    assert found.refused == {}
    assert [row["received_at"] for row in found.rows] == [datetime(2013, 11, 26, 0, 2, 5)] * 2
    assert [json.loads(row.get("extra", "{}")).get("robot") for row in found.rows] == [None, "true"]
