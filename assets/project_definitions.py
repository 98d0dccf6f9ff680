"""Everything of one project that Dagster shows and runs."""

from collections.abc import Iterable
from datetime import date, datetime

import dagster as dg

from assets.checks import suite_checks
from assets.declared import Declared
from assets.feed_columns import staged_columns
from assets.feeds import POOL, feed_asset, feed_key, loaded_check, owner_of
from assets.jobs import daily_schedule, fetch_job, hourly_fetches, layer_jobs
from assets.landing_sensor import landing_sensor
from assets.origins import Place, fetched_check, origin_asset, with_origin
from assets.partitions import daily_partitions, landing_files, published_days
from assets.published import SNAPSHOT, snapshot_asset
from assets.reason_check import reasons_check
from assets.replay_job import replay_job
from assets.resources import PROJECT_RUN, WarehouseSettings, project_run_resource
from assets.side_by_side import side_by_side
from assets.tables import RawSources, TableGraph, names_of, table_assets, table_key
from quality.contracts.table import tables
from sources.feed import Feed
from sources.secret import Secrets

DATA_TEAM = "team:customer-data"
"""Owns every table that is nobody else's."""


def definitions_of(
    declared: Declared,
    settings: WarehouseSettings,
    now: datetime,
    pool: str | None = POOL,
    secrets: Secrets | None = None,
    days: Iterable[date] = (),
) -> dg.Definitions:
    """Assets, checks, jobs, schedule and sensor of a project.

    ``secrets`` are what the environment holds for origins that name a variable; they are looked up when fetching.
    ``days`` are batches that the caller knows of, beside those that landing and the published file tell.
    ``pool`` is None for runs that do not go through Dagster's queue: the project's lock alone orders those.
    """
    feeds = declared.feeds
    landed = (file.batch_on for file in landing_files(declared.project, feeds.values()))
    partitions = daily_partitions(declared.business, [*landed, *published_days(declared.project), *days], now)
    graph = TableGraph(declared.steps, raw_sources(feeds.values()))
    owners = {name: _owners(name, feeds.values()) for name in graph.specs}
    made = names_of(declared.steps)
    fetched = with_origin(feeds.values())
    place = Place(declared.project, declared.business, secrets or {})
    return dg.Definitions(
        assets=[
            *(origin_asset(feed, place, owner_of(feed.owner) or DATA_TEAM) for feed in fetched),
            *(feed_asset(feed, partitions, DATA_TEAM, pool) for feed in feeds.values()),
            *table_assets(graph, owners, pool),
            snapshot_asset(graph.specs.values(), DATA_TEAM, pool),
        ],
        asset_checks=[
            *([fetched_check(fetched, place)] if fetched else []),
            *([loaded_check(feeds.values(), pool)] if feeds else []),
            *([reasons_check(feeds.values(), declared.jump_rule, pool)] if feeds else []),
            *suite_checks(graph, declared.suites, pool),
        ],
        jobs=[*layer_jobs(), *([fetch_job()] if fetched else []), replay_job(feeds, pool)],
        schedules=[
            daily_schedule(declared.business, partitions),
            *([hourly_fetches(declared.business)] if fetched else []),
        ],
        sensors=[landing_sensor(declared.project, feeds, [*map(table_key, made), SNAPSHOT])],
        resources={PROJECT_RUN: project_run_resource(settings)},
        executor=side_by_side,
    )


def raw_sources(feeds: Iterable[Feed]) -> RawSources:
    """For every staging table, by column: the feeds and source fields it comes from."""
    found: dict[str, dict[str, list[tuple[dg.AssetKey, str]]]] = {}
    for feed in feeds:
        for table, columns in staged_columns(feed).items():
            into = found.setdefault(table, {})
            for column, fields in columns.items():
                into.setdefault(column, []).extend((feed_key(feed.name), field) for field in fields)
    return found


def _owners(table: str, feeds: Iterable[Feed]) -> list[str]:
    """A staging table belongs to those who answer for its feeds, every other one to the data team."""
    of_feeds = [
        owner
        for feed in feeds
        if table in {f"staging.{made.name}" for made in tables(feed.kind)} and (owner := owner_of(feed.owner))
    ]
    return sorted(set(of_feeds)) or [DATA_TEAM]
