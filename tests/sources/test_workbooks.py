"""Workbooks are read as a person would write them into a CSV file."""

from __future__ import annotations

import io
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook

from sources.feed_declaration import Feed

FILE = "dt=2026-01-05/members.xlsx"
FIELDS = {
    "contact_id": "Customer ID",
    "full_name": "Name",
    "phone": {"path": "Phone", "then": ["spreadsheet_text"]},
    "birth_on": "Born",
    "created_at": "Joined",
    "points_balance": "Points",
}


def a_feed(**declared: Any) -> Feed:
    return Feed.named("club", **({"kind": "contacts", "mapping": "excel", "fields": FIELDS} | declared))


def a_workbook(**sheets: list[list[object]]) -> Workbook:
    book = Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name.replace("_", " "))
        for row in rows:
            sheet.append(row)
    return book


def saved(book: Workbook) -> bytes:
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


HEADINGS = ["Customer ID", "Name", "Phone", "Born", "Joined", "Points"]
MARTA = [17850.0, "Marta", "'+447700900001", date(1984, 2, 29), datetime(2026, 1, 4, 9, 30), 12.5]
RUOXI = [17851, "沈若溪", 19900000003, None, datetime(2026, 1, 4), 3]
WANTED = "contact_id, full_name, phone, birth_on, created_at, points_balance"


def staged(shop: Any) -> list[tuple[Any, ...]]:
    shop.stage("contacts")
    found: list[tuple[Any, ...]] = shop.ask(f"select {WANTED} from staging.contacts order by contact_id")
    return found


def test_whole_numbers_days_and_moments_come_out_as_they_read(shop) -> None:
    shop.land("club", FILE, saved(a_workbook(Members=[HEADINGS, MARTA, RUOXI])))
    shop.load(a_feed())
    assert shop.counts("club") == {FILE: (2, 2, 0, 0)}
    assert staged(shop) == [
        ("17850", "Marta", "+447700900001", date(1984, 2, 29), datetime(2026, 1, 4, 9, 30), Decimal("12.5")),
        ("17851", "沈若溪", "19900000003", None, datetime(2026, 1, 4), Decimal(3)),
    ]


def test_titles_blank_rows_and_merged_cells_above_the_headings_are_no_rows(shop) -> None:
    book = a_workbook(
        Members=[
            ["Members of the club"],
            [],
            ["Who", None, None, "When", None, None],
            HEADINGS,
            MARTA,
            [],
            RUOXI,
            [None],
        ]
    )
    book["Members"].merge_cells("A1:F1")
    book["Members"].merge_cells("A3:C3")
    shop.land("club", FILE, saved(book))
    shop.load(a_feed())
    assert shop.counts("club") == {FILE: (2, 2, 0, 0)}
    assert shop.ask("select _row, contact_id from staging._contacts_versions order by _row") == [
        (1, "17850"),
        (2, "17851"),
    ]


def test_a_table_may_begin_in_any_column_and_a_column_without_heading_is_named_by_its_place(shop) -> None:
    rows = [[None, None, "Customer ID", None, "Name"], [None, None, 7, "gold", "Marta"]]
    shop.land("club", FILE, saved(a_workbook(Members=rows)))
    loaded = shop.load(a_feed(fields={"contact_id": "Customer ID", "full_name": "Name"}))
    [batch] = loaded.batches
    assert (batch.accepted, len(batch.unknown_columns)) == (1, 1)


def test_a_row_with_cells_beside_the_table_is_refused(shop) -> None:
    shop.land("club", FILE, saved(a_workbook(Members=[HEADINGS, MARTA, [*RUOXI, None, "note"]])))
    shop.load(a_feed(max_reject_ratio=1))
    assert shop.counts("club") == {FILE: (2, 1, 0, 1)}
    assert shop.refused("contacts") == [(FILE, 2, "", "unreadable")]


def test_the_first_visible_sheet_with_a_table_is_read_or_those_that_are_named(shop) -> None:
    book = a_workbook(Notes=[], Old=[HEADINGS, RUOXI], Year_2025=[HEADINGS, MARTA], Year_2026=[HEADINGS, RUOXI])
    book["Old"].sheet_state = "hidden"
    shop.land("club", FILE, saved(book))
    shop.load(a_feed())
    assert [row[0] for row in staged(shop)] == ["17850"]
    shop.load(a_feed(sheet="Year *"))
    assert [row[0] for row in staged(shop)] == ["17850", "17851"]
    assert shop.counts("club") == {FILE: (2, 2, 0, 0)}


def test_a_sheet_that_is_not_there_is_told(shop, stopped) -> None:
    shop.land("club", FILE, saved(a_workbook(Members=[HEADINGS, MARTA])))
    shop.load(a_feed(sheet="Membres", max_reject_ratio=1))
    assert shop.refused("contacts") == [(FILE, 1, "", "unreadable")]


def test_times_of_day_truth_values_and_formulas_are_text(shop) -> None:
    rows: list[list[object]] = [["Customer ID", "Name", "Member", "At"], ["7", "Marta", True, time(9, 30)]]
    fields = {"contact_id": "Customer ID", "full_name": {"concat": ["Name", "Member", "At"], "with": "/"}}
    shop.land("club", FILE, saved(a_workbook(Members=rows)))
    shop.load(a_feed(fields=fields))
    assert shop.ask("select full_name from staging._contacts_versions") == [("Marta/true/09:30:00",)]


@pytest.mark.parametrize("cut", [60, 2000])
def test_a_damaged_workbook_is_one_unreadable_row(shop, cut: int) -> None:
    shop.land("club", FILE, saved(a_workbook(Members=[HEADINGS, MARTA]))[:cut])
    shop.load(a_feed(max_reject_ratio=1))
    assert shop.counts("club") == {FILE: (1, 0, 0, 1)}


def test_what_is_no_workbook_is_refused_and_a_workbook_where_objects_are_expected_too(shop) -> None:
    shop.land("club", "dt=2026-01-05/a.xlsx", b"Customer ID,Name\n7,Marta\n")
    shop.load(a_feed(max_reject_ratio=1))
    assert shop.refused("contacts") == [("dt=2026-01-05/a.xlsx", 1, "", "unreadable")]
    shop.land("web", "dt=2026-01-05/b.jsonl", saved(a_workbook(Members=[HEADINGS, MARTA])))
    shop.load(Feed.named("web", kind="web_events", mapping="segment", max_reject_ratio=1))
    assert shop.refused("web_events") == [("dt=2026-01-05/b.jsonl", 1, "", "unreadable")]


def test_a_vendors_export_that_was_saved_as_a_workbook_is_read_like_the_export(shop) -> None:
    rows: list[list[object]] = [["Record ID", "First Name", "Email"], [101, "Marta", "marta@shop.example"]]
    shop.land("crm", "dt=2026-01-05/contacts.xlsx", saved(a_workbook(Sheet1=rows)))
    shop.load(Feed.named("crm", kind="contacts", mapping="hubspot_contacts"))
    assert shop.counts("crm") == {"dt=2026-01-05/contacts.xlsx": (1, 1, 0, 0)}
    assert shop.ask("select contact_id, given_name from staging._contacts_versions") == [("101", "Marta")]
