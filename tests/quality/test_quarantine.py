"""Rejected rows are kept once, with their reasons, and shown without personal values."""

from __future__ import annotations

import json
import tracemalloc
from datetime import date, datetime

import pytest

from quality.contracts.check import Reason
from quality.quarantine import (
    RowFilter,
    count_reasons,
    create_tables,
    find_row,
    list_rows,
    masked,
    spec,
)
from quality.quarantine_history import history_of
from quality.rejects import Reject, Rejects
from quality.resolution import Attempt, Reread, discard_rows, move_rows, replace_rejects
from warehouse.database import Connection, Warehouse
from warehouse.errors import InputError
from warehouse.step import comment_on

FIRST = datetime(2026, 2, 1, 6)
LATER = datetime(2026, 2, 2, 6)


def a_reject(
    row: int = 1, *, raw: str = '{"id": 1}', code: str = "missing", seen: datetime = FIRST, **rest: object
) -> Reject:
    reason = Reason("placed_at", code, "a value is required")  # type: ignore[arg-type]
    given: dict[str, object] = {"feed": "shop_orders", "file": "dt=2026-01-05/orders.json", "reasons": (reason,)}
    return Reject(batch_on=date(2026, 1, 5), row=row, raw=raw, first_seen_at=seen, **(given | rest))  # type: ignore[arg-type]


FILE = "dt=2026-01-05/orders.json"


def read_files(
    connection: Connection, *rejects: Reject, kind: str = "purchases", feed: str = "shop_orders", **how: object
) -> None:
    """Files were read and these rows refused. ``how``: what was known of the files, who asked, which files."""
    asked = {name: how.pop(name) for name in ("by", "why", "asked") if name in how}
    files = how.pop("files", {reject.file for reject in rejects} or {FILE})
    reread = {file: Reread(**({"is_same": True} | how)) for file in files}  # type: ignore[arg-type,attr-defined]
    refused = Rejects(connection, kind)
    for reject in rejects:
        refused.add(reject)
    replace_rejects(refused, feed, reread, Attempt(LATER, "run-2", **asked))  # type: ignore[arg-type]


def states(connection: Connection) -> list[tuple[int, str, int]]:
    return [(row.row, row.status, row.attempts) for row in list_rows(connection, RowFilter(status=None))]


def events(connection: Connection, reject: Reject) -> list[tuple[str, str, str]]:
    found = history_of(connection, reject.quarantine_id("purchases"))
    return [(event.event, event.acted_by, event.why) for event in found]


@pytest.fixture
def connection(warehouse: Warehouse) -> Connection:
    cursor = warehouse.cursor()
    create_tables(cursor)
    return cursor


def test_the_table_has_the_columns_that_outsiders_rely_on(connection: Connection) -> None:
    found = connection.execute(
        "select column_name, data_type from (describe quarantine.purchases) t(column_name, data_type, a, b, c, d)"
    )
    columns = dict(found.fetchall())
    assert list(columns) == [
        "quarantine_id", "feed", "batch_on", "file", "row", "reasons", "raw", "status",
        "first_seen_at", "resolved_at", "resolved_by", "resolution", "attempts",
    ]  # fmt: skip
    assert columns["reasons"] == "STRUCT(field VARCHAR, code VARCHAR, message VARCHAR)[]"
    comment_on(connection, spec("purchases"))


def test_a_row_is_kept_with_its_reasons_and_an_id_that_depends_on_its_place_alone(connection: Connection) -> None:
    read_files(connection, a_reject(3))
    [row] = list_rows(connection)
    assert (row.kind, row.feed, row.row, row.status, row.first_seen_at, row.attempts) == (
        "purchases",
        "shop_orders",
        3,
        "open",
        FIRST,
        0,
    )
    assert row.reasons == (Reason("placed_at", "missing", "a value is required"),)
    assert row.quarantine_id == a_reject(3, raw="other").quarantine_id("purchases")
    assert row.quarantine_id != a_reject(4).quarantine_id("purchases")


def test_reading_a_file_again_does_not_double_a_row_and_keeps_when_it_was_first_seen(connection: Connection) -> None:
    read_files(connection, a_reject(1))
    read_files(connection, a_reject(1, seen=LATER, code="bad_format"))
    [row] = list_rows(connection)
    assert (row.first_seen_at, row.reasons[0].code, row.attempts) == (FIRST, "bad_format", 0)
    assert events(connection, a_reject(1)) == []


def test_another_source_row_in_the_same_place_is_new(connection: Connection) -> None:
    read_files(connection, a_reject(1))
    read_files(connection, a_reject(1), is_anew=True)
    read_files(connection, a_reject(1, raw='{"id": 2}', seen=LATER), is_same=False)
    assert [(row.first_seen_at, row.attempts) for row in list_rows(connection)] == [(LATER, 0)]
    assert [event for event, _, _ in events(connection, a_reject(1))] == ["refused_again", "replaced"]


