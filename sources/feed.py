"""The feeds of a project, read and checked."""

from __future__ import annotations

import re

from sources.feed_declaration import Feed
from sources.mapped_feed import check_feed
from warehouse.declaration import Problems, read_declaration
from warehouse.project import Project

__all__ = ["Feed", "load_feeds"]

_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


def load_feeds(project: Project, problems: Problems) -> dict[str, Feed]:
    """The feeds of a project by name; everything that is wrong is added to ``problems``."""
    feeds: dict[str, Feed] = {}
    folder = project.config / "feeds"
    for path in sorted(folder.glob("*.yml")) if folder.is_dir() else []:
        shown, name = f"config/feeds/{path.name}", path.stem
        if not _NAME.match(name):
            problems.add(shown, 1, f"`{name}` is not a feed name.", "Use small letters, digits and underscores.")
            continue
        feed = read_declaration(path, Feed, problems, shown_as=shown)
        if feed is not None:
            feeds[name] = feed.with_name(name)
            check_feed(feeds[name], problems)
    return feeds
