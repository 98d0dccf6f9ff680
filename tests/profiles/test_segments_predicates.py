"""The predicate language: SQL and Python give the same answer, unknown included; mistakes are told with their line."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from sqlglot import exp

from profiles.fields import SQL_TYPES, Field, FieldType
from profiles.predicate import OPERATOR_KEYS, Predicate
from profiles.predicate_meaning import Binder, compile_predicate, evaluate
from profiles.predicate_operators import OPERATORS
from warehouse.database import Connection, open_warehouse

AS_OF = date(2026, 1, 31)
TYPES: tuple[FieldType, ...] = ("text", "integer", "decimal", "float", "boolean", "date", "texts")
CATALOGUE = {f"rows.a_{kind}": Field("rows", f"a_{kind}", kind) for kind in TYPES}

WORDS = st.sampled_from(["", "tea", "te", "TEA", "茶", "%", "_", "a'b", "é", "100%"])
NUMBERS = st.integers(-3, 3)
DAYS = st.integers(-3, 8).map(lambda days: AS_OF - timedelta(days=days))
STORED: dict[FieldType, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "integer": NUMBERS,
    "decimal": st.integers(-40, 40).map(lambda tenths: Decimal(tenths) / 10),
    "float": st.sampled_from([-1.0, 0.0, 0.1, 0.5, 1 / 3, 2.0]),
    "boolean": st.booleans(),
    "date": DAYS,
    "texts": st.lists(WORDS, max_size=3),
}
WRITTEN: dict[FieldType, st.SearchStrategy[Any]] = {
    "text": WORDS,
    "integer": NUMBERS,
    "decimal": st.one_of(NUMBERS, st.integers(-40, 40).map(lambda tenths: tenths / 10)),
    "float": st.one_of(NUMBERS, st.sampled_from([0.1, 0.5, 1.5])),
    "boolean": st.booleans(),
    "date": DAYS.map(date.isoformat),
    "texts": WORDS,
}
ROWS = st.lists(
    st.fixed_dictionaries({f"rows.a_{kind}": st.one_of(st.none(), STORED[kind]) for kind in TYPES}),
    min_size=1,
    max_size=12,
)


@st.composite
def leaves(draw: st.DrawFn) -> dict[str, object]:
    kind = draw(st.sampled_from(TYPES))
    key = draw(st.sampled_from([key for key in OPERATOR_KEYS if kind in OPERATORS[key].types]))
    operand = OPERATORS[key].operand
    if key == "between":
        chosen = sorted([draw(WRITTEN[kind]), draw(WRITTEN[kind])])
        given_value: object = chosen
    elif operand == "values":
        given_value = draw(st.lists(WRITTEN[kind], min_size=1, max_size=8))
    elif operand == "days":
        given_value = draw(st.integers(1, 6))
    elif operand == "flag":
        given_value = draw(st.booleans())
    else:
        given_value = draw(WRITTEN[kind])
    return {"field": f"rows.a_{kind}", key: given_value}


CONDITIONS = st.recursive(
    st.one_of(leaves(), st.just({"segment": "known"})),
    lambda inner: st.one_of(
        st.builds(lambda part: {"not": part}, inner),
        st.builds(
            lambda key, parts: {key: parts}, st.sampled_from(["all", "any"]), st.lists(inner, min_size=1, max_size=3)
        ),
    ),
    max_leaves=6,
)


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with open_warehouse() as warehouse:
        yield warehouse.cursor()


def give_rows(connection: Connection, rows: list[dict[str, object]]) -> None:
    columns = ", ".join(f"a_{kind} {SQL_TYPES[kind]}" for kind in TYPES)
    connection.execute(f"create or replace table rows (place integer, {columns})")
    marks = ", ".join("?" for _ in range(len(TYPES) + 1))
    for place, row in enumerate(rows):
        connection.execute(f"insert into rows values ({marks})", [place, *(row[f"rows.a_{kind}"] for kind in TYPES)])


def answers_in_sql(
    connection: Connection, predicates: list[Predicate], segments: dict[str, Predicate]
) -> list[tuple[bool | None, ...]]:
    binder = Binder("p")
    compiled = [compile_predicate(predicate, CATALOGUE, binder, segments) for predicate in predicates]
    query = exp.select(*compiled).from_("rows").order_by("rows.place").sql(dialect="duckdb")
    values = binder.values | ({"as_of": AS_OF} if "$as_of" in query else {})
    return connection.execute(query, values).fetchall()


@settings(max_examples=150)
@given(conditions=st.lists(CONDITIONS, min_size=1, max_size=6), known=leaves(), rows=ROWS)
def test_sql_and_python_give_the_same_answer_for_every_row(
    connection: Connection,
    conditions: list[dict[str, object]],
    known: dict[str, object],
    rows: list[dict[str, object]],
) -> None:
    predicates = [Predicate.model_validate(condition) for condition in conditions]
    segments = {"known": Predicate.model_validate(known)}
    give_rows(connection, rows)
    in_python = [
        tuple(evaluate(predicate, CATALOGUE, row, AS_OF, segments) for predicate in predicates) for row in rows
    ]
    assert answers_in_sql(connection, predicates, segments) == in_python


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ({"field": "rows.a_text", "eq": "tea"}, None),
        ({"not": {"field": "rows.a_text", "eq": "tea"}}, None),
        ({"field": "rows.a_text", "ne": "tea"}, None),
        ({"field": "rows.a_text", "not_in": ["tea"]}, None),
        ({"field": "rows.a_text", "is_null": True}, True),
        ({"any": [{"field": "rows.a_text", "eq": "tea"}, {"field": "rows.a_integer", "eq": 1}]}, True),
        ({"all": [{"field": "rows.a_text", "eq": "tea"}, {"field": "rows.a_integer", "eq": 2}]}, False),
        ({"all": [{"field": "rows.a_text", "eq": "tea"}, {"field": "rows.a_integer", "eq": 1}]}, None),
        ({"not": {"segment": "unknown"}}, True),
    ],
)
def test_what_is_not_known_is_neither_true_nor_false(condition: dict[str, object], answer: bool | None) -> None:
    row = {"rows.a_integer": 1}
    segments = {"unknown": Predicate.model_validate({"field": "rows.a_text", "eq": "tea"})}
    assert evaluate(Predicate.model_validate(condition), CATALOGUE, row, AS_OF, segments) is answer


def test_the_last_thirty_days_end_with_the_as_of_date() -> None:
    predicate = Predicate.model_validate({"field": "rows.a_date", "within_days": 30})

    def answer(days_ago: int) -> bool | None:
        return evaluate(predicate, CATALOGUE, {"rows.a_date": AS_OF - timedelta(days=days_ago)}, AS_OF)

    assert [answer(-1), answer(0), answer(29), answer(30)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ({"all": [], "any": []}, "at least 1 item"),
        ({"field": "rows.a_text"}, "exactly one operator"),
        ({"field": "rows.a_text", "eq": "a", "ne": "b"}, "exactly one operator .found eq and ne."),
        ({"eq": "a"}, "exactly one of all, any, not, segment, field"),
        ({"segment": "vip", "eq": "a"}, "`eq` stands beside no `field`"),
        ({"segment": "vip", "field": "rows.a_text", "eq": "a"}, "found segment and field"),
    ],
)
def test_a_condition_has_exactly_one_form(condition: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Predicate.model_validate(condition)


def test_every_operator_of_the_language_has_a_meaning() -> None:
    assert set(OPERATORS) == set(OPERATOR_KEYS)
    for operator in OPERATORS.values():
        assert operator.types <= set(TYPES)
