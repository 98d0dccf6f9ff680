"""Whatever lies in the landing folder: every row is accepted, a duplicate, or in quarantine with a code."""

from __future__ import annotations

import codecs
import gzip
import json
import re

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import zstandard

from sources.loading import BatchesStoppedError
from sources.summary import incomplete_files

FILE = "dt=2026-01-05/part.jsonl"


def test_an_empty_file_is_told_and_stops_nothing(shop, a_message_feed, a_message):
    shop.land("mail", FILE, b"")
    shop.land("mail", "dt=2026-01-05/good.jsonl", [a_message()])
    shop.load(a_message_feed(max_reject_ratio=0))
    assert shop.counts("mail") == {FILE: (1, 0, 0, 1), "dt=2026-01-05/good.jsonl": (1, 1, 0, 0)}
    assert shop.refused("messages") == [(FILE, 1, "", "unreadable")]


def test_an_empty_file_does_not_replace_what_was_good(shop, a_message_feed, a_message, stopped):
    path = shop.land("mail", FILE, [a_message()])
    feed = a_message_feed(max_reject_ratio=0.2)
    shop.load(feed)
    path.write_bytes(b"")
    error = stopped(lambda: shop.load(feed))
    assert "2026-01-05" in error.reason
    assert "unreadable" in error.reason
    assert error.exit_code == 11
    assert shop.ask("select count(*) from staging._messages_versions") == [(1,)]
    assert shop.ask("select status, rows_accepted, rows_staged from ops.files") == [("stopped", 0, 1)]


def test_a_compressed_file_without_rows_has_none(shop, a_message_feed):
    shop.land("mail", "dt=2026-01-05/part.jsonl.gz", b"")
    shop.load(a_message_feed())
    assert shop.counts("mail") == {"dt=2026-01-05/part.jsonl.gz": (0, 0, 0, 0)}


def test_the_complete_lines_of_a_truncated_gzip_are_accepted(shop, a_message_feed, a_message):
    text = "".join(json.dumps(a_message(number)) + "\n" for number in range(5000))
    path = shop.land("mail", "dt=2026-01-05/part.jsonl.gz", text)
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    shop.load(a_message_feed())
    (read, accepted, duplicate, rejected) = shop.counts("mail")["dt=2026-01-05/part.jsonl.gz"]
    assert (duplicate, rejected) == (0, 1)
    assert read == accepted + 1
    assert 1000 < accepted < 4000
    assert shop.refused("messages") == [("dt=2026-01-05/part.jsonl.gz", accepted + 1, "", "unreadable")]


