"""``cdp demo``: an invented business whose truth is known, and one run through all of it."""

from __future__ import annotations

import os
import shutil
import sys
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from cdp.progress import progress_bar
from cdp.settings import find_project
from cdp.terminal import AnyProjectOption, JsonOption, ProjectOption, say, show, show_json
from cdp.warehouses import reading
from warehouse.errors import InputError
from warehouse.project import Project

if TYPE_CHECKING:
    from assets.declared import Declared

app = typer.Typer(help="The sample business.", no_args_is_help=True)

MONTH_ENDS = 3
MONTHS_APART = 3
_TELLING = """
    select members.customer_id
    from (
        select links.customer_id, count(*) as records, count(distinct records.feed) as feeds
        from identity.customer_links as links
        inner join identity.records as records on links.record_id = records.record_id
        where links.valid_to is null
        group by links.customer_id
    ) as members
    inner join profiles.customers as customers on members.customer_id = customers.customer_id
    left join (select distinct customer_id from identity.customer_changes where change = 'merged') as merged
        on members.customer_id = merged.customer_id
    order by
        members.records between 3 and 8 and members.feeds > 1 desc, merged.customer_id is null,
        customers.order_count desc, members.records, members.customer_id
    limit 1
"""
"""A customer who shows what identity does on one screen: a few records of several feeds, brought together later."""


@app.command("generate")
def generate(
    out: Annotated[Path, typer.Option("--out", help="Project folder to fill: landing/ and truth/.")],
    customers: Annotated[int, typer.Option("--customers", min=1, help="Persons who can be known.")] = 5000,
    days: Annotated[int, typer.Option("--days", min=1, help="Length of the period.")] = 400,
    seed: Annotated[int, typer.Option("--seed", help="The same seed gives the same bytes.")] = 7,
    difficulty: Annotated[str, typer.Option("--difficulty", help="easy, normal or hard.")] = "normal",
    _project: AnyProjectOption = None,
    json: JsonOption = False,
) -> None:
    """Write the sample business's feeds as vendors' files, and their truth."""
    from cdp.demo.difficulty import LEVELS
    from cdp.demo.generate import generate as write

    level = next((name for name in LEVELS if name == difficulty), None)
    if level is None:
        raise typer.BadParameter(f"{difficulty!r} is not easy, normal or hard", param_hint="--difficulty")
    if next((place.is_file() for place in (out, *out.parents) if place.exists()), False):
        raise InputError(f"{out} is not a folder.", "Name the folder of a project with --out.")
    started = time.monotonic()
    with progress_bar("generate") as progress:
        summary = write(customers, days, seed, out, level, progress)
    rows = [
        {"feed": name, "files": made.files, "rows": made.rows, "bad": sum(made.damaged.values())}
        for name, made in summary.feeds.items()
    ]
    if json:
        show_json({"persons": summary.persons, "feeds": rows})
        return
    show(rows, ["feed", "files", "rows", "bad"], as_json=False)
    say(f"{summary.persons:,} persons in {time.monotonic() - started:.0f} s; their truth is in {out / 'truth'}")
    if not (out / "config" / "business.yml").is_file():
        say(f"next: cdp init {out} --sample")
    else:
        say("next: cdp demo run" if out == Path() else f"next: cdp demo run --project {out}")


@app.command("run")
def run(
    project: ProjectOption = None,
    month_ends: Annotated[int, typer.Option("--month-ends", min=1, help="How many month ends to run.")] = MONTH_ENDS,
    apart: Annotated[int, typer.Option("--apart", min=1, help="Months between them.")] = MONTHS_APART,
) -> None:
    """Run the project as of its last month ends, one after the other, and say where to look."""
    from assets.declared import read_project
    from cdp.commands.status import read_status, show_status
    from cdp.run import run_project

    where = find_project(project)
    declared = read_project(where)
    first, newest = _batch_days(where, declared)
    for day in last_month_ends(first, newest, month_ends, apart):
        started = time.monotonic()
        with progress_bar(f"as of {day}") as progress:
            summary = run_project(where, as_of=day, last=day, progress=progress, declared=declared)
        loaded = sum(counts["rows_read"] for counts in summary["feeds"].values())
        say(
            f"as of {day}: {loaded:,} rows read, {summary['records']:,} records → {summary['customers']:,} customers, "
            f"{summary['checks']['passed']} checks passed, {time.monotonic() - started:.0f} s"
        )
    say()
    show_status(read_status(where))
    say()
    for line in _where_to_look(where):
        say(line)


def last_month_ends(first: date, newest: date, count: int, apart: int = 1) -> list[date]:
    """The newest day and ``count - 1`` ends of months before it, ``apart`` months from each other; oldest first.

    Those before the ``first`` day are left out: there is nothing to run then.
    """
    days = [newest]
    while len(days) < count:
        day = days[-1]
        for _ in range(apart):
            day = day.replace(day=1) - timedelta(days=1)
        days.append(day)
    return [day for day in days[::-1] if day >= first]


def _batch_days(where: Project, declared: Declared) -> tuple[date, date]:
    """The first and the newest day of which a file is there."""
    from sources.landing import discover

    days = [file.batch_on for feed in declared.feeds.values() for file in discover(where, feed)]
    if not days:
        raise InputError(
            "landing/ holds no file of a declared feed.",
            "`cdp init DIR --sample` makes the sample's project, and `cdp demo generate --out DIR` fills it.",
        )
    return min(days), max(days)


def _where_to_look(where: Project) -> list[str]:
    with reading(where) as cursor:
        found = cursor.execute(_TELLING).fetchone()
    customer = found[0] if found else "ID"
    program = "cdp" if shutil.which("cdp") else os.path.relpath(sys.argv[0])
    place = "" if where.root == Path.cwd() else f" --project {os.path.relpath(where.root)}"
    told = (
        (f"customer show {customer}", "one customer; also by e-mail, phone or order"),
        (f"customer explain {customer}", "why these records are one person"),
        ("quarantine list", "rows that broke their contract"),
        ('tables query "from profiles.lifecycle_flows order by month"', "any question to the published tables"),
    )
    opens = "make ui" if (where.root / "Makefile").is_file() and not place else f"{program} ui{place}"
    return [
        "Where to look next",
        f"  {opens}\n      the Dagster UI: lineage, checks, runs",
        *(f"  {program} {words}{place}\n      {meaning}" for words, meaning in told),
        f"  {os.path.relpath(where.published)}/quality/index.html\n      what was checked, over time",
    ]
