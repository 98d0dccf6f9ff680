"""``cdp feeds fetch``: brings what is new at the origins of feeds into the landing folder."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cdp.settings import find_project, read_settings
from cdp.terminal import JsonOption, ProjectOption, say, show, show_json
from sources.feed import Feed, load_feeds
from sources.origins.extraction import reached
from sources.origins.fetching import fetch_feed
from sources.origins.memory import recall
from warehouse.business import load_business
from warehouse.declaration import Problems, suggestion
from warehouse.errors import CdpError, InputError
from warehouse.project import Project


def fetch(
    names: Annotated[list[str] | None, typer.Argument(metavar="[NAME]…", help="Feeds; default: all.")] = None,
    project: ProjectOption = None,
    again: Annotated[bool, typer.Option("--again", help="Forget how far was read; fetch everything.")] = False,
    json: JsonOption = False,
) -> None:
    """Bring what is new at the origins into landing/; a feed that fails stops none of the others."""
    where = find_project(project)
    now = datetime.now(UTC).astimezone(ZoneInfo(load_business(where).time_zone))
    rows, errors = [], {}
    for feed in _chosen(where, names):
        try:
            fetched = fetch_feed(
                where, feed, os.environ, now, again=again, wait_seconds=read_settings().lock_wait_seconds
            )
        except CdpError as error:
            errors[feed.name] = error
            continue
        rows.append(
            {
                "feed": feed.name,
                "origin": feed.origin.kind if feed.origin else None,
                "files": len(fetched.files),
                "bytes": fetched.bytes,
                "rows": fetched.rows,
                "unchanged": fetched.unchanged,
                "gone": list(fetched.gone),
                "refused": list(fetched.refused),
            }
        )
    _tell(rows, errors, as_json=json)


def origin_state(where: Project, feed: Feed) -> dict[str, Any]:
    """Where a feed's files come from, and how the last fetch ended; nothing for one without an origin."""
    if feed.origin is None:
        return {}
    memory = recall(where, feed.name)
    found: dict[str, Any] = {"fetched_at": memory.last.at if memory.last else "never"}
    if memory.cursor and (value := reached(memory.cursor)) is not None:
        found["fetched_up_to"] = value
    if memory.objects:
        found["objects"] = len(memory.objects)
        found["objects_gone"] = sum(seen.is_gone for seen in memory.objects.values())
    if memory.last is not None and memory.last.is_failure:
        found["last_fetch_failed"] = f"{memory.last.reason} {memory.last.fix}".strip()
    return found


def _chosen(where: Project, names: list[str] | None) -> list[Feed]:
    problems = Problems()
    declared = load_feeds(where, problems)
    problems.raise_if_any()
    for name in names or ():
        if name not in declared:
            raise typer.BadParameter(
                f"There is no feed {name!r}. {suggestion(name, list(declared))}", param_hint="NAME"
            )
        if declared[name].origin is None:
            raise typer.BadParameter(
                f"{name} has no origin: its files are put into landing/{name}/.", param_hint="NAME"
            )
    return [feed for name, feed in declared.items() if feed.origin is not None and (not names or name in names)]


def _tell(rows: list[dict[str, Any]], errors: dict[str, CdpError], *, as_json: bool) -> None:
    if as_json:
        failed = {name: {"reason": error.reason, "fix": error.fix} for name, error in errors.items()}
        show_json({"fetched": rows, "errors": failed})
    else:
        columns = ["feed", "origin", "files", "bytes", "rows", "unchanged", "gone", "refused"]
        shown = [row | {"gone": len(row["gone"]), "refused": len(row["refused"])} for row in rows]
        show(shown, columns, as_json=False, empty="Nothing was fetched.")
        if rows:
            say("next: cdp run --no-fetch")
    if len(errors) == 1:
        raise next(iter(errors.values()))
    if errors:
        told = " ".join(f"{name}: {error.reason}" for name, error in errors.items())
        raise InputError(told, " ".join(dict.fromkeys(error.fix for error in errors.values())))
