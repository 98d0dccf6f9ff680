"""Responses of Typeform, conversations and contacts of Intercom."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

import pytest


def a_definition(**properties: Any) -> dict[str, Any]:
    return {
        "id": "lT4Z3j", "title": "After your order",
        "fields": [
            {"id": "1", "ref": "how", "type": "opinion_scale", "title": "How was it, {{hidden:name}}?",
            "properties": properties},
            {"id": "2", "ref": "why", "type": "long_text", "title": "Why?", "properties": {}},
        ],
    }  # fmt: skip


def an_answer(kind: str, ref: str, of: str, value: object) -> dict[str, Any]:
    return {"type": kind, "field": {"id": "x", "ref": ref, "type": of}, kind: value}


def a_response(**fields: Any) -> dict[str, Any]:
    return {
        "form_id": "lT4Z3j", "token": "a3a12ec67a1365927098a606107fac15", "landed_at": "2026-01-05T09:59:00Z",
        "submitted_at": "2026-01-05T10:00:00Z",
        "hidden": {"user_id": "c7", "email": "marta@shop.example", "utm_source": "x"},
        "answers": [
            an_answer("number", "how", "opinion_scale", 4), an_answer("text", "why", "long_text", "Quick & kind"),
            an_answer("choices", "what", "multiple_choice", {"labels": ["Tea", "Pots"], "other": "Cups"}),
            an_answer("boolean", "again", "yes_no", False),
            an_answer("choice", "who", "multiple_choice", {"label": "Friend"}),
            an_answer("email", "mail", "email", "other@shop.example"),
        ],
    } | fields  # fmt: skip


def test_a_webhook_of_typeform_brings_the_scale_and_the_questions(deliver) -> None:
    response = a_response(definition=a_definition(steps=5, start_at_one=True), calculated={"score": 2}, variables=[])
    found = deliver("typeform", {"event_id": "e", "event_type": "form_response", "form_response": response})
    [row] = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert {name: row[name] for name in row if name not in {"answers", "extra"}} == {
        "feedback_id": "a3a12ec67a1365927098a606107fac15",
        "feedback_kind": "survey",
        "survey_id": "lT4Z3j",
        "submitted_at": datetime(2026, 1, 5, 10),
        "updated_at": datetime(2026, 1, 5, 10),
        "source_customer_id": "c7",
        "email": "marta@shop.example",
        "channel": "web",
        "score": 4.0,
        "score_scale": "csat",
        "text": "Quick & kind",
        "topic": "After your order",
    }
    assert [(item["question_id"], item.get("question"), item["value"]) for item in row["answers"]] == [
        ("how", "How was it, {{hidden:name}}?", "4"), ("why", "Why?", "Quick & kind"), ("what", None,
        "Tea; Pots; Cups"),
        ("again", None, "false"), ("who", None, "Friend"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("properties", "number", "scale"),
    [
        ({"steps": 7, "start_at_one": True}, 7, "ces"),
        ({"steps": 11, "start_at_one": False}, 10, "nps"),
        ({"steps": 8, "start_at_one": True}, 8, None),
        ({}, 3, None),
    ],
)
def test_an_opinion_scale_is_what_its_definition_says(deliver, properties: Any, number: int, scale: str | None) -> None:
    answers = [an_answer("number", "how", "opinion_scale", number)]
    [row] = deliver("typeform", a_response(definition=a_definition(**properties), answers=answers)).rows
    assert (row.get("score"), row.get("score_scale")) == (number if scale else None, scale)


def test_a_page_of_responses_has_a_score_where_the_question_is_one_of_nps(deliver) -> None:
    rated = a_response(answers=[an_answer("number", "n", "nps", 9)])
    begun = a_response(
        token="b", submitted_at="0001-01-01T00:00:00Z", answers=None, hidden=None, response_type="partial"
    )
    more = {"landing_id": "l", "response_id": "b", "metadata": {"platform": "mobile"}, "calculated": {"score": 0}}
    found = deliver("typeform", {"total_items": 3, "page_count": 1, "items": [a_response(), rated, begun | more]})
    assert (found.refused, found.unknown) == ({}, set())
    assert [(row.get("score"), row.get("score_scale")) for row in found.rows] == [
        (None, None),
        (9, "nps"),
        (None, None),
    ]
    assert (found.rows[2]["submitted_at"], "updated_at" in found.rows[2]) == (datetime(2026, 1, 5, 9, 59), False)
    assert deliver("typeform", {"total_items": 0, "page_count": 0, "items": []}).rows == []


def a_conversation(**fields: Any) -> dict[str, Any]:
    return {
        "type": "conversation", "id": "147", "created_at": 1767607200, "updated_at": 1767693600,
        "waiting_since": None,
        "title": None, "state": "closed", "open": False, "read": True, "priority": "not_priority",
        "admin_assignee_id": 12,
        "team_assignee_id": None, "snoozed_until": None, "custom_attributes": {},
        "tags": {"type": "tag.list", "tags": []},
        "source": {
            "type": "conversation", "id": "s", "delivered_as": "customer_initiated", "subject": "",
            "body": "<p>My lamp &amp; shade</p>",
            "author": {"type": "user", "id": "5f", "name": "Marta", "email": "marta@shop.example"}, "url": None,
            "redacted": False,
        },
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "5f", "external_id": "c7"}]},
        "conversation_rating": {"rating": 4, "remark": "Kind", "created_at": 1767690000,
        "contact": {"id": "5f"}, "teammate": {"id": 12}},
        "conversation_parts": {
            "type": "conversation_part.list", "total_count": 4,
            "conversation_parts": [
                {"id": "1", "part_type": "comment", "body": "<p>We are sorry</p>", "author": {"type": "admin",
                "id": "12"}},
                {"id": "2", "part_type": "comment", "body": "<p>Thanks</p>", "author": {"type": "user", "id": "5f"}},
                {"id": "3", "part_type": "note", "body": "<p>difficult</p>", "author": {"type": "admin", "id": "12"}},
                {"id": "4", "part_type": "comment", "body": None, "redacted": True, "author": {"type": "user",
                "id": "5f"}},
            ],
        },
        "statistics": {"first_admin_reply_at": 1767607800, "last_close_at": 1767693600, "count_reopens": 1},
    } | fields  # fmt: skip


def test_only_what_the_customer_wrote_is_a_conversations_text(deliver) -> None:
    found = deliver("intercom_conversations", a_conversation())
    [row] = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert {name: row[name] for name in row if name != "extra"} == {
        "feedback_id": "147",
        "feedback_kind": "ticket",
        "survey_id": "intercom_conversation_rating",
        "submitted_at": datetime(2026, 1, 5, 10),
        "updated_at": datetime(2026, 1, 6, 10),
        "source_customer_id": "c7",
        "email": "marta@shop.example",
        "full_name": "Marta",
        "channel": "conversation",
        "score": 4.0,
        "score_scale": "csat",
        "text": "My lamp & shade\n\nThanks",
        "opened_at": datetime(2026, 1, 5, 10),
        "first_response_at": datetime(2026, 1, 5, 10, 10),
        "resolved_at": datetime(2026, 1, 6, 10),
        "reopened_count": 1,
        "ticket_status": "closed",
        "priority": "normal",
        "agent_id": "12",
    }
    assert json.loads(row["extra"])["rating_remark"] == "Kind"


def test_an_open_conversation_of_our_own_waits_without_words_of_the_customer(deliver) -> None:
    source = {
        "type": "email",
        "author": {"type": "bot", "id": "1", "name": "Fin", "email": "bot@shop.example"},
        "body": "Hi!",
    }
    lead = {"contacts": [{"id": "5f", "external_id": None}]}
    conversation = a_conversation(
        state="open",
        waiting_since=1767693000,
        source=source,
        conversation_parts=None,
        conversation_rating=None,
        contacts=lead,
    )
    found = deliver(
        "intercom_conversations", {"type": "conversation.list", "conversations": [conversation], "pages": {}}
    )
    [row] = found.rows
    assert (row["waiting_since"], row["source_customer_id"]) == (datetime(2026, 1, 6, 9, 50), "intercom:5f")
    assert not row.keys() & {"text", "email", "full_name", "score", "score_scale", "survey_id"}


def a_notice(topic: str, item: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "notification_event", "app_id": "a1", "topic": topic, "id": "n1", "created_at": 1767700000,
        "delivery_attempts": 1, "first_sent_at": 1767700001,
        "data": {"type": "notification_event_data", "item": item},
    }  # fmt: skip


def test_a_webhook_brings_a_conversation_and_says_when_one_is_deleted(deliver) -> None:
    lines = [a_notice("conversation.user.replied", a_conversation()), a_notice("conversation.deleted", {"id": "148"})]
    found = deliver("intercom_conversations", "".join(json.dumps(line) + "\n" for line in lines))
    assert (found.refused, found.unknown) == ({}, set())
    assert [(row["feedback_id"], row["ticket_status"]) for row in found.rows] == [("147", "closed"), ("148", "deleted")]


def a_contact(**fields: Any) -> dict[str, Any]:
    return {
        "type": "contact", "id": "5f", "workspace_id": "w", "external_id": "c7", "role": "user",
        "email": "marta@shop.example",
        "phone": "+447700900001", "name": "Marta", "avatar": None, "owner_id": None, "has_hard_bounced": False,
        "marked_email_as_spam": False, "unsubscribed_from_emails": True, "created_at": 1767607200,
        "updated_at": 1767693600,
        "signed_up_at": 1767607200, "last_seen_at": None, "language_override": None, "browser_language": "en-GB",
        "location": {"type": "location", "country": "United Kingdom", "region": "England", "city": "Leeds"},
        "custom_attributes": {}, "tags": {"type": "list", "data": [{"id": "2", "type": "tag"}]},
        "companies": {"data": []},
    } | fields  # fmt: skip


def test_a_contact_of_intercom_and_what_it_allowed(deliver) -> None:
    found = deliver(
        "intercom_contacts", {"type": "list", "data": [a_contact()], "pages": {"page": 1}, "total_count": 1}
    )
    [row] = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert {name: row[name] for name in row if name not in {"extra", "consents"}} == {
        "contact_id": "5f",
        "created_at": datetime(2026, 1, 5, 10),
        "updated_at": datetime(2026, 1, 6, 10),
        "email": "marta@shop.example",
        "phone": "+447700900001",
        "full_name": "Marta",
        "city": "Leeds",
        "region": "England",
        "country": "GB",
        "language": "en",
    }
    assert [(item["channel"], item["state"]) for item in json.loads(row["consents"])] == [("email", "out")]
    assert (json.loads(row["extra"])["external_id"], json.loads(row["extra"])["role"]) == ("c7", "user")


def test_a_contact_that_was_deleted_or_archived_is_marked(deliver) -> None:
    gone = {"type": "contact", "id": "6a", "external_id": None, "deleted": True}
    lines = [
        a_notice("contact.deleted", gone),
        a_notice("contact.archived", a_contact()),
        a_notice("contact.created", a_contact()),
    ]
    found = deliver("intercom_contacts", "".join(json.dumps(line) + "\n" for line in lines))
    moment = datetime(2026, 1, 6, 11, 46, 40)
    assert [row.get("deleted_at") for row in found.rows] == [moment, moment, None]
    assert "deleted_at" in deliver("intercom_contacts", gone).rows[0]
