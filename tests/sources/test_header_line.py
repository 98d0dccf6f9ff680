"""A first line under which no row can be accepted is told as a row, and so is a file of nothing but blanks."""

from __future__ import annotations

import codecs
import gzip
import io

import pytest
from openpyxl import Workbook

from sources.feed import Feed

FILE = "dt=2026-01-05/part"
HEADER = "message_id,message_channel,message_event,occurred_at,email\n"
ROW = "m{},email,sent,2026-01-05T10:00:00Z,p{}@shop.example\n"
ROWS = "".join(ROW.format(number, number) for number in range(3))
REFUSED_HEADER = (FILE, 0, "", "unreadable")


def a_feed(form: str = "csv", **declared) -> Feed:
    mapping = {"tsv": "csv", "json": "jsonl"}.get(form, form)
    return Feed.named("mail", **({"kind": "messages", "mapping": mapping, "format": form} | declared))


def message_of(shop, row: int = 0) -> str:
    [(message,)] = shop.ask(f"select reasons[1].message from quarantine.messages where row = {row} and status = 'open'")
    return message


def test_the_one_line_of_a_file_without_a_header_is_not_lost(shop):
    shop.land("mail", FILE, ROW.format(1, 1))
    shop.load(a_feed())
    assert shop.counts("mail") == {FILE: (1, 0, 0, 1)}
    assert shop.refused("messages") == [REFUSED_HEADER]
    assert shop.ask("select raw from quarantine.messages") == [(ROW.format(1, 1).rstrip(),)]
    message = message_of(shop)
    assert "holds values; it lacks message_id, message_channel, message_event, occurred_at" in message
    assert "`columns:`" in message
    assert "shop.example" not in message


def test_all_lines_of_a_file_without_a_header_are_counted(shop):
    shop.land("mail", FILE, ROWS)
    shop.load(a_feed(max_reject_ratio=1))
    assert shop.counts("mail") == {FILE: (3, 0, 0, 3)}
    assert shop.refused("messages")[0] == REFUSED_HEADER


def test_a_line_without_header_becomes_a_row_when_its_columns_are_declared(shop):
    shop.land("mail", FILE, ROW.format(1, 1))
    shop.load(a_feed())
    shop.load(a_feed(columns=HEADER.strip().split(",")))
    assert shop.counts("mail") == {FILE: (1, 1, 0, 0)}
    assert shop.refused("messages") == []


def test_the_header_of_another_table_is_told_where_no_row_below_tells_of_it(shop):
    shop.land("mail", FILE, "customer,total,when\n")
    shop.land("mail", "dt=2026-01-05/rows", "customer,total,when\na,1,2\n")
    shop.load(a_feed(max_reject_ratio=1))
    assert shop.counts("mail") == {FILE: (1, 0, 0, 1), "dt=2026-01-05/rows": (1, 0, 0, 1)}
    assert shop.refused("messages")[0] == REFUSED_HEADER
    assert "names no column that the feed reads" in message_of(shop)
    assert {code for file, _, _, code in shop.refused("messages") if file != FILE} == {"missing"}


def test_a_header_of_another_table_alone_keeps_no_good_file_out(shop):
    shop.land("mail", FILE, "customer,total,when\n")
    shop.land("mail", "dt=2026-01-05/good", HEADER + ROW.format(1, 1))
    shop.load(a_feed(max_reject_ratio=0))
    assert shop.counts("mail")["dt=2026-01-05/good"] == (1, 1, 0, 0)


@pytest.mark.parametrize(
    ("header", "declared"),
    [
        (HEADER, {}),
        (HEADER.replace(",", ";").upper(), {}),
        (codecs.BOM_UTF8.decode() + HEADER, {}),
        ("id,message_channel,message_event,occurred_at\n", {"rename": {"id": "message_id"}}),
        ("Nr,Kanal,Was,Wann\n", {"fields": {"message_id": "Nr", "occurred_at": "Wann", "message_channel": "Kanal"}}),
        ("message_id,when\n", {}),
    ],
)
def test_a_header_without_rows_is_no_row(shop, header, declared):
    shop.land("mail", FILE, header)
    if "fields" in declared:
        declared["constants"] = {"message_event": "sent"}
    shop.load(a_feed(**declared))
    assert shop.counts("mail") == {FILE: (0, 0, 0, 0)}
    assert shop.refused("messages") == []


