"""The feeds of a project, read and checked."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ConfigDict

from sources.feed_declaration import Feed
from sources.mapped_feed import check_feed, unknown_names
from sources.origin_fit import check_origin
from warehouse.declaration import Declaration, Problems, check_endings, read_declaration
from warehouse.errors import InputError
from warehouse.project import Project

__all__ = ["Feed", "check_feed_name", "identifier_of", "load_feeds"]

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
        feed = read_declaration(path, Feed, problems, shown_as=shown)
        if feed is None:
            _check_names(path, problems, shown)
            continue
        feeds[name] = feed.with_name(name)
        mapping = check_feed(feeds[name], problems)
        if mapping is not None:
            check_origin(feeds[name], mapping, problems)
    return feeds


class _Names(Declaration):
    """The two keys of a feed that name something of ours."""

    model_config = ConfigDict(frozen=True, extra="ignore")
    kind: str = ""
    mapping: str = ""


def _check_names(path: Path, problems: Problems, shown: str) -> None:
    """A feed with a wrong key cannot be read, but a kind or mapping that does not exist is told all the same."""
    names = read_declaration(path, _Names, Problems(), shown_as=shown)
    if names is not None:
        for key, what, fix in unknown_names(names.kind, names.mapping):
            problems.add(shown, names.line_of(key), what, fix)
