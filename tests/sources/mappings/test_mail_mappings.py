"""What mail tools tell: HubSpot's e-mail events, Mailchimp's members and activity, Marketo's activities."""

from __future__ import annotations

import gzip
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

MARTA = "fd070fe8cb58278b68810b07cae64667"


def consents(row: dict[str, Any]) -> list[tuple[str, str, str | None, str | None]]:
    return [(item["channel"], item["state"], item["at"], item["source"]) for item in json.loads(row["consents"])]


def test_hubspots_page_of_mail_events_is_read_event_by_event(deliver, samples: Path) -> None:
    found = deliver("hubspot_email_events", samples / "hubspot/email_events.json")
    assert (len(found.rows), found.refused, found.unknown) == (13, {}, set())
    assert [row["message_event"] for row in found.rows] == [
        "sent", "other", "delivered", "opened", "opened", "opened", "clicked", "sent", "dropped", "sent", "bounced",
        "unsubscribed", "complained",
    ]  # fmt: skip
    first = "7c1e2f10-0000-4000-8000-000000000001"
    assert {row["message_id"] for row in found.rows[:7]} == {first}
    assert [row.get("is_bot") for row in found.rows[3:7]] == [True, False, False, False]
    click, dropped, bounced, unsubscribed = (found.rows[place] for place in (6, 8, 10, 11))
    assert (click["occurred_at"], click["email"], click["campaign_id"]) == (
        datetime(2026, 3, 4, 5, 53, 40), "marta.lind@example.com", "33001122"
    )  # fmt: skip
    assert json.loads(click["extra"])["url"] == "https://shop.example/spring?utm_source=hs_email"
    assert json.loads(dropped["extra"])["reason"] == "PREVIOUSLY_UNSUBSCRIBED_MESSAGE"
    assert json.loads(bounced["extra"])["status"] == "5.1.1"
    assert unsubscribed["message_id"] == "7c1e2f10-0000-4000-8000-000000000012"


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ({"type": "STATUSCHANGE", "portalSubscriptionStatus": "SUBSCRIBED"}, "other"),
        ({"type": "UNBOUNCE", "recipient": None}, "other"),
        ({"type": "DEFERRED"}, "deferred"),
        ({"type": "open"}, "opened"),
    ],
)
def test_every_kind_of_mail_event_has_a_word(deliver, event: dict[str, Any], expected: str) -> None:
    found = deliver("hubspot_email_events", [{"id": "e", "created": 1772600000000} | event])
    assert [row["message_event"] for row in found.rows] == [expected]


def test_the_name_of_mailchimps_file_says_what_its_members_agreed_to(deliver, samples: Path) -> None:
    found = deliver("mailchimp_members", samples / "mailchimp/subscribed_members_export.csv")
    assert (len(found.rows), found.refused, found.unknown) == (5, {}, set())
    marta, ruoxi, *_, nobody = found.rows
    assert {name: marta[name] for name in marta if name not in {"extra", "consents"}} == {
        "contact_id": MARTA,
        "created_at": datetime(2024, 1, 15, 8, 5),
        "updated_at": datetime(2026, 3, 4, 9, 15, 22),
        "email": "Marta.Lind@example.com",
        "phone": "(202) 555-0101",
        "given_name": "Marta",
        "family_name": "Lind-Okoro",
        "interests": ["Home", "Garden"],
        "region": "WA",
        "country": "US",
    }
    assert json.loads(marta["extra"]) == {
        "status": "subscribed", "birthday": "02/29", "rating": "4", "tags": "VIP; Spring 2026"
    }  # fmt: skip
    assert consents(ruoxi) == [("email", "in", "2025-06-18T16:03:10", None)]
    assert "given_name" not in nobody


def test_who_left_or_bounced_did_not_agree(deliver, samples: Path) -> None:
    left = deliver(
        "mailchimp_members", samples / "mailchimp/unsubscribed_members_export.csv", time_zone="Asia/Shanghai"
    )
    bounced = deliver("mailchimp_members", samples / "mailchimp/cleaned_members_export.csv")
    assert (left.unknown, bounced.unknown, left.refused, bounced.refused) == (set(), set(), {}, {})
    assert [consents(row) for row in left.rows] == [
        [("email", "out", "2026-03-04T00:00:01", "NORMAL")],
        [("email", "out", "2025-10-10T10:10:10", "ABUSE")],
    ]
    assert [consents(row) for row in bounced.rows] == [[("email", "unknown", None, None)]]
    assert json.loads(bounced.rows[0]["extra"])["cleaned_at"] == "2025-12-24T05:00:00.000000Z"


