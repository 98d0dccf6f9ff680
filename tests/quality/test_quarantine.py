"""Rejected rows are kept once, with their reasons, and shown without personal values."""

from __future__ import annotations

from datetime import date, datetime

import pytest

from quality.contracts.check import Reason
from quality.quarantine import (
    Reject,
    count_reasons,
    create_tables,
    drop_open,
    list_rows,
    replace_rejects,
    show_row,
    spec,
    write_rejects,
)
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
    write_rejects(connection, "purchases", [a_reject(3)])
    [row] = list_rows(connection)
    assert (row.kind, row.feed, row.row, row.status, row.first_seen_at) == (
        "purchases",
        "shop_orders",
        3,
        "open",
        FIRST,
    )
    assert row.reasons == (Reason("placed_at", "missing", "a value is required"),)
    assert row.quarantine_id == a_reject(3, raw="other").quarantine_id("purchases")
    assert row.quarantine_id != a_reject(4).quarantine_id("purchases")


def test_writing_a_row_again_does_not_double_it_and_keeps_when_it_was_first_seen(connection: Connection) -> None:
    write_rejects(connection, "purchases", [a_reject(1)])
    write_rejects(connection, "purchases", [a_reject(1, seen=LATER, code="bad_format")])
    [row] = list_rows(connection)
    assert (row.first_seen_at, row.reasons[0].code) == (FIRST, "bad_format")


def test_another_source_row_in_the_same_place_is_new(connection: Connection) -> None:
    write_rejects(connection, "purchases", [a_reject(1)])
    write_rejects(connection, "purchases", [a_reject(1, raw='{"id": 2}', seen=LATER)])
    assert [row.first_seen_at for row in list_rows(connection)] == [LATER]


def test_a_discarded_row_stays_discarded_while_it_is_the_same(connection: Connection) -> None:
    write_rejects(connection, "purchases", [a_reject(1), a_reject(2)])
    connection.execute("update quarantine.purchases set status = 'discarded', resolution = 'a test'")
    write_rejects(connection, "purchases", [a_reject(1), a_reject(2, raw='{"id": 9}')])
    statuses = connection.execute("select row, status, resolution from quarantine.purchases order by row").fetchall()
    assert statuses == [(1, "discarded", "a test"), (2, "open", None)]


def test_reading_files_again_leaves_exactly_their_new_open_rows(connection: Connection) -> None:
    write_rejects(connection, "purchases", [a_reject(1), a_reject(2), a_reject(1, file="other.json")])
    replace_rejects(connection, "purchases", "shop_orders", ["dt=2026-01-05/orders.json"], [a_reject(2), a_reject(5)])
    assert [(row.file, row.row) for row in list_rows(connection)] == [
        ("dt=2026-01-05/orders.json", 2),
        ("dt=2026-01-05/orders.json", 5),
        ("other.json", 1),
    ]
    drop_open(connection, "purchases", "shop_orders", ["other.json"])
    assert {row.file for row in list_rows(connection)} == {"dt=2026-01-05/orders.json"}


def test_rows_are_listed_by_feed_and_code_and_counted_by_reason(connection: Connection) -> None:
    write_rejects(connection, "purchases", [a_reject(1), a_reject(2, code="bad_format"), a_reject(3)])
    write_rejects(connection, "contacts", [a_reject(1, feed="crm")])
    assert [row.row for row in list_rows(connection, code="missing", feed="shop_orders")] == [1, 3]
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
    write_rejects(connection, "purchases", [a_reject(1, raw=RAW)])
    quarantine_id = list_rows(connection)[0].quarantine_id
    shown = show_row(connection, quarantine_id[:8]).raw or ""
    for personal in ("Mei", "99999", "3301", "marta", "7946", "139", "Marta", "High", "a@b"):
        assert personal not in shown
    for plain in ("4507894691234", "598.00", "2026-01-05T10:00:00+08:00"):
        assert plain in shown
    assert show_row(connection, quarantine_id, reveal=True).raw == RAW


@pytest.mark.parametrize(
    "raw", ['{"id": 1, "email": "marta@example.com', "17850,Marta Lind,marta@example.com", '"Marta"']
)
def test_a_row_that_cannot_be_read_is_shown_as_a_shape(connection: Connection, raw: str) -> None:
    write_rejects(connection, "contacts", [a_reject(1, raw=raw)])
    shown = show_row(connection, list_rows(connection)[0].quarantine_id).raw or ""
    assert len(shown) == len(raw)
    assert "arta" not in shown
    assert not set("12345678") & set(shown)


def test_keys_that_a_mapping_calls_personal_are_masked_too(connection: Connection) -> None:
    write_rejects(connection, "contacts", [a_reject(1, raw='{"Preferred channels": "Marta only", "k": "v"}')])
    row = show_row(connection, list_rows(connection)[0].quarantine_id, personal_keys=["Preferred channels"])
    assert row.raw == '{"Preferred channels": "•••", "k": "v"}'


def test_half_surrogates_and_nul_can_be_kept(connection: Connection) -> None:
    write_rejects(connection, "contacts", [a_reject(1, raw='{"a": "\ud800\x00"}')])
    assert show_row(connection, list_rows(connection)[0].quarantine_id, reveal=True).raw == '{"a": "\\ud800\x00"}'


def test_an_unknown_or_ambiguous_id_is_an_input_error(connection: Connection) -> None:
    write_rejects(connection, "contacts", [a_reject(1), a_reject(2)])
    for quarantine_id in ("q", "nothing"):
        with pytest.raises(InputError, match="quarantine"):
            show_row(connection, quarantine_id)
