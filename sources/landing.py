"""What has arrived: the files below ``landing/<feed>/`` that a feed's globs name, each with the day of its batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from sources.feed_declaration import Feed
from sources.globs import globs_pattern
from sources.landing_walk import Lying, lying_below
from sources.operations.moment import day_in
from warehouse.business import load_business
from warehouse.errors import DeclarationError
from warehouse.project import Project

_PARTITION: Final = re.compile(r"(?:^|/)dt=([^/]*)(?=/|$)")
_DATE: Final = re.compile(r"(?<![0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])")
_RECENT: Final = re.compile(r"(?:19|20)")
"""How a date of our time begins; other numbers of this form need not be meant as one."""


@dataclass(frozen=True)
class LandingFile:
    """One file. ``file`` is its path below the feed's folder with forward slashes; ``modified_ns`` since 1970."""

    feed: str
    batch_on: date
    file: str
    path: Path
    bytes: int
    modified_ns: int


def discover(project: Project, feed: Feed) -> tuple[LandingFile, ...]:
    """The feed's files by path. What is left alone, or says a day that is none, is not among them."""
    zone = cache(partial(_zone_of, project))
    found = (_landing_file(feed.name, lying, zone) for lying in named_files(project, feed))
    return tuple(sorted((file for file in found if file is not None), key=lambda file: file.file))


def named_files(project: Project, feed: Feed) -> Iterator[Lying]:
    """The files below the feed's folder that its globs name, whatever day they say."""
    pattern = globs_pattern(feed.files)
    for lying in lying_below(project.landing / feed.name):
        if not lying.left and pattern.fullmatch(lying.file):
            yield lying


def batch_day(file: str, modified_ns: int, zone: Callable[[], ZoneInfo]) -> date | None:
    """The day in ``dt=YYYY-MM-DD``, else the last ISO date in the path, else the day of the last change in ``zone``.

    None where what stands there is no day, as in ``dt=2026-02-30``: any other day would be a guess.
    """
    said = said_day(file)
    if said is not None:
        return day_in(said)
    return datetime.fromtimestamp(modified_ns // 1_000_000_000, tz=zone()).date()


def said_day(file: str) -> str | None:
    """What a path says of the day of its batch, be it a day or not; None when it says nothing."""
    partitions: list[str] = _PARTITION.findall(file)
    dates: list[str] = [text for part in partitions or [file] for text in _DATE.findall(part)]
    days = [text for text in dates if day_in(text)]
    if days:
        return days[-1]
    if partitions:
        return dates[-1] if dates else partitions[-1]
    return next((text for text in reversed(dates) if _RECENT.match(text)), None)


def _zone_of(project: Project) -> ZoneInfo:
    """The zone in which the business counts its days; UTC where its declaration is wrong, which others tell."""
    try:
        return ZoneInfo(load_business(project).time_zone)
    except DeclarationError:
        return ZoneInfo("UTC")


def _landing_file(feed: str, lying: Lying, zone: Callable[[], ZoneInfo]) -> LandingFile | None:
    try:
        status = lying.path.stat()
    except FileNotFoundError:  # taken away since it was listed
        return None
    day = batch_day(lying.file, status.st_mtime_ns, zone)
    if day is None:
        return None
    return LandingFile(feed, day, lying.file, lying.path, status.st_size, status.st_mtime_ns)
