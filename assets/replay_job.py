"""The job `replay`: rejected rows are judged again from the launchpad, as `cdp quarantine replay` does it."""

from collections.abc import Mapping

import dagster as dg
from pydantic import Field

from assets.failure import failure_of, shown_in_dagster
from assets.feeds import feed_key
from assets.resources import ProjectRun
from quality.quarantine import RowFilter, whole_ids
from quality.resolution import Attempt
from sources.feed import Feed
from sources.replay import FeedReplay, replay_rows
from warehouse.declaration import suggestion
from warehouse.errors import InputError

REPLAY = "replay"
_COUNTS = ("files", "attempted", "replayed", "still_open", "gone", "released")


class ReplayOptions(dg.Config):
    """Which open rows to judge again, and who asks for it, and why."""

    feed: str | None = Field(default=None, description="Only rows of this feed; absent: of all.")
    code: str | None = Field(default=None, description="Only rows refused for this code.")
    field: str | None = Field(default=None, description="Only rows in which this field is to blame.")
    ids: list[str] = Field(default_factory=list, description="Only these rows: their ids or the beginnings of them.")
    who: str = Field(description="Who asks for it, for the rows' history.")
    why: str = Field(description="Why, for the rows' history.")


def replay_job(feeds: Mapping[str, Feed], pool: str | None) -> dg.JobDefinition:
    """The job of a project."""

    @dg.op(name="replay_rows", pool=pool, description="Reads the files of the rows again; staging shows what passes.")
    def replay_op(
        context: dg.OpExecutionContext, config: ReplayOptions, project_run: dg.ResourceParam[ProjectRun]
    ) -> None:
        with shown_in_dagster():
            done = _replay(project_run, feeds, config)
        for item in done:
            counts = {name: getattr(item, name) for name in _COUNTS}
            context.log_event(dg.AssetObservation(feed_key(item.feed), metadata=counts))
        context.add_output_metadata(_told(done))
        stopped = [f"{item.feed}: {item.stopped}." for item in done if item.stopped]
        if stopped:
            raise failure_of(InputError(" ".join(stopped), "Mend what is named; nothing of these batches changed."))

    @dg.job(
        name=REPLAY,
        executor_def=dg.in_process_executor,
        description="Judges rejected rows again by the declarations and corrections of now. Run `everything` after it.",
    )
    def replay() -> None:
        replay_op()

    return replay


def _replay(current: ProjectRun, feeds: Mapping[str, Feed], config: ReplayOptions) -> tuple[FeedReplay, ...]:
    if config.feed is not None and config.feed not in feeds:
        raise InputError(f"`{config.feed}` is not a feed of this project.", suggestion(config.feed, list(feeds)))
    with current.warehouse.transaction() as connection:
        ids = whole_ids(connection, config.ids) if config.ids else None
    chosen = RowFilter(config.feed, config.code, config.field, ids=ids)
    attempt = Attempt(current.started_at, current.run_id, config.who, config.why)
    return replay_rows(current.warehouse, current.project, feeds, chosen, current.to_load(), attempt)


def _told(done: tuple[FeedReplay, ...]) -> dict[str, int | str]:
    sums: dict[str, int | str] = {name: sum(getattr(item, name) for item in done) for name in _COUNTS}
    return sums | {"feeds": ", ".join(item.feed for item in done)}
