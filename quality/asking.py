"""A table that is about to be asked: what it looks like, what needs no asking, and how an answer is told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from quality.results import CheckResult, columns_of, count_rows, previous_observations
from quality.suites import Suite
from quality.vocabulary import Expectation, Median, NoRows, RowCount
from quality.wording import what_was_found
from warehouse.database import Connection
from warehouse.step import Run


@dataclass(frozen=True)
class Answer:
    """What was found: counts and numbers, or (``note``) why nothing could be."""

    passed: bool
    unexpected: int = 0
    observed: float | None = None
    note: str = ""


@dataclass(frozen=True)
class Asking:
    """A table as it stands, and what the run before observed of it."""

    suite: Suite
    run: Run
    columns: frozenset[str]
    rows: Mapping[str | None, int]
    previous: Mapping[str, float]

    @staticmethod
    def of(connection: Connection, suite: Suite, run: Run) -> Asking:
        """Look at the table of a suite."""
        columns = frozenset(columns_of(connection, suite.table))
        feeds = {item.feed for item in suite.expectations} | {None}
        counted = {
            feed: count_rows(connection, suite.table, feed) if columns and (feed is None or "_feed" in columns) else 0
            for feed in feeds
        }
        return Asking(suite, run, columns, counted, previous_observations(connection, suite.table, run))

    def answer_without_asking(self, item: Expectation) -> Answer | None:
        """The answer where the table cannot be asked or needs not be; None where it must."""
        if not self.columns:
            return Answer(False, note="The table does not exist.")
        needed = {*item.columns_read} | ({"_feed"} if item.feed else set())
        missing = sorted(needed - self.columns)
        if missing and item.if_declared:
            return Answer(True, note=f"This business has no {', '.join(missing)}: not asked.")
        if missing:
            return Answer(False, note=f"The table has no column {', '.join(missing)}.")
        if isinstance(item, NoRows):
            return None
        if isinstance(item, Median):
            few = self.rows[item.feed] < item.rows_needed
            return Answer(True, note=f"Fewer than {item.rows_needed} rows: not asked.") if few else None
        if self.rows[item.feed] > 0:
            return None
        if isinstance(item, RowCount):
            lowest, _ = item.bounds(self.previous.get(item.name))
            return Answer(True, observed=0) if lowest is None else None
        return Answer(True)


def result_of(asking: Asking, item: Expectation, answer: Answer | None) -> CheckResult:
    """The answer as it is kept and shown; None stands for an answer that never came."""
    if answer is None:
        answer = Answer(False, note="It could not be computed.")
    element_count = asking.rows.get(item.feed, 0)
    bounds = item.bounds(asking.previous.get(item.name)) if isinstance(item, RowCount | Median) else (None, None)
    message = answer.note or what_was_found(
        item, answer.passed, answer.unexpected, element_count, answer.observed, bounds
    )
    return CheckResult(
        name=item.name,
        table=asking.suite.table,
        column=getattr(item, "column", None),
        severity=item.severity,
        passed=answer.passed,
        unexpected_count=answer.unexpected,
        element_count=element_count,
        observed=answer.observed,
        message=message,
    )
