"""What can be started: a job per layer, one for everything, and the daily schedule."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.unresolved_asset_job_definition import UnresolvedAssetJobDefinition

from assets.partitions import range_tags
from assets.side_by_side import side_by_side
from warehouse.business import Business

EVERYTHING = "everything"
FETCH = "fetch"
LAYERS = ("feeds", "staging", "identity", "profiles", "ops", "published")
DAYS_LOOKED_BACK = 7
"""Files of the last days may come late; loading what is there already costs nothing."""

_DESCRIPTIONS = {
    "feeds": "Loads what has arrived and is not loaded yet.",
    "staging": "Shows the newest version of every row that was accepted, and checks it.",
    "identity": "Finds out which records are the same customer.",
    "profiles": "Makes the customer tables as of a day.",
    "ops": "Counts and checks what is noted about the work.",
    "published": "Swaps in the read-only file and the exports.",
}


def layer_jobs() -> list[UnresolvedAssetJobDefinition]:
    """The jobs of a project."""
    layers = [
        dg.define_asset_job(
            layer,
            selection=dg.AssetSelection.groups(layer),
            description=_DESCRIPTIONS[layer],
            executor_def=side_by_side,
        )
        for layer in LAYERS
    ]
    everything = dg.define_asset_job(
        EVERYTHING,
        selection=dg.AssetSelection.all(),
        description="Loads what has arrived, makes and checks every table, and publishes.",
        executor_def=side_by_side,
    )
    return [*layers, everything]


def fetch_job() -> UnresolvedAssetJobDefinition:
    """Brings what is new at the origins; the landing sensor then loads it. Holds no warehouse meanwhile."""
    return dg.define_asset_job(
        FETCH,
        selection=dg.AssetSelection.groups("origins"),
        description="Brings what is new at the origins of all feeds into landing/.",
        executor_def=dg.in_process_executor,
    )


def hourly_fetches(business: Business) -> dg.ScheduleDefinition:
    """The origins of all feeds, every hour."""
    return dg.ScheduleDefinition(
        name="hourly_fetch",
        job_name=FETCH,
        cron_schedule="0 * * * *",
        execution_timezone=business.time_zone,
        description="Every hour: fetches what is new at the origins; the landing sensor loads it.",
    )


def daily_schedule(business: Business, partitions: dg.DailyPartitionsDefinition) -> dg.ScheduleDefinition:
    """Everything, early each morning in the business's time zone, with the batches of the last seven days."""

    @dg.schedule(
        name="daily",
        job_name=EVERYTHING,
        cron_schedule="0 5 * * *",
        execution_timezone=business.time_zone,
        description="Every morning at five: loads the last seven days, makes every table, publishes.",
    )
    def daily(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        today = context.scheduled_execution_time.astimezone(ZoneInfo(business.time_zone)).date()
        first = max(today - timedelta(days=DAYS_LOOKED_BACK - 1), first_day(partitions))
        return dg.RunRequest(run_key=today.isoformat(), tags=range_tags(min(first, today), today))

    return daily


def first_day(partitions: dg.DailyPartitionsDefinition) -> date:
    """The first day there is a partition for."""
    start: datetime = partitions.start
    return start.date()
