"""What checks found, kept: ``ops.quality_results`` and ``ops.quality_failures``, and what is read back from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlglot import exp

from quality.lineage import LINEAGE, keys_of, source_rows, ways_from
from quality.offending import columns_told, offending_rows, parameters_of
from quality.vocabulary import Severity
from warehouse.database import Connection, DatabaseError
from warehouse.step import Run, TableSpec, comment_on

if TYPE_CHECKING:
    from quality.suites import Suite

FAILURES_KEPT = 20
"""Source rows of breaches named for each expectation and run."""

RESULTS = TableSpec(
    "ops",
    "quality_results",
    "What every check found in every run. Counts and numbers only, no values of rows.",
    ("run_id", "table_name", "expectation"),
    {
        "run_id": "The run that asked.",
        "as_of": "The day as of which the run looked.",
        "table_name": "The table that was asked, as schema.table.",
        "expectation": "Stable name of the expectation inside its table.",
        "expects": "Its word in the vocabulary: present, in_set, between, rule, row_count …",
        "column_name": "The column it looks at; absent when it looks at rows or the table.",
        "feed": "The feed whose rows it looks at; absent when it looks at all.",
        "description": "What must hold, for a business reader.",
        "severity": "error: a breach blocks what is downstream. warn: a breach is told.",
        "passed": "Whether it holds.",
        "unexpected_count": "Rows (or groups of rows) that break it.",
        "element_count": "Rows that were looked at.",
        "observed_value": "The number observed, for expectations about a number of rows or a median.",
        "message": "What was found, in one sentence of counts.",
        "checked_at": "When the run began (UTC).",
    },
)
FAILURES = TableSpec(
    "ops",
    "quality_failures",
    f"Source rows of rows that break an expectation; at most {FAILURES_KEPT} for each expectation and run.",
    ("run_id", "table_name", "expectation", "feed", "batch_on", "file", "row"),
    {
        "run_id": "The run that asked.",
        "table_name": "The table that was asked, as schema.table.",
        "expectation": "Stable name of the expectation inside its table.",
        "feed": "Feed of the source row.",
        "batch_on": "Batch date of the source row.",
        "file": "File of the source row, below the feed's landing folder.",
        "row": "Number of the source row in its file, from 1.",
    },
)
_DDL = (
    """
    create table if not exists ops.quality_results (
        run_id varchar, as_of date, table_name varchar, expectation varchar, expects varchar, column_name varchar,
        feed varchar, description varchar, severity varchar, passed boolean, unexpected_count bigint,
        element_count bigint, observed_value double, message varchar, checked_at timestamp
    )
    """,
    """
    create table if not exists ops.quality_failures (
        run_id varchar, table_name varchar, expectation varchar, feed varchar, batch_on date, file varchar, row bigint
    )
    """,
)


@dataclass(frozen=True)
class CheckResult:
    """What one expectation found in one table. ``observed`` is a number of rows or a median, never a value of a row."""

    name: str
    table: str
    column: str | None
    severity: Severity
    passed: bool
    unexpected_count: int
    element_count: int
    observed: float | None
    message: str

    @property
    def blocks(self) -> bool:
        """Whether it stops what is downstream."""
        return not self.passed and self.severity == "error"


def create_tables(connection: Connection) -> None:
    """Make both tables where they are absent."""
    for spec, statement in zip((RESULTS, FAILURES), _DDL, strict=True):
        if not columns_of(connection, spec.full_name):
            connection.execute(statement)
            comment_on(connection, spec)


def columns_of(connection: Connection, table: str) -> tuple[str, ...]:
    """Names of the columns of ``schema.table``; none when there is no such table. The catalogue's views are slow."""
    select = exp.select("*").from_(exp.to_table(table)).limit(0)
    try:
        found = connection.execute(select.sql(dialect="duckdb"))
    except DatabaseError:
        return ()
    return tuple(column[0] for column in found.description or ())


