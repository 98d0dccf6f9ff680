"""Contacts of HubSpot, e-mail activity, loyalty points, and the generic mappings."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from quality.contracts.registry import CONTRACTS
from sources.mapping import describe_mapping, mapping_ids, read_mapping


def test_hubspots_page_of_contacts_is_accepted_and_no_field_is_unknown(interpret, samples: Path) -> None:
    page = json.loads((samples / "hubspot/contacts_v3_page.json").read_text("utf-8"))
    found = interpret("hubspot_contacts", page["results"])
    assert found.unknown == set()
    assert [row["contact_id"] for row in found.rows] == ["101", "102", "104", "106", "109"]
    marta, jiro, ruoxi, _, aoife = found.rows
    assert marta["updated_at"] == datetime(2026, 3, 4, 9, 15, 22, 123000)
    assert marta["birth_on"] == date(1984, 2, 29)
    assert list(marta["merged_ids"]) == ["88", "91"]
    assert [(item["channel"], item["state"]) for item in json.loads(jiro["consents"])] == [("email", "out")]
    assert "birth_on" not in jiro
    assert (ruoxi["family_name"], ruoxi["given_name"], ruoxi["phone"]) == ("沈", "若溪", "+8619900000003")
    assert aoife["deleted_at"] == datetime(2025, 5, 25, 10)


def test_hubspots_exported_file_is_in_the_zone_of_its_account(interpret, samples: Path) -> None:
    with (samples / "hubspot/contacts_export.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    found = interpret("hubspot_contacts", rows, flat=True, format="csv", time_zone="America/Los_Angeles")
    assert found.unknown == set()
    assert [row["contact_id"] for row in found.rows] == ["101", "102", "103", "104", "105", "106", "110"]
    marta, renee, tuva = found.rows[0], found.rows[2], found.rows[4]
    assert marta["created_at"] == datetime(2024, 1, 15, 8, 2)
    assert marta["company"] == "Harbour Goods"
    assert (renee["created_at"], renee["family_name"]) == (datetime(2024, 5, 6, 7, 8), "D'Amboise")
    assert tuva["phone"] == "1.55E+09"  # destroyed by a spreadsheet: kept as it came, never an identity


def test_the_further_columns_of_an_export_are_read_too(interpret) -> None:
    row = {
        "Record ID": "20101", "First Name": "晓明", "Last Name": "陈", "Mobile Phone Number": "13912345678",
        "Gender": "Male", "Last Modified Date": "2026-01-05 10:00", "Country/Region": "United Kingdom",
        "Interests": "tea; ceramics;", "Points balance": "120", "Email consent": "true", "SMS consent": "",
        "Consent updated at": "2025-12-01 09:00", "Unsubscribed from all email": "",
        "Preferred language": "zh-CN", "WeChat UnionID": "o6_x", "Income band": "B",
    }  # fmt: skip
    found = interpret("hubspot_contacts", [row], flat=True, format="csv", time_zone="Asia/Shanghai")
    [contact] = found.rows
    assert found.unknown == set()
    assert (contact["gender"], contact["country"], contact["language"]) == ("male", "GB", "zh")
    assert contact["interests"] == ["tea", "ceramics"]
    assert contact["points_balance"] == Decimal(120)
    assert contact["wechat_unionid"] == "o6_x"
    assert [(item["channel"], item["state"], item["at"]) for item in json.loads(contact["consents"])] == [
        ("email", "in", "2025-12-01T01:00:00")
    ]


def test_whoever_left_all_mail_is_out_whatever_was_agreed_before(interpret) -> None:
    row = {"Record ID": "1", "Unsubscribed from all email": "true", "Email consent": "true", "SMS consent": "false"}
    [contact] = interpret("hubspot_contacts", [row], flat=True, format="csv").rows
    assert [(item["channel"], item["state"]) for item in json.loads(contact["consents"])] == [
        ("email", "out"),
        ("sms", "out"),
    ]


def test_every_event_of_a_message_is_a_row(interpret) -> None:
    row = {
        "message_id": "msg-1", "campaign_id": "c1", "campaign_name": "Spring", "event": "sent", "email": "a@b.example",
        "occurred_at": "2026-01-05T09:00:00Z", "customer_id": "", "cost": "0.0120", "currency": "gbp", "subject": "s",
    }  # fmt: skip
    found = interpret("email_messages", [row, row | {"event": "teleported"}, row | {"cost": "cheap"}], flat=True)
    assert found.unknown == set()
    assert found.codes == [[("message_event", "not_in_set")], [("cost_amount", "wrong_type")]]
    values = found.words[0].values
    assert (values["message_channel"], values["cost_amount"], values["currency"]) == ("email", Decimal("0.0120"), "GBP")
    assert values["source_customer_id"] is None


@pytest.mark.parametrize(
    ("kind", "points", "expected"),
    [
        ("earn", "12", "12"),
        ("Redeem", "30", "-30"),
        ("burn", "-30", "-30"),
        ("expire", "5", "-5"),
        ("adjust", "-7", "-7"),
    ],
)
def test_points_that_were_spent_or_lapsed_take_from_the_balance(
    interpret, kind: str, points: str, expected: str
) -> None:
    row = {"entry_id": "e1", "member_id": "m1", "occurred_at": "2026-01-05", "entry_kind": kind, "points": points}
    assert interpret("loyalty_entries", [row], flat=True).rows[0]["points"] == Decimal(expected)


def test_a_generic_file_is_read_by_the_fields_of_its_feed(interpret) -> None:
    fields = {"on": "date", "currency": "currency", "base_currency": "base", "rate": "rate"}
    row = {"date": "2026-01-05", "currency": "GBP", "base": "CNY", "rate": "9.1342"}
    [values] = interpret("csv", [row], flat=True, kind="exchange_rates", fields=fields).rows
    assert values == {"on": date(2026, 1, 5), "currency": "GBP", "base_currency": "CNY", "rate": Decimal("9.1342")}


def test_ga4_items_as_a_flat_file_are_read_by_a_declaration_alone(interpret, real_data: Path) -> None:
    pl = pytest.importorskip("polars")
    rows: list[dict[str, Any]] = pl.read_parquet(real_data / "ga4/ga4_items.parquet").to_dicts()
    sentinels = [{"null_if": ["(not set)", "(data deleted)", "<Other>"]}]
    key = ["user_pseudo_id", "event_timestamp", "item_id", "item_name", "price", "quantity"]
    fields = {
        "event_id": {"concat": key, "with": "/"},
        "event_kind": {"constant": "track"},
        "event_name": {"constant": "purchase"},
        "occurred_at": {"path": "event_timestamp", "then": [{"epoch": "microseconds"}]},
        "anonymous_id": "user_pseudo_id",
        "product_id": {"path": "item_id", "then": sentinels},
        "product_name": {"path": "item_name", "then": sentinels},
        "value_amount": "item_revenue",
        "currency": {"setting": "currency"},
        "country": {"path": "country", "then": sentinels},
    }
    ignored = ["event_date", "region", "mobile_*", "*_in_usd", "price", "quantity"]
    found = interpret("parquet", rows, flat=True, kind="web_events", fields=fields, ignore=ignored, currency="USD")
    assert len(found.rows) == 16003
    assert found.unknown == set()
    assert len({json.dumps(row) for row in rows}) == 16003 - 46
    assert found.rows[0]["occurred_at"] == datetime(2020, 11, 21, 5, 37, 39, 520352)
    assert found.rows[0]["anonymous_id"] == "2697787.2422183099"
    assert "product_id" not in found.rows[0]


@pytest.mark.parametrize("name", mapping_ids())
def test_every_mapping_says_what_it_is_and_where_its_fields_come_from(name: str) -> None:
    mapping = read_mapping(name)
    assert mapping.description.endswith(".")
    if mapping.kind is None:
        assert not mapping.fields
        return
    assert mapping.documentation
    contract = CONTRACTS[mapping.kind]
    named = {target.split("[")[0] for _, target, _ in describe_mapping(mapping)}
    assert named <= contract.model_fields.keys()
    assert all(source or rule for source, _, rule in describe_mapping(mapping))
