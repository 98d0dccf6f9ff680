"""Social posts of Mastodon and Weibo; tickets, ratings and surveys of Zendesk, Delighted and CSV files."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest


def a_status(**fields: Any) -> dict[str, Any]:
    return {
        "id": "1",
        "created_at": "2026-01-05T10:00:00.000Z",
        "content": "<p>Hi</p>",
        "account": {"id": "9"},
    } | fields


def a_weibo(**fields: Any) -> dict[str, Any]:
    user = {"idstr": "1", "screen_name": "小明"}
    post = {"idstr": "5100000000000001", "created_at": "Wed Apr 16 18:58:11 +0800 2014", "text": "好", "user": user}
    return post | fields


def a_ticket(**fields: Any) -> dict[str, Any]:
    return {"id": 35436, "created_at": "2026-01-05T10:00:00Z", "status": "open"} | fields


def test_mastodons_documented_status_is_accepted_and_no_field_is_unknown(interpret, samples: Path) -> None:
    found = interpret("mastodon", json.loads((samples / "mastodon/Status.json").read_text("utf-8")))
    [row] = found.rows
    assert found.unknown == set()
    assert row["occurred_at"] == datetime(2019, 12, 8, 3, 48, 33, 901000)
    assert row["text"].startswith('"I lost my inheritance with one wrong digit on my sort code"\n')
    assert "<" not in row["text"]
    assert {
        name: row[name] for name in ("interaction_id", "interaction_kind", "account_id", "handle", "followers_count")
    } == {
        "interaction_id": "103270115826048975",
        "interaction_kind": "post",
        "account_id": "1",
        "handle": "Gargron",
        "followers_count": 322930,
    }


def test_mastodon_tells_boosts_replies_mentions_and_posts_apart(interpret) -> None:
    boost = a_status(reblog={"id": "7", "content": "<p>Others' words</p>"})
    reply = a_status(in_reply_to_id="6", mentions=[{"acct": "us"}])
    mention = a_status(mentions=[{"acct": "us", "url": "https://x.example"}])
    rows = interpret("mastodon", [boost, reply, mention, a_status()]).rows
    assert [(row["interaction_kind"], row.get("in_reply_to_id"), row.get("text")) for row in rows] == [
        ("share", "7", None),
        ("reply", "6", "Hi"),
        ("mention", None, "Hi"),
        ("post", None, "Hi"),
    ]


@pytest.mark.parametrize("visibility", ["private", "direct"])
def test_what_was_not_said_in_public_is_not_kept(interpret, visibility: str) -> None:
    assert "text" not in interpret("mastodon", [a_status(visibility=visibility)]).rows[0]


def test_weibos_time_long_ids_and_chains_of_reposts(interpret) -> None:
    share = a_weibo(
        text="说得好 //@老王:原来如此//@别人:转发", retweeted_status={"idstr": "4999999999999999", "deleted": "1"}
    )
    reply = a_weibo(in_reply_to_status_id="77")
    plain = a_weibo(in_reply_to_status_id="", id=5100000000000001, text="港灯 [爱你] #茶# &amp; more")
    found = interpret("weibo", [share, reply, plain])
    rows = found.rows
    assert found.unknown == set()
    assert rows[0]["occurred_at"] == datetime(2014, 4, 16, 10, 58, 11)
    assert [(row["interaction_kind"], row.get("in_reply_to_id"), row["text"]) for row in rows] == [
        ("share", "4999999999999999", "说得好"),
        ("reply", "77", "好"),
        ("post", None, "港灯 [爱你] #茶# & more"),
    ]
    assert {(row["interaction_id"], row["account_id"], row["display_name"]) for row in rows} == {
        ("5100000000000001", "1", "小明")
    }


def test_our_own_accounts_are_known_by_the_feeds_declaration(interpret) -> None:
    by_us = {"when": "account.acct", "equals": "us", "value": {"constant": True}, "else": {"constant": False}}
    statuses = [a_status(account={"id": "1", "acct": "us"}), a_status()]
    assert [row["by_us"] for row in interpret("mastodon", statuses, fields={"by_us": by_us}).rows] == [True, False]


def test_zendesks_documented_ticket_is_accepted_and_no_field_is_unknown(interpret, samples: Path) -> None:
    found = interpret("zendesk_tickets", json.loads((samples / "zendesk/tickets.json").read_text("utf-8"))["tickets"])
    [row] = found.rows
    assert found.unknown == set()
    assert row["submitted_at"] == datetime(2009, 7, 20, 22, 55, 29)
    assert row["updated_at"] == datetime(2011, 5, 5, 10, 38, 52)
    assert {
        name: row[name] for name in ("feedback_id", "source_customer_id", "score", "score_scale", "topic", "text")
    } == {
        "feedback_id": "35436",
        "source_customer_id": "ahg35h3jh",
        "score": 1.0,
        "score_scale": "thumbs",
        "topic": "Help, my printer is on fire!",
        "text": "The fire is very colorful.",
    }


def test_the_requester_of_a_ticket_is_known_to_zendesk_alone(interpret) -> None:
    linked, unlinked = interpret(
        "zendesk_tickets", [a_ticket(external_id="c7", requester_id=1), a_ticket(requester_id=1)]
    ).rows
    assert (linked["source_customer_id"], unlinked["source_customer_id"]) == ("c7", "zendesk:1")


@pytest.mark.parametrize("rating", ["unoffered", {"score": "unoffered"}, {"score": "offered"}, None])
def test_an_offer_without_an_answer_is_no_score(interpret, rating: object) -> None:
    [row] = interpret("zendesk_tickets", [a_ticket(satisfaction_rating=rating)]).rows
    assert not row.keys() & {"score", "score_scale"}


def test_a_customer_waits_while_a_ticket_is_with_us(interpret) -> None:
    metrics = {"requester_updated_at": "2026-01-06T09:00:00Z", "solved_at": None, "reopens": 2}
    opened, solved = interpret(
        "zendesk_tickets", [a_ticket(metric_set=metrics), a_ticket(metric_set=metrics, status="solved")]
    ).rows
    assert (opened["waiting_since"], opened["reopened_count"]) == (datetime(2026, 1, 6, 9), 2)
    assert "waiting_since" not in solved


def test_custom_fields_are_picked_by_their_id_in_the_feed(interpret) -> None:
    ticket = a_ticket(custom_fields=[{"id": 1, "value": "x"}, {"id": 360001, "value": "after_sale"}])
    fields = {"service_stage": {"pick": "custom_fields", "where": {"id": 360001}, "value": "value"}}
    assert interpret("zendesk_tickets", [ticket], fields=fields).rows[0]["service_stage"] == "after_sale"
    assert interpret("zendesk_tickets", [a_ticket(status="lost")]).codes == [[("ticket_status", "not_in_set")]]


def test_zendesk_ratings_have_a_score_once_they_are_given(interpret) -> None:
    rating = {
        "id": 9,
        "ticket_id": 4,
        "requester_id": 1,
        "created_at": "2026-01-05T10:00:00Z",
        "comment": None,
        "reason": "slow",
    }
    found = interpret(
        "zendesk_ratings", [rating | {"score": score} for score in ("good", "Bad with comment", "offered")]
    )
    assert found.unknown == set()
    assert [(row.get("score"), row.get("score_scale")) for row in found.rows] == [
        (1.0, "thumbs"),
        (0.0, "thumbs"),
        (None, None),
    ]


def test_a_rating_in_words_that_zendesk_has_not_is_refused_and_a_survey_response_has_none(interpret) -> None:
    rating = {"id": 9, "created_at": "2026-01-05T10:00:00Z"}
    assert interpret("zendesk_ratings", [rating | {"score": "superb"}]).codes == [[("score", "wrong_type")]]
    answer = {"type": "rating_scale", "rating": 4, "created_at": "2026-01-05T10:00:00Z"}
    [row] = interpret("zendesk_ratings", [{"id": 9, "answers": [answer]}]).rows
    assert (row["score"], row["score_scale"]) == (4.0, "csat")


def test_what_staff_note_in_a_private_ticket_is_nobodys_voice(deliver) -> None:
    tickets = [a_ticket(id=number, is_public=public, description="Help") for number, public in ((1, True), (2, False))]
    heard, noted = deliver("zendesk_tickets", json.dumps(tickets)).rows
    assert "text" in heard
    assert "text" not in noted


def test_delighteds_documented_responses_are_accepted_and_no_field_is_unknown(interpret, samples: Path) -> None:
    found = interpret("delighted", json.loads((samples / "delighted/survey_responses.json").read_text("utf-8")))
    assert found.unknown == set()
    first, second = found.rows
    assert first["submitted_at"] == datetime(2024, 4, 18, 5, 34, 20)
    assert (first["score"], first["score_scale"], first["source_customer_id"]) == (0.0, "nps", "delighted:10")
    assert "updated_at" not in first
    assert [(answer["question_id"], answer["value"]) for answer in first["answers"]] == [
        ("enum_z9EvYV", "Convenience; Friendly staff")
    ]
    assert second["updated_at"] == datetime(2024, 4, 19, 3, 29, 56)


def test_an_expanded_person_says_who_they_are(interpret) -> None:
    person = {"id": "10", "email": "a@b.example", "phone_number": "+447700900000", "name": "Marta"}
    response = {"id": "1", "person": person, "survey_type": "smileys", "score": 5, "created_at": 1713418460}
    [row] = interpret("delighted", [response]).rows
    assert (row["email"], row["phone"], row["full_name"], row["score_scale"]) == (
        "a@b.example",
        "+447700900000",
        "Marta",
        "csat",
    )


def test_an_nps_file_is_in_the_zone_of_its_feed(interpret) -> None:
    row = {
        "ID": "610000001", "Survey Type": "nps", "Name": "陈晓明", "Email": "", "Phone Number": "13912345678",
        "Score": "9", "Comment": "很好", "Created At": "2026-01-05 10:00:00", "Updated At": "", "Locale": "zh",
        "order_id": "1001",
    }  # fmt: skip
    found = interpret("nps_csv", [row, row | {"Score": "14"}], flat=True, time_zone="Asia/Shanghai")
    assert found.unknown == set()
    assert found.codes == [[("score", "out_of_range")]]
    values = found.words[0].values
    assert (values["submitted_at"], values["score"], values["language"]) == (datetime(2026, 1, 5, 2), 9.0, "zh")
    assert (values["updated_at"], values["email"], values["survey_id"]) == (None, None, "nps")
