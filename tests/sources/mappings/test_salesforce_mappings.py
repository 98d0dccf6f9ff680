"""Contacts, leads and opportunities of Salesforce, as Bulk rows and as REST records."""

from __future__ import annotations

import csv
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest


def bulk_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def test_bulk_contacts_are_accepted_and_no_field_but_the_companys_own_is_unknown(interpret, samples: Path) -> None:
    found = interpret(
        "salesforce_contacts", bulk_rows(samples / "salesforce/contacts_bulk.csv"), flat=True, format="csv"
    )
    assert found.unknown == {"Preferred_Channels__c", "Loyalty_No__c"}
    assert len(found.rows) == 8
    marta, jiro, merged, renee, ruoxi, zhiyuan, aoife, test = found.rows
    assert {name: marta[name] for name in marta if name not in {"extra", "consents"}} == {
        "contact_id": "003Qv00000x1yZaIAI",
        "created_at": datetime(2024, 1, 15, 8, 2, 11),
        "updated_at": datetime(2026, 3, 4, 9, 15, 22),
        "email": "marta.lind@example.com",
        "phone": "+1 202 555 0102",
        "given_name": "Marta",
        "family_name": "Lind-Okoro",
        "birth_on": date(1984, 2, 29),
        "occupation": "Head of Retail",
        "address_line": "12 Harbour Row, Suite 4",
        "city": "Seattle",
        "region": "WA",
        "postcode": "98101",
        "country": "US",
        "lead_source": "Web",
    }
    assert jiro["contact_id"] != marta["contact_id"]  # they differ in the case of one letter
    assert jiro["updated_at"] == datetime(2026, 3, 5, 2)  # the system's change, after the last one by a person
    assert [(item["channel"], item["state"]) for item in json.loads(jiro["consents"])] == [("email", "out")]
    assert merged["deleted_at"] == datetime(2026, 3, 4, 9, 15, 20)
    assert json.loads(merged["extra"])["merged_into"] == marta["contact_id"]
    assert list(merged["merged_ids"]) == [marta["contact_id"]]
    assert json.loads(renee["extra"])["account_id"] == "001Qv00000Hk2LmIAJ"  # came with 15 letters
    assert json.loads(renee["extra"])["bounced_at"] == "2025-12-24T05:00:00.000Z"
    assert [(item["channel"], item["state"]) for item in json.loads(renee["consents"])] == [("call", "out")]
    assert (ruoxi["family_name"], ruoxi["given_name"], "full_name" in ruoxi) == ("沈", "若溪", False)
    assert json.loads(ruoxi["extra"])["is_person_account"] == "true"
    assert "consents" not in zhiyuan  # boxes that were not ticked are no consent
    assert (aoife["deleted_at"], "occupation" in aoife) == (datetime(2025, 5, 25, 10), False)  # #N/A is nothing
    assert (test["created_at"], "birth_on" in test) == (datetime(2026, 3, 5, 12), False)  # 1900-01-01 is nobody's day


def test_a_rest_record_and_a_bulk_row_of_one_contact_are_the_same(interpret, samples: Path) -> None:
    row = bulk_rows(samples / "salesforce/contacts_bulk.csv")[0]
    truths = {"true": True, "false": False}
    record: dict[str, Any] = {name: truths.get(text, text or None) for name, text in row.items()}
    record["attributes"] = {"type": "Contact", "url": "/services/data/v64.0/sobjects/Contact/003Qv00000x1yZaIAI"}
    record["Account"] = {"attributes": {"type": "Account"}, "Name": "Harbour Goods"}
    record["MailingAddress"] = {"city": "Seattle", "countryCode": None, "latitude": 47.6}
    [flat] = interpret("salesforce_contacts", [row], flat=True, format="csv").rows
    [nested] = interpret("salesforce_contacts", [record]).rows
    assert nested == flat | {"company": "Harbour Goods"}