def test_columns_tell_the_status_where_the_files_name_does_not(deliver, samples: Path) -> None:
    text = (samples / "mailchimp/unsubscribed_members_export.csv").read_text("utf-8")
    assert {consents(row)[0][1] for row in deliver("mailchimp_members", text).rows} == {"out"}
    assert {consents(row)[0][1] for row in deliver("mailchimp_members", "Email Address\na@b.example\n").rows} == {
        "unknown"
    }


def a_member(**fields: Any) -> dict[str, Any]:
    return {
        "id": MARTA, "email_address": "Marta.Lind@example.com", "unique_email_id": "a1", "contact_id": "c1",
        "web_id": 5,
        "full_name": "Marta Lind-Okoro", "email_type": "html", "status": "subscribed", "list_id": "9f8e7d6c5b",
        "merge_fields": {"FNAME": "Marta", "LNAME": "Lind-Okoro", "PHONE": "", "BIRTHDAY": "02/29", "ADDRESS": ""},
        "stats": {"avg_open_rate": 0.5}, "ip_opt": "192.0.2.10", "timestamp_opt": "2024-01-15T08:05:00+00:00",
        "timestamp_signup": "", "member_rating": 4, "last_changed": "2026-03-04T09:15:22+00:00", "language": "en_US",
        "vip": False, "location": {"latitude": 47.6, "country_code": "US"}, "tags": [{"id": 1, "name": "VIP"}],
        "tags_count": 1, "source": "Signup form", "interests": {"ab12": True}, "_links": [],
    } | fields  # fmt: skip


def test_a_member_of_the_api_is_the_same_person_of_a_named_audience(deliver) -> None:
    page = {"members": [a_member()], "list_id": "9f8e7d6c5b", "total_items": 1, "_links": []}
    found = deliver("mailchimp_members", page)
    [row] = found.rows
    assert found.unknown == set()
    assert (row["contact_id"], row["language"], row["country"]) == (f"9f8e7d6c5b/{MARTA}", "en", "US")
    assert consents(row) == [("email", "in", "2024-01-15T08:05:00", None)]
    assert ("full_name" in row, "phone" in row, "address_line" in row) == (False, False, False)


@pytest.mark.parametrize(
    ("status", "state", "is_deleted"),
    [
        ("unsubscribed", "out", False), ("pending", "pending", False), ("cleaned", "unknown", False),
        ("transactional", "unknown", False), ("archived", "unknown", True),
    ],
)  # fmt: skip
def test_a_members_status_is_what_they_agreed_to(deliver, status: str, state: str, is_deleted: bool) -> None:
    [row] = deliver("mailchimp_members", a_member(status=status)).rows
    assert (consents(row)[0][1], "deleted_at" in row) == (state, is_deleted)


def test_each_entry_of_mailchimps_activity_is_an_event_and_an_empty_list_is_none(deliver, samples: Path) -> None:
    found = deliver("mailchimp_activity", samples / "mailchimp/email_activity.json")
    assert (len(found.rows), found.refused, found.unknown) == (8, {}, set())
    assert [(row["message_event"], row.get("is_bot")) for row in found.rows] == [
        ("opened", True), ("opened", None), ("clicked", None), ("opened", None), ("opened", None), ("bounced", None),
        ("bounced", None), ("opened", None),
    ]  # fmt: skip
    click = found.rows[2]
    assert {name: click[name] for name in click if name != "extra"} == {
        "message_id": f"c0ffee0001/{MARTA}",
        "campaign_id": "c0ffee0001",
        "message_channel": "email",
        "message_event": "clicked",
        "occurred_at": datetime(2026, 3, 4, 6, 13, 40),
        "email": "marta.lind@example.com",
        "source_customer_id": f"9f8e7d6c5b/{MARTA}",
    }
    assert json.loads(found.rows[5]["extra"])["bounce"] == "hard"


def test_those_who_unsubscribed_from_a_campaign_and_those_who_complained(deliver) -> None:
    who = {"email_id": MARTA, "email_address": "m@b.example", "campaign_id": "c1", "list_id": "l1"}
    left = who | {"timestamp": "2026-03-04T00:00:01+00:00", "reason": "None given", "list_is_active": True}
    angry = who | {"timestamp": "2026-03-04T00:00:02+00:00", "reason": "Spam complaint"}
    found = deliver("mailchimp_activity", {"unsubscribes": [left, angry], "campaign_id": "c1", "total_items": 2})
    assert [row["message_event"] for row in found.rows] == ["unsubscribed", "complained"]


