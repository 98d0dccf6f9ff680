"""The feeds of a project, read and checked."""

from __future__ import annotations

import re

from sources.feed_declaration import Feed
from sources.mapped_feed import check_feed
from warehouse.declaration import Problems, check_endings, read_declaration
from warehouse.project import Project

__all__ = ["Feed", "identifier_of", "load_feeds"]

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*\Z")


_ALLOWED = (
    "Use letters a to z, digits, underscores and hyphens: it also names a folder and an asset of Dagster. "
    "`description:` may be in any language."
)


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
        feed = read_declaration(path, Feed, problems, shown_as=shown)
        if feed is not None:
            feeds[name] = feed.with_name(name)
            check_feed(feeds[name], problems)
    return feeds
