"""A step makes one or more tables; a run is what all steps of one execution share."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from datetime import time as clock_time
from typing import Literal
from zoneinfo import ZoneInfo

from sqlglot import exp

from warehouse.business import Business
from warehouse.database import Connection, Warehouse
from warehouse.errors import WarehouseError


@dataclass(frozen=True)
class Run:
    """One execution: who asked for which day, on which clock. The clock is passed in, never read below the roof."""

    run_id: str
    as_of: date
    now: datetime
    business: Business
    full_refresh: bool = False

    @property
    def as_of_end(self) -> datetime:
        """The UTC moment at which the local day ``as_of`` ends: what happened before it counts."""
        midnight = datetime.combine(self.as_of + timedelta(days=1), clock_time(), ZoneInfo(self.business.time_zone))
        return midnight.astimezone(UTC).replace(tzinfo=None)

    def parameters(self) -> dict[str, object]:
        """What a statement may name as ``$parameter``."""
        business = self.business
        return {
            "as_of": self.as_of,
            "as_of_end": self.as_of_end,
            "time_zone": business.time_zone,
            "base_currency": business.base_currency,
            "default_country": business.default_country,
            "sale_statuses": list(business.sale.statuses),
            "exclude_test": business.sale.exclude_test,
            "revenue": business.revenue,
            "exchange_rate_max_age_days": business.exchange_rate_max_age_days,
            "week_starts_on": business.week_starts_on,
            "run_id": self.run_id,
            "now": self.now,
        }


@dataclass(frozen=True)
class TableSpec:
    """A table as readers know it: name, meaning, grain (columns that identify a row), meaning of its columns.

    ``origins``: of a table that Python makes, column → tables and their columns that it is computed from.
    """

    schema: str
    name: str
    description: str
    grain: tuple[str, ...]
    columns: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict, kw_only=True)

    @property
    def key(self) -> tuple[str, str]:
        """Schema and name: the Dagster asset key."""
        return (self.schema, self.name)

    @property
    def full_name(self) -> str:
        """``schema.name``."""
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Step:
    """Makes ``tables`` from the tables it ``reads`` (names ``schema.table``), inside a transaction it is given."""

    name: str
    tables: tuple[TableSpec, ...]
    reads: frozenset[str]
    execute: Callable[[Connection, Run], None]
    statement: str | None = None
    parameters: Mapping[str, object] = field(default_factory=dict)
    figures: str | None = None
    """A query of names and numbers of a run (``$run_id``) that are worth following from run to run."""
    keeps_grain: bool = False
    """The step puts rows in by key, in place of those of the same key: a run need not count whole tables for it."""


@dataclass(frozen=True)
class StepResult:
    """Rows per table (``schema.name``) after the step, the seconds it took, and its figures."""

    rows: Mapping[str, int]
    seconds: float
    figures: Mapping[str, float] = field(default_factory=dict)


def materialise(warehouse: Warehouse, step: Step, run: Run) -> StepResult:
    """Run a step in one transaction, comment its tables and columns, and check that the grain is unique.

    Raises:
        WarehouseError: two rows share a grain.
    """
    started = time.monotonic()
    with warehouse.transaction() as connection:
        step.execute(connection, run)
        rows = {spec.full_name: _finish(connection, spec, step.keeps_grain) for spec in step.tables}
        figures = connection.execute(step.figures, {"run_id": run.run_id}).fetchall() if step.figures else []
    return StepResult(rows, time.monotonic() - started, dict(figures))


def _finish(connection: Connection, spec: TableSpec, keeps_grain: bool) -> int:
    comment_on(connection, spec)
    if keeps_grain:
        counted = exp.select("count(*)").from_(exp.table_(spec.name, db=spec.schema)).sql(dialect="duckdb")
        [(rows,)] = connection.execute(counted).fetchall()
        return int(rows)
    found = connection.execute(_count_statement(spec)).fetchone()
    assert found is not None
    total, distinct = int(found[0]), int(found[1])
    if total != distinct:
        grain = ", ".join(spec.grain)
        raise WarehouseError(
            f"{spec.full_name} has {total - distinct} more rows than distinct values of its grain ({grain}).",
            "The statement that makes it lost a join key; nothing was changed.",
        )
    return total


def _count_statement(spec: TableSpec) -> str:
    """Rows, and distinct values of the grain (NULL counts as a value)."""
    table = exp.table_(spec.name, db=spec.schema)
    if not spec.grain:
        return exp.select("count(*)", "count(*)").from_(table).sql(dialect="duckdb")
    keys = exp.select(*(exp.column(column, quoted=True) for column in spec.grain)).distinct().from_(table)
    distinct = exp.select("count(*)").from_(keys.subquery("keys"))
    return exp.select("count(*)", distinct.subquery()).from_(table).sql(dialect="duckdb")


def comment_on(connection: Connection, spec: TableSpec) -> None:
    """Write the table's and its columns' meanings into the warehouse."""
    # "not internal": the texts of the engine's own views, which it would write down first, take 30 ms.
    is_view = connection.execute(
        "select 1 from duckdb_views() where not internal and schema_name = $schema and view_name = $name "
        "and database_name = current_database()",
        {"schema": spec.schema, "name": spec.name},
    ).fetchone()
    columns = [column for column, *_ in connection.execute(f"describe {spec.full_name}").fetchall()]
    connection.execute(comments(spec, columns, spec.full_name, "view" if is_view else "table"))


def comments(spec: TableSpec, columns: Iterable[str], target: str, kind: Literal["table", "view"] = "table") -> str:
    """The statements that write the meanings of a table and of those of its ``columns`` that have one."""
    return ";".join(
        (
            f"comment on {kind} {target} is {quoted(spec.description)}",
            *(
                f'comment on column {target}."{column}" is {quoted(spec.columns[column])}'
                for column in columns
                if column in spec.columns
            ),
        )
    )


def quoted(text: str) -> str:
    """A SQL text literal. For comments only, which take no parameters; their texts are ours or a declaration's."""
    return "'" + text.replace("'", "''") + "'"