ACTIVITIES: list[dict[str, Any]] = [
    {
        "id": 1, "marketoGUID": "700001", "leadId": 3301, "activityDate": "2026-03-04T06:13:40Z",
        "activityTypeId": 11,
        "campaignId": 91, "primaryAttributeValueId": 812, "primaryAttributeValue": "Spring.News",
        "attributes": [
            {"name": "Link", "value": "https://shop.example/spring"}, {"name": "Is Bot Activity", "value": "true"},
            {"name": "Campaign Run ID", "value": "55"},
        ],
    },
    {
        "id": 2, "marketoGUID": "700002", "leadId": 3301, "activityDate": "2026-03-04T06:10:00Z", "activityTypeId": 6,
        "primaryAttributeValueId": 812, "primaryAttributeValue": "Spring.News",
        "attributes": [{"name": "Campaign Run ID", "value": "55"}],
    },
    {
        "id": 3, "marketoGUID": "700003", "leadId": 3302, "activityDate": "2026-03-04T07:00:00Z",
        "activityTypeId": 13,
        "primaryAttributeValueId": 7, "primaryAttributeValue": "Unsubscribed",
        "attributes": [{"name": "Old Value", "value": "false"}, {"name": "New Value", "value": True}],
    },
    {
        "id": 4, "marketoGUID": "700004", "leadId": 3301, "activityDate": "2026-03-04T08:00:00Z",
        "activityTypeId": 32,
        "primaryAttributeValueId": 3301, "primaryAttributeValue": "Marta",
        "attributes": [{"name": "Merge IDs", "value": "3305, 3306"}],
    },
    {
        "id": 5, "marketoGUID": "700005", "leadId": 3303, "activityDate": "2026-03-04T09:00:00Z",
        "activityTypeId": 27,
        "primaryAttributeValueId": 812, "primaryAttributeValue": "Spring.News", "attributes": [],
    },
]  # fmt: skip


def test_marketos_activities_on_mails_are_events_and_all_others_are_kept(deliver) -> None:
    found = deliver(
        "marketo_activities", {"requestId": "r", "success": True, "result": ACTIVITIES, "moreResult": False}
    )
    assert (found.refused, found.unknown) == ({}, set())
    click, sent, left, merged, bounced = found.rows
    assert [row["message_event"] for row in found.rows] == ["clicked", "sent", "unsubscribed", "other", "bounced"]
    assert click["message_id"] == sent["message_id"] == "3301/812/55"
    assert {name: click[name] for name in click if name != "extra"} == {
        "message_id": "3301/812/55",
        "campaign_id": "812",
        "campaign_name": "Spring.News",
        "message_channel": "email",
        "message_event": "clicked",
        "occurred_at": datetime(2026, 3, 4, 6, 13, 40),
        "source_customer_id": "3301",
        "is_bot": True,
    }
    assert json.loads(click["extra"])["url"] == "https://shop.example/spring"
    assert (left["message_id"], bounced["message_id"]) == ("700003", "3303/812")
    assert (merged["source_customer_id"], merged["merged_ids"]) == ("3301", ["3305", "3306"])
    assert "merged_ids" not in click


def test_a_bulk_file_of_marketo_has_the_attributes_in_a_cell(deliver) -> None:
    names = ["marketoGUID", "leadId", "activityDate", "activityTypeId", "campaignId", "primaryAttributeValueId",
             "primaryAttributeValue", "attributes"]  # fmt: skip
    lines = [",".join(names)]
    for activity in ACTIVITIES:
        cells = [json.dumps(activity["attributes"]), *(str(activity.get(name, "null")) for name in names[:-1])]
        lines.append(",".join('"' + cell.replace('"', '""') + '"' for cell in (*cells[1:], cells[0])))
    found = deliver("marketo_activities", gzip.compress("\n".join(lines).encode()))
    objects = deliver("marketo_activities", {"result": [a | {"id": None} for a in ACTIVITIES]})
    assert (found.refused, found.unknown) == ({}, set())
    assert found.rows == objects.rows


def test_a_cell_that_should_be_json_and_is_not_is_told(deliver) -> None:
    headings = "marketoGUID,leadId,activityDate,activityTypeId,primaryAttributeValueId,attributes"
    table = f'{headings}\n1,2,2026-03-04T06:13:40Z,11,3,"[{{"\n'
    assert [code for _, code in deliver("marketo_activities", table).refused[1]] == ["wrong_type"] * 4


def test_a_failure_that_came_with_success_is_no_activity(deliver) -> None:
    found = deliver("marketo_activities", {"requestId": "r", "success": False, "errors": [{"code": "601"}]})
    assert found.refused == {1: [("", "unreadable")]}
