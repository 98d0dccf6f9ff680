"""Where a vendor gives the same rows in several forms, each file's content decides; headings may differ a little."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sources.feed_declaration import Feed
from sources.readers.headings import Headings

LINE = '"003Qv00000x1yZaIAI"{0}"marta@shop.example"\n'
RECORD = {"attributes": {"type": "Contact"}, "Id": "003Qv00000x1yZaIAI", "Email": "marta@shop.example"}
WANTED = [("003Qv00000x1yZaIAI", "marta@shop.example")]


def salesforce(**declared: Any) -> Feed:
    return Feed.named("crm", kind="contacts", mapping="salesforce_contacts", **declared)


@pytest.mark.parametrize(
    "content",
    [
        json.dumps(RECORD),
        json.dumps([RECORD]),
        json.dumps({"totalSize": 1, "done": True, "records": [RECORD]}),
        json.dumps(RECORD) + "\n",
        '"Id","Email"\n' + LINE.format(","),
        '\ufeff"Id","Email"\r\n' + LINE.format(",").replace("\n", "\r\n"),
        '"Id";"Email"\n' + LINE.format(";"),
        '"Id"\t"Email"\n' + LINE.format("\t"),
        '"Id"|"Email"\n' + LINE.format("|"),
        '"Id"^"Email"\n' + LINE.format("^"),
        "ID,EMAIL\n" + LINE.format(","),
    ],
)
def test_the_content_of_a_file_decides_on_its_form(shop, content: str) -> None:
    shop.land("crm", "dt=2026-01-05/export", content)
    loaded = shop.load(salesforce())
    assert shop.ask("select contact_id, email from staging._contacts_versions") == WANTED
    assert loaded.batches[0].unknown_columns == ()


def test_objects_and_rows_of_one_batch_meet(shop) -> None:
    shop.land("crm", "dt=2026-01-05/a.json", [RECORD])
    shop.land("crm", "dt=2026-01-05/b.csv", '"Id","Email"\n"003Qv00000x1yZbIAI","li@shop.example"\n')
    shop.load(salesforce())
    assert shop.ask("select count(*) from staging._contacts_versions") == [(2,)]


def test_a_declared_form_is_kept_to(shop) -> None:
    shop.land("crm", "dt=2026-01-05/a.csv", '"Id","Email"\n' + LINE.format(","))
    shop.load(salesforce(format="json", max_reject_ratio=1))
    assert {code for *_, code in shop.refused("contacts")} == {"unreadable"}


def test_text_that_is_neither_objects_nor_a_known_table_is_refused(shop) -> None:
    shop.land("crm", "dt=2026-01-05/a.csv", "Dear colleague,\nthe export failed.\n")
    shop.load(salesforce(max_reject_ratio=1))
    assert shop.refused("contacts")
    assert all(code == "unreadable" for *_, code in shop.refused("contacts"))


def test_a_heading_is_known_without_marks_and_in_any_case_unless_both_spellings_stand_there() -> None:
    headings = Headings(frozenset({"Email", "姓名"}), ("（必填）", "(必填)"))
    assert headings.named([" EMAIL ", "姓名（必填）", "Phone"]) == ("Email", "姓名", "Phone")
    assert headings.named(["Email", "email"]) == ("Email", "email")


def test_only_headings_tell_another_delimiter_than_a_comma() -> None:
    headings = Headings(frozenset({"a", "b"}))
    assert [headings.delimiter(line) for line in ("a;b", "a,b", "x;y", 'a;"b')] == [";", ",", ",", ","]