def count_rows(connection: Connection, table: str, feed: str | None = None) -> int:
    """Rows of a table, or of one feed in it."""
    select = exp.select("count(*)").from_(exp.to_table(table))
    if feed is not None:
        select = select.where(exp.column("_feed").eq(exp.convert(feed)))
    found = connection.execute(select.sql(dialect="duckdb")).fetchone()
    return int(found[0]) if found else 0


def previous_observations(connection: Connection, table: str, run: Run) -> Mapping[str, float]:
    """What the latest published run of an earlier day observed of the table: expectation → number.

    What a run saw that then failed its checks is no measure for others. Without an earlier day the first published run
    of the same day is the measure. So a run that is repeated for a day is compared with the same one, and finds the
    same again.
    """
    if not columns_of(connection, RESULTS.full_name):
        return {}
    statement = _PREVIOUS if columns_of(connection, "ops.runs") else _PREVIOUS.replace(_WHEN_PUBLISHED, "")
    return dict(connection.execute(statement, {"table": table, "as_of": run.as_of, "run_id": run.run_id}).fetchall())


_WHEN_PUBLISHED = "and run_id in (select run_id from ops.runs where status = 'published')"
_PREVIOUS = f"""
    select expectation, observed_value
    from (
        select
            expectation,
            observed_value,
            row_number() over (
                partition by expectation
                order by
                    as_of = $as_of, as_of desc, if(as_of = $as_of, epoch_us(checked_at), -epoch_us(checked_at)),
                    if(as_of = $as_of, run_id, null), run_id desc
            ) as place
        from ops.quality_results
        where table_name = $table and as_of <= $as_of and run_id <> $run_id and observed_value is not null
            {_WHEN_PUBLISHED}
    )
    where place = 1
"""  # noqa: S608 - a condition of ours


def store(connection: Connection, suite: Suite, run: Run, found: tuple[CheckResult, ...]) -> None:
    """Keep the results of a suite; those of the same run, table and expectations are replaced."""
    key = {"run_id": run.run_id, "table": suite.table, "names": [item.name for item in suite.expectations]}
    for spec in (RESULTS, FAILURES):
        connection.execute(
            f"delete from {spec.full_name}"  # noqa: S608 - a name of ours
            " where run_id = $run_id and table_name = $table and list_contains($names, expectation)",
            key,
        )
    declared = {item.name: item for item in suite.expectations}
    rows = [
        [
            run.run_id, run.as_of, suite.table, item.name, declared[item.name].expect, item.column,
            declared[item.name].feed, declared[item.name].description, item.severity, item.passed,
            item.unexpected_count, item.element_count, item.observed, item.message, run.now,
        ]
        for item in found
    ]  # fmt: skip
    if rows:
        # One statement for all: DuckDB's executemany takes a millisecond for each row.
        marks = ", ".join(f"({', '.join('?' for _ in row)})" for row in rows)
        values = [value for row in rows for value in row]
        connection.execute(f"insert into ops.quality_results values {marks}", values)  # noqa: S608 - marks only
    for item in found:
        if item.unexpected_count:
            _name_offending_rows(connection, suite, run, item.name)


def _name_offending_rows(connection: Connection, suite: Suite, run: Run, name: str) -> None:
    """Note from which source rows those come that break an expectation, where their columns lead to them."""
    expectation = next(item for item in suite.expectations if item.name == name)
    columns = columns_told(expectation, columns_of(connection, suite.table))
    ways = ways_from(columns, lambda source: columns_of(connection, source))
    if not ways:
        return
    parameters = parameters_of(run.as_of, run.business)
    breaches = offending_rows(expectation, exp.to_table(suite.table), parameters, keys_of(ways))
    if breaches is None:
        return
    places = source_rows(breaches, ways, FAILURES_KEPT)
    inserted = exp.select("$run_id", "$table_name", "$expectation", *LINEAGE).from_(places.subquery("places"))
    connection.execute(
        f"insert into ops.quality_failures {inserted.sql(dialect='duckdb')}",
        {"run_id": run.run_id, "table_name": suite.table, "expectation": name},
    )
