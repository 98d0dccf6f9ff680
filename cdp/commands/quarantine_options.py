"""The options by which commands choose rows of the quarantine, and what is wrong with what was given."""

from __future__ import annotations

from typing import Annotated

import typer

from quality.contracts.check import CODES
from warehouse.declaration import suggestion
from warehouse.project import Project

FeedOption = Annotated[str | None, typer.Option("--feed", help="Only this feed.")]
CodeOption = Annotated[str | None, typer.Option("--code", help="Only rows refused for this code.")]
FieldOption = Annotated[str | None, typer.Option("--field", help="Only rows in which this field is to blame.")]
IdOption = Annotated[
    list[str] | None,
    typer.Option("--id", help="Only this row: its id, or its first six letters or more. May be repeated."),
]


def check_names(where: Project, feed: str | None, code: str | None) -> None:
    """A feed or a code that does not exist is a slip of the pen.

    Raises:
        typer.BadParameter: with what was meant.
    """
    feeds = sorted(path.stem for path in (where.config / "feeds").glob("*.yml"))
    if feed is not None and feed not in feeds:
        raise typer.BadParameter(f"There is no feed {feed!r}. {suggestion(feed, feeds)}", param_hint="--feed")
    if code is not None and code not in CODES:
        raise typer.BadParameter(f"There is no code {code!r}. {suggestion(code, list(CODES))}", param_hint="--code")
