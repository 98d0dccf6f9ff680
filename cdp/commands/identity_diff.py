"""``cdp identity diff``: what a change of identity would do to customers, segments and revenue, before it is done.

Imports come late: `cdp identity run` is loaded with this module, and must not wait for what a project needs.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cdp.terminal import JsonOption, ProjectOption, counted, say, show, show_json
from warehouse.errors import InputError, WarehouseError

if TYPE_CHECKING:
    from datetime import date

    from profiles.preview import Preview, Regrouped
    from warehouse.database import Warehouse
    from warehouse.project import Project


def diff(
    project: ProjectOption = None,
    config: Annotated[
        Path | None,
        typer.Option("--config", help="Another identity.yml; default: the project's own, with decisions not yet run."),
    ] = None,
    model: Annotated[
        int | None, typer.Option("--model", help="Another model version; default: the one that is pinned.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Show at most so many merges and splits.")] = 20,
    json: JsonOption = False,
) -> None:
    """What would merge, split and change segments under another identity.yml or model. Changes nothing."""
    from cdp.settings import find_project
    from cdp.warehouses import writing

    where = find_project(project)
    if config is not None and not config.is_file():
        raise InputError(f"There is no file {config.name}.", "Check the name given with --config.")
    with writing(where) as warehouse:
        found = _previewed(where, warehouse, config, model)
    if json:
        show_json(asdict(found))
    else:
        _tell(found, limit, _next(config, model))


def _next(config: Path | None, model: int | None) -> str:
    """How what was previewed is done."""
    acts = ["put it into config/identity.yml"] if config is not None else []
    acts += [f"cdp identity models pin {model}"] if model is not None else []
    return ", then ".join([*acts, "cdp run"])


def _previewed(where: Project, warehouse: Warehouse, config: Path | None, model: int | None) -> Preview:
    from datetime import UTC, datetime

    from identity.declaration import load_identity
    from identity.models import trying_step
    from identity.pipeline import matching_steps, record_steps
    from profiles.pipeline import profile_steps
    from profiles.preview import preview
    from warehouse.business import load_business
    from warehouse.step import Run

    rules = load_identity(where, at=config)
    tried = (trying_step(model),) if model is not None else ()
    steps = (*tried, *record_steps(rules), *matching_steps(rules), *profile_steps(where))
    now = datetime.now(UTC).replace(tzinfo=None)
    return preview(warehouse, steps, Run("preview", last_day(warehouse), now, load_business(where)))


def last_day(warehouse: Warehouse) -> date:
    """The day as of which the last run was made.

    Raises:
        WarehouseError: no run has come to its end.
    """
    from warehouse.database import MissingTableError

    try:
        found = (
            warehouse.cursor()
            .execute("select as_of from ops.runs where status = 'published' order by started_at desc limit 1")
            .fetchone()
        )
    except MissingTableError:
        found = None
    if found is None:
        raise WarehouseError("There is nothing to compare with: no run has come to its end.", "Run `cdp run` first.")
    day: date = found[0]
    return day


def _tell(found: Preview, limit: int, then: str) -> None:
    before, after = found.customers_before, found.customers_after
    say(
        f"As of {found.as_of}: {before:,} customers and visitors would be {after:,}; "
        f"{counted(found.records_moved, 'record')} would move."
    )
    if not (found.merged or found.split or found.records_moved):
        say("Nothing would change.")
        return
    for title, groups in (("Would become one", found.merged), ("Would be split", found.split)):
        if groups:
            say(f"\n{title}: {len(groups):,}" + (f", the {limit} that bought most" if len(groups) > limit else ""))
            rows = [_row(group) for group in groups[:limit]]
            show(rows, ["customer", "with", "records", "base_amount"], as_json=False)
    if found.segments:
        say("\nSegments")
        show([asdict(shift) for shift in found.segments], list(asdict(found.segments[0])), as_json=False)
    say(f"\nnext: {then}")


def _row(group: Regrouped) -> dict[str, Any]:
    others = [part for part in group.parts if part != group.customer_id]
    return {
        "customer": group.customer_id,
        "with": ", ".join(others[:3]) + (f" and {len(others) - 3} more" if len(others) > 3 else ""),
        "records": group.records,
        "base_amount": group.base_amount,
    }
