"""JSON in all the forms vendors send it; a row is counted where it stands."""

from __future__ import annotations

import json

import pytest

FILE = "dt=2026-01-05/part"


def rows(shop):
    return shop.ask("select message_id, _row from staging._messages_versions order by 2, 1")


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (lambda a, b: json.dumps(a), [("m1", 1)]),
        (lambda a, b: json.dumps(a, indent=2), [("m1", 1)]),
        (lambda a, b: json.dumps([a, b]), [("m1", 1), ("m2", 2)]),
        (lambda a, b: json.dumps([a, b], indent=2) + "\n", [("m1", 1), ("m2", 2)]),
        (lambda a, b: json.dumps({"messages": [a, b], "count": 2}), [("m1", 1), ("m2", 2)]),
        (lambda a, b: json.dumps({"count": 2, "messages": [a, b]}, indent=2), [("m1", 1), ("m2", 2)]),
        (lambda a, b: json.dumps({"message": a}), [("m1", 1)]),
        (lambda a, b: json.dumps({"messages": []}), []),
        (lambda a, b: json.dumps({"messages": None}), []),
        (lambda a, b: json.dumps(a) + "\n" + json.dumps(b), [("m1", 1), ("m2", 2)]),
        (lambda a, b: "\n\n" + json.dumps(a) + "\r\n  \r\n" + json.dumps(b) + "\r\n", [("m1", 3), ("m2", 5)]),
        (lambda a, b: "[" + json.dumps(a) + ",\n" + json.dumps(b) + "]", [("m1", 1), ("m2", 2)]),
        (lambda a, b: "[]", []),
    ],
)
@pytest.mark.parametrize("declared", ["json", "jsonl"])
def test_objects_arrays_envelopes_and_lines_are_told_apart_by_content(
    shop, a_message_feed, a_message, form, expected, declared
):
    shop.land("mail", FILE, form(a_message(1), a_message(2)))
    shop.load(a_message_feed(format=declared, envelope=("messages", "message")))
    assert rows(shop) == expected
    assert shop.counts("mail") == {FILE: (len(expected), len(expected), 0, 0)}


def test_a_first_line_that_is_broken_makes_no_document_of_lines(shop, a_message_feed, a_message):
    shop.land("mail", FILE, '{"broken": \n' + json.dumps(a_message(1)) + "\n" + json.dumps(a_message(2)) + "\n")
    shop.load(a_message_feed())
    assert rows(shop) == [("m1", 2), ("m2", 3)]
    assert shop.refused("messages") == [(FILE, 1, "", "unreadable")]


def test_names_that_differ_in_case_only_are_two_fields(shop, a_message_feed, a_message):
    shop.land("mail", FILE, [a_message(1) | {"Phone": "1", "phone": "2", "PHONE": "3"}])
    shop.load(a_message_feed(fields={"campaign_id": "Phone", "phone": "phone", "account_id": "PHONE"}))
    assert shop.ask("select campaign_id, phone, account_id from staging._messages_versions") == [("1", "2", "3")]


def test_a_field_read_whole_and_inside_is_one_place(shop, a_message_feed, a_message):
    shop.land("mail", FILE, [a_message(1) | {"who": {"id": "c1", "list": ["a", {"b": 2}]}}])
    shop.load(a_message_feed(fields={"extra": "who", "source_customer_id": "who.id", "account_id": "who.list.1.b"}))
    assert shop.ask(
        "select source_customer_id, account_id, cast(extra as varchar) from staging._messages_versions"
    ) == [("c1", "2", '{"id":"c1","list":["a",{"b":2}]}')]


