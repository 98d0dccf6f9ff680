"""Running a suite: what is found, what is kept of it, and what never is."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from quality.data_docs import write_data_docs
from quality.expectations import run_suite
from tests.quality.expectations.asking import TABLE, a_suite, a_table, later
from warehouse.database import Warehouse
from warehouse.step import Run

PLANTED = "ada.lovelace@planted.example"

EVERY_KIND = """
expectations:
  - {name: a, expect: present, column: email, severity: error, description: d}
  - {name: b, expect: in_set, column: email, values: [none], severity: error, description: d}
  - {name: c, expect: between, column: amount, at_most: 1, severity: error, description: d}
  - {name: d, expect: length, column: email, at_most: 3, severity: error, description: d}
  - {name: e, expect: matches, column: email, pattern: '[0-9]{3}:x', severity: error, description: d}
  - {name: f, expect: unique, columns: [email], severity: error, description: d}
  - {name: g, expect: rule, rule: "email = '{batch}:none'", severity: error, description: d}
  - {name: h, expect: no_rows, query: select email from staging.things, severity: error, description: d}
  - {name: i, expect: row_count, at_most: 1, severity: warn, description: d}
  - {name: j, expect: median, column: amount, at_most: 1, rows_needed: 1, severity: warn, description: d}
"""


def test_a_breach_is_counted_and_named_by_where_its_row_came_from(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [("t1", "x@y.example", 5), ("t2", None, 6), ("t3", None, 7)])
    suite = a_suite(
        "expectations: [{name: email_is_present, expect: present, column: email, severity: warn, description: d}]"
    )
    (found,) = run_suite(warehouse, suite, run)
    assert (found.passed, found.unexpected_count, found.element_count) == (False, 2, 3)
    assert found.message == "2 of 3 rows have no email."
    assert not found.blocks
    kept = warehouse.cursor().execute("select feed, file, row from ops.quality_failures order by row").fetchall()
    assert kept == [("shop", "dt=2026-01-05/things.csv", 2), ("shop", "dt=2026-01-05/things.csv", 3)]


def test_at_most_twenty_offending_rows_are_named(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [(f"t{place}", None, 1) for place in range(30)])
    suite = a_suite("expectations: [{name: e, expect: present, column: email, severity: warn, description: d}]")
    (found,) = run_suite(warehouse, suite, run)
    assert found.unexpected_count == 30
    assert warehouse.cursor().execute("select count(*) from ops.quality_failures").fetchone() == (20,)


def test_one_row_of_each_record_is_named_before_another_of_one(warehouse: Warehouse, run: Run) -> None:
    with warehouse.transaction() as connection:
        connection.execute("create schema if not exists identity")
        connection.execute(
            "create table identity.row_records as select 'shop' as feed, date '2026-01-05' as batch_on, 'f' as file,"
            " cast(i as bigint) as row, 'r' || lpad(cast(i // 50 as varchar), 2, '0') as record_id"
            " from range(950) as t (i)"
        )
        connection.execute("create table identity.things as select distinct record_id from identity.row_records")
    suite = a_suite(
        "expectations: [{name: e, expect: rule, rule: record_id is null, severity: warn, description: d}]",
        "identity.things",
    )
    (found,) = run_suite(warehouse, suite, run)
    assert found.unexpected_count == 19
    named = warehouse.cursor().execute("select row from ops.quality_failures order by row").fetchall()
    assert [row for (row,) in named] == [0, 1, *range(50, 950, 50)]


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select _feed, _batch_on, _file, _row, email from staging.things where amount > 5", [2, 3]),
        ("select _feed, _batch_on, _file, email as _row from staging.things", []),
        ("select 7 as feed, true as order_id, 'x' as record_id", []),
        ("select * from staging.things", []),
    ],
    ids=["rows", "of another type", "leading nowhere", "unnamed"],
)
def test_what_a_query_finds_is_named_where_it_selects_where_from(
    warehouse: Warehouse, run: Run, query: str, rows: list[int]
) -> None:
    a_table(warehouse, [("t1", PLANTED, 5), ("t2", PLANTED, 6), ("t3", None, 7)])
    with warehouse.transaction() as connection:
        connection.execute("create table staging.purchases as select thing_id as order_id, * from staging.things")
    suite = a_suite(f"expectations: [{{name: e, expect: no_rows, query: '{query.replace(chr(39), chr(39) * 2)}',"
                    " severity: warn, description: d}]")  # fmt: skip
    (found,) = run_suite(warehouse, suite, run)
    assert not found.passed
    named = warehouse.cursor().execute("select * from ops.quality_failures order by row").fetchall()
    assert [row[-1] for row in named] == rows
    assert "planted" not in str(named)


def test_every_kind_of_expectation_finds_its_breach(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [("t1", PLANTED, 5), ("t2", PLANTED, 6), ("t3", None, 7)])
    found = {item.name: item for item in run_suite(warehouse, a_suite(EVERY_KIND), run)}
    assert {name: item.passed for name, item in found.items()} == dict.fromkeys("abcdefghij", False)
    assert {name: item.unexpected_count for name, item in found.items() if name in "abcdefgh"} == {
        "a": 1, "b": 2, "c": 3, "d": 2, "e": 2, "f": 1, "g": 2, "h": 3,
    }  # fmt: skip
    assert (found["i"].observed, found["j"].observed) == (3, 6)


def test_no_value_reaches_results_messages_logs_output_or_pages(
    warehouse: Warehouse,
    run: Run,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    a_table(warehouse, [("t1", PLANTED, 5), ("t2", PLANTED, 6), ("t3", None, 7)])
    suite = a_suite(
        EVERY_KIND
        + "  - {name: k, expect: rule, rule: cast(email as integer) > 0, severity: error, description: d}\n"
        + "  - {name: l, expect: no_rows, severity: error, description: d,"
        " query: select 1 from staging.things where cast(email as date) > date '2026-01-01'}\n"
    )
    found = run_suite(warehouse, suite, run)
    index = write_data_docs(warehouse, tmp_path / "quality")
    cursor = warehouse.cursor()
    said = [
        *(str(item) for item in found),
        *(
            str(row)
            for table in ("quality_results", "quality_failures")
            for row in cursor.sql(f"from ops.{table}").fetchall()
        ),
        *(page.read_text(encoding="utf-8") for page in index.parent.iterdir()),
        caplog.text,
        *capfd.readouterr(),
    ]
    assert not [text for text in said if "lovelace" in text or "planted.example" in text]
    assert {item.name: item.passed for item in found}["k"] is False
    assert {item.name: item.passed for item in found}["l"] is False


def test_an_expectation_whose_sql_fails_is_told_and_spares_the_others(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [("t1", "x@y.example", 5)])
    suite = a_suite(
        """
