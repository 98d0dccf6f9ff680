"""Runs suites with Great Expectations on the pipeline's own DuckDB connection.

Great Expectations knows no DuckDB, and what SQLAlchemy offers would open the file a second time, which DuckDB forbids.
So a small DBAPI over one of our own cursors stands between them: it fetches everything at once (Great Expectations asks
for aggregates only), lends PostgreSQL's dialect for regular expressions, and answers which columns a table has.

Values never leave the database: the expectations used here leave out the metrics that fetch unexpected values, and from
results only counts and numbers are read.
"""

# ruff: noqa: ANN401 - the library comes untyped into this module
# mypy: disallow-subclassing-any=False, warn-return-any=False

from __future__ import annotations

import logging
import os
import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from functools import cache, lru_cache
from math import ceil, floor
from types import ModuleType
from typing import Any, Literal

from sqlglot import exp

from quality import results
from quality.asking import Answer, Asking, result_of
from quality.bridge import Bridge, TableColumns
from quality.offending import breaches_allowed, offending_rows, parameters_of, told_breaches
from quality.results import CheckResult
from quality.suites import Suite
from quality.vocabulary import Between, Expectation, InSet, Length, Matches, Median, Present, RowCount
from warehouse.business import Business
from warehouse.database import Connection, Warehouse
from warehouse.step import Run

_BATCH = "_batch_of_rows"


def run_suite(
    warehouse: Warehouse, suite: Suite, run: Run, progress: Callable[[str], None] | None = None
) -> tuple[CheckResult, ...]:
    """Ask a table all its expectations, store the results in ``ops.quality_results`` and return them in order.

    A table without rows holds everything that is said about rows. The source rows of rows that break an expectation
    are noted in ``ops.quality_failures`` by feed, batch, file and row, twenty for each expectation.
    """
    # Asked outside of a transaction: a statement that fails would end it, and the other expectations with it.
    asking = warehouse.cursor()
    try:
        found = check(asking, suite, run)
    finally:
        asking.close()
    warehouse.prepare("quality results", results.create_tables)
    with warehouse.transaction() as connection:
        results.store(connection, suite, run, found)
    if progress is not None:
        progress(suite.table)
    return found


def check(connection: Connection, suite: Suite, run: Run) -> tuple[CheckResult, ...]:
    """Ask a table all its expectations on this connection, and inside its transaction if it has one; store nothing."""
    asking = Asking.of(connection, suite, run)
    answers = {item.name: asking.answer_without_asking(item) for item in suite.expectations}
    asked = [item for item in suite.expectations if answers[item.name] is None]
    if asked:
        answers.update(_ask(connection, asking, asked))
    return tuple(
        _with_words(connection, item, suite.table, run, result_of(asking, item, answers[item.name]))
        for item in suite.expectations
    )


def _with_words(connection: Connection, item: Expectation, table: str, run: Run, found: CheckResult) -> CheckResult:
    if found.unexpected_count == 0:
        return found
    return replace(found, message=f"{found.message} {told_breaches(connection, item, table, run)}".strip())


def _ask(connection: Connection, asking: Asking, items: list[Expectation]) -> dict[str, Answer]:
    """Ask all at once: Great Expectations bundles what can be computed in one scan."""
    with _LOCK, _quietly():
        gx = _great_expectations()
        translated = [_translated(gx, asking, item) for item in items]
        with gx.bridge.over(connection):
            batch = gx.batch(asking.suite.table)
            outcome = batch.validate(gx.suite(asking.suite.table, translated), result_format="BASIC")
    return {found.expectation_config.meta["name"]: _answer(found) for found in outcome.results}


def _answer(found: Any) -> Answer:
    """Only counts and numbers are read: whatever else a result holds stays where it is."""
    if found.exception_info and "raised_exception" not in found.exception_info:
        return Answer(False, note="It could not be computed: the SQL or a column's type does not fit the table.")
    numbers = found.result or {}
    unexpected = numbers.get("unexpected_count") or 0
    observed = numbers.get("observed_value")
    if isinstance(observed, bool) or not isinstance(observed, int | float | Decimal):
        observed = None
    nothing_to_observe = "observed_value" in numbers and observed is None
    return Answer(
        bool(found.success) or nothing_to_observe, int(unexpected), None if observed is None else float(observed)
    )


