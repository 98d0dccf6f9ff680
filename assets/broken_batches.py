"""``ops.broken_batches``: batches that could not be loaded, until they are. What was loaded before still stands."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from warehouse.database import Connection
from warehouse.errors import CdpError
from warehouse.step import TableSpec, comment_on

BROKEN_BATCHES = TableSpec(
    "ops",
    "broken_batches",
    "One row per batch of a feed that could not be loaded, until it can. Rows loaded of it before still stand.",
    ("feed", "batch_on"),
    {
        "feed": "The feed.",
        "batch_on": "The day of the batch.",
        "run_id": "The run that tried last.",
        "reason": "Why it could not be loaded.",
        "fix": "What to do about it.",
        "exit_code": "The exit code of the command line for errors of this kind.",
    },
)

_MOST_REASONS = 3
_MOST_DAYS = 5

_CREATE = """
    create table if not exists ops.broken_batches
    (feed varchar, batch_on date, run_id varchar, reason varchar, fix varchar, exit_code integer)
"""


@dataclass(frozen=True)
class BrokenBatch:
    """One batch that could not be loaded, and the run that tried last."""

    feed: str
    batch_on: date
    run_id: str
    reason: str
    fix: str
    exit_code: int

    @property
    def is_bug(self) -> bool:
        """Whether the fault is ours, not the data's."""
        return self.exit_code == CdpError.exit_code


def told_batches(batches: Iterable[BrokenBatch]) -> tuple[str, str]:
    """Why batches of one feed could not be loaded, bugs before all else, and what to do about it."""
    days: dict[str, list[str]] = {}
    ordered = sorted(batches, key=lambda item: (not item.is_bug, item.batch_on))
    for item in ordered:
        days.setdefault(item.reason, []).append(str(item.batch_on))
    reasons = list(days)
    texts = [f"{_listed(days[reason])}: {reason}" for reason in reasons[:_MOST_REASONS]]
    if others := [day for reason in reasons[_MOST_REASONS:] for day in days[reason]]:
        texts.append(f"Nor were {_listed(others)}.")
    fixes = dict.fromkeys(item.fix for item in ordered if item.fix and item.reason in reasons[:_MOST_REASONS])
    return " ".join(texts), " ".join(fixes)


def _listed(days: Sequence[str]) -> str:
    more = f" and {len(days) - _MOST_DAYS} more days" if len(days) > _MOST_DAYS else ""
    return ", ".join(days[:_MOST_DAYS]) + more


def create_table(connection: Connection) -> None:
    """Make the table where it is absent."""
    connection.execute(_CREATE)
    comment_on(connection, BROKEN_BATCHES)


def note(
    connection: Connection,
    feed: str,
    run_id: str,
    window: tuple[date | None, date | None],
    errors: Mapping[date, CdpError],
) -> None:
    """Keep what went wrong with a feed's batches in a window of days; all others of the window are well."""
    first, last = window
    connection.execute(
        "delete from ops.broken_batches where feed = $feed"
        " and batch_on >= coalesce($first, batch_on) and batch_on <= coalesce($last, batch_on)",
        {"feed": feed, "first": first, "last": last},
    )
    for batch_on, error in sorted(errors.items()):
        connection.execute(
            "insert into ops.broken_batches values ($feed, $batch_on, $run_id, $reason, $fix, $exit_code)",
            {
                "feed": feed,
                "batch_on": batch_on,
                "run_id": run_id,
                "reason": error.reason,
                "fix": error.fix,
                "exit_code": error.exit_code,
            },
        )


def forget_all_but(connection: Connection, feeds: Iterable[str]) -> None:
    """Forget the batches of feeds that are not declared any more: nobody will ever load them."""
    connection.execute(
        "delete from ops.broken_batches where not list_contains($feeds::varchar[], feed)", {"feeds": list(feeds)}
    )


def broken(connection: Connection) -> tuple[BrokenBatch, ...]:
    """All batches that are broken now, by feed and day."""
    rows = connection.execute(
        "select feed, batch_on, run_id, reason, fix, exit_code from ops.broken_batches order by feed, batch_on"
    ).fetchall()
    return tuple(BrokenBatch(*row) for row in rows)
