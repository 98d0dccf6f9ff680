"""``cdp plan``: what the next run would load, and why; nothing is changed."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Annotated, Any

import typer

from cdp.commands.fetch import origin_state
from cdp.commands.run import parse_days, split_names
from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, say, show, show_json
from cdp.warehouses import reading
from sources.corrections import corrections_of
from sources.feed import Feed, load_feeds
from sources.file_ledger import FileRecord, known_files
from sources.landing import discover
from sources.landing_report import misdated, unread_files
from sources.ledger_tables import FILES, is_laid_out
from sources.mapped_feed import map_feed
from sources.plan import Plan, Why, plan_files
from warehouse.business import load_business
from warehouse.declaration import Problems, suggestion
from warehouse.project import Project

_WHY: tuple[Why, ...] = ("new", "changed", "stale", "stopped", "refreshed")


def plan(
    project: ProjectOption = None,
    feeds: Annotated[str | None, typer.Option("--feeds", help="Only these feeds, separated by commas.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First batch date.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last batch date.")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="As if every batch were loaded again.")] = False,
    json: JsonOption = False,
) -> None:
    """Which files the next run would read, feed by feed, and which have vanished or moved. Changes nothing."""
    where = find_project(project)
    start, end = parse_days(first, last)
    days = (max(filter(None, [start, load_business(where).first_batch_on]), default=None), end)
    chosen = _chosen(where, split_names(feeds))
    known = _known(where, chosen)
    plans = [
        {"origin": origin_state(where, feed)}
        | _in_short(name, _plan(where, feed, known[name], days, full_refresh=full_refresh))
        for name, feed in chosen.items()
    ]
    unread = [str(error) for feed in chosen.values() if (error := misdated(where, feed))]
    unread += unread_files(where, chosen, with_marks=True) if feeds is None else []
    if json:
        show_json({"feeds": plans, "unread_files": unread})
        return
    if not chosen:
        say("No feed is declared, so nothing can be pending.")
        say("next: write config/feeds/<name>.yml; `cdp feeds try FILE` writes one for a file that you have")
        return
    _show([item for item in plans if item["days"]])
    _show_origins([item for item in plans if item["origin"]])
    for told in unread:
        say(f"warning: {told}")


def _chosen(where: Project, names: tuple[str, ...] | None) -> dict[str, Feed]:
    problems = Problems()
    declared = load_feeds(where, problems)
    problems.raise_if_any()
    for name in names or ():
        if name not in declared:
            told = f"There is no feed {name!r}. {suggestion(name, list(declared))}"
            raise typer.BadParameter(told, param_hint="--feeds")
    return {name: feed for name, feed in declared.items() if names is None or name in names}


def _known(where: Project, feeds: dict[str, Feed]) -> dict[str, dict[str, FileRecord]]:
    if not where.database.exists():
        return {name: {} for name in feeds}
    with reading(where) as cursor:
        found = is_laid_out(cursor, FILES)
        return {name: known_files(cursor, name) if found else {} for name in feeds}


def _plan(
    where: Project,
    feed: Feed,
    known: dict[str, FileRecord],
    days: tuple[date | None, date | None],
    *,
    full_refresh: bool,
) -> Plan:
    hash_of = corrections_of(where, map_feed(feed)).hash_of
    return plan_files(discover(where, feed), known, hash_of, first=days[0], last=days[1], full_refresh=full_refresh)


def _in_short(name: str, found: Plan) -> dict[str, Any]:
    why = Counter(found.why.values())
    return {
        "feed": name,
        "days": [day.isoformat() for day in found.days],
        "files": {reason: why[reason] for reason in _WHY},
        "bytes": found.bytes,
        "batches": [
            {"batch_on": day, "files": [{"file": file.file, "why": found.why[file.file]} for file in files]}
            for day, files in found.batches
        ],
        "vanished": [record.file for record in found.vanished],
        "moved": [{"file": record.file, "to": path} for record, path in found.moved],
        "returned": [file.file for file in found.returned],
    }


def _show_origins(plans: list[dict[str, Any]]) -> None:
    for item in plans:
        last = item["origin"]["fetched_at"]
        say(f"{item['feed']} is fetched first (last: {last}); what is new there is not known yet.")


def _show(plans: list[dict[str, Any]]) -> None:
    rows = [
        {"feed": item["feed"]}
        | item["files"]
        | {"bytes": item["bytes"], "vanished": len(item["vanished"]), "moved": len(item["moved"])}
        | {"days": len(item["days"]), "from": item["days"][0], "to": item["days"][-1]}
        for item in plans
    ]
    columns = ["feed", *_WHY, "bytes", "vanished", "moved", "days", "from", "to"]
    show(rows, columns, as_json=False, empty="Nothing is pending: every file is loaded as it lies there.")
    if any(item["vanished"] for item in plans):
        say("Rows of vanished files stay; `cdp feeds show NAME` names them.")
    if plans:
        say("next: cdp run")
