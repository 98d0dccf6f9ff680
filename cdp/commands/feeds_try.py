"""``cdp feeds try FILE``: what an unknown file is, and a first declaration for it."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, say, show, show_json
from quality.contracts.registry import CONTRACTS
from sources.encodings import line_encoding
from sources.feed import check_feed_name
from sources.mapping import mapping_ids
from sources.trial.batch import Batch, batch_of
from sources.trial.declaration import declaration_text, feed_name
from sources.trial.trial import Trial, try_file
from warehouse.business import load_business
from warehouse.declaration import suggestion
from warehouse.errors import CdpError, InputError
from warehouse.foreign_text import shown as foreign
from warehouse.project import Project

_SHOWN = 10
_CELL = 300


def try_feed(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Any file that a source might send.")],
    project: ProjectOption = None,
    mapping: Annotated[str | None, typer.Option("--mapping", help="Try only this mapping.")] = None,
    kind: Annotated[str | None, typer.Option("--kind", help="The rows are of this contract.")] = None,
    encoding: Annotated[str | None, typer.Option("--encoding", help="The text is in this encoding.")] = None,
    rows: Annotated[int, typer.Option("--rows", min=1, help="How many rows to show.")] = _SHOWN,
    write: Annotated[bool, typer.Option("--write", help="Write config/feeds/<name>.yml.")] = False,
    name: Annotated[str | None, typer.Option("--name", help="Name of the feed; default: the file's.")] = None,
    json: JsonOption = False,
) -> None:
    """Guess format, encoding and mapping of a file; show accepted and rejected rows, and a declaration that runs."""
    _check(file, mapping, kind, encoding)
    settings, where = _settings(project, is_needed=write)
    trial = try_file(file, settings, mapping=mapping, kind=kind, encoding=encoding)
    batch = batch_of(file, partial(ZoneInfo, trial.feed.time_zone), where.landing if where else None)
    text = declaration_text(trial, file)
    feed = name or feed_name(file)
    written = _write(where, feed, text) if write and where is not None else None
    if json:
        show_json(_summary(trial, file, feed, text, written, rows) | {"batch": _batch(batch)})
        return
    _show(trial, batch, file, text, rows)
    if written:
        say(f"wrote {written}")
        say(f"next: put the files into landing/{feed}/, then cdp feeds check · cdp run --feeds {feed}")
    else:
        say(f"next: the same with --write, which writes config/feeds/{feed}.yml (--name: another name)")


def _check(file: Path, mapping: str | None, kind: str | None, encoding: str | None) -> None:
    if file.is_dir():
        raise InputError(f"{file.name} is a folder.", "Name one of the files in it.")
    if not file.is_file():
        raise InputError(f"There is no file {file.name}.", "Name a file that exists.")
    if mapping is not None and mapping not in mapping_ids():
        told = f"`{mapping}` is not a mapping. {suggestion(mapping, list(mapping_ids()))}"
        raise typer.BadParameter(told, param_hint="--mapping")
    if kind is not None and kind not in CONTRACTS:
        raise typer.BadParameter(f"`{kind}` is not a kind. {suggestion(kind, list(CONTRACTS))}", param_hint="--kind")
    if encoding is not None and line_encoding(encoding) is None:
        told = f"`{encoding}` is not an encoding of text that can be read."
        raise typer.BadParameter(told, param_hint="--encoding")


def _settings(project: Path | None, *, is_needed: bool) -> tuple[dict[str, str | None] | None, Project | None]:
    """What the business says of clocks and money; None outside any project, where a file may be tried too."""
    try:
        where = find_project(project)
        business = load_business(where)
    except (CdpError, typer.BadParameter):
        if is_needed:
            raise
        return None, None
    return {
        "time_zone": business.time_zone,
        "country": business.default_country,
        "currency": business.base_currency,
    }, where


def _write(where: Project, feed: str, text: str) -> str:
    path = where.config / "feeds" / f"{feed}.yml"
    check_feed_name(feed)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as stream:
            stream.write(text)
    except FileExistsError:
        raise InputError(
            f"config/feeds/{feed}.yml is there already and was not touched.", "Give another --name."
        ) from None
    return f"config/feeds/{feed}.yml"


def _summary(trial: Trial, file: Path, feed: str, text: str, written: str | None, rows: int) -> dict[str, Any]:
    return {
        "file": foreign(file.name),
        "format": trial.form.format,
        "encoding": trial.form.encoding,
        "delimiter": trial.form.delimiter,
        "has_header": trial.form.has_header,
        "why": list(trial.form.why),
        "kind": trial.feed.kind,
        "mapping": trial.feed.mapping,
        "rows": len(trial.judged),
        "accepted": trial.accepted,
        "rejected": len(trial.judged) - trial.accepted,
        "reasons": trial.reasons(),
        "candidates": _candidates(trial),
        "fields": {name: {"from": guess.expression, "why": guess.why} for name, guess in trial.guesses.items()},
        "unread": list(trial.unread),
        "sample": [vars(row) for row in trial.shown(rows)],
        "feed": feed,
        "declaration": text,
        "written": written,
    }


def _batch(batch: Batch) -> dict[str, str | None]:
    return {"day": batch.day.isoformat() if batch.day else None, "why": batch.why}


def _candidates(trial: Trial) -> list[dict[str, Any]]:
    return [
        {
            "mapping": item.mapping,
            "kind": item.kind,
            "rows": item.rows,
            "accepted": item.accepted,
            "explained": round(item.explained, 3),
            "score": round(item.score, 3),
        }
        for item in trial.candidates[:5]
    ]


def _show(trial: Trial, batch: Batch, file: Path, text: str, rows: int) -> None:
    say(f"{foreign(file.name)}: {trial.form.format}; {'; '.join(trial.form.why)}")
    say(batch.told)
    say()
    columns = ["mapping", "kind", "rows", "accepted", "explained", "score"]
    show(_candidates(trial), columns, as_json=False, empty="No vendor's mapping reads anything of it.")
    say()
    _show_rows(trial, rows)
    rejected = len(trial.judged) - trial.accepted
    say(f"{trial.accepted} of {len(trial.judged)} rows accepted as {trial.feed.kind}, {rejected} rejected")
    for reason, count in list(trial.reasons().items())[:_SHOWN]:
        say(f"  {count} × {reason}")
    _show_unread(trial)
    say("(personal values are masked)")
    say()
    say(text)


def _show_unread(trial: Trial) -> None:
    """Columns that are lost although every row is accepted."""
    count = len(trial.unread) + trial.unread_values
    if count:
        told = [f"{name} ({trial.looks[name]})" if name in trial.looks else name for name in trial.unread[:_SHOWN]]
        more = [f"{count - len(told)} more"] if count > len(told) else []
        say(f"{count} {'column is' if count == 1 else 'columns are'} read by nothing: {', '.join(told + more)}")


def _show_rows(trial: Trial, most: int) -> None:
    """Accepted and rejected rows side by side, each beside what it was made of."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(header_style="bold", show_lines=True)
    for title, ratio in (("row", 1), ("source row", 10), ("accepted as", 10), ("rejected because", 8)):
        table.add_column(title, ratio=ratio, overflow="fold", justify="right" if title == "row" else "left")
    for row in trial.shown(most):
        cells = (str(row.row), _short(row.source), _short(row.accepted), _short(row.rejected))
        table.add_row(*(Text(cell, style=style) for cell, style in zip(cells, ("", "", "green", "red"), strict=True)))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    console.print(table)


def _short(text: str) -> str:
    return text if len(text) <= _CELL else text[: _CELL - 1] + "…"
