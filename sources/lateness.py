"""How much later than they happened the rows of a batch arrived, in days of the business's time zone."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlglot import exp

from quality.contracts.contract import Contract
from sources.mapped_feed import MappedFeed
from sources.operations.operation import call
from sources.row_tables import rows_table
from sources.statement import column, named, select
from warehouse.database import Connection


@dataclass(frozen=True)
class Lateness:
    """Accepted rows about a day before their batch's, and how many days the earliest of them came late."""

    late_rows: int = 0
    days_late: int = 0


def lateness_of(
    connection: Connection, mapped: MappedFeed, days: Collection[date], time_zone: str
) -> dict[date, Lateness]:
    """The lateness of batches by day; of kinds whose rows have no time of their own there is none."""
    if mapped.contract.occurred is None or not days:
        return {}
    is_late = exp.GT(this=column("_late"), expression=exp.Literal.number(0))
    counted = [
        column("_batch_on"),
        exp.Sum(this=exp.case().when(is_late, column("_rows")).else_(exp.Literal.number(0))),
        call("greatest", call("max", column("_late")), exp.Literal.number(0)),
    ]
    is_mine = exp.and_(
        exp.EQ(this=column("_feed"), expression=exp.Placeholder(this="feed")),
        call("list_contains", exp.Placeholder(this="days"), column("_batch_on")),
    )
    own_day = exp.cast(_in_zone(column("_minute")), "DATE")
    behind = exp.Sub(this=column("_batch_on"), expression=own_day)
    moments = [column("_batch_on"), named(_minute(_moment(mapped.contract)), "_minute")]
    rows = select(moments, rows_table(mapped.kind).sql(dialect="duckdb")).where(is_mine, copy=False)
    by_minute = [column("_batch_on"), column("_minute"), named(exp.Count(this=exp.Star()), "_rows")]
    minutes = select(by_minute, rows).group_by(column("_batch_on"), column("_minute"), copy=False)
    days_of = select([column("_batch_on"), column("_rows"), named(behind, "_late")], minutes)
    query = select(counted, days_of).group_by(column("_batch_on"), copy=False)
    values = {"feed": mapped.feed.name, "days": sorted(days), "time_zone": time_zone}
    found = connection.execute(query.sql(dialect="duckdb"), values).fetchall()
    return {day: Lateness(int(rows or 0), int(most or 0)) for day, rows, most in found}


def _moment(contract: type[Contract]) -> exp.Expr:
    """When what a row tells came about: of an object that is sent again, when it last changed."""
    occurred = column(str(contract.occurred))
    if "updated_at" not in contract.version_order:
        return occurred
    return call("coalesce", column("updated_at"), occurred)


def _minute(moment: exp.Expr) -> exp.Expr:
    """The minute of a moment, which has one day in any zone: since 1973 all zones differ by whole minutes.

    What is asked of a zone costs ten times as much as a place in a table of minutes.
    """
    since = exp.GTE(this=moment.copy(), expression=exp.cast(exp.Literal.string("1973-01-01"), "TIMESTAMP"))
    minute = call("date_trunc", "minute", exp.cast(moment.copy(), "TIMESTAMP"))
    return exp.case().when(since, minute).else_(exp.cast(moment.copy(), "TIMESTAMP"))


def _in_zone(moment: exp.Expr) -> exp.Expr:
    """A UTC moment on the clock of the business."""
    zone = exp.Placeholder(this="time_zone")
    utc = exp.AtTimeZone(this=exp.cast(moment, "TIMESTAMP"), zone=exp.Literal.string("UTC"))
    return exp.AtTimeZone(this=utc, zone=zone)
