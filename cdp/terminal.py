"""How commands speak: a table on a terminal, JSON for programs, a bar for long work."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import typer

ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", envvar="CDP_PROJECT", help="Folder of the project; default: the current folder."),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]

Progress = Callable[[int, int, str], None]
"""Called with done, total (0: unknown) and what is being counted."""


def say(text: str = "") -> None:
    """One line for the reader."""
    sys.stdout.write(text + "\n")


def show(rows: Iterable[Mapping[str, Any]], columns: Sequence[str], *, as_json: bool, empty: str = "Nothing.") -> None:
    """Rows as a table, or as a JSON list of objects."""
    rows = [dict(row) for row in rows]
    if as_json:
        show_json(rows)
        return
    if not rows:
        say(empty)
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        is_number = all(isinstance(row.get(column), int | float | Decimal | None) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=200)
    console.print(table)


def show_json(value: object) -> None:
    """One JSON document, keys as given."""
    say(json.dumps(value, ensure_ascii=False, indent=1, default=_plain))


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """A bar with count, rate and time left on standard error; silent where that is no terminal.

    What is counted may change on the way; words behind a comma in it are told besides.
    """
    if not sys.stderr.isatty():
        yield lambda _done, _total, _what: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    started = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.completed:,.0f}/{task.total:,.0f} {task.fields[unit]} {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=1, unit="", rate="")

        counted = ""

        def advance(done: int, total: int, unit: str) -> None:
            nonlocal counted, started
            if unit.split(",")[0] != counted:  # something else is counted: rate and time left begin anew
                counted, started = unit.split(",")[0], time.monotonic()
                bars.reset(task, total=max(total, 1), unit=unit, rate="")
            elapsed = max(time.monotonic() - started, 1e-6)
            rate = f"({done / elapsed:,.0f}/s)" if done else ""
            bars.update(task, completed=done, total=max(total, done, 1), unit=unit, rate=rate)

        yield advance


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.3f}"
    if isinstance(value, list | tuple):
        return ", ".join(str(item) for item in value)
    return str(value)


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
