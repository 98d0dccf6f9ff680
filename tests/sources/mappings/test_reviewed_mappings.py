"""Other exports of the same vendors: headings in other languages, views saved as CSV, webhooks, newer versions."""

from __future__ import annotations

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest


def test_hubspots_headings_are_known_in_the_language_of_the_exporter(deliver) -> None:
    german = "Datensatz-ID;Vorname;Nachname;E-Mail;Telefonnummer;Erstellungsdatum\n"
    german += "7;Marta;Lind;m@b.example;'+49301234;2026-01-05 11:00\n"
    chinese = "记录 ID,名字,姓氏,电子邮件,手机号码,上次修改日期\n7,若溪,沈,r@b.example,19900000003,2026-01-05 18:00\n"
    [marta] = deliver("hubspot_contacts", german, time_zone="Europe/Berlin").rows
    [ruoxi] = deliver("hubspot_contacts", chinese, time_zone="Asia/Shanghai").rows
    assert (marta["given_name"], marta["phone"], marta["created_at"]) == (
        "Marta",
        "+49301234",
        datetime(2026, 1, 5, 10),
    )
    assert (ruoxi["family_name"], ruoxi["phone"], ruoxi["updated_at"]) == (
        "沈",
        "19900000003",
        datetime(2026, 1, 5, 10),
    )


def test_hubspots_days_and_moments_are_text_or_milliseconds(deliver) -> None:
    properties = {
        "date_of_birth": "446860800000",
        "lastmodifieddate": "1772615722123",
        "hs_calculated_merged_vids": "88:1",
    }
    found = deliver("hubspot_contacts", [{"id": 7, "properties": properties, "archived": True}])
    [row] = found.rows
    assert (found.unknown, row["contact_id"], row["birth_on"]) == (set(), "7", date(1984, 2, 29))
    assert row["updated_at"] == row["deleted_at"] == datetime(2026, 3, 4, 9, 15, 22, 123000)
    assert json.loads(row["extra"])["merged_at"] == "88:1"


def test_a_view_of_zendesk_saved_as_csv_is_read_like_its_tickets(deliver) -> None:
    table = (
        "Summation column,Id,Requester,Requester id,Requester external id,Requester email,Subject,Status,Priority,Via,"
        "Created at,Updated at,Solved at,Satisfaction Score,Reopens,Assignee id,Tags\n"
        "1,35436,Marta,20978392,-,m@b.example,Late lamp,On-hold,High,Mail,2026-01-05 10:00,2026-01-06 10:00,,"
        "Good,1,12,vip\n"
        "1,35437,Li,20978393,c8,,Lamp,Solved,-,Web form,2026-01-05 10:00,2026-01-06 10:00,2026-01-06 09:00,"
        "Offered,0,12,\n"
    )
    found = deliver("zendesk_tickets", table, time_zone="Europe/London")
    assert (found.refused, found.unknown) == ({}, set())
    first, second = found.rows
    assert {name: first[name] for name in first} == {
        "feedback_id": "35436",
        "feedback_kind": "ticket",
        "submitted_at": datetime(2026, 1, 5, 10),
        "updated_at": datetime(2026, 1, 6, 10),
        "source_customer_id": "zendesk:20978392",
        "email": "m@b.example",
        "full_name": "Marta",
        "channel": "mail",
        "score": 1.0,
        "score_scale": "thumbs",
        "topic": "Late lamp",
        "opened_at": datetime(2026, 1, 5, 10),
        "reopened_count": 1,
        "ticket_status": "hold",
        "priority": "high",
        "agent_id": "12",
    }
    assert (second["source_customer_id"], second["resolved_at"], second["ticket_status"]) == (
        "c8", datetime(2026, 1, 6, 9), "solved"
    )  # fmt: skip
    assert not second.keys() & {"score", "score_scale", "priority"}


