"""``ops.runs``: one row per run that opened the warehouse, so that tables and readers can say which run made them."""

from datetime import date
from typing import Literal

from warehouse.database import Connection, MissingTableError
from warehouse.step import TableSpec, comment_on

Outcome = Literal["running", "published", "unpublished", "interrupted"]

RUNS = TableSpec(
    "ops",
    "runs",
    "One row per run of the pipeline: as of which day, when it began, and whether readers got its tables.",
    ("run_id",),
    {
        "run_id": "The run, by the id it has in Dagster too.",
        "as_of": "The day as of which tables were made; absent when the run made none.",
        "started_at": "When the run began (UTC).",
        "full_refresh": "Whether every batch was to be loaded again.",
        "status": "running, published, unpublished (ended without publishing) or interrupted (its process ended).",
    },
)

_CREATE = """
    create table if not exists ops.runs
    (run_id varchar, as_of date, started_at timestamp, full_refresh boolean, status varchar)
"""
_KEEP_AS_OF = "update ops.runs set as_of = $as_of where run_id = $run_id and as_of is distinct from $as_of"


def create_table(connection: Connection) -> None:
    """Make the table where there is none."""
    connection.execute(_CREATE)
    comment_on(connection, RUNS)


def begin(connection: Connection, run_id: str, started_at: object, full_refresh: bool) -> None:
    """Note that a run began. It has the warehouse to itself, so whoever seems to be running was interrupted."""
    create_table(connection)
    connection.execute("update ops.runs set status = 'interrupted' where status = 'running'")
    connection.execute("delete from ops.runs where run_id = $run_id", {"run_id": run_id})
    connection.execute(
        "insert into ops.runs values ($run_id, null, $started_at, $full_refresh, 'running')",
        {"run_id": run_id, "started_at": started_at, "full_refresh": full_refresh},
    )


def note_day(connection: Connection, run_id: str, as_of: date) -> None:
    """Note as of which day the run makes its tables."""
    connection.execute(_KEEP_AS_OF, {"run_id": run_id, "as_of": as_of})


def note_outcome(connection: Connection, run_id: str, outcome: Outcome) -> None:
    """Note how a run that is still running ended."""
    connection.execute(
        "update ops.runs set status = $outcome where run_id = $run_id and status = 'running'",
        {"run_id": run_id, "outcome": outcome},
    )


def newest_batch(connection: Connection) -> date | None:
    """The newest batch date that was loaded; None before the first."""
    try:
        found = connection.execute("select max(batch_on) from ops.batches").fetchone()
    except MissingTableError:
        return None
    return found[0] if found else None