def test_many_small_files_share_a_statement_and_keep_their_rows(shop, a_message_feed, a_message, monkeypatch):
    monkeypatch.setattr("sources.waiting.MOST_ROWS", 25)
    for day in range(1, 29):
        shop.land(
            "mail",
            f"dt=2026-02-{day:02d}/part.jsonl.gz",
            [a_message(day * 100 + n) for n in range(7)] + [{"broken": day}],
        )
    load = shop.load(a_message_feed())
    assert len(load.batches) == 28
    assert set(shop.counts("mail").values()) == {(8, 7, 0, 1)}
    assert shop.ask("select count(*), count(distinct _file) from staging._messages_versions") == [(196, 28)]
    assert all(row == 8 for _, row, _, _ in shop.refused("messages"))


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
@pytest.mark.parametrize("least_quick", [1, 10_000])
def test_files_larger_than_a_block_share_statements_with_others_and_every_row_counts_once(
    shop, a_message_feed, a_message, monkeypatch, ending, least_quick
):
    monkeypatch.setattr("sources.readers.content.BLOCK", 2_000)
    monkeypatch.setattr("sources.waiting.MOST_ROWS", 40)
    monkeypatch.setattr("sources.block_check.BlockCheck.worth_quick", least_quick)
    sizes = {1: 150, 2: 3, 3: 90, 4: 1, 5: 200}
    for day, rows in sizes.items():
        given = [a_message(day * 1000 + n) | ({"occurred_at": "?"} if n % 9 == 4 else {}) for n in range(rows)]
        lines = [json.dumps(row) for row in given]
        if ending == "jsonl" and rows > 100:
            lines[7] = "\ufffe{"  # a line of which nothing can be read
        if ending == "csv":
            lines = [",".join(given[0]), *(",".join(map(str, row.values())) for row in given)]
        shop.land("mail", f"dt=2026-02-{day:02d}/part.{ending}", "\n".join(lines))
    load = shop.load(a_message_feed(mapping=ending, max_reject_ratio=1, files=[f"dt=*/*.{ending}"]))
    assert not load.stopped
    for day, rows in sizes.items():
        bad = len(range(4, rows, 9)) + (ending == "jsonl" and rows > 100)
        assert shop.counts("mail")[f"dt=2026-02-{day:02d}/part.{ending}"] == (rows, rows - bad, 0, bad)


def test_refused_rows_of_every_sort_are_kept_though_they_come_in_many_pieces(
    shop, a_message_feed, a_message, monkeypatch
):
    monkeypatch.setattr("sources.waiting.MOST_WAITING", 3)
    monkeypatch.setattr("quality.rejects.MOST_WAITING", 4)
    lines = [["{broken", json.dumps({"broken": n}), json.dumps(a_message(n)), "\\xff"] for n in range(10)]
    text = "\n".join(line for some in lines for line in some).encode()
    shop.land("mail", FILE, text.replace(rb"\xff", b"\xff"))
    load = shop.load(a_message_feed(max_reject_ratio=1))
    assert shop.counts("mail") == {FILE: (40, 10, 0, 30)}
    assert [row for _, row, field, _ in shop.refused("messages") if not field] == [
        row for row in range(1, 41) if row % 4 in {0, 1}
    ]
    assert load.batches[0].reasons["unreadable"] == 20


def test_each_line_may_be_an_envelope_and_rows_are_numbered_on(shop, a_message_feed, a_message):
    lines = [{"messages": [a_message(1), a_message(2)]}, a_message(3), {"messages": []}, {"message": a_message(4)}]
    shop.land("mail", FILE, "\n".join(json.dumps(line) for line in lines))
    shop.load(a_message_feed(envelope=("messages", "message")))
    assert rows(shop) == [("m1", 1), ("m2", 2), ("m3", 3), ("m4", 5)]
    assert shop.counts("mail") == {FILE: (4, 4, 0, 0)}


def test_envelopes_inside_envelopes_are_opened_and_a_key_may_be_a_path(shop, a_message_feed, a_message):
    delivery = {"entry": [{"time": 7, "changes": [{"value": a_message(1)}, {"value": a_message(2)}]}, {"changes": []}]}
    shop.land("mail", FILE, json.dumps({"page": {"entry": delivery["entry"]}, "entries": 2}))
    shop.load(a_message_feed(envelope=("page.entry", "changes", "value"), fields={"campaign_id": "_envelope.time"}))
    assert shop.ask("select message_id, _row, campaign_id from staging._messages_versions order by 1") == [
        ("m1", 1, "7"),
        ("m2", 2, "7"),
    ]
