"""One asset per feed that has an origin: fetching brings its files into the landing folder, above the feed's asset.

An origin that fails keeps nobody waiting: what has landed before is loaded all the same, and so are all other feeds. So
the step that fetches never fails on its origin; it leaves the asset without a materialization, and the check
``fetched`` fails, and with it the run.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import dagster as dg
from dagster._core.definitions.source_asset import SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION

from assets.failure import failure_of
from assets.resources import BEFORE_OTHERS, FETCHING
from sources.feed import Feed, identifier_of
from sources.origins.fetched import Fetched
from sources.origins.fetching import fetch_feed
from sources.origins.memory import recall
from sources.secret import Secrets
from warehouse.business import Business
from warehouse.errors import CdpError, InputError
from warehouse.project import Project

GROUP = "origins"
FETCHED = "fetched"
"""Name of the check on every origin: the last fetch succeeded."""

FETCHED_STEP = "origins_fetched"
"""The step of that check, for all origins."""

_WITHOUT_MATERIALIZATION: Mapping[str, bool] = {SYSTEM_METADATA_KEY_SOURCE_ASSET_OBSERVATION: True}
_ICONS = {"s3": "s3", "http": "api", "sql": "sql", "webhook": "webhook"}


@dataclass(frozen=True)
class Place:
    """Where fetches happen: the project, its business's clock, and the environment's secrets, which nothing shows."""

    project: Project
    business: Business
    secrets: Secrets

    def now(self) -> datetime:
        """The moment, in the business's time zone."""
        return datetime.now(UTC).astimezone(ZoneInfo(self.business.time_zone))

    def __repr__(self) -> str:
        return f"Place({self.project.root.name})"


def origin_key(feed: str) -> dg.AssetKey:
    """The asset of a feed's origin."""
    return dg.AssetKey([GROUP, identifier_of(feed)])


def with_origin(feeds: Iterable[Feed]) -> list[Feed]:
    """The feeds whose files are fetched."""
    return [feed for feed in feeds if feed.origin is not None]


_ONE_FETCH = threading.Lock()
"""One at a time: what fetches keeps much that is the process's."""


def origin_asset(feed: Feed, place: Place, owner: str) -> dg.AssetsDefinition:
    """The asset that fetches what is new at a feed's origin."""
    assert feed.origin is not None
    key = origin_key(feed.name)
    spec = dg.AssetSpec(
        key,
        description=f"What is new at the origin of {feed.name} lands in landing/{feed.name}/.",
        group_name=GROUP,
        owners=[owner],
        kinds={_ICONS[feed.origin.kind]},
    )

    @dg.multi_asset(name=f"{FETCHING}{identifier_of(feed.name)}", specs=[spec], op_tags=BEFORE_OTHERS)
    def fetch(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult[None] | dg.Output[None]]:
        try:
            with _ONE_FETCH:
                fetched = fetch_feed(place.project, feed, place.secrets, place.now())
        except CdpError as error:
            context.log.warning(str(error))
            yield dg.Output(None, output_name=key.to_python_identifier(), metadata=dict(_WITHOUT_MATERIALIZATION))
            return
        yield dg.MaterializeResult(asset_key=key, metadata=_metadata(fetched))

    return fetch


def fetched_check(feeds: Iterable[Feed], place: Place) -> dg.AssetChecksDefinition:
    """The check that the last fetch of every origin succeeded; it fails the run in which one did not."""
    by_key = {origin_key(feed.name): feed for feed in feeds}
    specs = [
        dg.AssetCheckSpec(FETCHED, asset=key, description="The last fetch of what is new succeeded.") for key in by_key
    ]

    @dg.multi_asset_check(name=FETCHED_STEP, specs=specs, can_subset=True)
    def check(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
        failed: list[InputError] = []
        for key in sorted(selected.asset_key for selected in context.selected_asset_check_keys):
            last = recall(place.project, by_key[key].name).last
            is_well = last is None or not last.is_failure
            told = f"{last.reason} {last.fix}".strip() if last and last.is_failure else "The last fetch succeeded."
            if last is not None and last.is_failure:
                failed.append(InputError(f"{by_key[key].name}: {last.reason}", last.fix))
            yield dg.AssetCheckResult(passed=is_well, asset_key=key, check_name=FETCHED, description=told)
        if failed:
            reasons = " ".join(error.reason for error in failed)
            raise failure_of(InputError(reasons, " ".join(dict.fromkeys(error.fix for error in failed))))

    return check


def _metadata(fetched: Fetched) -> dict[str, int | str]:
    found: dict[str, int | str] = {
        "files": len(fetched.files),
        "bytes": fetched.bytes,
        "unchanged": fetched.unchanged,
        "gone": len(fetched.gone),
    }
    if fetched.rows is not None:
        found["rows"] = fetched.rows
    if fetched.gone:
        found["gone_objects"] = ", ".join(fetched.gone[:20])
    if fetched.refused:
        found["refused_objects"] = ", ".join(fetched.refused[:20])
    return found
