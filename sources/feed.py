"""The feeds of a project, read and checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from pydantic import ConfigDict, ValidationError

from sources.feed_declaration import Feed
from sources.mapped_feed import check_feed, unknown_names
from sources.origin_fit import check_origin
from warehouse.declaration import Declaration, Problems, check_endings, nearest, read_declaration
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
            _check_rest(path, problems, shown)
            continue
        feeds[name] = feed.with_name(name)
        mapping = check_feed(feeds[name], problems)
        if mapping is not None:
            check_origin(feeds[name], mapping, problems)
    return feeds


class _Written(Declaration):
    """What a feed's file says, whether its keys are right or wrong."""

    model_config = ConfigDict(frozen=True, extra="allow")


_ASIDE = frozenset(
    {
        *("delimiter", "description", "duplicates", "encoding", "expectations", "files"),
        *("max_reject_ratio", "on_new_column", "origin", "owner", "purpose", "sheet"),
    }
)
"""Keys that decide nothing about whether mapping, contract and fields fit."""


def _check_rest(path: Path, problems: Problems, shown: str) -> None:
    """A feed with a wrong key cannot be read, but what else is wrong in it is told all the same, as far as it shows.

    Where the wrong key says how rows are made, or seems to be meant so, that is only whether kind and mapping exist.
    """
    written = read_declaration(path, _Written, Problems(), shown_as=shown)
    if written is None:
        return
    said = written.model_extra or {}
    feed = _without_the_rest(said)
    if feed is None:
        for key, what, fix in unknown_names(str(said.get("kind", "")), str(said.get("mapping", ""))):
            problems.add(shown, written.line_of(key), what, fix)
        return
    feed._file, feed._lines = written._file, written._lines
    check_feed(feed.with_name(path.stem), problems)


def _without_the_rest(said: Mapping[str, object]) -> Feed | None:
    """The feed without keys that say nothing of how rows are made; None where another one is wrong."""
    meant = {nearest(key, Feed.model_fields) for key in said.keys() - Feed.model_fields.keys()}
    if not _ASIDE.issuperset(meant - {None}):
        return None
    try:
        return Feed.model_validate({key: said[key] for key in Feed.model_fields.keys() & said.keys() - _ASIDE})
    except ValidationError:
        return None
