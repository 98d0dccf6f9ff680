"""``cdp quarantine repair · replay · discard``: what is done about rows that broke their contract."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated

import typer

from cdp.actor import ByOption, attempt_of, run_of
from cdp.commands.quarantine_options import CodeOption, FeedOption, FieldOption, IdOption, check_names
from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from cdp.warehouses import reading, writing
from quality.contracts.registry import CONTRACTS
from quality.quarantine import RowFilter, find_row, list_rows, whole_ids
from quality.resolution import Attempt, discard_rows
from sources.corrections import check_option
from sources.feed import Feed, load_feeds
from sources.ledger_tables import create_ledger
from sources.mapped_feed import map_feed
from sources.personal_keys import personal_keys
from sources.reason_ledger import write_reasons
from sources.repair import BY_HAND, Repair, add_repairs, edited_repairs, open_row, written_edit
from sources.replay import FeedReplay, replay_rows
from warehouse.declaration import Problems
from warehouse.errors import InputError
from warehouse.foreign_text import shown
from warehouse.project import Project
from warehouse.whole_file import write_whole

_LONGEST_TOLD = 500

WhyOption = Annotated[str, typer.Option("--why", help="Why, for the history of the rows.")]


def repair(
    quarantine_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="Its id, or its first six letters or more; or give --from.")
    ] = None,
    project: ProjectOption = None,
    changes: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="A source field and its value. May be repeated."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="FIELD", help="A source field to take out. May be repeated.")
    ] = None,
    becomes: Annotated[
        str | None, typer.Option("--becomes", metavar="JSON", help="The whole row, of one that cannot be read.")
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--from", metavar="FILE", help="An exported file whose column raw was edited.")
    ] = None,
    why: WhyOption = "",
    by: ByOption = None,
    replays: Annotated[bool, typer.Option("--replay/--no-replay", help="Judge the rows again at once.")] = True,
    json: JsonOption = False,
) -> None:
    """Repair rows by hand: written to config/corrections/by_hand.yml, then replayed."""
    where = find_project(project)
    if (quarantine_id is None) == (file is None):
        raise typer.BadParameter("name one row, or an edited file with --from", param_hint="ID")
    if quarantine_id is not None and not (changes or remove or becomes):
        raise typer.BadParameter("say what to change: --set, --remove or --becomes", param_hint="--set")
    if not why.strip():
        raise typer.BadParameter("say why, so that others understand it later", param_hint="--why")
    attempt = attempt_of(by, why)
    feeds = declared_feeds(where)
    with reading(where) as cursor:
        if file is not None:
            repairs = edited_repairs(cursor, file, personal_keys(map_feed(feed) for feed in feeds.values()))
        else:
            row = open_row(cursor, quarantine_id or "")
            edit = written_edit(row, changes or (), remove or (), becomes)
            for option, names in (("--set", edit.set), ("--remove", edit.remove)):
                for name in names if row.feed in feeds else ():
                    check_option(option, name, feeds[row.feed])
            repairs = (Repair(row, edit),)
    by_hand = where.root / BY_HAND
    before = by_hand.read_bytes() if by_hand.exists() else None
    added = add_repairs(where, feeds, repairs, attempt.by, attempt.at.date(), attempt.why)
    written = f"wrote {added:,} corrections to {BY_HAND}"
    if not replays:
        if json:
            show_json({"corrections": added, "file": BY_HAND})
        else:
            say(written)
        return
    ids = tuple(item.row.quarantine_id for item in repairs)
    done = replay_chosen(where, RowFilter(ids=ids), attempt)
    if added and all(item.still_open == item.attempted and not item.stopped for item in done):
        _take_back(by_hand, before)
        with reading(where) as cursor:
            still = [find_row(cursor, name) for name in ids]
        told = "; ".join(dict.fromkeys(f"{it.field or 'row'}: {it.message}" for row in still for it in row.reasons))
        raise InputError(
            f"The repair was not kept, for its rows would still be refused: {shown(told, _LONGEST_TOLD)}.",
            "Set every field that is wrong in one call; `cdp quarantine show ID` names them.",
        )
    if not json:
        say(written)
    tell(done, as_json=json, more={"corrections": added, "file": BY_HAND})


def _take_back(by_hand: Path, before: bytes | None) -> None:
    """Leave the corrections as they were before a repair that helped no row."""
    if before is None:
        by_hand.unlink()
    else:
        write_whole(by_hand, before)


def replay(
    project: ProjectOption = None,
    feed: FeedOption = None,
    code: CodeOption = None,
    field: FieldOption = None,
    ids: IdOption = None,
    why: WhyOption = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Judge open rows again by the mappings, declarations and corrections of now; all of them, or those named."""
    where = find_project(project)
    check_names(where, feed, code)
    with reading(where) as cursor:
        chosen = RowFilter(feed, code, field, ids=whole_ids(cursor, ids) if ids else None)
    tell(replay_chosen(where, chosen, attempt_of(by, why or "replayed")), as_json=json)


