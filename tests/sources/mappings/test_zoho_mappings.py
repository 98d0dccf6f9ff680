"""Contacts, leads and deals of Zoho CRM: from the API, from bulk files, and as people export them."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

CONTACT = {
    "id": "5550000000000104", "Last_Name": "沈", "First_Name": "若溪", "Full_Name": "若溪 沈",
    "Email": "ruoxi.shen@haitang.example", "Email_Opt_Out": False, "Interests": ["家居", "户外"],
    "Account_Name": {"name": "海棠家居", "id": "5550000000000903"},
    "Owner": {"name": "Pia", "id": "55500001", "email": "p@x"},
    "Tag": [{"name": "vip", "id": "1"}], "$approved": True, "$state": "save", "$editable": True,
    "Mobile": "19900000003",
    "Date_of_Birth": "1993-11-08", "Created_Time": "2025-06-18T21:30:00+05:30",
    "Modified_Time": "2026-02-17T21:29:59+05:30",
    "Created_By": {"name": "Pia", "id": "55500001"}, "Description": None, "Lead_Source": "-None-",
}  # fmt: skip


def exported(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def consents(row: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(item["channel"], item["state"], item["at"], item["source"]) for item in json.loads(row["consents"])]


def test_an_exported_file_is_accepted_in_the_zone_of_its_organisation(interpret, samples: Path) -> None:
    rows = exported(samples / "zoho/contacts_export.csv")
    found = interpret("zoho_contacts", rows, flat=True, format="csv", time_zone="Asia/Kolkata")
    assert found.unknown == set()
    assert [row["contact_id"] for row in found.rows] == [f"5550000000000{number}" for number in range(101, 107)]
    marta, jiro, renee, ruoxi, tuva, zhiyuan = found.rows
    assert {name: marta[name] for name in marta if name != "extra"} == {
        "contact_id": "5550000000000101",
        "created_at": datetime(2024, 1, 15, 8, 2, 11),
        "updated_at": datetime(2026, 3, 4, 9, 15, 22),
        "email": "marta.lind@example.com",
        "phone": "2025550102",
        "given_name": "Marta",
        "family_name": "Lind-Okoro",
        "birth_on": date(1984, 2, 29),
        "company": "Harbour Goods",
        "interests": ["Home", "Garden"],
        "city": "Seattle",
        "country": "US",
        "lead_source": "Web Download",
    }
    assert json.loads(marta["extra"]) == {
        "secondary_email": "m.lind@example.net",
        "account_id": "5550000000000901",
        "owner_id": "5550000000000001",
        "tags": "vip,returning",
    }
    assert consents(jiro) == [("email", "out", "2026-03-04T00:00:01", "Manual")]
    assert ("lead_source" in renee, renee["company"]) == (False, 'Maison "Étoile"')
    assert (ruoxi["family_name"], ruoxi["interests"], ruoxi["country"]) == ("沈", ["家居", "户外"], "CN")
    assert (tuva["phone"], consents(tuva)) == (
        "+4755500106",
        [("email", "out", "2025-10-10T10:10:10", "Consent form")],
    )
    assert zhiyuan["phone"] == "+86-199-0000-0004"


def test_a_record_of_the_api_says_the_same_in_its_own_words(interpret) -> None:
    found = interpret("zoho_contacts", [CONTACT])
    [row] = found.rows
    assert found.unknown == set()
    assert {name: row[name] for name in row if name != "extra"} == {
        "contact_id": "5550000000000104",
        "created_at": datetime(2025, 6, 18, 16),
        "updated_at": datetime(2026, 2, 17, 15, 59, 59),
        "email": "ruoxi.shen@haitang.example",
        "phone": "19900000003",
        "given_name": "若溪",
        "family_name": "沈",
        "birth_on": date(1993, 11, 8),
        "company": "海棠家居",
        "interests": ["家居", "户外"],
    }
    assert json.loads(row["extra"])["tags"] == [{"name": "vip", "id": "1"}]


def test_a_lookup_in_a_bulk_file_is_an_id_not_a_name(interpret) -> None:
    row = {"Id": "5550000000000104", "Last_Name": "沈", "Account_Name": "5550000000000903", "Owner": "55500001"}
    [contact] = interpret("zoho_contacts", [row], flat=True, format="csv").rows
    assert "company" not in contact
    assert json.loads(contact["extra"]) == {"account_id": "5550000000000903", "owner_id": "55500001"}


def test_what_awaits_approval_is_held_and_what_was_deleted_is_marked(interpret) -> None:
    gone = {"id": "7", "deleted_time": "2026-03-01T10:00:00+08:00", "display_name": "x", "type": "recycle"}
    found = interpret("zoho_contacts", [CONTACT | {"$approved": False}, gone])
    held, deleted = found.rows
    assert found.unknown == set()
    assert json.loads(held["extra"])["is_held"] == "true"
    assert (deleted["deleted_at"], deleted["updated_at"]) == (datetime(2026, 3, 1, 2), datetime(2026, 3, 1, 2))


def test_a_lead_names_the_contact_it_became(interpret) -> None:
    lead = {"id": "9", "Full_Name": "Tuva Iversen", "Company": "Fjord Café", "Converted_Contact": {"id": "10"}}
    [row] = interpret("zoho_contacts", [lead]).rows
    assert (row["full_name"], row["company"]) == ("Tuva Iversen", "Fjord Café")
    assert json.loads(row["extra"]) == {"converted_to": "10"}


def test_headings_in_the_language_of_the_exporter_are_known(interpret) -> None:
    row = {"记录 ID": "zcrm_5", "名字": "若溪", "姓氏": "沈", "手机": "19900000003", "修改时间": "2026-02-17 23:59:59"}
    found = interpret("zoho_contacts", [row], flat=True, format="csv", time_zone="Asia/Shanghai")
    assert found.unknown == set()
    assert found.rows == [
        {
            "contact_id": "5", "given_name": "若溪", "family_name": "沈", "phone": "19900000003",
            "updated_at": datetime(2026, 2, 17, 15, 59, 59),
        }
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "won", "lost"),
    [
        ("Qualification", None, None),
        ("Closed Won", datetime(2026, 4, 1), None),
        ("Closed Lost to Competition", None, datetime(2026, 4, 1)),
    ],
)
def test_a_deals_stage_says_how_it_ended(interpret, stage: str, won: datetime | None, lost: datetime | None) -> None:
    deal = {
        "id": "1", "Deal_Name": "Shelves", "Amount": 1200.5, "Stage": stage, "Closing_Date": "2026-04-01",
        "Currency": "EUR",
        "Probability": 40, "Pipeline": "Standard (Standard)",
        "Contact_Name": {"name": "Marta", "id": "5550000000000101"},
        "Account_Name": {"name": "Harbour Goods", "id": "9"}, "Owner": {"name": "Ola", "id": "2"},
        "$currency_symbol": "€",
        "Created_Time": "2026-01-05T10:00:00-08:00", "Modified_Time": "2026-03-05T12:00:00-08:00",
    }  # fmt: skip
    found = interpret("zoho_deals", [deal])
    [row] = found.rows
    assert found.unknown == set()
    assert (row.get("won_at"), row.get("lost_at")) == (won, lost)
    assert (row["amount"], row["currency"], row["contact_id"], row["owner_id"], row["created_at"]) == (
        Decimal("1200.5"), "EUR", "5550000000000101", "2", datetime(2026, 1, 5, 18)
    )  # fmt: skip


def test_an_exported_deal_is_the_same_deal(interpret) -> None:
    row = {
        "Record Id": "zcrm_1", "Deal Owner.id": "zcrm_2", "Deal Owner": "Ola", "Amount": "1200.50",
        "Deal Name": "Shelves",
        "Closing Date": "2026-04-01", "Account Name.id": "zcrm_9", "Account Name": "Harbour Goods",
        "Stage": "Closed Won",
        "Contact Name.id": "zcrm_5550000000000101", "Contact Name": "Marta", "Modified Time": "2026-03-05 12:00:00",
    }  # fmt: skip
    found = interpret("zoho_deals", [row], flat=True, format="csv", currency="NOK")
    [deal] = found.rows
    assert found.unknown == set()
    assert (deal["deal_id"], deal["contact_id"], deal["owner_id"], deal["currency"], deal["won_at"]) == (
        "1", "5550000000000101", "2", "NOK", datetime(2026, 4, 1)
    )  # fmt: skip
