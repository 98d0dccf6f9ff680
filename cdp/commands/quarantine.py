"""``cdp quarantine``: rows that broke their contract, and why. What is done about them: ``quarantine_decisions.py``."""

from __future__ import annotations

import json as json_module
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from shlex import quote
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

import typer

from cdp.actor import ByOption, attempt_of
from cdp.commands import quarantine_decisions
from cdp.commands.quarantine_options import CodeOption, FeedOption, FieldOption, IdOption, check_names
from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, on_clock, say, show, show_json
from cdp.warehouses import open_to_read, reading, writing
from quality.access_log import Access, log_access
from quality.quarantine import (
    QuarantinedRow,
    RowFilter,
    content_hash,
    count_rows,
    find_row,
    list_rows,
    masked,
    whole_ids,
)
from quality.quarantine_export import endings, export_rows
from quality.quarantine_history import PastEvent, history_of
from sources.feed import load_feeds
from sources.mapped_feed import MappedFeed, map_feed
from sources.personal_keys import personal_keys
from sources.reason_ledger import found_reasons
from warehouse.business import load_business
from warehouse.declaration import Problems
from warehouse.errors import DeclarationError
from warehouse.foreign_text import shown, visible
from warehouse.personal_text import mask_certain
from warehouse.project import Project

_LISTED = 50
_LONGEST_ROW = 4_000
_LONGEST_MESSAGE = 300
_LONGEST_SAMPLE = 300
_PLACE = re.compile(r"\[(\d+)\]")

app = typer.Typer(help="Rows that broke their contract.", no_args_is_help=True)

RevealOption = Annotated[
    bool, typer.Option("--reveal", help="Show personal values instead of masking them; noted in ops.access_log.")
]
StatusOption = Annotated[
    Literal["open", "replayed", "discarded", "all"],
    typer.Option("--status", help="Which rows, by what became of them."),
]
LimitOption = Annotated[int | None, typer.Option("--limit", min=1, help="At most so many rows.")]
ListLimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, help=f"At most so many rows; default: {_LISTED}, with --json all.")
]
WhyOfReveal = Annotated[str, typer.Option("--why", help="Why personal values are looked at, for ops.access_log.")]


@app.command("list")
def list_quarantined(
    project: ProjectOption = None,
    feed: FeedOption = None,
    code: CodeOption = None,
    field: FieldOption = None,
    status: StatusOption = "open",
    limit: ListLimitOption = None,
    json: JsonOption = False,
) -> None:
    """Open rows with file, row and reasons; values are never shown here."""
    where = find_project(project)
    check_names(where, feed, code)
    with reading(where) as cursor:
        chosen = _filter(feed, code, field, status)
        most = limit or (None if json else _LISTED)
        found = list_rows(cursor, chosen, limit=most)
        more = count_rows(cursor, chosen) - len(found) if len(found) == most else 0
    columns = ["quarantine_id", "feed", "batch_on", "file", "row", "reasons"]
    columns += ["status"] if status == "all" else ["resolution"] if status != "open" else []
    show([_in_short(masked(row)) for row in found], columns, as_json=json, empty="Quarantine is empty.")
    if more and not json:
        say(f"… and {more:,} more: --limit N shows more, --feed and --code choose among them")
    if found and not json:
        say("next: cdp quarantine show ID · export FILE · repair ID · replay · discard ID")