def discard(
    given: Annotated[
        list[str] | None,
        typer.Argument(metavar="[ID]...", help="Rows: their ids, or six first letters or more of each."),
    ] = None,
    project: ProjectOption = None,
    feed: FeedOption = None,
    code: CodeOption = None,
    field: FieldOption = None,
    ids: IdOption = None,
    why: WhyOption = "",
    by: ByOption = None,
    json: JsonOption = False,
) -> None:
    """Leave open rows out for good, with a reason; one whose source text changes comes back open."""
    where = find_project(project)
    check_names(where, feed, code)
    named = [*(given or ()), *(ids or ())]
    if not (named or feed or code or field):
        raise typer.BadParameter("say which rows: IDs, --feed, --code or --field", param_hint="ID")
    if not why.strip():
        raise typer.BadParameter("say why, so that others understand it later", param_hint="--why")
    attempt = attempt_of(by, why)
    with writing(where) as warehouse, warehouse.transaction() as connection:
        chosen = RowFilter(feed, code, field, ids=whole_ids(connection, named) if named else None)
        rows = list_rows(connection, chosen)
        by_kind = {kind: [row.quarantine_id for row in rows if row.kind == kind] for kind in CONTRACTS}
        done = sum(discard_rows(connection, kind, found, attempt) for kind, found in by_kind.items() if found)
        create_ledger(connection)
        for name, declared in declared_feeds(where).items():
            write_reasons(connection, map_feed(declared), {row.batch_on for row in rows if row.feed == name})
    if json:
        show_json({"discarded": done, "quarantine_ids": [row.quarantine_id for row in rows]})
        return
    say(f"discarded {counted(done, 'row')}" if done else "nothing to discard: no open row is meant")
    say("next: cdp quarantine list")


def replay_chosen(where: Project, chosen: RowFilter, attempt: Attempt) -> tuple[FeedReplay, ...]:
    """Replay rows of a project.

    Raises:
        DeclarationError: a feed or a correction is wrong.
    """
    feeds = declared_feeds(where)
    with writing(where) as warehouse:
        return replay_rows(warehouse, where, feeds, chosen, run_of(where, attempt), attempt)


def declared_feeds(where: Project) -> dict[str, Feed]:
    """The feeds of a project.

    Raises:
        DeclarationError: one of them is wrong.
    """
    problems = Problems()
    feeds = load_feeds(where, problems)
    problems.raise_if_any()
    return feeds


def tell(done: Sequence[FeedReplay], *, as_json: bool, more: Mapping[str, object] | None = None) -> None:
    """What a replay did.

    Raises:
        InputError: a batch was not loaded, so that its rows are as they were.
    """
    sums = {name: sum(getattr(item, name) for item in done) for name in ("attempted", "replayed", "still_open", "gone")}
    if as_json:
        show_json(sums | dict(more or {}) | {"feeds": {item.feed: vars(item) for item in done}})
    else:
        columns = ["feed", "files", "attempted", "replayed", "still_open", "gone", "released"]
        show([vars(item) for item in done], columns, as_json=False, empty="Nothing to replay: no open row is meant.")
        say(
            "next: cdp run, so that every table sees the replayed rows"
            if sums["replayed"]
            else "next: cdp quarantine list"
        )
    stopped = [item for item in done if item.stopped]
    if stopped:
        told = " ".join(f"{item.feed}: {item.stopped}." for item in stopped)
        raise InputError(f"Batches were not loaded again; nothing of them changed. {told}", "Mend what is named.")
