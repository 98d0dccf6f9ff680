"""Everything of one project that Dagster shows and runs."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import dagster as dg

from assets.checks import suite_checks
from assets.feed_columns import staged_columns
from assets.feeds import POOL, feed_asset, feed_key, loaded_check, owner_of
from assets.jobs import daily_schedule, layer_jobs
from assets.landing_sensor import landing_sensor
from assets.partitions import daily_partitions, landing_files
from assets.published import SNAPSHOT, snapshot_asset
from assets.resources import PROJECT_RUN, WarehouseSettings, project_run_resource
from assets.run_log import RUNS
from assets.tables import RawSources, TableGraph, names_of, table_assets, table_key
from identity.pipeline import identity_steps
from profiles.pipeline import profile_steps
from quality.contracts.table import tables
from quality.results import RESULTS
from quality.suites import Suite, load_suites
from sources.feed import Feed, load_feeds
from sources.staging import staging_steps
from warehouse.business import Business, load_business
from warehouse.declaration import Problems
from warehouse.errors import DeclarationError
from warehouse.project import Project
from warehouse.step import Step

DATA_TEAM = "team:customer-data"
"""Owns every table that is nobody else's."""

LEDGERS = (RUNS, RESULTS)
"""Tables of ``ops`` that readers get too, beside those of the feeds."""


@dataclass(frozen=True)
class Declared:
    """What a project declares, read and checked."""

    project: Project
    business: Business
    feeds: Mapping[str, Feed]
    steps: tuple[Step, ...]
    suites: Mapping[str, Suite]


def read_project(project: Project) -> Declared:
    """Read every declaration of a project.

    Raises:
        DeclarationError: with all problems of all files.
    """
    problems = Problems()
    feeds = load_feeds(project, problems)
    suites = load_suites(project, problems, feeds.values())
    below = _read(problems, lambda: (*staging_steps(feeds), *identity_steps(project)))
    business = load_business(project, problems)
    above = _read(problems, lambda: profile_steps(project, business))
    problems.raise_if_any()
    return Declared(project, business, feeds, (*below, *above), suites)


def definitions_of(
    declared: Declared, settings: WarehouseSettings, now: datetime, pool: str | None = POOL
) -> dg.Definitions:
    """Assets, checks, jobs, schedule and sensor of a project.

    ``pool`` is None for runs that do not go through Dagster's queue: the project's lock alone orders those.
    """
    feeds = declared.feeds
    partitions = daily_partitions(declared.business, landing_files(declared.project, feeds.values()), now)
    graph = TableGraph(declared.steps, raw_sources(feeds.values()))
    owners = {name: _owners(name, feeds.values()) for name in graph.specs}
    made = names_of(declared.steps)
    return dg.Definitions(
        assets=[
            *(feed_asset(feed, partitions, DATA_TEAM, pool) for feed in feeds.values()),
            *table_assets(graph, owners, pool),
            snapshot_asset(graph.specs.values(), LEDGERS, DATA_TEAM, pool),
        ],
        asset_checks=[
            *([loaded_check(feeds.values(), pool)] if feeds else []),
            *suite_checks(graph, declared.suites, pool),
        ],
        jobs=layer_jobs(),
        schedules=[daily_schedule(declared.business, partitions)],
        sensors=[landing_sensor(declared.project, feeds, [*map(table_key, made), SNAPSHOT])],
        resources={PROJECT_RUN: project_run_resource(settings)},
        executor=dg.in_process_executor,
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


def _read(problems: Problems, make: Callable[[], Sequence[Step]]) -> Sequence[Step]:
    try:
        return make()
    except DeclarationError as error:
        problems.found.extend(error.problems)
        return ()


def _owners(table: str, feeds: Iterable[Feed]) -> list[str]:
    """A staging table belongs to those who answer for its feeds, every other one to the data team."""
    of_feeds = [
        owner
        for feed in feeds
        if table in {f"staging.{made.name}" for made in tables(feed.kind)} and (owner := owner_of(feed.owner))
    ]
    return sorted(set(of_feeds)) or [DATA_TEAM]
