"""What the contracts accept and refuse, and in which words."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quality.contracts.check import CODES, Accepted, Reason, Rejected, check
from quality.contracts.registry import CONTRACTS

PURCHASE = {"order_id": "1001", "placed_at": "2026-01-05T10:00:00+08:00", "status": "paid", "currency": "CNY"}
EVENT = {"event_id": "e1", "event_kind": "track", "occurred_at": "2026-01-05T10:00:00Z"}
FEEDBACK = {"feedback_id": "f1", "feedback_kind": "survey", "submitted_at": "2026-01-05T10:00:00Z"}


def accepted(kind: str, row: dict[str, object]) -> Accepted:
    word = check(kind, row)
    assert isinstance(word, Accepted), word
    return word


def reasons(kind: str, row: dict[str, object]) -> list[tuple[str, str]]:
    word = check(kind, row)
    assert isinstance(word, Rejected)
    return [(reason.field, reason.code) for reason in word.reasons]


@pytest.mark.parametrize("value", [17850, 17850.0, Decimal("17850.00"), "17850", "17850.0"])
def test_an_id_is_the_same_text_however_it_arrives(value: object) -> None:
    assert accepted("purchases", PURCHASE | {"order_id": value}).values["order_id"] == "17850"


@pytest.mark.parametrize(
    "value", ["007", "gid://shopify/Order/1", "3868899112.4128253975", "oABC_-x", "用户", "2147e90558131144", "1e10"]
)
def test_an_id_that_is_no_whole_number_stays_as_it_is(value: str) -> None:
    assert accepted("purchases", PURCHASE | {"order_id": value}).values["order_id"] == value


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "missing"),
        ("", "missing"),
        ("  ", "missing"),
        (True, "wrong_type"),
        ({"id": 1}, "wrong_type"),
        ([1], "wrong_type"),
        (1.5, "wrong_type"),
        (float("nan"), "wrong_type"),
        ("a\x07b", "bad_format"),
        ("a\nb", "bad_format"),
        ("2E+18", "bad_format"),
        ("1.99E10", "bad_format"),
        (2e18, "bad_format"),
        ("\ud800", "bad_format"),
        ("x" * 5000, "too_long"),
    ],
)
def test_an_id_is_refused_with_a_code(value: object, code: str) -> None:
    assert reasons("purchases", PURCHASE | {"order_id": value}) == [("order_id", code)]


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("2026-01-05T10:00:00+08:00", datetime(2026, 1, 5, 2)),
        ("2026-01-05T10:00:00.123Z", datetime(2026, 1, 5, 10, 0, 0, 123000)),
        ("2026-01-05 10:00:00", datetime(2026, 1, 5, 10)),
        ("2026-01-05T10:00:00+0000", datetime(2026, 1, 5, 10)),
        ("2026-01-05 10:00:00 +0200", datetime(2026, 1, 5, 8)),
        ("2026-01-05T10:00", datetime(2026, 1, 5, 10)),
        ("2026-01-05", datetime(2026, 1, 5)),
        (datetime(2026, 1, 5, 10), datetime(2026, 1, 5, 10)),
        (date(2026, 1, 5), datetime(2026, 1, 5)),
    ],
)
def test_moments_become_naive_utc(value: object, moment: datetime) -> None:
    assert accepted("purchases", PURCHASE | {"placed_at": value}).values["placed_at"] == moment


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("yesterday", "bad_format"),
        ("2026-13-45T99:00:00Z", "bad_format"),
        ("2026-02-30T00:00:00Z", "bad_format"),
        ("2026-W01-1T00:00:00Z", "bad_format"),
        (1767571200, "wrong_type"),
        (["2026-01-05"], "wrong_type"),
        ("2199-01-01T00:00:00Z", "out_of_range"),
        ("1899-12-31T00:00:00Z", "out_of_range"),
        ("0001-01-01T00:00:00+14:00", "out_of_range"),
    ],
)
def test_moments_are_refused_with_a_code(value: object, code: str) -> None:
    assert reasons("purchases", PURCHASE | {"placed_at": value}) == [("placed_at", code)]


@pytest.mark.parametrize(
    ("value", "amount"),
    [
        ("12.50", "12.5"),
        (0.1 + 0.2, "0.3"),
        (-3, "-3"),
        ("1.23450000", "1.2345"),
        ("1e3", "1000"),
        (" 7 ", "7"),
        (0, "0"),
    ],
)
def test_amounts_are_exact_and_floating_point_is_rounded_to_four_places(value: object, amount: str) -> None:
    found = accepted("purchases", PURCHASE | {"gross_amount": value}).values["gross_amount"]
    assert found == Decimal(amount)
    assert isinstance(found, Decimal)
    assert found.as_tuple().exponent == -4


@pytest.mark.parametrize(
    ("value", "code"),
    [
        ("lots", "wrong_type"),
        ("1,234.50", "wrong_type"),
        ("１２", "wrong_type"),
        (True, "wrong_type"),
        ([1], "wrong_type"),
        ("nan", "wrong_type"),
        (float("inf"), "out_of_range"),
        ("1.23456", "out_of_range"),
        ("100000000000000", "out_of_range"),
        ("1e9999", "out_of_range"),
    ],
)
def test_amounts_are_refused_with_a_code(value: object, code: str) -> None:
    assert reasons("purchases", PURCHASE | {"gross_amount": value}) == [("gross_amount", code)]


def test_returns_and_gifts_are_real() -> None:
    line = {"line_id": 1, "quantity": -2, "unit_amount": 0}
    [found] = accepted("purchases", PURCHASE | {"lines": [line]}).children["purchase_lines"]
    assert (found["order_id"], found["line_id"], found["quantity"]) == ("1001", "1", Decimal(-2))


def test_nested_rows_are_named_by_their_path() -> None:
    lines = [
        {"line_id": 1, "quantity": 1},
        {"line_id": 2, "quantity": 1},
        {"line_id": 3, "quantity": "two", "colour": 1},
    ]
    assert reasons("purchases", PURCHASE | {"lines": lines}) == [
        ("lines[2].quantity", "wrong_type"),
        ("lines[2].colour", "unknown_field"),
    ]


def test_a_line_id_stands_once_in_an_order_and_its_order_is_this_one() -> None:
    lines = [{"line_id": 1, "quantity": 1}, {"line_id": "1", "quantity": 1}]
    assert reasons("purchases", PURCHASE | {"lines": lines}) == [("lines[1].line_id", "inconsistent")]
    refund = {"refund_id": 1, "refunded_at": "2026-01-06", "amount": 1, "order_id": "9"}
    assert reasons("purchases", PURCHASE | {"refunds": [refund]}) == [("refunds[0].order_id", "inconsistent")]


def test_closed_sets_are_closed_and_their_words_exact() -> None:
    assert reasons("purchases", PURCHASE | {"status": "Paid"}) == [("status", "not_in_set")]
    assert reasons("web_events", EVENT | {"event_kind": "purchase"}) == [("event_kind", "not_in_set")]
    assert reasons("feedback", FEEDBACK | {"ticket_status": "lost"}) == [("ticket_status", "not_in_set")]


def test_a_closed_set_is_named_in_the_reason() -> None:
    word = check("purchases", PURCHASE | {"status": "Paid"})
    assert isinstance(word, Rejected)
    assert word.reasons[0].message == "expected is 'pending', 'paid', 'fulfilled', 'cancelled' or 'refunded'"


def test_a_currency_is_three_capital_letters() -> None:
    assert reasons("purchases", PURCHASE | {"currency": "gbp"}) == [("currency", "bad_format")]


@pytest.mark.parametrize(
    ("scale", "score", "expected"),
    [("nps", 10, []), ("nps", 14, [("score", "out_of_range")]), ("thumbs", 2, [("score", "out_of_range")]),
     ("stars", 4.5, []), (None, 3, [("score_scale", "missing")])],
)  # fmt: skip
def test_a_score_lies_on_its_scale(scale: str | None, score: float, expected: list[tuple[str, str]]) -> None:
    row = FEEDBACK | {"score": score, "score_scale": scale}
    assert (reasons("feedback", row) if expected else []) == expected
    assert isinstance(check("feedback", row), Rejected) is bool(expected)


def test_messy_contact_data_is_accepted_as_it_is() -> None:
    row = {"email": "N/A", "phone": 13800138000, "full_name": "  Marta\tLind ", "country": "EIRE"}
    values = accepted("purchases", PURCHASE | row).values
    assert {name: values[name] for name in row} == row | {"phone": "13800138000"}


def test_lists_and_objects_become_what_the_table_holds() -> None:
    consent = {"channel": "email", "state": "in", "at": "2026-01-05T10:00:00Z"}
    values = accepted("contacts", {"contact_id": 1, "interests": ["tea", "茶"], "consents": [consent]}).values
    assert values["interests"] == ["tea", "茶"]
    assert values["consents"] == (
        '[{"channel":"email","purpose":"marketing","state":"in","at":"2026-01-05T10:00:00","source":null,"text_version":null}]'
    )
    answers = [{"question_id": 1, "value": True}, {"question_id": "q2", "value": ["a", 2]}]
    assert accepted("feedback", FEEDBACK | {"answers": answers}).values["answers"] == [
        {"question_id": "1", "question": None, "value": "true"},
        {"question_id": "q2", "question": None, "value": "a; 2"},
    ]
    assert accepted("web_events", EVENT | {"consent": {"ads": False}}).values["consent"] == '{"ads":false}'


def test_is_test_is_false_where_the_source_says_nothing() -> None:
    assert accepted("purchases", PURCHASE | {"is_test": None}).values["is_test"] is False


def test_every_reason_of_a_row_is_told_at_once() -> None:
    assert reasons("purchases", {"order_id": "", "status": "lost", "currency": "CNY", "colour": "red"}) == [
        ("order_id", "missing"),
        ("placed_at", "missing"),
        ("status", "not_in_set"),
        ("colour", "unknown_field"),
    ]


SECRET = "Zq9XmK"
ANYTHING = st.recursive(
    st.one_of(
        st.just(SECRET),
        st.just(SECRET + "\x00"),
        st.just(SECRET * 50_000),
        st.integers(),
        st.floats(),
        st.booleans(),
        st.none(),
    ),
    lambda inner: (
        st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["line_id", "value"]), inner, max_size=2)
    ),
    max_leaves=4,
)
COLUMNS = [(kind, name) for kind, model in CONTRACTS.items() for name in model.model_fields]


@given(st.sampled_from(COLUMNS), ANYTHING)
def test_no_reason_repeats_the_value_and_every_code_is_known(place: tuple[str, str], value: object) -> None:
    kind, name = place
    word = check(kind, {name: value})
    found: tuple[Reason, ...] = word.reasons if isinstance(word, Rejected) else ()
    for reason in found:
        assert SECRET not in reason.message
        assert reason.code in CODES
        assert reason.code != "unreadable"
