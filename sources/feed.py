"""The feeds of a project, read and checked."""

from __future__ import annotations

import re

from quality.contracts.registry import CONTRACTS
from quality.suites import check_expectations
from sources.feed_check import check_feed
from sources.feed_declaration import Feed
from sources.origin_fit import check_origin
from warehouse.declaration import Problems, check_endings, nearest, read_partly
from warehouse.errors import InputError
from warehouse.project import Project

__all__ = ["Feed", "check_feed_name", "declared_names", "identifier_of", "load_feeds"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")


_ALLOWED = (
    "Use letters a to z, digits, underscores and hyphens: it also names a folder and an asset of Dagster. "
    "`description:` may be in any language."
)


def check_feed_name(name: str) -> None:
    """Raise InputError unless a feed may be called so."""
    if not _NAME.match(name):
        raise InputError(f"`{name}` is not a feed name.", _ALLOWED)


def identifier_of(name: str) -> str:
    """The feed's name where hyphens are not allowed, as in Dagster: no two feeds of a project share it."""
    return name.replace("-", "_")


def load_feeds(project: Project, problems: Problems) -> dict[str, Feed]:
    """The feeds of a project by name; everything that is wrong is added to ``problems``."""
    feeds: dict[str, Feed] = {}
    folder = project.config / "feeds"
    check_endings(folder, "config/feeds", problems)
    identifiers: dict[str, str] = {}
    for path in sorted(folder.glob("*.yml")) if folder.is_dir() else []:
        shown, name = f"config/feeds/{path.name}", path.stem
        if not _NAME.match(name):
            problems.add(shown, 1, f"`{name}` is not a feed name.", _ALLOWED)
            continue
        other = identifiers.setdefault(identifier_of(name).lower(), name)
        if other != name:
            problems.add(shown, 1, f"`{name}` and `{other}` differ by hyphens or case only.", "Rename one of them.")
            continue
        reading = read_partly(path, Feed, problems, shown_as=shown)
        if reading.declaration is None:
            continue
        feed = reading.declaration.with_name(name)
        mapping = check_feed(feed, problems, reading.mended.lacks)
        if mapping is not None:
            check_origin(feed, mapping, problems, reading.mended.lacks)
        kind = feed.kind if feed.kind in CONTRACTS else nearest(feed.kind, CONTRACTS)
        table = f"staging.{kind}"
        check_expectations(table, feed, feed.expectations, ("expectations",), problems, reading.mended.lacks)
        if reading.is_right:
            feeds[name] = feed
    return feeds


def declared_names(project: Project) -> tuple[str, ...]:
    """The names of all feeds that the project declares, right or wrong."""
    return tuple(sorted(path.stem for path in (project.config / "feeds").glob("*.yml")))