expectations:
  - {name: fails, expect: rule, rule: cast(email as integer) > 0, severity: error, description: d}
  - {name: holds, expect: present, column: email, severity: error, description: d}
"""
    )
    fails, holds = run_suite(warehouse, suite, run)
    assert not fails.passed
    assert fails.message == "It could not be computed: the SQL or a column's type does not fit the table."
    assert holds.passed


def test_an_empty_table_holds_what_is_said_about_rows(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [])
    found = run_suite(warehouse, a_suite(EVERY_KIND), run)
    assert all(item.passed for item in found)


def test_a_table_that_lost_all_its_rows_fails_against_the_run_before(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [("t1", None, 5)])
    suite = a_suite("expectations: [{name: n, expect: row_count, may_fall: 0.5, severity: warn, description: d}]")
    run_suite(warehouse, suite, run)
    warehouse.cursor().execute("delete from staging.things")
    (found,) = run_suite(warehouse, suite, later(run, 1))
    assert (found.passed, found.observed, found.message) == (False, 0, "Rows: 0; expected at least 0.5.")


def test_a_table_that_does_not_exist_fails(warehouse: Warehouse, run: Run) -> None:
    found = run_suite(warehouse, a_suite(EVERY_KIND, "staging.nowhere"), run)
    assert {item.message for item in found} == {"The table does not exist."}
    assert not any(item.passed for item in found)


def test_a_missing_column_fails_unless_the_business_need_not_declare_it(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [("t1", None, 5)])
    suite = a_suite(
        """
