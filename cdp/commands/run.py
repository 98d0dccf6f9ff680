"""``cdp run``: load what is pending, then materialise every table as of a day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

import typer

from cdp.progress import progress_bar
from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from warehouse.foreign_text import shown

_MOST_CHANGES = 5
_MOST_FIELDS = 10


def run(
    project: ProjectOption = None,
    as_of: Annotated[str | None, typer.Option("--as-of", help="Day (YYYY-MM-DD); default: the newest batch.")] = None,
    feeds: Annotated[str | None, typer.Option("--feeds", help="Only these feeds, separated by commas.")] = None,
    first: Annotated[str | None, typer.Option("--from", help="First batch date to load.")] = None,
    last: Annotated[str | None, typer.Option("--to", help="Last batch date to load.")] = None,
    full_refresh: Annotated[bool, typer.Option("--full-refresh", help="Load every batch again.")] = False,
    fetch: Annotated[bool, typer.Option("--fetch/--no-fetch", help="Fetch first what is new at the origins.")] = True,
    json: JsonOption = False,
) -> None:
    """Fetch what is new, load pending batches, check them, resolve identities, build profiles, publish."""
    where = find_project(project)
    day, days = parse_day(as_of, "--as-of"), parse_days(first, last)
    chosen = split_names(feeds)
    done: list[dict[str, Any]] = []
    try:
        with progress_bar("run") as progress:
            from cdp.run import run_project  # takes seconds, and they are told too
            from cdp.run_summary import load_error

            summary = run_project(
                where,
                as_of=day,
                feeds=chosen,
                first=days[0],
                last=days[1],
                full_refresh=full_refresh,
                fetch=fetch,
                progress=progress,
                tell=done.append,
            )
    finally:
        for item in done:
            show_json(item) if json else show_summary(item)
    if not json:
        say("next: cdp status · cdp ui")
    if (error := load_error(summary)) is not None:
        raise error


def show_summary(summary: dict[str, Any]) -> None:
    """One run in a few lines."""
    rows = [{"feed": name} | counts for name, counts in summary["feeds"].items()]
    show(rows, ["feed", "files", "rows_read", "accepted", "duplicate", "rejected"], as_json=False, empty="No feeds.")
    checks = summary["checks"]
    is_made = summary["customers"] or summary["published"]
    known = f"{counted(summary['records'], 'record')}, "
    known += counted(summary["customers"], "customer") if is_made else "customers were not made"
    say(
        f"as of {summary['as_of']}: {known}; "
        f"checks: {checks['passed']} passed, {checks['warned']} warned, {checks['failed']} failed"
    )
    changed = summary["changed_fields"]
    for told in changed[:_MOST_CHANGES]:
        say(f"source fields changed: {told}")
    if len(changed) > _MOST_CHANGES:
        say(f"and {len(changed) - _MOST_CHANGES} more: cdp feeds show NAME")
    for feed, fields in summary["unknown_fields"].items():
        more = f" and {len(fields) - _MOST_FIELDS} more" if len(fields) > _MOST_FIELDS else ""
        names = ", ".join(map(shown, fields[:_MOST_FIELDS]))
        say(f"source fields that nobody reads: {feed}: {names}{more}; map or `ignore:` them")
    for feed, absent in summary["absent_fields"].items():
        for told in absent[:_MOST_FIELDS]:
            say(f"warning: {feed}: {told} Correct `fields:` or `rename:` in config/feeds/{feed}.yml.")
        if len(absent) > _MOST_FIELDS:
            say(f"warning: {feed}: and {len(absent) - _MOST_FIELDS} more: cdp feeds show {feed}")
    for warning in summary["warnings"]:
        say(f"warning: {warning}")
    say(f"published: {summary['published'] or 'nothing new'}")


def parse_day(text: str | None, option: str) -> date | None:
    """A day from the command line; a usage error names the option."""
    if text is None:
        return None
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise typer.BadParameter(f"{text!r} is not a day like 2026-01-31", param_hint=option) from error


def parse_days(first: str | None, last: str | None) -> tuple[date | None, date | None]:
    """The days of ``--from`` and ``--to``; a usage error where there is no day between them."""
    start, end = parse_day(first, "--from"), parse_day(last, "--to")
    if start is not None and end is not None and start > end:
        raise typer.BadParameter(f"{start} is after {end}, the day of --to", param_hint="--from")
    return start, end


def split_names(text: str | None) -> tuple[str, ...] | None:
    """Names separated by commas; None means all. Naming nothing is a slip of the pen, such as an empty variable."""
    if text is None:
        return None
    names = tuple(name.strip() for name in text.split(",") if name.strip())
    if not names:
        raise typer.BadParameter("names no feed; leave the option out for all feeds", param_hint="--feeds")
    return names