def test_a_short_id_of_a_report_is_the_long_one_of_the_interface(interpret) -> None:
    rows = [{"Id": "003Qv00000x1yZa"}, {"Id": "003Qv00000x1yZA"}, {"Id": "003Qv00000x1yZaIAI"}]
    ids = [row["contact_id"] for row in interpret("salesforce_contacts", rows).rows]
    assert ids == ["003Qv00000x1yZaIAI", "003Qv00000x1yZAIAY", "003Qv00000x1yZaIAI"]


def test_a_whole_name_is_read_where_its_parts_were_not_exported(interpret) -> None:
    [row] = interpret("salesforce_contacts", [{"Id": "003Qv00000x1yZa", "Name": "Marta Lind", "Email": None}]).rows
    assert row["full_name"] == "Marta Lind"


def test_bulk_leads_name_the_contact_they_became(interpret, samples: Path) -> None:
    found = interpret("salesforce_leads", bulk_rows(samples / "salesforce/leads_bulk.csv"), flat=True, format="csv")
    assert found.unknown == set()
    marta, zhiyuan, merged, tuva, yingxue = found.rows
    assert json.loads(marta["extra"]) == {
        "converted_to": "003Qv00000x1yZaIAI",
        "converted_on": "2024-01-15",
        "opportunity_id": "006Qv00000Op01aIAB",
        "lead_status": "Closed - Converted",
    }
    assert "company" not in zhiyuan
    assert (zhiyuan["phone"], zhiyuan["lead_source"]) == ("19900000004", "WeChat")
    assert merged["deleted_at"] == datetime(2025, 7, 1)
    assert json.loads(merged["extra"])["merged_into"] == zhiyuan["contact_id"]
    assert [(item["channel"], item["state"]) for item in json.loads(tuva["consents"])] == [("email", "out")]
    assert (yingxue["company"], yingxue["updated_at"]) == ("海棠家居", datetime(2026, 2, 20, 2, 30))


def an_opportunity(**fields: Any) -> dict[str, Any]:
    return {
        "attributes": {"type": "Opportunity"}, "Id": "006Qv00000Op01a", "Name": "Spring shelves", "Amount": 1200.5,
        "StageName": "Negotiation", "IsClosed": False, "IsWon": False, "IsDeleted": False, "CloseDate": "2026-04-01",
        "CreatedDate": "2026-01-05T10:00:00.000+0000", "SystemModstamp": "2026-03-05T12:00:00.000+0000",
        "OwnerId": "005Qv000000aB1xIAE", "ContactId": "003Qv00000x1yZa", "CurrencyIsoCode": "EUR",
    } | fields  # fmt: skip


@pytest.mark.parametrize(
    ("fields", "won", "lost"),
    [
        ({}, None, None),
        ({"IsClosed": True, "IsWon": True}, datetime(2026, 4, 1), None),
        ({"IsClosed": True}, None, datetime(2026, 4, 1)),
        ({"IsClosed": "true", "IsWon": "TRUE"}, datetime(2026, 4, 1), None),
        ({"IsDeleted": True}, None, datetime(2026, 3, 5, 12)),
        ({"IsWon": True}, None, None),
    ],
)
def test_an_opportunity_is_won_when_it_is_closed_and_won(
    interpret, fields: dict[str, Any], won: Any, lost: Any
) -> None:
    found = interpret("salesforce_opportunities", [an_opportunity(**fields)])
    [row] = found.rows
    assert found.unknown == set()
    assert (row.get("won_at"), row.get("lost_at")) == (won, lost)


def test_an_amount_of_nothing_is_not_an_amount_of_zero_and_keeps_its_currency(interpret) -> None:
    none, zero, single = interpret(
        "salesforce_opportunities",
        [an_opportunity(Amount=None), an_opportunity(Amount=0), an_opportunity(CurrencyIsoCode=None)],
        currency="USD",
    ).rows
    assert ("amount" in none, zero["amount"], single["amount"]) == (False, Decimal(0), Decimal("1200.5"))
    assert (zero["currency"], single["currency"], zero["contact_id"]) == ("EUR", "USD", "003Qv00000x1yZaIAI")
