"""The days that feeds are partitioned by: from the business's first batch to the newest that has arrived.

A batch whose files are gone from landing, into an archive perhaps, stays a partition: what it brought is known.
"""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from sources.feed import Feed
from sources.landing import LandingFile, discover
from warehouse.business import Business
from warehouse.database import open_warehouse
from warehouse.edition import SNAPSHOT_NAME
from warehouse.errors import WarehouseError
from warehouse.project import Project

_LONG_AGO = date(2000, 1, 1)

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def landing_files(project: Project, feeds: Iterable[Feed]) -> list[LandingFile]:
    """Every file that has arrived, of all feeds."""
    return [file for feed in feeds for file in discover(project, feed)]


def published_days(project: Project) -> list[date]:
    """The batch days that readers are told of; no run holds up whoever reads them there."""
    snapshot = (project.published / SNAPSHOT_NAME).resolve()
    if not snapshot.is_file():
        return []
    try:
        with open_warehouse(snapshot, read_only=True, wait_seconds=0) as published:
            found = published.cursor().execute("select distinct batch_on from ops.batches").fetchall()
    except WarehouseError:  # of an older version, or not ours: the files alone tell then
        return []
    return [day for (day,) in found]


def daily_partitions(business: Business, days: Iterable[date], now: datetime) -> dg.DailyPartitionsDefinition:
    """One partition per day in the business's time zone, today included, and every day up to the newest batch.

    They begin with `first_batch_on` of the business, else with the oldest batch, else in the year 2000.
    ``days``: those of all batches.
    """
    known = set(days)
    start = business.first_batch_on or min(known, default=_LONG_AGO)
    today = now.astimezone(ZoneInfo(business.time_zone)).date()
    ahead = (max(known, default=today) - today).days
    return dg.DailyPartitionsDefinition(start.isoformat(), timezone=business.time_zone, end_offset=max(0, ahead) + 1)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Tags of a run that covers all days from first to last at once."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
