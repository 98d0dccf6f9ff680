"""The law of the fast check: where SQL is sure, pydantic accepts, and gives the same value."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError, create_model
from sqlglot import exp

from quality.contracts.check import _values, check
from quality.contracts.columns import Column, columns
from quality.contracts.contract import ContractPart
from quality.contracts.fast_check import consistent, fast_cast
from quality.contracts.registry import CONTRACTS


@dataclass(frozen=True)
class Field:
    """A column, and a model that holds nothing but its field."""

    kind: str
    column: Column
    model: type[ContractPart]
    query: str

    def word_of_pydantic(self, text: str) -> tuple[bool, object]:
        raw: object = text
        if (self.column.sql_type == "JSON" or self.column.items) and text.strip():
            try:
                raw = json.loads(text)
            except ValueError:
                return False, None
        try:
            return True, _values(self.model.model_validate({self.column.name: raw}))[self.column.name]
        except ValidationError:
            return False, None


def _fields() -> Iterator[Field]:
    for kind, model in CONTRACTS.items():
        for part in (model, *(child.model for child in model.children.values())):
            for column in columns(part):
                info = part.model_fields[column.name]
                alone = create_model(column.name, __base__=ContractPart, **{column.name: (info.annotation, info)})
                cast = fast_cast(column, exp.Nullif(this=exp.column("t"), expression=exp.Literal.string("")))
                query = exp.select(cast.value.as_("value"), cast.sure.as_("sure")).sql(dialect="duckdb")
                yield Field(kind, column, alone, f"{query} from (select unnest($texts) as t)")


FIELDS = tuple(_fields())


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute("set TimeZone = 'UTC'; set threads = 1")
    return connection


DIGITS = st.text("0123456789", min_size=1, max_size=20)
BAD_SPACE = st.sampled_from(
    [" ", "\t", "\n", "\r", "\x0b", "\x1f", "\x7f", "\x85", "\xa0", "\u3000", "\u200b", "\ufeff"]
)
MOMENT = st.builds(
    "{}-{}-{}{}{}:{}:{}{}{}".format,
    st.sampled_from(["1969", "1970", "1971", "1999", "2009", "2026", "2029", "2099", "2100", "0000", "9999", "-2026"]),
    st.sampled_from(["00", "01", "02", "06", "12", "13"]),
    st.sampled_from(["00", "01", "28", "29", "30", "31", "32"]),
    st.sampled_from(["T", " ", "t", "  "]),
    st.sampled_from(["00", "12", "23", "24", "25"]),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["00", "59", "60"]),
    st.sampled_from(["", ".", ".1", ".123", ".123456", ".1234567", ",5"]),
    st.sampled_from(
        ["", "Z", "z", "ZZ", "+00:00", "-00:00", "+08:00", "-05:30", "+14:59", "+15:00", "+0800", " UTC", "+8"]
    ),
)
DAY = st.builds(
    "{}-{}-{}".format, st.sampled_from(["1879", "1880", "1900", "2000", "2026", "2099", "2100"]), DIGITS, DIGITS
)
NUMBER = st.builds(
    "{}{}{}{}{}".format,
    st.sampled_from(["", "-", "+", "--", " "]),
    DIGITS,
    st.sampled_from(["", ".", ",", "_", ".."]),
    st.one_of(st.just(""), DIGITS),
    st.sampled_from(["", "0000", "e5", "E+18", "e-3", "f", " "]),
)
WORDS = sorted({word for field in FIELDS for word in field.column.allowed})
OBJECT = st.dictionaries(
    st.text('abA\u4e2d "\\', max_size=3),
    st.one_of(st.booleans(), st.none(), st.text('xy\u4e2d"\\\x01', max_size=3), st.integers(), st.lists(st.booleans())),
    max_size=3,
).flatmap(
    lambda made: st.sampled_from(
        [json.dumps(made), json.dumps(made, separators=(",", ":"), ensure_ascii=False), json.dumps([made])]
    )
)
PLAIN_TEXT = st.one_of(
    st.text('ab\u4e2d "\\\x01\x85', max_size=4),
    st.sampled_from(["", " ", "tea", "17", "17850.0", "1e5", "1.9E10", "x" * 256, "\u4e2d" * 600, "\u3000"]),
)
CONSENT = st.fixed_dictionaries(
    {"channel": st.one_of(st.just("email"), PLAIN_TEXT)},
    optional={
        "purpose": PLAIN_TEXT,
        "state": st.sampled_from(["in", "out", "never", "maybe", "", None]),
        "at": st.one_of(st.sampled_from(["2026-01-05T10:00:00Z", "2026-01-05T10:00:00.120+08:00"]), MOMENT),
        "source": st.one_of(PLAIN_TEXT, st.integers(), st.none(), st.booleans()),
        "text_version": st.just("v1"),
        "other": st.just("x"),
    },
)
LISTS = st.one_of(
    st.lists(st.one_of(PLAIN_TEXT, st.integers(), st.none(), st.booleans()), max_size=3),
    st.lists(PLAIN_TEXT, max_size=3),
    st.lists(CONSENT, max_size=2),
    st.lists(st.one_of(CONSENT.map(lambda made: dict(reversed(made.items()))), st.just([])), max_size=2),
).map(lambda made: json.dumps(made, ensure_ascii=False, separators=(",", ":")))
ODD = (
    *("nan", "NaN", "inf", "-Infinity", "true", "TRUE", "false", "1", "0", "yes", "null", "NULL", "\x00", "a\x00b"),
    *(
        "\uff11\uff12",
        "1_000",
        "0x10",
        "1e400",
        "GBP",
        "gbp",
        "GBPP",
        "GB\n",
        "\u0421NY",
        "2E+18",
        "1e10",
        "1.9E10",
        "2147e90558131144",
        "17850.0",
        "-5.00",
    ),
    *(
        ".0",
        "5.",
        "007",
        "1.5",
        "-0",
        "12345678901.1234",
        "99999999999999.9999",
        "100000000000000",
        "9223372036854775808",
    ),
    *('{"a":true,"a":false}', "{}", "[]", "2026-02-29", "2024-02-29", "epoch", "infinity", "today", "", " "),
    *("2026-01-01T00:00:00Z", "2026-01-01 00:00:00+02:00", "2026-W01-1T00:00:00Z", "20260101T000000Z", "x" * 255),
    *("x" * 256, "\u4e2d" * 255, "\U00020bb7" * 255, "e\u0301" * 128, "x" * 1000, "x" * 1001, "\u3000x", "x\u3000"),
)
NASTY = st.one_of(
    st.text(max_size=12),
    DIGITS,
    NUMBER,
    MOMENT,
    DAY,
    OBJECT,
    LISTS,
    BAD_SPACE,
    st.builds("{}{}{}".format, BAD_SPACE, st.text(max_size=5), BAD_SPACE),
    st.sampled_from(WORDS + [word.upper() for word in WORDS]),
    st.sampled_from(ODD),
)
MOMENTS = tuple(
    f"{year}-{month}-{day}{between}{clock}{fraction}{zone}"
    for year in ("1969", "1970", "1971", "1980", "2009", "2098", "2099", "2100")
    for month, day in (("01", "01"), ("02", "29"), ("02", "30"), ("12", "31"), ("13", "01"), ("00", "10"))
    for between in ("T", " ")
    for clock in ("00:00:00", "23:59:59", "24:00:00", "12:60:00", "12:00:60")
    for fraction in ("", ".1", ".123456", ".1234567")
    for zone in ("", "Z", "+08:00", "-14:59", "+15:00", "+0800")
)
AS_IN_SPREADSHEETS = tuple(
    f"{year}{mark}{month}{second}{day}{clock}{zone}"
    for year in ("1879", "1880", "1970", "1971", "2026", "2098", "2099")
    for mark, second in (("/", "/"), ("-", "-"), ("/", "-"), (".", "."))
    for month, day in (("1", "5"), ("01", "05"), ("2", "29"), ("12", "31"), ("13", "1"), ("0", "1"), ("001", "5"))
    for clock in ("", " ", " 8:05", "T8:05:09", " 08:05:09.5", " 8:5", " 24:00", " 23:60", "  8:05", " 8")
    for zone in ("", "Z", " Z", "+08:00", "+08")
)


def _same(column: Column, fast: object, slow: object) -> bool:
    if isinstance(fast, Decimal) and isinstance(slow, Decimal):
        return fast == slow
    if column.sql_type == "JSON" and fast is not None and slow is not None:
        return fast == slow
    return fast == slow and type(fast) is type(slow)


def _assert_sound(texts: Sequence[str]) -> None:
    answers: dict[str, list[tuple[object, bool]]] = {}
    words: dict[tuple[object, ...], list[tuple[bool, object]]] = {}
    for field in FIELDS:
        if field.query not in answers:
            answers[field.query] = _connection().execute(field.query, {"texts": list(texts)}).fetchall()
        column = field.column
        look = (
            column.sql_type,
            column.shape,
            column.allowed,
            column.minimum,
            column.is_nullable,
            column.default,
            column.items,
        )
        if look not in words:
            words[look] = [field.word_of_pydantic(text) for text in texts]
        for text, (value, sure), (is_accepted, expected) in zip(texts, answers[field.query], words[look], strict=True):
            assert sure is not None
            if sure:
                assert is_accepted, (field.kind, column.name, text)
                assert _same(column, value, expected), (field.kind, column.name, text, value, expected)


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(NASTY, min_size=1, max_size=30))
def test_where_sql_is_sure_pydantic_accepts_and_gives_the_same_value(texts: list[str]) -> None:
    _assert_sound([text for text in texts if not any("\ud800" <= letter <= "\udfff" for letter in text)])


def test_the_law_holds_for_every_odd_text_and_on_every_edge_of_time() -> None:
    _assert_sound((*ODD, *WORDS, *MOMENTS, *AS_IN_SPREADSHEETS))


ORDINARY = {
    "code": ["GBP", "CNY"],
    "id": ["7c1e-07", "17850", "gid://shopify/Order/1", "用户1"],
    "line": ["Marta Lind-Okoro", "陈晓明", "a@b.example", "+44 20 7946 0000", "https://x.example/?a=1"],
    "text": ["Two\nlines, and 中文。"],
    "timestamp": [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.123Z",
        "2026-01-01 08:00:00",
        "2029-05-31T23:59:59+08:00",
        "2026/03/01 10:00:00",
        "2026/3/1 8:05",
        "2026-03-01",
    ],
    "day": ["1985-02-28", "2026-10-31", "2026/3/1"],
    "decimal": ["12.5", "7", "0.0001"],
    "count": ["0", "15000"],
    "double": ["9", "4.5"],
    "flag": ["true", "false"],
    "json": ['{"analytics":true,"ads":false}', "{}"],
    "list": ['["tea","茶"]', "[]", '["17"]'],
    "consents": [
        '[{"channel":"email","state":"in"},{"channel":"sms","state":"out","at":"2026-01-01T00:00:00Z","source":"shop"}]',
        '[{"channel":"email","purpose":"service","state":"never","at":"2026-01-01T00:00:00.5Z","text_version":"2"}]',
    ],
}


KNOWN = [field for field in FIELDS if not field.column.sql_type.startswith("STRUCT")]


@pytest.mark.parametrize("field", KNOWN, ids=lambda field: f"{field.kind}.{field.column.name}")
def test_ordinary_values_are_sure(field: Field) -> None:
    """Lists of structs are left to pydantic."""
    shape = field.column.shape.name if field.column.shape else "list"
    if field.column.name == "consents":
        shape = "consents"
    texts = list(field.column.allowed) or ORDINARY[shape]
    assert [sure for _, sure in _connection().execute(field.query, {"texts": texts}).fetchall()] == [True] * len(texts)


@pytest.mark.parametrize("field", FIELDS, ids=lambda field: f"{field.kind}.{field.column.name}")
def test_absence_is_sure_where_the_contract_allows_it_and_only_there(field: Field) -> None:
    found = _connection().execute(field.query, {"texts": [None, ""]}).fetchall()
    required = field.model.model_fields[field.column.name].is_required()
    absent = (field.column.default if isinstance(field.column.default, bool) else None, not required)
    assert [(value or absent[0], sure) for value, sure in found] == [absent, absent]


@given(st.floats(-1, 12), st.sampled_from(["nps", "csat", "ces", "stars", "thumbs", None]))
@example(10.0, "nps")
@example(0.0, "thumbs")
def test_sql_and_the_contract_agree_on_what_is_consistent(score: float, scale: str | None) -> None:
    row = {"feedback_id": "1", "feedback_kind": "survey", "submitted_at": "2026-01-01T00:00:00Z"}
    word = check("feedback", row | {"score": score, "score_scale": scale})
    values = {"score": exp.cast(exp.convert(score), "DOUBLE"), "score_scale": exp.cast(exp.convert(scale), "VARCHAR")}
    query = exp.select(consistent("feedback", values.__getitem__)).sql(dialect="duckdb")
    assert _connection().execute(query).fetchone() == (not hasattr(word, "reasons"),)