def test_the_newer_survey_of_zendesk_has_a_scale_of_five(deliver) -> None:
    response = {
        "id": "01J", "survey_id": "01S", "survey_version": 2, "expires_at": "2026-02-05T10:00:00Z", "responder_id": 1,
        "subjects": [{"id": "4", "type": "ticket", "zrn": "zen:ticket:4"}],
        "answers": [
            {"type": "rating_scale", "rating": 4, "rating_category": "good", "created_at": "2026-01-05T10:00:00Z",
             "updated_at": "2026-01-05T10:01:00Z"},
            {"type": "open_ended", "value": "Kind", "created_at": "2026-01-05T10:01:00Z"},
        ],
    }  # fmt: skip
    found = deliver("zendesk_ratings", {"survey_responses": [response], "count": 1, "meta": {"has_more": False}})
    [row] = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert (row["score"], row["score_scale"], row["text"], row["submitted_at"]) == (
        4.0, "csat", "Kind", datetime(2026, 1, 5, 10)
    )  # fmt: skip
    assert json.loads(row["extra"]) == {"ticket_id": "4"}


@pytest.mark.parametrize(
    ("kind", "score", "scale"),
    [
        ("thumbs", 1, "thumbs"),
        ("csat", 5, "csat"),
        ("ces7", 7, "ces"),
        ("enps", 10, "nps"),
        ("pmf", 3, None),
        ("csat3", 3, None),
    ],
)
def test_delighteds_scores_of_different_scales_are_never_pooled(
    deliver, kind: str, score: int, scale: str | None
) -> None:
    response = {
        "id": "1",
        "person": "10",
        "survey_type": kind,
        "score": score,
        "created_at": 1713418460,
        "updated_at": None,
    }
    webhook = {"event_type": "survey_response.created", "event_id": "e", "event_data": response}
    found = deliver("delighted", webhook)
    [row] = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert (row.get("score"), row.get("score_scale")) == (score if scale else None, scale)
    assert json.loads(row["extra"]).get("score_as_given") == (None if scale else str(score))


QUALTRICS = (
    "StartDate,EndDate,Status,Finished,RecordedDate,ResponseId,RecipientLastName,RecipientFirstName,RecipientEmail,"
    "ExternalReference,DistributionChannel,UserLanguage,Q1_NPS_GROUP,Q1,Q2\n"
    '"Start Date","End Date","Response Type","Finished","Recorded Date","Response ID","Last","First","Email",'
    '"External Data Reference","Distribution Channel","User Language","Group","How likely\nare you?","Why?"\n'
    '"{""ImportId"":""startDate"",""timeZone"":""America/Denver""}","{""ImportId"":""endDate""}","{""ImportId"":""status""}",'
    + ",".join('"{""ImportId"":""x""}"' for _ in range(12))
    + "\n"
    "2026-01-05 03:00:00,2026-01-05 03:01:00,IP Address,True,2026-01-05 03:01:01,R_1,Lind,Marta,m@b.example,c7,"
    "email,EN,Promoter,9,Kind\n"
    "2026-01-05 03:00:00,2026-01-05 03:01:00,Survey Preview,True,2026-01-05 03:01:01,R_2,,,,,preview,EN-GB,"
    "Detractor,0,\n"
)


def test_the_further_rows_of_headings_of_qualtrics_are_no_answers_and_previews_have_no_score(deliver) -> None:
    found = deliver("nps_csv", QUALTRICS, time_zone="America/Denver", rename={"Q1": "Score", "Q2": "Comment"})
    assert (found.refused, found.unknown) == ({}, set())
    answer, preview = found.rows
    assert {name: answer[name] for name in answer} == {
        "feedback_id": "R_1",
        "feedback_kind": "survey",
        "survey_id": "nps",
        "submitted_at": datetime(2026, 1, 5, 10, 1, 1),
        "source_customer_id": "c7",
        "email": "m@b.example",
        "full_name": "Marta Lind",
        "channel": "email",
        "score": 9.0,
        "score_scale": "nps",
        "text": "Kind",
        "language": "en",
    }
    assert ("score" in preview, preview["language"], preview["is_test"]) == (False, "en", True)


@pytest.mark.parametrize(
    ("status", "is_test"),
    [("0", None), ("1", True), ("2", True), ("8", True), ("16", None), ("Spam", True), ("Imported", None), ("", None)],
)
def test_previews_tests_and_spam_of_qualtrics_are_nobodys_answers(deliver, status, is_test) -> None:
    table = QUALTRICS.replace("Survey Preview", status).replace(",preview,", ",anonymous,")
    found = deliver("nps_csv", table, time_zone="America/Denver", rename={"Q1": "Score", "Q2": "Comment"})
    assert (found.rows[1].get("is_test"), found.rows[1].get("score")) == (is_test, None if is_test else 0)