expectations:
  - {name: a, expect: present, column: colour, severity: error, description: d}
  - {name: b, expect: rule, rule: this.colour <> thing_id, severity: error, description: d}
  - {name: c, expect: present, column: colour, severity: error, description: d, if_declared: true}
"""
    )
    first, second, third = run_suite(warehouse, suite, run)
    assert (first.passed, first.message) == (False, "The table has no column colour.")
    assert (second.passed, second.message) == (False, "The table has no column colour.")
    assert (third.passed, third.message) == (True, "This business has no colour: not asked.")


def test_a_share_lets_some_rows_break_it(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [(f"t{place}", None if place < 2 else "x", 1) for place in range(10)])
    suite = a_suite(
        """
expectations:
  - {name: a, expect: present, column: email, share: 0.8, severity: warn, description: d}
  - {name: b, expect: rule, rule: email is not null, share: 0.8, severity: warn, description: d}
  - {name: c, expect: present, column: email, share: 0.9, severity: warn, description: d}
  - {name: d, expect: rule, rule: email is not null, share: 0.9, severity: warn, description: d}
"""
    )
    assert [item.passed for item in run_suite(warehouse, suite, run)] == [True, True, False, False]


def test_expectations_of_a_feed_look_at_its_rows_only(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [("t1", "xxxx", 50), ("t1", None, 50)], feed="other")
    a_table(warehouse, [("t1", "none", 1), ("t2", "none", 1)], feed="shop")
    kinds = a_suite(
        """
expectations:
  - {name: a, expect: present, column: email, severity: error, description: d, feed: shop}
  - {name: b, expect: in_set, column: email, values: [none], severity: error, description: d, feed: shop}
  - {name: c, expect: between, column: amount, at_most: 1, severity: error, description: d, feed: shop}
  - {name: d, expect: matches, column: email, pattern: n.*, severity: error, description: d, feed: shop}
  - {name: e, expect: unique, columns: [thing_id], severity: error, description: d, feed: shop}
  - {name: f, expect: rule, rule: email = 'none', severity: error, description: d, feed: shop}
  - {name: g, expect: row_count, at_most: 2, severity: warn, description: d, feed: shop}
  - {name: h, expect: median, column: amount, at_most: 1, rows_needed: 1, severity: warn, description: d, feed: shop}