def test_a_line_under_which_rows_are_accepted_is_a_header_whatever_it_holds(shop):
    sent = {"message_channel": "email", "message_event": "sent", "message_id": "x", "occurred_at": "2026-01-05"}
    shop.land("mail", FILE, "7,2026-01-05\na@shop.example,1\n")
    shop.load(a_feed(fields={"email": "mail"}, constants=sent))
    assert shop.counts("mail") == {FILE: (1, 1, 0, 0)}


def test_a_stray_quote_in_the_header_swallows_no_row(shop):
    shop.land("mail", FILE, HEADER.replace("message_event", '"message_event') + ROWS)
    shop.load(a_feed())
    assert shop.counts("mail") == {FILE: (3, 3, 0, 0)}


def test_a_heading_of_two_lines_stays_one(shop):
    shop.land("mail", FILE, HEADER.replace("email", '"a note\nof two lines",email') + ROWS.replace(",p", ",n,p"))
    shop.load(a_feed())
    assert shop.counts("mail") == {FILE: (3, 3, 0, 0)}


def saved(*sheets: list[list[object]]) -> bytes:
    book, file = Workbook(), io.BytesIO()
    book.remove(book.active)
    for number, rows in enumerate(sheets):
        sheet = book.create_sheet(f"s{number}")
        for row in rows:
            sheet.append(row)
    book.save(file)
    return file.getvalue()


def test_headings_of_sheets_are_told_like_those_of_files(shop):
    values = ROW.format(1, 1).strip().split(",")
    header = HEADER.strip().split(",")
    shop.land("mail", FILE, saved([values], [values, values], [header, values], [["other", "headings"]]))
    shop.load(a_feed("excel", sheet="*", max_reject_ratio=1))
    assert shop.counts("mail") == {FILE: (5, 1, 0, 4)}
    assert [row for _, row, _, code in shop.refused("messages") if code == "unreadable"] == [0, 1, 4]


def test_a_workbook_of_nothing_is_told(shop):
    shop.land("mail", FILE, saved([], []))
    shop.load(a_feed("excel", max_reject_ratio=0))
    assert shop.refused("messages") == [(FILE, 1, "", "unreadable")]


NOTHING = {
    "no-byte": b"",
    "zeros": b"\0" * 500,
    "zeros-and-line-ends": b"\0\n" * 250,
    "blanks": " \t\r\n\u3000\u200b\n".encode(),
    "control-characters": b"\x01\x02\x1a",
    "mark": codecs.BOM_UTF8,
    "mark-and-line-end": codecs.BOM_UTF16_LE + "\n".encode("utf-16-le"),
    "zipped-zeros": gzip.compress(b"\0" * 500, mtime=0),
}


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl", "parquet", "excel"])
def test_a_file_of_nothing_is_one_unreadable_row_in_every_form(shop, form):
    for name, data in NOTHING.items():
        shop.land("mail", f"dt=2026-01-05/{name}", data)
    shop.load(a_feed(form, max_reject_ratio=0))
    assert shop.counts("mail") == {f"dt=2026-01-05/{name}": (1, 0, 0, 1) for name in NOTHING}
    assert {(row, code) for _, row, _, code in shop.refused("messages")} == {(1, "unreadable")}


def test_blanks_of_many_blocks_before_the_rows_hide_none_of_them(shop):
    shop.land("mail", FILE, b"\n" * (9 << 20) + (HEADER + ROWS).encode())
    shop.load(a_feed())
    assert shop.counts("mail") == {FILE: (3, 3, 0, 0)}