def test_a_row_that_is_accepted_when_its_file_is_read_again_leaves_once(connection: Connection) -> None:
    read_files(connection, a_reject(1), a_reject(2))
    asked = {
        "by": "mei",
        "why": "the mapping reads it now",
        "asked": frozenset({a_reject(1).quarantine_id("purchases")}),
    }
    for _ in range(2):
        read_files(connection, a_reject(2), **asked)  # type: ignore[arg-type]
        assert states(connection) == [(1, "replayed", 1), (2, "open", 0)]
    found = find_row(connection, a_reject(1).quarantine_id("purchases"))
    assert (found.resolved_at, found.resolved_by, found.resolution) == (LATER, "mei", "the mapping reads it now")
    assert events(connection, a_reject(1)) == [("replayed", "mei", "the mapping reads it now")]
    assert [row.row for row in list_rows(connection)] == [2]


def test_every_attempt_is_counted_and_told(connection: Connection) -> None:
    read_files(connection, a_reject(1))
    read_files(connection, a_reject(1), is_anew=True)
    asked = frozenset({a_reject(1).quarantine_id("purchases")})
    read_files(connection, a_reject(1), by="mei", why="once more", asked=asked)
    read_files(connection, files=[FILE], corrected={1: ("otto", "the shop sent the date")}, by="mei", asked=asked)
    assert states(connection) == [(1, "replayed", 3)]
    assert events(connection, a_reject(1)) == [
        ("refused_again", "pipeline", "its file was read again by changed declarations"),
        ("refused_again", "mei", "once more"),
        ("replayed", "mei", "the shop sent the date"),
    ]


def test_a_replayed_row_that_is_refused_again_is_open_again(connection: Connection) -> None:
    read_files(connection, a_reject(1))
    read_files(connection, is_anew=True)
    read_files(connection, a_reject(1), is_anew=True)
    [row] = list_rows(connection)
    assert (row.status, row.resolved_by, row.attempts, row.first_seen_at) == ("open", None, 2, FIRST)
    assert [event for event, _, _ in events(connection, a_reject(1))] == ["replayed", "reopened"]


def test_a_discarded_row_stays_discarded_while_it_is_the_same(connection: Connection) -> None:
    read_files(connection, a_reject(1), a_reject(2))
    ids = [a_reject(row).quarantine_id("purchases") for row in (1, 2)]
    for _ in range(2):
        discard_rows(connection, "purchases", ids, Attempt(LATER, "run-2", "mei", "a test order"))
    read_files(connection, a_reject(1), a_reject(2, raw='{"id": 9}'), is_same=False)
    rows = list_rows(connection, RowFilter(status=None))
    assert [(row.row, row.status, row.resolution) for row in rows] == [
        (1, "discarded", "a test order"),
        (2, "open", None),
    ]
    assert events(connection, a_reject(1)) == [("discarded", "mei", "a test order")]
    assert [event for event, _, _ in events(connection, a_reject(2))] == ["discarded", "replaced"]


def test_rows_that_a_changed_file_no_longer_holds_are_withdrawn(connection: Connection) -> None:
    read_files(connection, a_reject(1), a_reject(2), a_reject(1, file="other.json"))
    read_files(connection, a_reject(2), a_reject(5), is_same=False)
    assert [(row.file, row.row) for row in list_rows(connection)] == [(FILE, 2), (FILE, 5), ("other.json", 1)]
    assert [event for event, _, _ in events(connection, a_reject(1))] == ["withdrawn"]


def test_what_was_discarded_stays_so_when_its_file_is_moved(connection: Connection) -> None:
    read_files(connection, a_reject(1), a_reject(2))
    discard_rows(
        connection, "purchases", [a_reject(1).quarantine_id("purchases")], Attempt(LATER, "run-2", "mei", "a test")
    )
    read_files(connection, a_reject(1, file="new.json"), a_reject(2, file="new.json"))
    move_rows(connection, "purchases", "shop_orders", {FILE: "new.json"}, Attempt(LATER, "run-3"))
    rows = list_rows(connection, RowFilter(status=None))
    assert [(row.file, row.row, row.status, row.resolved_by) for row in rows] == [
        ("new.json", 1, "discarded", "mei"),
        ("new.json", 2, "open", None),
    ]


def test_rows_are_listed_by_feed_code_and_field_and_counted_by_reason(connection: Connection) -> None:
    read_files(connection, a_reject(1), a_reject(2, code="bad_format"), a_reject(3))
    read_files(connection, a_reject(1, feed="crm"), kind="contacts", feed="crm")
    assert [row.row for row in list_rows(connection, RowFilter(code="missing", feed="shop_orders"))] == [1, 3]
    assert list_rows(connection, RowFilter(code="missing", field="order_id")) == ()
    assert len(list_rows(connection, limit=2)) == 2
    assert [(c.feed, c.code, c.rows) for c in count_reasons(connection)] == [
        ("crm", "missing", 1),
        ("shop_orders", "missing", 2),
        ("shop_orders", "bad_format", 1),
    ]