def _translated(gx: _GreatExpectations, asking: Asking, item: Expectation) -> Any:
    """The expectation in Great Expectations' words."""
    shared: dict[str, Any] = {
        "meta": {"name": item.name},
        "severity": "critical" if item.severity == "error" else "warning",
    }
    if item.feed is not None and isinstance(item, Present | InSet | Between | Length | Matches | RowCount | Median):
        shared["row_condition"] = gx.rows_of(item.feed)
    if isinstance(item, RowCount | Median):
        low, high = item.bounds(asking.previous.get(item.name))
        if isinstance(item, Median):
            return gx.kinds["median"](column=item.column, min_value=low, max_value=high, **shared)
        # The library cuts off what is behind the point: 0.5 rows at least would be none.
        lowest, highest = None if low is None else ceil(low), None if high is None else floor(high)
        return gx.kinds["row_count"](min_value=lowest, max_value=highest, **shared)
    if isinstance(item, Present | InSet | Between | Length | Matches):
        shared |= {"column": item.column, "mostly": item.share}
    if isinstance(item, InSet):
        shared["value_set"] = list(item.values)
    elif isinstance(item, Between | Length):
        shared |= {"min_value": item.at_least, "max_value": item.at_most}
    elif isinstance(item, Matches):
        shared["regex"] = item.pattern
    elif not isinstance(item, Present):
        shared["at_most"] = breaches_allowed(item, asking.rows[item.feed])
        shared["unexpected_rows_query"] = _query_of(item, asking.run.as_of, asking.run.business)
    return gx.kinds[item.expect](**shared)


@lru_cache(maxsize=2048)
def _query_of(item: Expectation, as_of: date, business: Business) -> str:
    """The select of breaches as the library takes it: ``{batch}`` for the table, other braces and colons escaped."""
    select = offending_rows(item, exp.to_table(_BATCH), parameters_of(as_of, business))
    assert select is not None
    text = select.sql(dialect="duckdb").replace("{", "{{").replace("}", "}}").replace(":", r"\:")
    return text.replace(_BATCH, "{batch}")


_LOCK = threading.Lock()
"""One suite at a time: they share one datasource, whose connection is the one of the suite that runs."""


@contextmanager
def _quietly() -> Iterator[None]:
    """No log lines or warnings of the library: they may quote values, and say nothing that a result does not."""
    logger = logging.getLogger("great_expectations")
    before = logger.level
    logger.setLevel(logging.CRITICAL + 1)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(before)


@dataclass(frozen=True)
class _GreatExpectations:
    """The library, imported and set up once for the process."""

    bridge: Bridge
    kinds: Mapping[str, Callable[..., Any]]
    rows_of: Callable[[str], Any]
    suite: Callable[[str, list[Any]], Any]
    batch: Callable[[str], Any]


@cache
def _great_expectations() -> _GreatExpectations:
    gx = _imported()
    bridge = Bridge()
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    context.variables.save = lambda: None  # it keeps nothing, and yet writes all of it down as YAML for every table
    _register_datasource(bridge)

    @cache
    def table_batch(table: str) -> Any:
        schema, name = table.split(".")
        asset = datasource(schema).add_table_asset(name)
        return asset.add_batch_definition_whole_table("all")

    @cache
    def datasource(schema: str) -> Any:
        return context.data_sources.add_pipeline_duckdb(name=schema, connection_string="duckdb://")

    def rows_of(feed: str) -> Any:
        from great_expectations.expectations.row_conditions import Column

        return Column("_feed") == feed

    return _GreatExpectations(
        bridge=bridge,
        kinds=_kinds(),
        rows_of=rows_of,
        suite=lambda table, items: gx.ExpectationSuite(name=table, expectations=items),
        batch=lambda table: table_batch(table).get_batch(),
    )


