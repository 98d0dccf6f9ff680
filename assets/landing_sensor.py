"""Wakes when files arrive, change or go away, and asks for a run over their days and everything below.

The cursor holds a fingerprint per feed and day. A day is asked for once its files look the same twice in a row, so that
a file still being written is not read half.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date

import dagster as dg

from assets.feeds import feed_key
from assets.jobs import EVERYTHING
from assets.partitions import landing_files, range_tags
from sources.feed import Feed
from sources.landing import LandingFile
from warehouse.project import Project

_SECONDS = 15

Fingerprints = dict[str, dict[str, str]]
"""Feed → day → what its files looked like."""


@dataclass(frozen=True)
class Seen:
    """What the sensor knows: what it has asked for, and what it saw changed the last time it looked."""

    asked: Fingerprints = field(default_factory=dict)
    waiting: Fingerprints = field(default_factory=dict)

    @classmethod
    def from_cursor(cls, cursor: str | None) -> "Seen":
        """What a cursor says; nothing for the first look."""
        return cls(**json.loads(cursor)) if cursor else cls()

    def to_cursor(self) -> str:
        """The same as text."""
        return json.dumps({"asked": self.asked, "waiting": self.waiting}, sort_keys=True, separators=(",", ":"))

    def look(self, now: Fingerprints) -> tuple["Seen", dict[str, list[date]]]:
        """Compare with what stands there now: what is known afterwards, and the days of each feed to run."""
        changed = _changed(self.asked, now)
        settled = {
            feed: {day: mark for day, mark in days.items() if self.waiting.get(feed, {}).get(day) == mark}
            for feed, days in changed.items()
        }
        asked = {
            feed: {day: mark for day, mark in (self.asked.get(feed, {}) | settled.get(feed, {})).items() if mark}
            for feed in self.asked.keys() | now.keys()
        }
        waiting = {
            feed: left
            for feed, days in changed.items()
            if (left := {day: mark for day, mark in days.items() if day not in settled[feed]})
        }
        due = {feed: sorted(map(date.fromisoformat, days)) for feed, days in settled.items() if days}
        return Seen(asked, waiting), due


def _changed(before: Fingerprints, now: Fingerprints) -> Fingerprints:
    """Days whose files differ from before; the mark of a day that went away is empty."""
    found: Fingerprints = {}
    for feed in before.keys() | now.keys():
        old, new = before.get(feed, {}), now.get(feed, {})
        days = {day: new.get(day, "") for day in old.keys() | new.keys() if old.get(day) != new.get(day)}
        if days:
            found[feed] = days
    return found


def fingerprints(files: Iterable[LandingFile]) -> Fingerprints:
    """What the files of each feed and day look like: names, sizes and times of change."""
    marks: dict[tuple[str, str], list[str]] = {}
    for file in files:
        marks.setdefault((file.feed, file.batch_on.isoformat()), []).append(
            f"{file.file}:{file.bytes}:{file.modified_ns}"
        )
    found: Fingerprints = {}
    for (feed, day), texts in marks.items():
        found.setdefault(feed, {})[day] = hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:16]
    return found


def landing_sensor(
    project: Project, feeds: Mapping[str, Feed], downstream: Iterable[dg.AssetKey]
) -> dg.SensorDefinition:
    """The sensor on the landing folder of a project; ``downstream`` is made again after every arrival."""
    below = sorted(downstream)

    @dg.sensor(
        name="landing",
        job_name=EVERYTHING,
        minimum_interval_seconds=_SECONDS,
        description="New, changed or removed files in landing/: loads their days and makes everything below.",
    )
    def landing(context: dg.SensorEvaluationContext) -> dg.SensorResult:
        seen, due = Seen.from_cursor(context.cursor).look(fingerprints(landing_files(project, feeds.values())))
        if not due:
            return dg.SensorResult(skip_reason="Nothing new has settled in landing/.", cursor=seen.to_cursor())
        return dg.SensorResult(run_requests=[_request(due, seen, below)], cursor=seen.to_cursor())

    return landing


def _request(due: Mapping[str, list[date]], seen: Seen, below: list[dg.AssetKey]) -> dg.RunRequest:
    days = [day for found in due.values() for day in found]
    marks = {feed: [seen.asked[feed].get(day.isoformat(), "") for day in found] for feed, found in sorted(due.items())}
    return dg.RunRequest(
        run_key=hashlib.sha256(json.dumps([sorted(map(str, days)), marks]).encode()).hexdigest()[:32],
        asset_selection=[*(feed_key(feed) for feed in sorted(due)), *below],
        tags=range_tags(min(days), max(days)) | {"arrived": ", ".join(sorted(due))},
    )
