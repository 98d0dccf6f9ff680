"""Replay: rejected rows are judged again by the declarations and corrections of now.

The files they came from are read again through the one way in, so that staging and counts are what a rebuild from the
landing files would give. What is accepted leaves quarantine once; what is not waits on, with one attempt more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from quality.quarantine import QuarantinedRow, RowFilter, create_tables, list_rows, statuses
from quality.resolution import Attempt
from sources.batch_load import Progress
from sources.feed_declaration import Feed
from sources.landing import discover
from sources.loading import BatchesStoppedError, Replay, load_feed
from sources.staging import staging_step
from warehouse.database import Warehouse
from warehouse.declaration import suggestion
from warehouse.errors import InputError
from warehouse.project import Project
from warehouse.step import Run, materialise


@dataclass(frozen=True)
class FeedReplay:
    """What a replay did to one feed.

    ``attempted`` rows were judged again: ``replayed`` are accepted now, ``still_open`` are not, ``gone`` are no longer
    in their files. ``released``: rows besides that left with them, since their files were read again.
    """

    feed: str
    files: int
    attempted: int
    replayed: int
    still_open: int
    gone: int
    released: int
    stopped: str = ""


def replay_rows(
    warehouse: Warehouse,
    project: Project,
    feeds: Mapping[str, Feed],
    chosen: RowFilter,
    run: Run,
    attempt: Attempt,
    progress: Progress | None = None,
) -> tuple[FeedReplay, ...]:
    """Judge the open rows that ``chosen`` names again, and show the staging tables with what was accepted.

    Raises:
        InputError: rows of a feed that is no longer declared, or whose files are all gone.
        DeclarationError: a feed or a correction is wrong.
    """
    with warehouse.transaction() as connection:
        create_tables(connection)
        rows = list_rows(connection, replace(chosen, status="open"))
    by_feed: dict[str, list[QuarantinedRow]] = {}
    for row in rows:
        by_feed.setdefault(row.feed, []).append(row)
    for name in by_feed:
        if name not in feeds:
            raise InputError(
                f"Rows of `{name}` cannot be replayed: it is no feed of this project.",
                f"Declare config/feeds/{name}.yml again, or discard them. {suggestion(name, list(feeds))}",
            )
    replaying = _Replaying(warehouse, project, run, attempt, progress)
    done = [replaying.replay(feeds[name], found) for name, found in by_feed.items()]
    for kind in sorted({feeds[name].kind for name in by_feed}):
        materialise(warehouse, staging_step(kind), run)
    return tuple(done)


@dataclass(frozen=True)
class _Replaying:
    """What the replays of several feeds share."""

    warehouse: Warehouse
    project: Project
    run: Run
    attempt: Attempt
    progress: Progress | None

    def replay(self, feed: Feed, rows: list[QuarantinedRow]) -> FeedReplay:
        """Read the files of these open rows of a feed again."""
        asked = frozenset(row.quarantine_id for row in rows)
        files = frozenset(row.file for row in rows) & {file.file for file in discover(self.project, feed)}
        before = self._with_status(feed, "open")
        stopped = ""
        try:
            if files:
                again = Replay(files, replace(self.attempt, asked=asked))
                load_feed(self.warehouse, self.project, feed, self.run, replay=again, progress=self.progress)
        except BatchesStoppedError as error:
            stopped = "; ".join(f"{stop.batch_on}: {stop.reason}" for stop in error.load.stopped)
        replayed, still_open = self._with_status(feed, "replayed"), self._with_status(feed, "open")
        return FeedReplay(
            feed=feed.name,
            files=len(files),
            attempted=len(asked),
            replayed=len(asked & replayed),
            still_open=len(asked & still_open),
            gone=len(asked - replayed - still_open),
            released=len((before - asked) & replayed),
            stopped=stopped,
        )

    def _with_status(self, feed: Feed, status: str) -> frozenset[str]:
        with self.warehouse.transaction() as connection:
            found = statuses(connection, feed.kind, feed.name)
        return frozenset(quarantine_id for quarantine_id, is_now in found.items() if is_now == status)