def test_a_file_that_comes_again_broken_off_takes_nothing_away_and_a_new_one_is_told(shop, a_message_feed, a_message):
    text = "".join(json.dumps(a_message(number)) + "\n" for number in range(5000))
    path = shop.land("mail", "dt=2026-01-05/part.jsonl.gz", text)
    whole = path.read_bytes()
    shop.land("mail", "dt=2026-01-05/new.jsonl.gz", text.replace('"m', '"n')).write_bytes(whole[: len(whole) // 2])
    feed = a_message_feed()
    shop.load(feed)
    told = incomplete_files(shop.warehouse.cursor(), ["mail"])
    assert len(told) == 1
    assert "landing/mail/dt=2026-01-05/new.jsonl.gz is not complete (the gzip data end early)" in told[0]

    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BatchesStoppedError, match=r"part.jsonl.gz is unreadable \(the gzip data end early\)"):
        shop.load(feed)
    staged = "select rows_staged, status from ops.files where file = 'dt=2026-01-05/part.jsonl.gz'"
    assert shop.ask(staged) == [(5000, "stopped")]
    path.write_bytes(whole)
    shop.load(feed)
    assert shop.ask(staged) == [(5000, "loaded")]


def test_a_file_without_a_byte_is_told(shop, a_message_feed, a_message):
    shop.land("mail", "dt=2026-01-05/nothing.jsonl", b"")
    shop.land("mail", "dt=2026-01-05/something.jsonl", [a_message(1)])
    shop.load(a_message_feed())
    assert incomplete_files(shop.warehouse.cursor(), ["mail"]) == [
        "landing/mail/dt=2026-01-05/nothing.jsonl is empty or cannot be read. Deliver it again."
    ]


def test_bytes_that_only_look_compressed_are_one_unreadable_row(shop, a_message_feed):
    shop.land("mail", FILE, b"\x1f\x8b\x08\x00 this is no gzip at all")
    shop.load(a_message_feed())
    assert shop.refused("messages") == [(FILE, 1, "", "unreadable")]


def test_compression_is_known_by_content_not_by_name(shop, a_message_feed, a_message):
    line = (json.dumps(a_message(1)) + "\n").encode()
    shop.land("mail", "dt=2026-01-05/a.jsonl", gzip.compress(line) + gzip.compress(line.replace(b"m1", b"m2")))
    compressor = zstandard.ZstdCompressor()
    shop.land(
        "mail", "dt=2026-01-05/b.json", compressor.compress(line.replace(b"m1", b"m3")) + compressor.compress(b"")
    )
    shop.land("mail", "dt=2026-01-05/c.gz.txt", line.replace(b"m1", b"m4"))
    shop.load(a_message_feed())
    assert shop.ask("select message_id from staging._messages_versions order by 1") == [
        ("m1",),
        ("m2",),
        ("m3",),
        ("m4",),
    ]


def test_lines_that_do_not_decode_are_refused_alone(shop, a_message_feed, a_message):
    good = json.dumps(a_message(1), ensure_ascii=False).encode()
    bad = json.dumps(a_message(2, campaign_name="caf\u00e9"), ensure_ascii=False).encode("latin-1")
    shop.land("mail", FILE, good + b"\n" + bad + b"\n" + good.replace(b"m1", b"m3") + b"\n")
    shop.load(a_message_feed())
    assert shop.counts("mail") == {FILE: (3, 2, 0, 1)}
    assert shop.refused("messages") == [(FILE, 2, "", "unreadable")]
    [(raw,)] = shop.ask("select raw from quarantine.messages")
    assert "caf\\xe9" in raw


def test_a_byte_order_mark_and_utf_16_are_understood(shop, a_message_feed, a_message):
    text = json.dumps(a_message(1, campaign_name="港灯"), ensure_ascii=False) + "\n"
    shop.land("mail", "dt=2026-01-05/a.jsonl", codecs.BOM_UTF8 + text.encode())
    shop.land("mail", "dt=2026-01-05/b.jsonl", text.replace("m1", "m2").encode("utf-16"))
    shop.land("mail", "dt=2026-01-05/c.jsonl", text.replace("m1", "m3").encode("utf-16-be"))
    shop.load(a_message_feed())
    found = shop.ask("select message_id, campaign_name from staging._messages_versions order by 1")
    assert found == [("m1", "港灯"), ("m2", "港灯"), ("m3", "港灯")]


def test_gb18030_is_read_when_declared_and_when_it_is_certain(shop, a_message_feed, a_message):
    rows = "".join(
        json.dumps(a_message(n, campaign_name="春季茶具满减活动，全场包邮"), ensure_ascii=False) + "\n"
        for n in range(3)
    )
    rare = json.dumps(a_message(9, campaign_name="䶮𠮷"), ensure_ascii=False) + "\n"
    shop.land("mail", FILE, rows.encode("gb18030"))
    shop.load(a_message_feed())
    assert shop.ask("select distinct campaign_name from staging._messages_versions") == [
        ("春季茶具满减活动，全场包邮",)
    ]
    shop.land("mail2", FILE, rare.encode("gb18030"))
    shop.load(a_message_feed("mail2", encoding="gbk"))
    assert shop.ask("select campaign_name from staging._messages_versions where _feed = 'mail2'") == [("䶮𠮷",)]


def test_a_line_of_fifty_megabytes_is_a_row_like_any_other(shop, a_message_feed, a_message):
    long = a_message(1, campaign_name="x" * 50_000_000)
    shop.land("mail", FILE, [long, a_message(2), a_message(3, note="y" * 50_000_000)])
    shop.load(a_message_feed())
    assert shop.counts("mail") == {FILE: (3, 2, 0, 1)}
    assert shop.refused("messages") == [(FILE, 1, "campaign_name", "too_long")]
    [(kept, message)] = shop.ask("select length(raw), reasons[1].message from quarantine.messages")
    assert kept == 1_000_000
    assert re.search(r"\(kept are the first 1,000,000 of the row's 50,000,\d\d\d letters\)$", message)


def test_json_that_is_no_object_is_unreadable_row_by_row(shop, a_message_feed, a_message):
    lines = [
        '{"broken": ',
        "42",
        '"text"',
        "null",
        "[1, 2]",
        json.dumps(a_message(1)),
        "{'no': 'json'}",
        '{"a": NaN}',
        '{"a": 1,}',
    ]
    shop.land("mail", FILE, "\n".join(lines))
    shop.load(a_message_feed())
    assert shop.counts("mail") == {FILE: (9, 1, 0, 8)}
    assert shop.refused("messages") == [(FILE, row, "", "unreadable") for row in (1, 2, 3, 4, 5, 7, 8, 9)]


def test_a_document_of_the_wrong_type_is_one_unreadable_row(shop, a_message_feed):
    for number, text in enumerate(["42", '"a text"', "not json at all", "\x00\x00\x00"]):
        shop.land("mail", f"dt=2026-01-05/{number}.json", text)
    shop.load(a_message_feed(format="json"))
    assert set(shop.counts("mail").values()) == {(1, 0, 0, 1)}


def test_elements_that_are_no_objects_are_refused_alone(shop, a_message_feed, a_message):
    shop.land("mail", FILE, json.dumps([a_message(1), 5, None, [a_message(2)], a_message(3)], indent=2))
    shop.load(a_message_feed(format="json"))
    assert shop.refused("messages") == [(FILE, row, "", "unreadable") for row in (2, 3, 4)]
    assert shop.ask("select _row from staging._messages_versions order by 1") == [(1,), (5,)]


def test_the_complete_objects_of_a_broken_array_are_accepted(shop, a_message_feed, a_message):
    whole = json.dumps({"messages": [a_message(1), a_message(2), a_message(3)], "count": 3}, indent=1)
    shop.land("mail", FILE, whole[: whole.index("m3")])
    shop.load(a_message_feed(format="json", envelope=("messages",)))
    assert shop.counts("mail") == {FILE: (3, 2, 0, 1)}
    assert shop.refused("messages") == [(FILE, 3, "", "unreadable")]


BROKEN = {
    "half a character": lambda text: text.replace("person2", r"\ud83d"),
    "not a number": lambda text: text.replace('"person2@shop.example"', "NaN"),
    "no such escape": lambda text: text.replace("person2", r"\q"),
    "a tab": lambda text: text.replace("person2", "\t"),
    "a quote too few": lambda text: text.replace('person2@shop.example"', "person2@shop.example"),
}


@pytest.mark.parametrize("harm", BROKEN)
@pytest.mark.parametrize("form", ["array", "envelope", "indented", "one line"])
def test_a_broken_object_costs_those_around_it_nothing(shop, a_message_feed, a_message, harm, form):
    if (harm, form) == ("a quote too few", "one line"):
        return  # nobody can tell where it ends
    objects = [json.dumps(a_message(number), indent=1 if form == "indented" else None) for number in range(1, 5)]
    objects[1] = BROKEN[harm](objects[1])
    lines = ",\n".join(objects)
    text = f"[{', '.join(objects)}]" if form == "one line" else f"[\n{lines}\n]"
    text = f'{{"messages": [\n{lines}\n], "more": 1}}' if form == "envelope" else text
    shop.land("mail", FILE, text)
    shop.load(a_message_feed(format="json", envelope=("messages",)))
    assert shop.counts("mail") == {FILE: (4, 3, 0, 1)}
    assert [(row, code) for _, row, _, code in shop.refused("messages")] == [(2, "unreadable")]
    assert shop.ask("select message_id from staging._messages_versions order by 1") == [("m1",), ("m3",), ("m4",)]


def test_deep_nesting_is_unreadable_and_crashes_nothing(shop, a_message_feed, a_message):
    deep = '{"deep": ' + "[" * 100_000 + "]" * 100_000 + "}"
    shop.land("mail", FILE, deep + "\n" + json.dumps(a_message(1)) + "\n")
    shop.land("mail", "dt=2026-01-05/array.json", "[" * 100_000 + "]" * 100_000)
    shop.load(a_message_feed())
    assert shop.refused("messages") == [("dt=2026-01-05/array.json", 1, "", "unreadable"), (FILE, 1, "", "unreadable")]
    assert shop.ask("select count(*) from staging._messages_versions") == [(1,)]


def test_of_equal_keys_the_last_counts(shop, a_message_feed, a_message):
    text = json.dumps(a_message(1))
    shop.land("mail", FILE, text[:-1] + ', "email": "second@shop.example"}\n')
    shop.land(
        "mail",
        "dt=2026-01-05/doubtful.jsonl",
        text.replace("m1", "17850.0")[:-1] + ', "email": "second@shop.example"}\n',
    )
    shop.load(a_message_feed())
    assert shop.ask("select distinct email from staging._messages_versions") == [("second@shop.example",)]


def test_control_characters_are_a_bad_format(shop, a_message_feed, a_message):
    shop.land(
        "mail",
        FILE,
        [a_message(1, message_id="m\u0000"), a_message(2, message_id="m\u0007"), a_message(3, email="a\u0000b")],
    )
    shop.load(a_message_feed())
    assert shop.refused("messages") == [
        (FILE, 1, "message_id", "bad_format"),
        (FILE, 2, "message_id", "bad_format"),
        (FILE, 3, "email", "bad_format"),
    ]


def test_a_number_that_no_computer_holds_is_unreadable(shop, a_message_feed, a_message):
    lines = [json.dumps(a_message()), json.dumps(a_message(2))[:-1] + ', "attributes": {"score": 1e400}}']
    shop.land("mail", FILE, "".join(f"{line}\n" for line in lines))
    shop.load(a_message_feed(on_new_column="keep"))
    assert shop.counts("mail") == {FILE: (2, 1, 0, 1)}
    assert shop.refused("messages") == [(FILE, 2, "", "unreadable")]


def test_an_endless_number_of_parquet_that_is_kept_is_kept_by_its_name(shop, a_message_feed, a_message):
    shop.land("mail", "dt=2026-01-05/part.parquet", b"")
    rows = pa.Table.from_pylist([a_message() | {"score": float("inf")}, a_message(2) | {"score": 1.5}])
    pq.write_table(rows, shop.root / "landing" / "mail" / "dt=2026-01-05" / "part.parquet")
    shop.load(a_message_feed(mapping="parquet", on_new_column="keep"))
    assert shop.ask("select message_id, extra->>'score' from staging._messages_versions order by 1") == [
        ("m1", "inf"),
        ("m2", "1.5"),
    ]


def test_half_a_character_is_unreadable(shop, a_message_feed, a_message):
    shop.land("mail", FILE, json.dumps(a_message(1)).replace("person1", "\\ud800") + "\n")
    shop.load(a_message_feed())
    assert shop.refused("messages") == [(FILE, 1, "", "unreadable")]


CSV = "message_id,message_channel,message_event,occurred_at,email\n"


def csv_feed(a_message_feed, **declared):
    return a_message_feed(**({"mapping": "csv", "files": ("**/*.csv",)} | declared))


def test_rows_with_the_wrong_number_of_fields_keep_their_text(shop, a_message_feed):
    text = (
        CSV
        + "m1,email,sent,2026-01-05,a@b.example\nm2,email,sent\nm3,email,sent,2026-01-05,c@d.example,more\n\n"
        + "m4,email,sent,2026-01-05,\n"
    )
    shop.land("mail", "dt=2026-01-05/a.csv", text)
    shop.load(csv_feed(a_message_feed))
    assert shop.counts("mail") == {"dt=2026-01-05/a.csv": (4, 2, 0, 2)}
    assert shop.ask("select row, raw from quarantine.messages order by row") == [
        (2, "m2,email,sent"),
        (3, "m3,email,sent,2026-01-05,c@d.example,more"),
    ]
    assert shop.ask("select message_id, _row from staging._messages_versions order by 2") == [("m1", 1), ("m4", 4)]


def test_quoted_fields_may_hold_line_ends_and_separators(shop, a_message_feed):
    shop.land(
        "mail",
        "dt=2026-01-05/a.csv",
        CSV.replace("email\n", "campaign_name\r\n") + 'm1,email,sent,2026-01-05,"two, ""lines""\r\nhere"\r\n',
    )
    shop.load(csv_feed(a_message_feed))
    assert shop.ask("select campaign_name from staging._messages_versions") == [('two, "lines"\r\nhere',)]


def test_a_stray_quote_costs_its_own_line_only(shop, a_message_feed):
    rows = [f"m{n},email,sent,2026-01-05,p{n}@b.example" for n in range(1, 8)]
    rows[2] = rows[2].replace("p3", '"p3')
    shop.land("mail", "dt=2026-01-05/a.csv", CSV + "\n".join(rows) + "\n")
    shop.load(csv_feed(a_message_feed))
    assert shop.counts("mail") == {"dt=2026-01-05/a.csv": (7, 6, 0, 1)}
    assert shop.refused("messages") == [("dt=2026-01-05/a.csv", 3, "", "unreadable")]


def test_columns_in_another_order_are_read_by_name(shop, a_message_feed):
    shop.land(
        "mail",
        "dt=2026-01-05/a.csv",
        "email,occurred_at,message_event,message_channel,message_id\na@b.example,2026-01-05,sent,email,m1\n",
    )
    shop.land("mail", "dt=2026-01-06/b.csv", CSV + "m2,email,sent,2026-01-06,c@d.example\n")
    shop.load(csv_feed(a_message_feed))
    assert shop.ask("select message_id, email from staging._messages_versions order by 1") == [
        ("m1", "a@b.example"),
        ("m2", "c@d.example"),
    ]


def test_a_required_column_that_vanished_stops_the_batch_and_names_it(shop, a_message_feed, stopped):
    shop.land("mail", "dt=2026-01-05/a.csv", CSV + "m1,email,sent,2026-01-05,a@b.example\n")
    shop.land(
        "mail",
        "dt=2026-01-06/b.csv",
        "message_channel,message_event,occurred_at,email\nemail,sent,2026-01-06,a@b.example\n",
    )
    error = stopped(lambda: shop.load(csv_feed(a_message_feed, max_reject_ratio=0.2)))
    assert "2026-01-06" in error.reason
    assert "message_id missing" in error.reason
    assert "2026-01-05" not in error.reason
    assert [batch.batch_on.isoformat() for batch in error.load.batches] == ["2026-01-05"]
    assert shop.ask("select file, status, rows_read from ops.files order by 1") == [
        ("dt=2026-01-05/a.csv", "loaded", 1),
        ("dt=2026-01-06/b.csv", "stopped", 1),
    ]


def test_csv_bytes_that_do_not_decode_are_refused_alone(shop, a_message_feed):
    text = CSV.encode() + b"m1,email,sent,2026-01-05,caf\xe9@b.example\nm2,email,sent,2026-01-05,b@b.example\n"
    shop.land("mail", "dt=2026-01-05/a.csv", text)
    shop.load(csv_feed(a_message_feed))
    assert shop.refused("messages") == [("dt=2026-01-05/a.csv", 1, "", "unreadable")]
    assert shop.ask("select message_id from staging._messages_versions") == [("m2",)]


def test_nul_bytes_in_csv_are_a_bad_format(shop, a_message_feed):
    shop.land("mail", "dt=2026-01-05/a.csv", CSV + "m\x001,email,sent,2026-01-05,\nm2,email,sent,2026-01-05,\n")
    shop.load(csv_feed(a_message_feed))
    assert shop.refused("messages") == [("dt=2026-01-05/a.csv", 1, "message_id", "bad_format")]


def test_a_refused_csv_row_is_kept_as_an_object_of_its_columns(shop, a_message_feed):
    shop.land(
        "mail",
        "dt=2026-01-05/a.csv",
        CSV.replace("email\n", "email,note\n") + "m1,pigeon,sent,2026-01-05,a@b.example,n\n",
    )
    shop.load(csv_feed(a_message_feed))
    assert shop.refused("messages") == [("dt=2026-01-05/a.csv", 1, "message_channel", "not_in_set")]
    [(raw,)] = shop.ask("select raw from quarantine.messages")
    assert json.loads(raw) == {
        "message_id": "m1",
        "message_channel": "pigeon",
        "message_event": "sent",
        "occurred_at": "2026-01-05",
        "email": "a@b.example",
        "note": "n",
    }


def test_only_a_header_is_no_row_and_no_header_is_no_file(shop, a_message_feed):
    shop.land("mail", "dt=2026-01-05/a.csv", CSV)
    shop.land("mail", "dt=2026-01-05/b.csv", "")
    shop.load(csv_feed(a_message_feed))
    assert shop.counts("mail") == {"dt=2026-01-05/a.csv": (0, 0, 0, 0), "dt=2026-01-05/b.csv": (1, 0, 0, 1)}


def test_a_damaged_parquet_file_is_one_unreadable_row(shop, a_message_feed, a_message):
    table = pa.table(
        {
            "message_id": [1, 2],
            "message_channel": ["email"] * 2,
            "message_event": ["sent"] * 2,
            "occurred_at": ["2026-01-05"] * 2,
        }
    )
    path = shop.land("mail", "dt=2026-01-05/good.parquet", b"")
    pq.write_table(table, path)
    shop.land("mail", "dt=2026-01-05/bad.parquet", path.read_bytes()[:-20])
    shop.land("mail", "dt=2026-01-05/none.parquet", b"this is no parquet")
    shop.load(a_message_feed(mapping="parquet"))
    assert shop.counts("mail") == {
        "dt=2026-01-05/good.parquet": (2, 2, 0, 0),
        "dt=2026-01-05/bad.parquet": (1, 0, 0, 1),
        "dt=2026-01-05/none.parquet": (1, 0, 0, 1),
    }


def test_texts_that_a_parquet_file_keeps_once_are_judged_in_every_row(shop, a_message_feed, monkeypatch):
    texts = [b"a@b.example", b"", None, b"\x07", b"x" * 300, b"\xff", b" li@b.example", "茶@b.example".encode()]
    emails = pa.array([texts[number // 50 % len(texts)] for number in range(2_000)], pa.binary())
    table = pa.table(
        {
            "message_id": pa.array([f"m{number}" for number in range(2_000)]),
            "message_channel": ["email" if number % 7 else "pigeon" for number in range(2_000)],
            "message_event": ["sent"] * 2_000,
            "occurred_at": ["2026-01-05"] * 2_000,
            "email": emails.view(pa.string()),
        }
    )
    pq.write_table(table, shop.land("mail", "dt=2026-01-05/a.parquet", b""))
    pq.write_table(table, shop.land("mail2", "dt=2026-01-05/a.parquet", b""))
    shop.load(a_message_feed("mail", mapping="parquet"))
    monkeypatch.setattr("sources.readers.parquet_reader._WORTH_A_LIST", 1)
    monkeypatch.setattr("sources.block_check.BlockCheck._is_plain", lambda *_: True)
    shop.load(a_message_feed("mail2", mapping="parquet"))

    [row] = shop.counts("mail").values()
    assert row[0] == 2_000
    assert row[3] > 500
    assert shop.counts("mail2") == shop.counts("mail")
    first, second = (
        shop.ask(f"select message_id, email, _row from staging._messages_rows where _feed = '{feed}' order by _row")
        for feed in ("mail", "mail2")
    )
    assert first == second
    refused, others = (
        shop.ask(f"select row, reasons, raw from quarantine.messages where feed = '{feed}' order by row")
        for feed in ("mail", "mail2")
    )
    assert refused == others
    assert shop.ask("select count(distinct rows) from ops.source_columns where source_column = 'email'") == [(1,)]


def test_a_file_of_another_form_than_declared_is_refused_not_misread(shop, a_message_feed):
    table = pa.table({"message_id": ["m1"]})
    path = shop.land("mail", FILE, b"")
    pq.write_table(table, path)
    shop.load(a_message_feed())
    assert shop.refused("messages") == [(FILE, 1, "", "unreadable")]