@app.command("show")
def show_quarantined(
    quarantine_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or its first six letters or more.")],
    project: ProjectOption = None,
    reveal: RevealOption = False,
    why: WhyOfReveal = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """One row with its reasons, history and source text; personal values are masked."""
    where = find_project(project)
    with open_to_read(where) as warehouse:
        cursor = warehouse.cursor()
        row, events = find_row(cursor, quarantine_id), history_of(cursor, whole_ids(cursor, [quarantine_id])[0])
    content, sources = content_hash(row.raw or ""), _sources(where, row)
    if reveal:
        _log(where, "quarantine show", row.quarantine_id, 1, why, by)
    else:
        row = masked(row, _personal_keys(where))
        events = tuple(replace(event, why=mask_certain(event.why)) for event in events)
    if json:
        told = {"reasons": [vars(reason) for reason in row.reasons], "source_fields": sources, "content": content}
        show_json(_in_short(row) | told | {"history": [vars(event) for event in events], "raw": row.raw})
        return
    say(f"{row.quarantine_id}  {row.feed} {row.batch_on} {row.file} row {row.row}  ({row.status})")
    for reason in row.reasons:
        made_of = ", ".join(sources.get(reason.field, ()))
        blamed = f"{reason.field} (from {made_of})" if made_of not in {"", reason.field} else reason.field or "(row)"
        say(f"  {blamed}: {reason.code}: {shown(reason.message, _LONGEST_MESSAGE)}")
    if events:
        _say_history(events, load_business(where).time_zone)
    raw = row.raw or ""
    say(visible(raw[:_LONGEST_ROW]))
    if len(raw) > _LONGEST_ROW:
        say(f"… and {len(raw) - _LONGEST_ROW:,} more characters; --json shows all")
    if not reveal:
        say("(personal values are masked; --reveal shows them, and is noted)")
    if row.status == "open":
        first = next((names[0] for names in sources.values() if names), "FIELD")
        say(f"next: cdp quarantine repair {row.quarantine_id} --set {quote(first)}=VALUE --why …")


def _say_history(events: Iterable[PastEvent], time_zone: str) -> None:
    say(f"history; times are those of {time_zone}")
    for event in events:
        say(f"  {on_clock(event.happened_at, ZoneInfo(time_zone))} {event.event} by {event.acted_by}: {event.why}")


@app.command("export")
def export_quarantined(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Its ending says the form: .csv, .jsonl or .parquet.")],
    project: ProjectOption = None,
    feed: FeedOption = None,
    code: CodeOption = None,
    field: FieldOption = None,
    ids: IdOption = None,
    status: StatusOption = "open",
    limit: LimitOption = None,
    reveal: RevealOption = False,
    why: WhyOfReveal = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Write rows with reasons and source text to a file; personal values are masked."""
    where = find_project(project)
    check_names(where, feed, code)
    if file.suffix.lower() not in endings():
        raise typer.BadParameter(f"{file.name!r} must end in {', '.join(endings())}", param_hint="FILE")
    with reading(where) as cursor:
        chosen = replace(_filter(feed, code, field, status), ids=whole_ids(cursor, ids) if ids else None)
        rows = list_rows(cursor, chosen, limit=limit, with_raw=True)
    if reveal:
        _log(where, "quarantine export", chosen.told(), len(rows), why, by)
    else:
        keys = _personal_keys(where)
        rows = tuple(masked(row, keys) for row in rows)
    export_rows(file, rows)
    if json:
        show_json({"file": str(file), "rows": len(rows), "is_masked": not reveal})
        return
    say(f"wrote {counted(len(rows), 'row')} to {file}" + ("" if reveal else "; personal values are masked"))
    say(f'next: edit the column raw, then cdp quarantine repair --from {file} --why "…"')


@app.command("reasons")
def list_reasons(
    project: ProjectOption = None,
    feed: FeedOption = None,
    code: CodeOption = None,
    json: JsonOption = False,
) -> None:
    """Per batch and reason: how many rows are refused, their share of the batch, and one of them, masked."""
    where = find_project(project)
    check_names(where, feed, code)
    with reading(where) as cursor:
        found = found_reasons(cursor, feed, code)
    columns = ["feed", "batch_on", "field", "code", "rows", "open_rows", "share_ratio", "sample_id", "sample"]
    rows = [vars(item) if json else vars(item) | {"sample": shown(item.sample, _LONGEST_SAMPLE)} for item in found]
    show(rows, columns, as_json=json, empty="Quarantine is empty.")
    if found and not json:
        say("next: cdp quarantine show ID")


app.command("repair")(quarantine_decisions.repair)
app.command("replay")(quarantine_decisions.replay)
app.command("discard")(quarantine_decisions.discard)


def _filter(feed: str | None, code: str | None, field: str | None, status: str) -> RowFilter:
    return RowFilter(feed, code, field, None if status == "all" else status)  # type: ignore[arg-type]  # a Literal above


def _in_short(row: QuarantinedRow) -> dict[str, Any]:
    return {
        "quarantine_id": row.quarantine_id,
        "kind": row.kind,
        "feed": row.feed,
        "batch_on": row.batch_on,
        "file": row.file,
        "row": row.row,
        "reasons": [f"{reason.field}: {reason.code}" if reason.field else reason.code for reason in row.reasons],
        "codes": list(dict.fromkeys(reason.code for reason in row.reasons)),
        "status": row.status,
        "first_seen_at": row.first_seen_at,
        "resolved_at": row.resolved_at,
        "resolved_by": row.resolved_by,
        "resolution": row.resolution,
        "attempts": row.attempts,
    }


def _log(where: Project, command: str, looked_at: str, rows: int, why: str, by: str | None) -> None:
    """Note a look at personal values, before they are shown."""
    who = attempt_of(by, why)
    with writing(where) as warehouse, warehouse.transaction() as connection:
        log_access(connection, Access(who.at, who.by, command, looked_at, rows, who.why))


def _sources(where: Project, row: QuarantinedRow) -> dict[str, tuple[str, ...]]:
    """Contract field that is blamed → the source fields it is made of, by the names that a repair takes.

    Of those that vendors call differently the row's own.
    """
    mapped = next((item for item in _mapped(where) if item.feed.name == row.feed), None)
    found: dict[str, tuple[str, ...]] = {}
    held = _keys(row.raw or "")
    for field in (reason.field for reason in row.reasons):
        place = _PLACE.search(field)
        inside = f".{place[1]}." if place else "[]."
        names = tuple(mask_certain(name.replace("[].", inside)) for name in mapped.sources_of(field)) if mapped else ()
        found[field] = tuple(name for name in names if held & {name, name.partition(".")[0]}) or names
    return found


def _keys(raw: str) -> set[str]:
    try:
        row = json_module.loads(raw)
    except ValueError:
        return set()
    return set(row) if isinstance(row, dict) else set()


def _personal_keys(where: Project) -> tuple[str, ...]:
    """What the mappings call personal."""
    return personal_keys(_mapped(where))


def _mapped(where: Project) -> Iterator[MappedFeed]:
    """The feeds. One that is declared wrongly must not keep rows from being looked at."""
    for feed in load_feeds(where, Problems()).values():
        with suppress(DeclarationError):
            yield map_feed(feed)
