"""Who acts on the command line, when, and under which run: read here, passed down."""

from __future__ import annotations

import getpass
import uuid
from datetime import UTC, date, datetime
from typing import Annotated

import typer

from cdp.settings import read_settings
from quality.resolution import Attempt
from warehouse.business import load_business
from warehouse.project import Project
from warehouse.step import Run

ByOption = Annotated[
    str | None, typer.Option("--by", help="Who does this; default: CDP_USER, else the user of this computer.")
]


def actor(by: str | None) -> str:
    """The name that logs and histories get."""
    named = (by or "").strip() or read_settings().user
    if named:
        return named
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def now() -> datetime:
    """This moment, UTC."""
    return datetime.now(UTC).replace(tzinfo=None)


def attempt_of(by: str | None, why: str) -> Attempt:
    """Something that a person does now."""
    return Attempt(now(), f"by-hand-{uuid.uuid4()}", actor(by), why.strip())


def run_of(project: Project, attempt: Attempt) -> Run:
    """A run of its own for what is done by hand. Loading looks at no day."""
    return Run(attempt.run_id, date.min, attempt.at, load_business(project))
