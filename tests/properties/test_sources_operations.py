"""Every operation of the mapping vocabulary means the same in SQL and in Python, wherever SQL is sure."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sources.compilation import compile_expression
from sources.evaluation import RowScope, evaluate
from sources.grammar import parse_expression
from sources.leaves import coded_values, lay_out, leaf_texts, structure_of
from sources.operations.operation import Setting, SqlValue, UnreadableError, Value, call, text_of
from sources.operations.vocabulary import WORDS
from sources.statement import column, named, select, stage
from sources.text_scope import TextScope, text_value
from warehouse.database import Connection, open_warehouse

WRITTEN: dict[str, list[object]] = {
    "strip": ["strip"],
    "spreadsheet_text": ["spreadsheet_text"],
    "salesforce_id": ["salesforce_id"],
    "md5": ["md5"],
    "country_code": ["country_code"],
    "lower": ["lower"],
    "upper": ["upper"],
    "digits": ["digits"],
    "html_text": ["html_text"],
    "unescape": ["unescape"],
    "integral": ["integral"],
    "negate": ["negate"],
    "absolute": ["absolute"],
    "first_of_list": ["first_of_list"],
    "null_if": [{"null_if": ["", "0", "N/A", True]}],
    "lookup": [
        {"lookup": {"paid": "sale", "1": None, "true": "yes"}, "else": rest} for rest in ("keep", None, "other")
    ],
    "time": [
        {"time": form}
        for form in ("iso", "weibo", "%Y-%m-%d %H:%M:%S", "%d/%m/%Y %H:%M", ["iso", "%d/%m/%Y %H:%M"], "utc")
    ],
    "epoch": [{"epoch": unit} for unit in ("seconds", "milliseconds", "microseconds")],
    "time_or_epoch": [
        {"time_or_epoch": unit} for unit in ("seconds", "milliseconds", ["milliseconds", "iso", "%d/%m/%Y %H:%M"])
    ],
    "epoch_day": [
        {"epoch_day": {"unit": "milliseconds", "zone": "Asia/Shanghai"}},
        {"epoch_day": {"unit": "seconds", "zone": "UTC"}},
    ],
    "date": [{"date": form} for form in ("iso", "%m/%d/%Y", ["%m/%d/%Y", "iso"])],
    "minor_units": [{"minor_units": "currency"}],
    "split": [{"split": ";"}],
    "prefix": [{"prefix": "x:"}],
    "remove_prefix": [{"remove_prefix": "a"}, {"remove_prefix": "茶"}],
    "replace": [{"replace": {"a": "bb", "b": ""}}],
    "after_last": [{"after_last": "//@"}, {"after_last": "a"}],
    "part": [{"part": {"mark": "a", "number": 2}}],
    "containing": [{"containing": "a"}],
    "lacking": [{"lacking": "茶"}],
    "not_virtual": ["not_virtual"],
    "undamaged": ["undamaged"],
    "on_servers_clock": [
        {"on_servers_clock": {"made": "w", "sent": "v.x"}},
        {"on_servers_clock": {"made": "w", "sent": "w"}},
    ],
    "snowflake": ["snowflake"],
    "time_as_seen": [{"time_as_seen": {"at": ["w", "v.x"], "forms": ["weibo", "iso"]}}],
    "before": [{"before": "//@"}, {"before": "a"}],
    "first": [{"first": 2}],
}
EXPRESSIONS: list[object] = [
    {"path": "v", "then": [operation]} for written in WRITTEN.values() for operation in written
] + [
    "v",
    {"coalesce": ["v", "w", {"constant": "c"}]},
    {"coalesce": [{"path": "v", "then": [{"split": ";"}]}, "w"]},
    {"concat": ["v", "w"], "with": "-"},
    {"concat": ["v", "w"], "with": "-", "all": True},
    {"when": "v", "in": ["paid", "1", True], "value": "w", "else": {"constant": "no"}},
    {"object": {"v": "v", "w": "w"}},
    {"list": ["v", "w"]},
    {"list": [{"constant": "c"}, "w", {"path": "v", "then": ["strip"]}]},
    {"list": [{"object": {"v": "v", "c": {"constant": "c"}}}, {"path": "w", "then": [{"split": ";"}]}, "v.x"]},
    {"list": [{"when": "w", "in": ["paid", "1", True], "value": {"object": {"w": "w", "x": "v.x"}}, "else": "v"}]},
    {"coalesce": ["w", {"list": [{"coalesce": ["v.x", "v.0"]}]}]},
    {"sum_of": {"each": "v", "value": "x"}},
    {"sum": ["v", "w"]},
    {"sum": ["v", {"constant": "2.5"}], "all": True},
    {"sum": ["v"], "less": ["w"]},
    {"product": ["v", "w"]},
    {"quotient": ["v", "w"]},
    {"pick": "v", "where": {"x": "a"}, "value": "y"},
    {"pick": "v", "where": {"x": ["a", "paid", "1", True]}, "value": {"coalesce": ["y", "x"]}, "then": ["strip"]},
    {"join": "v", "value": "x", "with": ","},
    {"join": "v", "with": ";"},
    {"join": "v", "value": "y", "with": "/", "where": {"x": ["a", "paid", "1"]}},
    {"find": "v", "key": "x", "equals": "w", "value": "y"},
    {"sum_of": {"each": "v", "value": "y", "where": {"x": ["a", "paid", "1"]}}},
    {"path": "v.x"},
    {"path": "v.0"},
    {"path": "v.0.x", "then": ["strip", "lower"]},
    {"setting": "currency"},
]

BITS = [
    "a",
    "B",
    "ß",
    "茶",
    " ",
    "\u3000",
    "\u00a0",
    "\t",
    "\n",
    "0",
    "7",
    "-",
    ".",
    ":",
    "&amp;",
    "&copy;",
    "&",
    "<p>",
    "<br/>",
    ";",
]
BITS += [
    "</p><p>",
    '<img src="a" alt="[b]">',
    '="',
    "<img alt=b>",
    "1.99E+10",
    "//@",
    "'",
    '"',
    "\\",
    "%",
    "\x00",
    "\u200b",
    "é",
    "E",
    "T",
    "Z",
    "+",
    "/",
    "x:",
    "null",
    "[",
    "]",
    "{",
    "}",
    ",",
]
NUMERALS = st.builds(
    "{}{}{}".format,
    st.sampled_from(["", "-", "+"]),
    st.integers(0, 10**18),
    st.sampled_from(["", ".0", ".5", "e3", ".00"]),
)


def _in_spreadsheets(moment: datetime) -> str:
    """As a program of tables writes a moment: without zeros in front, and often without seconds."""
    mark = "/" if moment.microsecond % 2 else "-"
    day = f"{moment.year}{mark}{moment.month}{mark}{moment.day}"
    return f"{day} {moment.hour}:{moment.minute:02d}" + (f":{moment.second:02d}" if moment.second % 2 else "")


MOMENTS = st.one_of(
    st.datetimes().map(lambda moment: moment.isoformat(sep=" ")),
    st.datetimes().map(lambda moment: moment.isoformat(timespec="milliseconds") + "Z"),
    st.datetimes().map(lambda moment: moment.strftime("%Y-%m-%d %H:%M:%S")),
    st.datetimes().map(lambda moment: moment.strftime("%d/%m/%Y %H:%M")),
    st.datetimes(datetime(1960, 1, 1), datetime(2105, 1, 1)).map(_in_spreadsheets),
    st.datetimes().map(lambda moment: moment.strftime("%a %b %d %H:%M:%S +0800 %Y")),
    st.sampled_from(
        [
            "2026/9/15 15:30",
            "2026/3/29 1:30:00",
            "2026-9-5",
            "2026年9月15日8时5分",
            "2026/9/15 15:30+08:00",
            "2026-03-29T01:30:00",
            "2026-10-25 01:30:00",
            "2026-02-30",
            "2026-01-05",
            "2026-01-05T24:00:00",
            "0001-01-01 00:00:00",
        ]
    ),
    st.sampled_from(
        [
            "2026-01-05T10:00:00+08",
            "2026-01-05 10:00 UTC",
            "Wed Apr 31 18:58:11 +0800 2014",
            "1/2/2026",
            "2026-01-05T10:00:00.1234567+0100",
        ]
    ),
)
TEXTS = st.one_of(
    st.lists(st.sampled_from(BITS), max_size=6).map("".join),
    NUMERALS,
    MOMENTS,
    st.sampled_from(["paid", "N/A", "true", "1", "GBP", "jpy", "KWD", ""]),
    st.sampled_from(["003Qv00000x1yZa", "003qv00000X1YZaIAI", '="0138"', "'+447700900000", "'s", '=""0"', "'1\n2"]),
    st.integers(-(10**12), 4 * 10**12).map(str),
    st.text(st.characters(exclude_categories=["Cs"]), max_size=5),
)
SCALARS = st.one_of(
    TEXTS,
    st.integers(-(10**19), 10**19),
    st.integers(0, 4 * 10**9),
    st.floats(allow_nan=False, allow_infinity=False),
    st.floats(-1000, 1000).map(lambda number: round(number, 2)),
    st.booleans(),
    st.none(),
)
INSIDE = st.one_of(SCALARS, st.sampled_from(["a", "paid", "1", 1, "12.50", 3, 2.25, " ", None, True]))
VALUES = st.one_of(
    SCALARS,
    st.lists(SCALARS, max_size=2),
    st.lists(st.one_of(SCALARS, st.fixed_dictionaries({}, optional={"x": INSIDE, "y": INSIDE})), max_size=3),
    st.fixed_dictionaries({}, optional={"x": SCALARS}),
)
ROWS = st.lists(
    st.fixed_dictionaries(
        {}, optional={"v": VALUES, "w": SCALARS, "currency": st.sampled_from(["GBP", "jpy", "kwd", "", None, 5])}
    ),
    min_size=1,
    max_size=12,
)
SETTING = Setting("Europe/London", "GB", "EUR")


@pytest.fixture(scope="module")
def connection() -> Iterator[Connection]:
    with open_warehouse() as opened:
        yield opened.cursor()


def test_every_word_of_the_vocabulary_is_compared() -> None:
    assert sorted(WRITTEN) == list(WORDS)


@pytest.mark.parametrize("written", EXPRESSIONS, ids=lambda written: json.dumps(written, ensure_ascii=False))
@settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture])
@given(rows=ROWS)
def test_sql_says_what_python_says_where_it_is_sure(connection: Connection, written: object, rows: list[Value]) -> None:
    expression = parse_expression(written)
    leaves = lay_out(dict.fromkeys(["v", "w", "currency", "v.x", "v.0", "v.0.x"], frozenset({"json"})))
    opened = named(call("from_json", column("raw"), json.dumps(structure_of(leaves))), "o")
    texts = stage(stage("rows", [opened]), leaf_texts(leaves, column("o")))
    coded, values = coded_values(texts, leaves, [])
    found = compile_expression(expression, TextScope(values, SETTING, column("_row")))
    parts = [found.text, found.as_text, found.as_number, found.as_boolean, found.as_json]
    query = select([named(part, f"x{index}") for index, part in enumerate(parts)], coded)
    raws = [json.dumps(row, ensure_ascii=False) for row in rows]
    connection.execute(
        "create or replace temp table rows as select 0 as _file_id, unnest(range(1, len($raws) + 1)) as _row, "
        "unnest($raws) as raw",
        {"raws": raws},
    )
    made = connection.execute(query.sql(dialect="duckdb") + " order by _row").fetchall()
    for number, (row, (text, as_text, as_number, as_boolean, as_json)) in enumerate(zip(rows, made, strict=True), 1):
        assert None not in (as_text, as_number, as_boolean, as_json)
        try:
            value = evaluate(expression, RowScope(row, SETTING, number))
        except UnreadableError:
            assert {as_text, as_number, as_boolean, as_json} == {False}, (row, text)
            continue
        if as_text:
            assert text == text_of(value), (row, text, value)
            assert text is not None or value is None, (row, text, value)
        if as_number and not isinstance(value, bool | list | dict) and value is not None:
            exact = repr(value) if isinstance(value, float) else str(value)
            assert text == exact or Decimal(text) == Decimal(exact), (row, text, value)
        assert not (as_number and isinstance(value, bool | list | dict)), (row, text, value)
        if as_boolean and isinstance(value, bool):
            assert text == ("true" if value else "false")
        assert not (as_boolean and isinstance(value, float | list | dict)), (row, text, value)
        if as_json:
            assert isinstance(value, list | dict), (row, text, value)
            assert json.loads(text) == value, (row, text, value)


@pytest.mark.parametrize("operation", ["time", "date"])
def test_what_spreadsheets_write_with_the_year_first_is_sure(connection: Connection, operation: str) -> None:
    texts = ["2026/3/1", "2026-3-1", "2026/03/01", "2026-03-01"]
    if operation == "time":
        texts += [f"{text}{clock}" for text in texts for clock in (" 8:05", " 10:00:00", " 08:05:09.5")]
    expression = parse_expression({"path": "v", "then": [{operation: "iso"}]})
    found = compile_expression(expression, TextScope({"v": text_value(column("v"))}, Setting(), None))
    made = select([named(found.text, "text"), named(found.as_text, "sure"), column("v")], "words")
    query = f"with words as (select unnest($texts) as v) {made.sql(dialect='duckdb')}"
    for text, sure, source in connection.execute(query, {"texts": texts}).fetchall():
        assert sure, source
        assert text == evaluate(expression, RowScope({"v": source}, Setting(), 1))


def test_a_value_knows_its_parts() -> None:
    value = SqlValue.of_text(column("a"), column("b"))
    assert value.as_text.sql() == value.as_number.sql() == value.as_boolean.sql() == '"b"'
