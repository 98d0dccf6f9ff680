"""``cdp feeds``: what arrives, and whether it is declared well."""

from __future__ import annotations

import os
from collections.abc import Collection
from itertools import islice
from typing import Annotated, Any

import typer

from cdp.commands import fetch
from cdp.commands.feeds_try import try_feed
from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from cdp.warehouses import reading
from sources.feed import Feed, load_feeds
from sources.mapped_feed import map_feed
from sources.mapping import describe_fields
from sources.schema_ledger import told
from sources.secret import check_secrets
from sources.summary import feed_summaries
from warehouse.business import load_business
from warehouse.declaration import Problems, suggestion
from warehouse.foreign_text import shown
from warehouse.personal_text import mask_certain
from warehouse.project import Project

_MOST_CHANGES = 20
_MOST_LISTED = 50
_LONGEST_NAME = 300
_ROWS = ("files", "rows_read", "rows_accepted", "rows_duplicate", "rows_rejected", "rows_held_back")
_FILES = ("stopped", "incomplete", "misdated", "vanished", "stranded")
_NOTES = {
    "waiting": "days that the next run loads",
    "stopped": "files that were stopped: none of their rows were taken",
    "incomplete": "files that could not be read to their end: the rows before it were taken",
    "misdated": "files that are not loaded: their folder or name says a day that is none",
    "vanished": "files that are gone; their rows stay",
    "stranded": "of these, loaded by other declarations than today's and never again",
    "unknown": "source fields that nobody reads",
    "broken_fields": "source fields that are read and that the last batches lost, or hold in another type",
}

app = typer.Typer(help="Declared feeds.", no_args_is_help=True)
app.command("try")(try_feed)
app.command("fetch")(fetch.fetch)


@app.command("list")
def list_feeds(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Every feed: kind, mapping, owner, and what came in so far."""
    where = find_project(project)
    counts = _counts(where)
    rows = [
        {"feed": feed.name, "kind": feed.kind, "mapping": feed.mapping, "owner": feed.owner}
        | {"origin": feed.origin.kind if feed.origin else "landing"}
        | counts.get(feed.name, {"files": 0, "stopped": 0, "rows_read": 0, "newest_batch": None})
        for feed in _feeds(where).values()
    ]
    columns = ["feed", "kind", "mapping", "owner", "origin", "files", "stopped", "rows_read", "newest_batch"]
    show(rows, columns, as_json=json, empty="No feeds: write config/feeds/<name>.yml.")


@app.command("show")
def show_feed(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of a feed.")],
    project: ProjectOption = None,
    json: JsonOption = False,
) -> None:
    """One feed: its declaration, and which source field becomes which contract field."""
    where = find_project(project)
    feeds = _feeds(where)
    if name not in feeds:
        raise typer.BadParameter(f"There is no feed {name!r}. {suggestion(name, list(feeds))}", param_hint="NAME")
    feed = feeds[name]
    mapped = map_feed(feed)
    fields = [
        {"source field": source, "contract field": target, "rule": rule}
        for source, target, rule in describe_fields({**mapped.fields, **mapped.rows})
    ]
    declared = feed.model_dump(mode="json", exclude_unset=True, exclude={"fields"})
    stands = _stands(where, feed)
    origin = fetch.origin_state(where, feed)
    if json:
        show_json({"feed": name} | declared | {"fetched": origin} | {"fields": fields} | stands)
        return
    for key, value in declared.items():
        say(f"{key}: {', '.join(map(str, value)) if isinstance(value, list) else value}")
    for key, value in origin.items():
        say(f"{key}: {value}")
    say()
    show(fields, ["source field", "contract field", "rule"], as_json=False)
    if stands:
        _show_stands(stands)


def _stands(where: Project, feed: Feed) -> dict[str, Any]:
    """What came in, what waits, and how its source fields changed; nothing before the first run."""
    if not where.database.exists():
        return {}
    with reading(where) as cursor:
        [found] = feed_summaries(cursor, where, {feed.name: feed}, load_business(where).first_batch_on)
    kept = (*_ROWS, "newest_batch", "waiting", "stale_files")
    files = {name: [shown(file, _LONGEST_NAME) for file in getattr(found, name)] for name in _FILES}
    return (
        {name: getattr(found, name) for name in kept}
        | files
        | {
            "broken_fields": [shown(column, _LONGEST_NAME) for column in found.broken],
            "unknown": {shown(column, _LONGEST_NAME): rows for column, rows in found.unknown.items()},
            "absent": [item.told() for item in found.absent],
            "schema_changes": [
                vars(change) | {"file": change.file and shown(change.file, _LONGEST_NAME), "told": told(change)}
                for change in found.changes
            ],
        }
    )


def _show_stands(stands: dict[str, Any]) -> None:
    say()
    show([stands], [*_ROWS, "newest_batch", "stale_files"], as_json=False)
    for name, means in _NOTES.items():
        if stands[name]:
            say(f"{means}: {_listed(stands[name])}")
    for absent in stands["absent"][:_MOST_CHANGES]:
        say(f"warning: {absent}")
    say("\nSource fields that changed from one batch to the next")
    shown = stands["schema_changes"][:_MOST_CHANGES]
    show(shown, ["batch_on", "told", "file"], as_json=False, empty="None.")


def _listed(items: Collection[object]) -> str:
    """The first of them, each in a few words, and how many there are besides."""
    first = ", ".join(shown(str(item)) for item in islice(items, _MOST_LISTED))
    return first + (f" and {len(items) - _MOST_LISTED:,} more" if len(items) > _MOST_LISTED else "")


@app.command("check")
def check_feeds(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Read every declaration of the project; tell every problem with its line and remedy."""
    from assets.declared import read_project

    where = find_project(project)
    problems = Problems()
    declared = problems.of(lambda: read_project(where))
    for feed in load_feeds(where, Problems()).values():
        check_secrets(feed, "origin", os.environ, problems)
    if json:
        found = [
            {"file": item.file, "line": item.line, "what": mask_certain(item.what), "fix": mask_certain(item.fix)}
            for item in sorted(problems.found)
        ]
        show_json({"feeds": sorted(declared.feeds) if declared else [], "problems": found})
    problems.raise_if_any()
    assert declared is not None, "a project that is not read leaves a problem"
    if not json:
        _say_in_order(len(declared.feeds))


def _say_in_order(feeds: int) -> None:
    if not feeds:
        say("All declarations are in order, but no feed is declared.")
        say("next: write config/feeds/<name>.yml; `cdp feeds try FILE` writes one for a file that you have")
        return
    say(f"{counted(feeds, 'feed')} and all other declarations are in order")
    say("next: cdp run")


def _feeds(where: Project) -> dict[str, Feed]:
    problems = Problems()
    feeds = load_feeds(where, problems)
    problems.raise_if_any()
    return feeds


def _counts(where: Project) -> dict[str, dict[str, Any]]:
    if not where.database.exists():
        return {}
    with reading(where) as cursor:
        found = cursor.execute(
            "select feed, count(*), count(*) filter (where status = 'stopped'), sum(rows_read), max(batch_on) "
            "from ops.files group by feed order by feed"
        ).fetchall()
    return {
        feed: {"files": files, "stopped": stopped, "rows_read": int(rows), "newest_batch": newest}
        for feed, files, stopped, rows, newest in found
    }