def test_a_status_of_another_survey_tool_says_nothing_of_tests(deliver) -> None:
    [row] = deliver("nps_csv", "ID,Created At,Score,Status\n1,2026-01-05,9,1\n").rows
    assert (row["score"], row.get("is_test")) == (9, None)


def test_the_second_row_of_headings_of_surveymonkey_is_no_answer(deliver) -> None:
    table = (
        "Respondent ID,Collector ID,Start Date,End Date,Email Address,First Name,Last Name,Score,Comment\n"
        ",,,,,,,Response,Open-Ended Response\n"
        "118,42,01/05/2026 09:59:00 AM,01/05/2026 10:00:00 AM,m@b.example,Marta,Lind,10,Kind\n"
    )
    found = deliver("nps_csv", table)
    [row] = found.rows
    assert (found.refused, found.unknown) == ({}, set())
    assert (row["feedback_id"], row["submitted_at"], row["full_name"], row["score"]) == (
        "118", datetime(2026, 1, 5, 10), "Marta Lind", 10.0
    )  # fmt: skip


def test_an_answer_without_an_id_is_known_by_who_gave_it_when(deliver) -> None:
    [row] = deliver("nps_csv", "Email,Score,Response Date\nm@b.example,8,2026-01-05\n").rows
    assert row["feedback_id"] == "m@b.example/2026-01-05"


@pytest.mark.parametrize(
    ("word", "event"), [("open", "opened"), ("Delivery", "delivered"), ("spam", "complained"), ("drop", "dropped")]
)
def test_words_of_other_senders_for_the_same_event(deliver, word: str, event: str) -> None:
    row = {
        "message_id": "m",
        "event": word,
        "occurred_at": "2026-01-05T10:00:00Z",
        "email": "a@b.example",
        "cost": None,
    }
    assert deliver("email_messages", [row, row | {"message_id": "n"}]).rows[0]["message_event"] == event


MAIL = {"message_id": "m", "event": "open", "occurred_at": "2026-01-05T10:00:00Z", "email": "a@b.example"}


@pytest.mark.parametrize(
    "body",
    [
        MAIL,
        [MAIL],
        {"messages": [MAIL], "paging": {"next": "x"}, "total": 1},
        {"events": [MAIL]},
        {"data": [MAIL]},
        {"data": {"messages": [MAIL]}},
        {"event": MAIL},
    ],
)
def test_messages_arrive_alone_in_lists_and_in_pages(deliver, body: object) -> None:
    for content in (body, json.dumps(body, indent=2), json.dumps({"messages": []}) + "\n" + json.dumps({"data": body})):
        found = deliver("email_messages", content)
        assert (found.refused, found.unknown) == ({}, set())
        assert [(row["message_id"], row["message_event"]) for row in found.rows] == [("m", "opened")]


def a_movement(kind: str, of: dict[str, Any]) -> dict[str, Any]:
    return {
        "id": f"e-{kind}", "type": kind, "created_at": "2026-03-04T06:13:40Z", "loyalty_account_id": "la1",
        "location_id": "L1",
        "source": "LOYALTY_API", kind.lower(): {"loyalty_program_id": "p1"} | of,
    }  # fmt: skip


def test_squares_points_move_when_a_reward_is_made_not_when_it_is_redeemed(deliver) -> None:
    events = [
        a_movement("ACCUMULATE_POINTS", {"points": 12, "order_id": "o1"}),
        a_movement("CREATE_REWARD", {"points": 10, "reward_id": "r1"}),
        a_movement("REDEEM_REWARD", {"reward_id": "r1", "order_id": "o2"}),
        a_movement("DELETE_REWARD", {"points": 10, "reward_id": "r1"}),
        a_movement("ADJUST_POINTS", {"points": -3, "reason": "mistake"}),
        a_movement("EXPIRE_POINTS", {"points": 2}),
    ]
    found = deliver("loyalty_entries", {"events": events, "cursor": "x"})
    assert (found.refused, found.unknown) == ({}, set())
    assert [(row["entry_kind"], row["points"], row.get("order_id")) for row in found.rows] == [
        ("earn", Decimal(12), "o1"), ("burn", Decimal(-10), None), ("burn", Decimal(0),
        "o2"), ("adjust", Decimal(10), None),
        ("adjust", Decimal(-3), None), ("expire", Decimal(-2), None),
    ]  # fmt: skip
