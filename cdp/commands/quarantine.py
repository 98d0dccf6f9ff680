"""``cdp quarantine``: rows that broke their contract, and why. (Repair and replay get their commands here.)"""

from __future__ import annotations

from typing import Annotated

import typer

from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, say, show, show_json
from cdp.warehouses import reading
from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from quality.quarantine import QuarantinedRow, list_rows, show_row
from sources.feed import load_feeds
from sources.mapped_feed import map_feed
from sources.mapping import describe_fields
from warehouse.declaration import Problems
from warehouse.project import Project

app = typer.Typer(help="Rows that broke their contract.", no_args_is_help=True)


@app.command("list")
def list_quarantined(
    project: ProjectOption = None,
    feed: Annotated[str | None, typer.Option("--feed", help="Only this feed.")] = None,
    code: Annotated[str | None, typer.Option("--code", help="Only rows refused for this code.")] = None,
    limit: Annotated[int | None, typer.Option("--limit", min=1, help="At most so many rows.")] = None,
    json: JsonOption = False,
) -> None:
    """Open rows with file, row and reasons; values are never shown here."""
    with reading(find_project(project)) as cursor:
        found = list_rows(cursor, feed=feed, code=code, limit=limit)
    rows = [_in_short(row) for row in found]
    show(
        rows,
        ["quarantine_id", "feed", "batch_on", "file", "row", "reasons"],
        as_json=json,
        empty="Quarantine is empty.",
    )
    if found and not json:
        say("next: cdp quarantine show ID")


@app.command("show")
def show_quarantined(
    quarantine_id: Annotated[str, typer.Argument(metavar="ID", help="Its id, or the beginning of it.")],
    project: ProjectOption = None,
    reveal: Annotated[bool, typer.Option("--reveal", help="Show personal values instead of masking them.")] = False,
    json: JsonOption = False,
) -> None:
    """One row with its reasons and its source text; personal values are masked."""
    where = find_project(project)
    with reading(where) as cursor:
        row = show_row(cursor, quarantine_id, reveal=reveal, personal_keys=_personal_keys(where))
    if json:
        show_json(_in_short(row) | {"reasons": [vars(reason) for reason in row.reasons], "raw": row.raw})
        return
    say(f"{row.quarantine_id}  {row.feed} {row.batch_on} {row.file} row {row.row}  ({row.status})")
    for reason in row.reasons:
        say(f"  {reason.field or '(row)'}: {reason.code}: {reason.message}")
    say(row.raw or "")
    if not reveal:
        say("(personal values are masked; --reveal shows them)")


def _in_short(row: QuarantinedRow) -> dict[str, object]:
    return {
        "quarantine_id": row.quarantine_id,
        "kind": row.kind,
        "feed": row.feed,
        "batch_on": row.batch_on,
        "file": row.file,
        "row": row.row,
        "reasons": [f"{reason.field}: {reason.code}" if reason.field else reason.code for reason in row.reasons],
        "status": row.status,
        "first_seen_at": row.first_seen_at,
        "attempts": row.attempts,
    }


def _personal_keys(where: Project) -> tuple[str, ...]:
    """Source columns that feed personal fields, so that masking knows the vendors' names too."""
    personal = {column.name for model in CONTRACTS.values() for column in columns(model) if column.is_personal}
    keys: set[str] = set()
    for feed in load_feeds(where, Problems()).values():
        mapped = map_feed(feed)
        for source, target, _ in describe_fields({**mapped.fields, **mapped.rows}):
            if target in personal:
                keys |= {path.rsplit(".", 1)[-1] for path in source.split(", ") if path}
    return tuple(sorted(keys))