def import_library() -> None:
    """Import the library now, seconds before it is asked anything."""
    with _LOCK, _quietly():
        _great_expectations()


def _imported() -> ModuleType:
    """The library, without its telemetry and without its hold on Python's warnings."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import great_expectations as gx

        logging.captureWarnings(False)
    return gx


def _register_datasource(bridge: Bridge) -> None:
    """Defining the class is what makes it known to the library, as ``add_pipeline_duckdb``."""
    import sqlalchemy
    from great_expectations.datasource.fluent.sql_datasource import SQLDatasource
    from great_expectations.execution_engine import SqlAlchemyExecutionEngine
    from sqlalchemy.dialects import postgresql

    engine = sqlalchemy.create_engine("duckdb://", creator=lambda: bridge, poolclass=sqlalchemy.StaticPool)

    class PipelineDuckDBExecutionEngine(SqlAlchemyExecutionEngine):
        def __init__(self) -> None:
            super().__init__(engine=engine, create_temp_table=False)
            self.dialect_module = postgresql

        def get_inspector(self) -> TableColumns:
            return TableColumns(bridge, engine.dialect, sqlalchemy.types.NullType())

    shared = PipelineDuckDBExecutionEngine()

    class PipelineDuckDBDatasource(SQLDatasource):
        type: Literal["pipeline_duckdb"] = "pipeline_duckdb"

        @property
        def execution_engine_type(self) -> Any:
            return PipelineDuckDBExecutionEngine

        @property
        def schema_(self) -> str:
            return str(self.name)

        def get_engine(self) -> Any:
            return engine

        def get_execution_engine(self) -> Any:
            return shared

        def test_connection(self, test_assets: bool = True) -> None:
            """The connection is ours and open."""


def _kinds() -> dict[str, Callable[..., Any]]:
    """Great Expectations' expectations by our words."""
    import great_expectations.expectations as core
    from great_expectations.compatibility import pydantic

    class Lean:
        """Mixed into theirs: leaves out the metrics that fetch values, and works out its configuration once."""

        def get_validation_dependencies(self, *arguments: Any, **named: Any) -> Any:
            needed = super().get_validation_dependencies(*arguments, **named)  # type: ignore[misc]
            for metric in list(needed.metric_configurations):
                if metric.endswith(".unexpected_values"):
                    needed.remove_metric_configuration(metric)
            return needed

        _configuration: Any

        @property
        def configuration(self) -> Any:
            if self._configuration is None:
                self._configuration = super().configuration  # type: ignore[misc]
            return self._configuration

    class NoUnexpectedRows(core.UnexpectedRowsExpectation):
        """Theirs also fetches two hundred of the rows; this one counts."""

        metric_dependencies = ("unexpected_rows_query.row_count",)
        at_most: int = 0

        def _validate(self, metrics: Any, runtime_configuration: Any = None, execution_engine: Any = None) -> Any:
            del runtime_configuration, execution_engine
            found = metrics["unexpected_rows_query.row_count"]
            return {"success": found <= self.at_most, "result": {"unexpected_count": found}}

    def lean(theirs: Any) -> Any:
        body = {"__module__": __name__, "_configuration": pydantic.PrivateAttr(None)}
        return type(theirs)(f"Pipeline{theirs.__name__}", (Lean, theirs), body)

    rows = lean(NoUnexpectedRows)
    return {
        "present": lean(core.ExpectColumnValuesToNotBeNull),
        "in_set": lean(core.ExpectColumnValuesToBeInSet),
        "between": lean(core.ExpectColumnValuesToBeBetween),
        "length": lean(core.ExpectColumnValueLengthsToBeBetween),
        "matches": lean(core.ExpectColumnValuesToMatchRegex),
        "unique": rows,
        "rule": rows,
        "no_rows": rows,
        "row_count": lean(core.ExpectTableRowCountToBeBetween),
        "median": lean(core.ExpectColumnMedianToBeBetween),
    }
