"""Files that hold something else than a feed's rows are refused whole, in words that say what they are."""

from __future__ import annotations

import json

import pytest

ERRORS = [
    {"errors": [{"message": "Not authorized", "code": 32}]},
    {"errors": "[API] Invalid API key or access token"},
    {"error": {"message": "Invalid OAuth access token.", "type": "OAuthException", "code": 190}},
    {"error": "Couldn't authenticate you"},
    {"title": "Unauthorized", "detail": "Unauthorized", "type": "about:blank", "status": 401},
    {"code": "rest_forbidden", "message": "Sorry.", "data": {"status": 401}},
    {"status": "error", "message": "The token expired.", "correlationId": "c", "category": "EXPIRED_AUTHENTICATION"},
    {"code": "INVALID_TOKEN", "details": {}, "message": "invalid oauth token", "status": "error"},
    {"errcode": 40001, "errmsg": "invalid credential"},
    {"errorCode": 10006, "errorMessage": "access token expired", "traceId": "t", "data": None},
    {"data": None, "errors": [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}]},
    [{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}],
    {"requestId": "e42b", "success": False, "errors": [{"code": "601", "message": "Access token invalid"}]},
]
HTML = "<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head>\n<body>nginx</body></html>\n"
A, B = "dt=2026-01-05/a.json", "dt=2026-01-05/b.json"


def told(shop, kind="messages"):
    return shop.ask(
        f"select file, row, reason.code, reason.message from (select file, row, unnest(reasons) as reason "
        f"from quarantine.{kind}) order by all"
    )


@pytest.mark.parametrize("indent", [None, 2])
def test_errors_of_an_interface_are_told_as_such(shop, a_message_feed, indent):
    for number, body in enumerate(ERRORS):
        shop.land("mail", f"dt=2026-01-05/{number:02d}.json", json.dumps(body, indent=indent))
    shop.load(a_message_feed())
    assert [row[2:] for row in told(shop)] == [("unreadable", "the file is an error of the interface, not data")] * len(
        ERRORS
    )
    assert set(shop.counts("mail").values()) == {(1, 0, 0, 1)}


def test_an_object_that_holds_more_than_an_error_is_a_row(shop, a_message_feed, a_message):
    shop.land("mail", A, json.dumps(a_message(1) | {"error": "none", "status": 500}))
    shop.land("mail", B, json.dumps({"data": [a_message(2)], "errors": [{"message": "one was not found"}]}))
    shop.load(a_message_feed(envelope=["data"]))
    assert shop.counts("mail") == {A: (1, 1, 0, 0), B: (1, 1, 0, 0)}


@pytest.mark.parametrize(
    "body",
    [
        {"errorCode": 0, "errorMessage": "success", "data": {"dataList": [], "total": 0}},
        {"errcode": 0, "errmsg": "ok", "data": []},
        {"errors": [], "data": []},
        {"success": True, "data": None},
    ],
)
def test_an_empty_answer_is_no_error(shop, a_message_feed, body):
    shop.land("mail", A, json.dumps(body))
    shop.load(a_message_feed(envelope=["data.dataList", "data"]))
    assert told(shop) == []


def test_a_field_that_the_feed_reads_makes_no_error_of_its_rows(shop, a_message_feed):
    row = {"error": "m1", "status": "sent", "timestamp": "2026-01-05T10:00:00Z"}
    shop.land("mail", A, json.dumps(row))
    fields = {"message_id": "error", "message_event": "status", "occurred_at": "timestamp"}
    shop.load(a_message_feed(fields=fields, constants={"message_channel": "email"}))
    assert shop.counts("mail") == {A: (1, 1, 0, 0)}


@pytest.mark.parametrize(("mapping", "words"), [("jsonl", "not JSON"), ("csv", "not a table")])
def test_a_page_of_html_is_told_as_such(shop, a_message_feed, mapping, words):
    shop.land("mail", A, HTML)
    shop.land("mail", B, '<?xml version="1.0"?>\n<Error><Code>AccessDenied</Code></Error>')
    shop.load(a_message_feed(mapping=mapping))
    html, xml = told(shop)
    assert (html[:3], xml[:3]) == ((A, 1, "unreadable"), (B, 1, "unreadable"))
    assert html[3] == f"the file is a page of HTML, such as an error of the server, {words}"
    assert xml[3].startswith("the file is XML")


@pytest.mark.parametrize(
    "content",
    [
        [{"message_id": "m1"}, {"message_id": "m2"}],
        json.dumps([{"message_id": "m1"}], indent=1),
        "{}",
        "[]",
        '["a", "b"]',
    ],
)
@pytest.mark.parametrize("mapping", ["csv", "nps_csv"])
def test_json_is_no_table(shop, a_message_feed, content, mapping):
    kind = "feedback" if mapping == "nps_csv" else "messages"
    shop.land("mail", A, content)
    shop.load(a_message_feed(mapping=mapping, kind=kind))
    assert told(shop, kind) == [(A, 1, "unreadable", "the file holds JSON, not a table with columns")]


def test_headings_in_brackets_are_headings(shop, a_message_feed):
    names = ("message_id", "message_channel", "message_event", "occurred_at")
    text = ",".join(f"[{name}]" for name in names) + "\nm1,email,sent,2026-01-05T10:00:00Z\n"
    shop.land("mail", A, text)
    shop.load(a_message_feed(mapping="csv", fields={name: f"[{name}]" for name in names}))
    assert shop.counts("mail") == {A: (1, 1, 0, 0)}


TABLE = "message_id,email\nm1,a@shop.example\n\nm2,b@shop.example\n"
NO_LINE_IS_GOOD = '{"message_id": "m1", \n{"message_id": \n\n{"message_id": "m3"\n'


@pytest.mark.parametrize(
    ("name", "content", "rows"),
    [
        ("a.jsonl", NO_LINE_IS_GOOD, [1, 2, 4]),
        ("a.json", NO_LINE_IS_GOOD, [1, 2, 4]),
        ("a.txt", NO_LINE_IS_GOOD, [1, 2, 4]),
        ("a.jsonl", '{"broken\nnonsense\n\nmore of it', [1, 2, 4]),
        ("a.jsonl.gz", '{"broken\nnonsense\n\nmore of it', [1, 2, 4]),
        ("a.json", '{\n "message_id": "m1",\n "email": \n', [1]),
        ("a.jsonl", TABLE, [1, 2, 4]),
        ("a.json", TABLE, [1, 2, 4]),
        ("a.jsonl", b'{"a": "\xe9"}\n{"a": "\xe8t\xe9"}\n', [1, 2]),
        ("a.jsonl", '{"messages": [\n"m1",\n{"message_id": "m2', [1, 2, 3]),
        ("a.jsonl", '[{"message_id": "m1"', [1]),
        ("a.jsonl", b"\x00\x01\x02\xff\xfe", [1]),
    ],
)
def test_lines_of_which_none_is_readable_are_counted_and_refused_one_by_one(shop, a_message_feed, name, content, rows):
    file = f"dt=2026-01-05/{name}"
    shop.land("mail", file, content)
    shop.load(a_message_feed())
    assert shop.counts("mail") == {file: (len(rows), 0, 0, len(rows))}
    assert {(row, code) for _, row, code, _ in told(shop)} == {(row, "unreadable") for row in rows}