"""
    )
    found = run_suite(warehouse, kinds, run)
    assert [(item.name, item.passed, item.element_count) for item in found] == [(name, True, 2) for name in "abcdefgh"]
    other = replace(kinds, expectations=tuple(item.model_copy(update={"feed": "other"}) for item in kinds.expectations))
    failed = [item.name for item in run_suite(warehouse, other, run) if not item.passed]
    assert failed == ["a", "b", "c", "d", "e", "f", "h"]


def test_a_table_that_knows_no_feeds_cannot_be_asked_about_one(warehouse: Warehouse, run: Run) -> None:
    warehouse.cursor().execute("create table profiles.things as select 't1' as thing_id")
    suite = a_suite(
        "expectations: [{name: a, expect: present, column: thing_id, severity: warn, description: d, feed: shop}]",
        "profiles.things",
    )
    (found,) = run_suite(warehouse, suite, run)
    assert (found.passed, found.message) == (False, "The table has no column _feed.")


def test_a_run_asked_twice_keeps_one_result_and_another_expectation_keeps_its_own(
    warehouse: Warehouse, run: Run
) -> None:
    a_table(warehouse, [("t1", None, 5)])
    suite = a_suite(EVERY_KIND)
    for expectations in (suite.expectations, suite.expectations[:1], suite.expectations[1:]):
        run_suite(warehouse, replace(suite, expectations=expectations), run)
    kept = (
        warehouse.cursor().execute("select count(*), count(distinct expectation) from ops.quality_results").fetchone()
    )
    assert kept == (10, 10)


def test_a_day_that_is_run_again_is_compared_with_the_same_day_before(warehouse: Warehouse, run: Run) -> None:
    suite = a_suite("expectations: [{name: n, expect: row_count, may_rise: 1, severity: warn, description: d}]")
    a_table(warehouse, [("t1", None, 5)])
    assert run_suite(warehouse, suite, run)[0].message == "Rows: 1; nothing to compare with yet."
    a_table(warehouse, [(f"t{place}", None, 5) for place in range(5)])
    second = later(run, 1)
    again = replace(second, run_id="again")
    assert [run_suite(warehouse, suite, asked)[0].passed for asked in (second, again)] == [False, False]


def test_a_day_without_one_before_is_compared_with_its_first_run(warehouse: Warehouse, run: Run) -> None:
    """Else what a file that shrank takes away would be told neither on that day nor on the next."""
    suite = a_suite("expectations: [{name: n, expect: row_count, may_fall: 0.1, severity: warn, description: d}]")
    a_table(warehouse, [(f"t{place}", None, 5) for place in range(5)])
    run_suite(warehouse, suite, run)
    warehouse.cursor().execute("delete from staging.things where thing_id <> 't1'")
    again = [replace(run, run_id=name, now=run.now + timedelta(hours=n)) for n, name in enumerate(("a", "b", "c"), 1)]
    assert [run_suite(warehouse, suite, asked)[0].passed for asked in again] == [False, False, False]
    assert run_suite(warehouse, suite, replace(later(run, 1), run_id="next"))[0].passed


def test_a_median_of_few_rows_is_not_asked(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [("t1", None, 500)])
    suite = a_suite(
        "expectations: [{name: m, expect: median, column: amount, at_most: 1, severity: warn, description: d}]"
    )
    (found,) = run_suite(warehouse, suite, run)
    assert (found.passed, found.observed, found.message) == (True, None, "Fewer than 30 rows: not asked.")


def test_suites_of_two_warehouses_do_not_mix(warehouse: Warehouse, run: Run) -> None:
    from warehouse.database import open_warehouse

    suite = a_suite("expectations: [{name: e, expect: present, column: email, severity: error, description: d}]")
    a_table(warehouse, [("t1", None, 5)])
    with open_warehouse() as other:
        a_table(other, [("t1", "x", 5)])
        assert [run_suite(at, suite, run)[0].passed for at in (warehouse, other, warehouse)] == [False, True, False]


def test_progress_tells_the_table(warehouse: Warehouse, run: Run) -> None:
    a_table(warehouse, [])
    told: list[str] = []
    run_suite(warehouse, a_suite(EVERY_KIND), run, told.append)
    assert told == [TABLE]


def test_a_run_that_was_not_published_is_no_measure_for_the_next(warehouse: Warehouse, run: Run) -> None:
    suite = a_suite("expectations: [{name: n, expect: row_count, may_rise: 1, severity: warn, description: d}]")
    runs = "insert into ops.runs values ('run-1', 'published'), ('run-1+1', 'unpublished'), ('run-1+2', 'running')"
    with warehouse.transaction() as connection:
        connection.execute("create table ops.runs (run_id varchar, status varchar)")
        connection.execute(runs)
    a_table(warehouse, [("t1", None, 1)])
    assert run_suite(warehouse, suite, run)[0].passed
    a_table(warehouse, [(f"u{n}", None, 1) for n in range(9)])
    assert not run_suite(warehouse, suite, later(run, 1))[0].passed
    assert not run_suite(warehouse, suite, later(run, 2))[0].passed


def test_a_rule_names_the_currencies_and_days_of_its_breaches_where_it_says_how(warehouse: Warehouse, run: Run) -> None:
    with warehouse.transaction() as connection:
        connection.execute(
            "create table staging.things as select 'EUR' as currency, day::date as placed_on, null as base_amount"
            " from range(timestamp '2026-01-03', timestamp '2026-02-03', interval 1 day) as days (day)"
            " union all values ('USD', date '2026-01-09', null), ('GBP', date '2026-01-01', 1),"
            " ('kim@shop.example', date '2026-01-01', null)"
        )
        connection.execute("create table staging.refunds as select 'CHF' as currency, date '2026-01-04' as day")
    suite = a_suite("""
expectations:
  - {name: n, expect: rule, rule: base_amount is not null, severity: error, description: d,
     told_by: "select currency, placed_on as day from this where base_amount is null union all from staging.refunds"}
""")
    [found] = run_suite(warehouse, suite, run)
    days = ", ".join(f"2026-01-{day:02}" for day in range(3, 21))
    assert found.message.endswith(f"It is about CHF on 2026-01-04; EUR on {days}; USD on 2026-01-09; and 13 more.")
