"""``cdp doctor``: is this machine, this project and this warehouse fit to run?"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from cdp.commands.fetch import origin_state
from cdp.settings import Settings, find_project, read_settings
from cdp.terminal import JsonOption, ProjectOption, counted, show
from sources.feed import load_feeds
from sources.secret import missing_secrets
from warehouse.database import open_warehouse
from warehouse.declaration import Problems
from warehouse.errors import CdpError, InputError, UsageError, WarehouseError
from warehouse.project import Project

_TOOLS = ("dagster", "dagster-webserver", "duckdb", "polars", "pydantic", "great-expectations", "rapidfuzz")
_LEAST_FREE_GIB = 2


@dataclass(frozen=True)
class Finding:
    """What was looked at, its state (ok, wrong or absent), and of what is wrong the exit code."""

    what: str
    state: str
    detail: str
    exit_code: int = 0


def doctor(project: ProjectOption = None, json: JsonOption = False) -> None:
    """Check tools, declarations, folders and the warehouse; say what to do about each."""
    found = list(_examine(project))
    columns = ["what", "state", "detail"]
    show([{name: getattr(item, name) for name in columns} for item in found], columns, as_json=json)
    wrong = [item.exit_code for item in found if item.state == "wrong"]
    if wrong:
        raise typer.Exit(wrong[0])


def _examine(folder: Path | None) -> Iterator[Finding]:
    python = ".".join(str(part) for part in sys.version_info[:3])
    yield _row("python", sys.version_info[:2] == (3, 11), python, "use Python 3.11", UsageError.exit_code)
    for tool in _TOOLS:
        yield _row(tool, True, importlib.metadata.version(tool), "")
    try:
        where = find_project(folder)
    except CdpError as error:
        yield _row("project", False, "", f"{error.reason} {error.fix}", error.exit_code)
        return
    yield _row("project", True, where.root.name, "")
    yield from _settings()
    yield _attempt("declarations", lambda: _check_declarations(where))
    yield from _origins(where)
    free = shutil.disk_usage(where.root).free / 2**30
    yield _row("disk", free >= _LEAST_FREE_GIB, f"{free:.0f} GiB free", "make room: snapshots need as much as the data")
    if where.database.exists():
        yield _attempt("warehouse", lambda: _check_warehouse(where))
    else:
        yield Finding("warehouse", "absent", "`cdp run` makes it")


def _settings() -> Iterator[Finding]:
    settings = read_settings()
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        detail = f"{value if value is not None else 'default'} – {field.description}"
        yield Finding(f"CDP_{name.upper()}", "ok", detail)


def _check_declarations(where: Project) -> str:
    from assets.declared import read_project

    declared = read_project(where)
    return counted(len(declared.feeds), "feed")


def _origins(where: Project) -> Iterator[Finding]:
    """One row per feed that is fetched: whether its secrets are set, and how the last fetch ended."""
    problems = Problems()
    for feed in load_feeds(where, problems).values():
        if feed.origin is None:
            continue
        missing = missing_secrets(feed, "origin", os.environ)
        state = origin_state(where, feed)
        wrong = " ".join([*map(str, missing), str(state.get("last_fetch_failed", ""))]).strip()
        told = f"{feed.origin.kind}, fetched {state['fetched_at']}"
        yield _row(f"origin of {feed.name}", not wrong, told, wrong, InputError.exit_code)


def _check_warehouse(where: Project) -> str:
    with open_warehouse(where.database, wait_seconds=2, read_only=True) as warehouse:
        count = warehouse.cursor().execute("select count(*) from duckdb_tables()").fetchone()
    return f"{count[0] if count else 0} tables, {where.database.stat().st_size / 2**20:.0f} MiB"


def _attempt(what: str, examine: Callable[[], str]) -> Finding:
    try:
        return _row(what, True, examine(), "")
    except CdpError as error:
        return _row(what, False, "", f"{error.reason} {error.fix}", error.exit_code)


def _row(what: str, is_fit: bool, detail: str, remedy: str, exit_code: int = WarehouseError.exit_code) -> Finding:
    if is_fit:
        return Finding(what, "ok", detail)
    return Finding(what, "wrong", f"{detail} {remedy}".strip(), exit_code)