RAW = (
    '{"id": 4507894691234, "Contact owner": "Mei Lin", "user_id": 4507894699999, '
    '"id_number": "330106199001011234", "email": "marta.lind@example.com", "note": "ring me on +44 20 7946 0000", '
    '"total_price": "598.00", "created_at": "2026-01-05T10:00:00+08:00", "ref": "call 13912345678", '
    '"customer": {"id": 7, "first_name": "Marta"}, "shippingAddress": {"line": "5 High St"}, "contacts": ["a@b.cn"]}'
)


def test_a_row_is_shown_without_personal_values_unless_they_are_asked_for(connection: Connection) -> None:
    read_files(connection, a_reject(1, raw=RAW))
    quarantine_id = list_rows(connection)[0].quarantine_id
    shown = masked(find_row(connection, quarantine_id[:8])).raw or ""
    for personal in ("Mei", "99999", "3301", "marta", "7946", "139", "Marta", "High", "a@b"):
        assert personal not in shown
    for plain in ("4507894691234", "598.00", "2026-01-05T10:00:00+08:00"):
        assert plain in shown
    assert find_row(connection, quarantine_id).raw == RAW


def test_the_beginning_of_an_id_has_to_be_long_enough_and_of_one_row_only(connection: Connection) -> None:
    by_beginning: dict[str, Reject] = {}
    for row in range(1, 100_000):
        reject = a_reject(row)
        twin = by_beginning.setdefault(reject.quarantine_id("purchases")[:6], reject)
        if twin is not reject:
            break
    read_files(connection, twin, reject)
    ids = sorted(item.quarantine_id("purchases") for item in (twin, reject))
    with pytest.raises(InputError, match=r"too short.* 6 letters"):
        find_row(connection, ids[0][:5])
    with pytest.raises(InputError, match=rf"2 rows .*{ids[0]}, {ids[1]}") as told:
        find_row(connection, ids[0][:6])
    assert told.value.fix == "Give more of the id."
    assert find_row(connection, ids[0][:12]).quarantine_id == ids[0]


@pytest.mark.parametrize(
    "raw", ['{"id": 1, "email": "marta@example.com', "17850,Marta Lind,marta@example.com", '"Marta"']
)
def test_a_row_that_cannot_be_read_is_shown_as_a_shape(connection: Connection, raw: str) -> None:
    read_files(connection, a_reject(1, raw=raw), kind="contacts")
    shown = masked(find_row(connection, list_rows(connection)[0].quarantine_id)).raw or ""
    assert len(shown) == len(raw)
    assert "arta" not in shown
    assert not set("12345678") & set(shown)


def test_keys_that_a_mapping_calls_personal_are_masked_too(connection: Connection) -> None:
    read_files(
        connection, a_reject(1, raw='{"Preferred channels": "Marta only", "status": "v", "k": "v"}'), kind="contacts"
    )
    row = masked(find_row(connection, list_rows(connection)[0].quarantine_id), ["Preferred channels"])
    assert row.raw == '{"Preferred channels": "•••", "status": "v", "k": "•••"}'


def test_what_nobody_called_harmless_is_masked(connection: Connection) -> None:
    raw = (
        '{"City": "Hangzhou", "Gender": "female", "Income band": "20-30", "Date of birth": "1990-02-01", "年龄": 41,'
        ' "Marital status": "single", "Favourites": ["tea", {"place": "Suzhou"}], "Order": "A-17", "amount": 12.5}'
    )
    read_files(connection, a_reject(1, raw=raw), kind="contacts")
    shown = json.loads(masked(find_row(connection, list_rows(connection)[0].quarantine_id)).raw or "")
    assert {name for name, value in shown.items() if value not in ("•••", ["•••", {"place": "•••"}])} == {
        "Order",
        "amount",
    }


def test_half_surrogates_and_nul_can_be_kept(connection: Connection) -> None:
    read_files(connection, a_reject(1, raw='{"a": "\ud800\x00"}'), kind="contacts")
    assert find_row(connection, list_rows(connection)[0].quarantine_id).raw == '{"a": "\\ud800\x00"}'


def test_of_two_rows_in_one_place_the_later_is_kept(connection: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("quality.rejects.MOST_WAITING", 2)
    read_files(connection, *(a_reject(number % 3, raw=f"{number}") for number in range(8)))
    found = connection.execute("select row, raw from quarantine.purchases order by row").fetchall()
    assert found == [(0, "6"), (1, "7"), (2, "5")]


def test_refused_rows_do_not_wait_in_memory(connection: Connection) -> None:
    refused = Rejects(connection, "purchases")
    tracemalloc.start()
    for number in range(60_000):
        refused.add(a_reject(number, raw=f"{number:01000}"))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 30_000_000


def test_an_unknown_or_ambiguous_id_is_an_input_error(connection: Connection) -> None:
    read_files(connection, a_reject(1), a_reject(2), kind="contacts")
    for quarantine_id in ("q", "nothing"):
        with pytest.raises(InputError, match="quarantine"):
            find_row(connection, quarantine_id)
