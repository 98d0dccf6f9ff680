"""How commands speak: a table on a terminal, JSON for programs. Long work tells its progress in `cdp/progress.py`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from warehouse.foreign_text import visible

ProjectOption = Annotated[
    Path | None,
    typer.Option("--project", envvar="CDP_PROJECT", help="Folder of the project; default: the current folder."),
]
AnyProjectOption = Annotated[
    Path | None, typer.Option("--project", envvar="CDP_PROJECT", help="Taken as everywhere; nothing here needs it.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


_WIDTH_OF_FILES = 200
"""Columns of tables that no terminal shows."""


def say(text: str = "") -> None:
    """One line for the reader."""
    sys.stdout.write(text + "\n")


def counted(number: int, noun: str) -> str:
    """A count with its noun: ``1 record``, ``2,000 records``."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def on_clock(moment: datetime, zone: ZoneInfo) -> str:
    """A moment of UTC on the business's clock, to the minute."""
    return f"{moment.replace(tzinfo=UTC).astimezone(zone):%Y-%m-%d %H:%M}"


def show(
    rows: Iterable[Mapping[str, Any]],
    columns: Sequence[str],
    *,
    as_json: bool,
    empty: str = "Nothing.",
    may_turn: bool = False,
) -> None:
    """Rows as a table, or as a JSON list of objects.

    ``may_turn``: a table wider than the terminal is shown as a block of lines for each row, a line for each column.
    """
    rows = [dict(row) for row in rows]
    if as_json:
        show_json(rows)
        return
    if not rows:
        say(empty)
        return
    from rich.console import Console
    from rich.table import Table

    console = Console(highlight=False, markup=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, width=_WIDTH_OF_FILES)
    if may_turn and _width(rows, columns) > console.width:
        _show_turned(rows, columns)
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        is_number = all(isinstance(row.get(column), int | float | Decimal | None) for row in rows)
        table.add_column(column, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(row.get(column)) for column in columns))
    console.print(table)


def _width(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> int:
    """Columns of a terminal that the rows take as a table; Chinese characters take two."""
    from rich.cells import cell_len

    texts = ([column, *(_cell(row.get(column)) for row in rows)] for column in columns)
    return sum(max(map(cell_len, found)) + 2 for found in texts) - 2


def _show_turned(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.cells import cell_len

    widest = max(map(cell_len, columns))
    for number, row in enumerate(rows, start=1):
        say(f"── row {number:,} ──")
        for column in columns:
            say(f"{column}{' ' * (widest - cell_len(column))}  {_cell(row.get(column))}")


def show_json(value: object) -> None:
    """One JSON document, keys as given."""
    say(json.dumps(value, ensure_ascii=False, indent=1, default=_plain))


def _cell(value: object) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if value.is_integer() else f"{value:,.3f}"
    if isinstance(value, list | tuple):
        return visible(", ".join(str(item) for item in value))
    return visible(str(value))


def _plain(value: object) -> object:
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    return str(value)
