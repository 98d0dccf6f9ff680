"""The days that feeds are partitioned by: from the business's first batch to the newest that has arrived."""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import dagster as dg

from sources.feed import Feed
from sources.landing import LandingFile, discover
from warehouse.business import Business
from warehouse.project import Project

_LONG_AGO = date(2000, 1, 1)

RANGE_START = "dagster/asset_partition_range_start"
RANGE_END = "dagster/asset_partition_range_end"


def landing_files(project: Project, feeds: Iterable[Feed]) -> list[LandingFile]:
    """Every file that has arrived, of all feeds."""
    return [file for feed in feeds for file in discover(project, feed)]


def daily_partitions(business: Business, files: Iterable[LandingFile], now: datetime) -> dg.DailyPartitionsDefinition:
    """One partition per day in the business's time zone, today included, and every day up to the newest batch.

    They begin with `first_batch_on` of the business, else with the oldest batch, else in the year 2000.
    """
    days = [file.batch_on for file in files]
    start = business.first_batch_on or min(days, default=_LONG_AGO)
    today = now.astimezone(ZoneInfo(business.time_zone)).date()
    ahead = (max(days, default=today) - today).days
    return dg.DailyPartitionsDefinition(start.isoformat(), timezone=business.time_zone, end_offset=max(0, ahead) + 1)


def range_tags(first: date, last: date) -> dict[str, str]:
    """Tags of a run that covers all days from first to last at once."""
    return {RANGE_START: first.isoformat(), RANGE_END: last.isoformat()}
