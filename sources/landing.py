"""What has arrived: the files below ``landing/<feed>/`` that a feed's globs name, each with the day of its batch."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, partial
from pathlib import Path
from zoneinfo import ZoneInfo

from sources.feed_declaration import Feed
from sources.operations.moment import day_in
from warehouse.business import load_business
from warehouse.errors import DeclarationError
from warehouse.project import Project

_PARTITION = re.compile(r"(?:^|/)dt=([0-9]{4}-[0-9]{2}-[0-9]{2})(?:/|$)")
_DATE = re.compile(r"(?<![0-9])([0-9]{4}-[0-9]{2}-[0-9]{2})(?![0-9])")
_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".unfinished")


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
    """The feed's files by path. Hidden files and names of unfinished downloads are left alone."""
    folder = project.landing / feed.name
    found = {path for glob in feed.files for path in folder.glob(glob)}
    files = ((readable_name(path.relative_to(folder)), path) for path in found)
    zone = cache(partial(_zone_of, project))
    present = (_landing_file(feed.name, file, path, zone) for file, path in sorted(files) if _is_data(file, path))
    return tuple(file for file in present if file is not None)


def unread_files(project: Project, feeds: Mapping[str, Feed]) -> list[str]:
    """What lies in the landing folder and no feed reads, in words: folders without a feed, files without a glob."""
    places = sorted(project.landing.iterdir()) if project.landing.is_dir() else []
    told = (_unread(project, readable_name(place.relative_to(project.landing)), place, feeds) for place in places)
    return [item for item in told if item]


def _unread(project: Project, name: str, place: Path, feeds: Mapping[str, Feed]) -> str:
    if place.is_file():
        return f"landing/{name} lies in no feed's folder. Move it to landing/<feed>/." if _is_data(name, place) else ""
    files = {readable_name(path.relative_to(place)): path for path in place.rglob("*")}
    lying = sorted(file for file, path in files.items() if _is_data(file, path))
    if name.startswith((".", "_")) or not lying:
        return ""
    if name not in feeds:
        return f"landing/{name}/ ({lying[0]}{_more(lying)}) belongs to no feed. Declare one of that name."
    read = {file.file for file in discover(project, feeds[name])}
    left = [file for file in lying if file not in read]
    what = f"landing/{name}/{left[0]}{_more(left)} is named by no glob." if left else ""
    return what and f"{what} Correct `files:` in config/feeds/{name}.yml."


def _more(files: Sequence[str]) -> str:
    return f" and {len(files) - 1} more" if len(files) > 1 else ""


def readable_name(path: Path) -> str:
    """The path as text that can be stored: bytes that are no UTF-8, as in names that GBK wrote, are escaped."""
    return path.as_posix().encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def batch_day(file: str, modified_ns: int, zone: Callable[[], ZoneInfo]) -> date:
    """The day in ``dt=YYYY-MM-DD``, else the last ISO date in the path, else the day of the last change in ``zone``."""
    for pattern in (_PARTITION, _DATE):
        days = [day for text in pattern.findall(file) if (day := day_in(text))]
        if days:
            return days[-1]
    return datetime.fromtimestamp(modified_ns // 1_000_000_000, tz=zone()).date()


def _zone_of(project: Project) -> ZoneInfo:
    """The zone in which the business counts its days; UTC where its declaration is wrong, which others tell."""
    try:
        return ZoneInfo(load_business(project).time_zone)
    except DeclarationError:
        return ZoneInfo("UTC")


def _is_data(file: str, path: Path) -> bool:
    is_hidden = any(part.startswith((".", "_")) for part in file.split("/"))
    return not is_hidden and not file.lower().endswith(_UNFINISHED) and path.is_file()


def _landing_file(feed: str, file: str, path: Path, zone: Callable[[], ZoneInfo]) -> LandingFile | None:
    try:
        status = path.stat()
    except FileNotFoundError:  # taken away since it was listed
        return None
    return LandingFile(feed, batch_day(file, status.st_mtime_ns, zone), file, path, status.st_size, status.st_mtime_ns)
