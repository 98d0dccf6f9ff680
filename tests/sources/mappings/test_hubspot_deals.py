"""Deals of HubSpot, from the API and as exported."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest

CLOSED = datetime(2026, 4, 1, 8, 30)


def a_deal(**properties: Any) -> dict[str, Any]:
    return {
        "id": "7001",
        "properties": {
            "dealname": "Shelves", "amount": "1200.50", "deal_currency_code": "EUR", "dealstage": "qualifiedtobuy",
            "pipeline": "default", "closedate": "2026-04-01T08:30:00Z", "createdate": "2026-01-05T10:00:00.000Z",
            "hs_lastmodifieddate": "2026-03-05T12:00:00.000Z", "hs_object_id": "7001", "hubspot_owner_id": "41",
            "hs_is_closed_won": "false", "hs_is_closed": "false",
        } | properties,
        "createdAt": "2026-01-05T10:00:00.000Z", "updatedAt": "2026-03-05T12:00:00.000Z", "archived": False,
        "associations": {"contacts": {"results": [{"id": "101", "type": "deal_to_contact"}]}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "won", "lost"),
    [
        ({}, None, None),
        ({"hs_is_closed_won": "true", "hs_is_closed": "true"}, CLOSED, None),
        ({"hs_is_closed": "true"}, None, CLOSED),
        ({"hs_is_closed_won": None, "dealstage": "closedlost"}, None, CLOSED),
        ({"hs_is_closed_won": None, "dealstage": "closedwon", "closedate": "1775032200000"}, CLOSED, None),
    ],
)
def test_a_deal_is_won_or_lost_on_the_day_it_closed(
    interpret, properties: dict[str, Any], won: datetime | None, lost: datetime | None
) -> None:
    found = interpret("hubspot_deals", [a_deal(**properties)])
    [row] = found.rows
    assert found.unknown == set()
    assert (row.get("won_at"), row.get("lost_at")) == (won, lost)
    assert (row["amount"], row["currency"], row["contact_id"]) == (Decimal("1200.5"), "EUR", "101")


def test_an_archived_deal_ended_without_being_won(interpret) -> None:
    [row] = interpret("hubspot_deals", [a_deal() | {"archived": True, "archivedAt": "2026-03-06T00:00:00Z"}]).rows
    assert (row["lost_at"], row["lost_reason"]) == (datetime(2026, 3, 6), "archived")


def test_an_exported_deal_is_in_the_zone_of_its_account(interpret) -> None:
    row = {
        "Record ID": "7001", "Deal Name": "Shelves", "Deal Stage": "Closed won (Sales Pipeline)",
        "Close Date": "2026-04-01 01:30",
        "Amount": "1200.5", "Pipeline": "Sales Pipeline", "Create Date": "2026-01-05 02:00",
        "Deal owner": "Ola Nordby",
        "Is Closed Won": "true", "Associated Contact IDs": "101;102", "Associated Contact": "Marta",
        "Last Activity Date": "",
    }  # fmt: skip
    found = interpret("hubspot_deals", [row], flat=True, format="csv", time_zone="America/Los_Angeles", currency="USD")
    [deal] = found.rows
    assert found.unknown == set()
    assert (deal["won_at"], deal["contact_id"], deal["currency"]) == (CLOSED, "101", "USD")
    assert json.loads(deal["extra"])["pipeline"] == "Sales Pipeline"
