"""From which day on a project has something to tell of persons, and the newest day of which a batch is there."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date
from typing import Final
from zoneinfo import ZoneInfo

from sqlglot import exp

from quality.contracts.columns import columns
from quality.contracts.contract import Contract
from quality.contracts.registry import CONTRACTS
from sources.row_tables import rows_table
from sources.statement import column, select
from warehouse.database import Connection, MissingTableError
from warehouse.errors import UsageError

_BATCHES: Final = "select min(batch_on), max(batch_on) from ops.files where coalesce(rows_staged, rows_accepted) > 0"


@dataclass(frozen=True)
class DataDays:
    """``first``: the day of the earliest row, or of the first batch if that is earlier. ``newest``: of a batch."""

    first: date
    newest: date

    def before_all(self, as_of: date) -> UsageError | None:
        """The error of a day before the first one: tables as of it hold nobody, and would replace what readers have."""
        if as_of >= self.first:
            return None
        return UsageError(
            f"{as_of} lies before all data: there are none before {self.first}, so there would be no customers.",
            f"Name a day from {self.first} on with --as-of; without it, it is the newest batch, of {self.newest}.",
        )


def data_days(connection: Connection, time_zone: str) -> DataDays | None:
    """The days of the rows that were accepted; None while there are none."""
    try:
        first, newest = connection.execute(_BATCHES).fetchone() or (None, None)
    except MissingTableError:
        return None
    if first is None or newest is None:
        return None
    of_persons = [model for model in CONTRACTS.values() if any(item.is_personal for item in columns(model))]
    days = (day for model in of_persons for day in _first_days(connection, model, time_zone))
    return DataDays(min([first, *days]), newest)


def _first_days(connection: Connection, model: type[Contract], time_zone: str) -> Iterator[date]:
    """The day of the earliest row of a kind; of none where no row has a time, or none was ever loaded."""
    if model.occurred is None:
        return
    query = select([exp.Min(this=column(model.occurred))], rows_table(model.kind).sql(dialect="duckdb"))
    try:
        found = connection.execute(query.sql(dialect="duckdb")).fetchone()
    except MissingTableError:
        return
    if found is not None and found[0] is not None:
        yield found[0].replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date()
