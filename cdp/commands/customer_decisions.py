"""``cdp customer merge · split · forbid · allow · undo · decisions · import``: what people decide about who is who."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from cdp.actor import ByOption, attempt_of
from cdp.settings import find_project
from cdp.terminal import JsonOption, ProjectOption, counted, on_clock, say, show, show_json
from cdp.warehouses import writing
from identity.decision_file import export_decisions, import_decisions, person_decisions
from identity.decisions import ensure_decisions
from identity.resolve import resolve
from identity.stewardship import Party, Written, decide, part_and_rest, take_back, two_parties
from quality.resolution import Attempt
from warehouse.business import load_business
from warehouse.database import Connection, MissingTableError
from warehouse.errors import WarehouseError
from warehouse.project import Project

_WHO = "Customer id, or any e-mail, phone, order, account or record."
LeftArgument = Annotated[str, typer.Argument(metavar="A", help=_WHO)]
RightArgument = Annotated[str, typer.Argument(metavar="B", help=_WHO)]
ReasonOption = Annotated[str, typer.Option("--reason", help="Why, for the ledger of decisions.")]
RunOption = Annotated[
    bool, typer.Option("--run/--no-run", help="Run at once, so that every table shows it; else the next run does.")
]

_SAID = {
    "merge": "{left} and {right}: one person",
    "forbid": "{left} and {right}: two people who never become one customer",
    "allow": "nothing that was decided keeps {left} and {right} apart; the evidence decides",
    "split": "{right}: another person than {left}",
}
_Parties = Callable[[Connection, str], tuple[Party, Party]]


def merge(
    left: LeftArgument,
    right: RightArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    project: ProjectOption = None,
    runs: RunOption = False,
    json: JsonOption = False,
) -> None:
    """Two customers are one person."""
    where, attempt = find_project(project), attempt_of(by, reason)
    _tell(where, _write(where, "merge", attempt, _named(left, right)), runs, json)


def split(
    who: Annotated[str, typer.Argument(metavar="CUSTOMER", help=_WHO)],
    parts: Annotated[
        list[str],
        typer.Argument(
            metavar="PART...", help="Records, what records bear (e-mail, phone, order, account), or a former id."
        ),
    ],
    reason: ReasonOption = "",
    by: ByOption = None,
    project: ProjectOption = None,
    runs: RunOption = False,
    json: JsonOption = False,
) -> None:
    """Records of a customer are another person than its other records."""
    where, attempt = find_project(project), attempt_of(by, reason)

    def parties(connection: Connection, country: str) -> tuple[Party, Party]:
        leaving, staying = part_and_rest(connection, who, parts, country)
        return staying, leaving

    _tell(where, _write(where, "split", attempt, parties), runs, json)


def forbid(
    left: LeftArgument,
    right: RightArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    project: ProjectOption = None,
    runs: RunOption = False,
    json: JsonOption = False,
) -> None:
    """Two customers, or records of one, are two people and must never become one."""
    where, attempt = find_project(project), attempt_of(by, reason)
    _tell(where, _write(where, "forbid", attempt, _named(left, right)), runs, json)


def allow(
    left: LeftArgument,
    right: RightArgument,
    reason: ReasonOption = "",
    by: ByOption = None,
    project: ProjectOption = None,
    runs: RunOption = False,
    json: JsonOption = False,
) -> None:
    """Nothing that was split or forbidden stands between two customers any more; the evidence decides."""
    where, attempt = find_project(project), attempt_of(by, reason)
    _tell(where, _write(where, "allow", attempt, _named(left, right)), runs, json)


def undo(
    decision: Annotated[str, typer.Argument(metavar="DECISION", help="Its id, or the beginning of it.")],
    reason: ReasonOption = "",
    by: ByOption = None,
    project: ProjectOption = None,
    runs: RunOption = False,
    json: JsonOption = False,
) -> None:
    """Take a decision back, as if it had never been made; both stay in the ledger."""
    where, attempt = find_project(project), attempt_of(by, reason)
    with writing(where) as warehouse, warehouse.transaction() as connection:
        whole = take_back(connection, decision, attempt)
    if json:
        show_json({"retracted": whole})
    else:
        say(f"{whole} is taken back.")
    _then_run(where, runs, json)


def decisions(
    who: Annotated[str | None, typer.Argument(metavar="[WHO]", help=f"Only those about one customer. {_WHO}")] = None,
    project: ProjectOption = None,
    output: Annotated[
        Path | None, typer.Option("--output", help="Write those not taken back to a CSV file for `import`.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """What people decided, newest first, and what became of it."""
    where = find_project(project)
    business = load_business(where)
    country = business.default_country
    with writing(where) as warehouse, _of_a_run(), warehouse.transaction() as connection:
        ensure_decisions(connection)
        found = person_decisions(connection, _applied_until(connection))
        if who is not None:
            customer = resolve(connection, who, default_country=country)
            found = tuple(item for item in found if customer in (*item.customers_l, *item.customers_r))
        written = export_decisions(connection, output) if output is not None else 0
    if output is not None:
        say(f"wrote {counted(written, 'decision')} to {output}")
        return
    columns = ["decision_id", "decided_at", "actor", "action", "customers_l", "customers_r", "reason", "state"]
    rows = [asdict(item) for item in found]
    if json:
        show_json(rows)
        return
    zone = ZoneInfo(business.time_zone)
    if rows:
        say(f"times are those of {business.time_zone}")
    shown = [row | {"decided_at": on_clock(row["decided_at"], zone)} for row in rows]
    show(shown, columns, as_json=False, empty="Nobody has decided anything yet.")
    if rows:
        say("next: cdp customer undo DECISION")


def import_file(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: action, left, right, reason, decided_by.")],
    by: ByOption = None,
    project: ProjectOption = None,
    runs: RunOption = False,
    json: JsonOption = False,
) -> None:
    """Bring in decisions from a CSV file: all lines, or none; lines that were brought in before are passed over."""
    where = find_project(project)
    country = load_business(where).default_country
    with writing(where) as warehouse, _of_a_run(), warehouse.transaction() as connection:
        new, known = import_decisions(connection, file, attempt_of(by, ""), country)
    if json:
        show_json({"written": new, "known": known})
    else:
        say(f"wrote {counted(new, 'decision')}; {known:,} were known before.")
    _then_run(where, runs and new > 0, json)


def _named(left: str, right: str) -> _Parties:
    return lambda connection, country: two_parties(connection, left, right, country)


def _write(where: Project, action: str, attempt: Attempt, parties: _Parties) -> Written:
    country = load_business(where).default_country
    with writing(where) as warehouse, _of_a_run(), warehouse.transaction() as connection:
        return decide(connection, action, *parties(connection, country), attempt)


@contextmanager
def _of_a_run() -> Iterator[None]:
    """Before the first run there is nobody to decide about."""
    try:
        yield
    except MissingTableError as error:
        raise WarehouseError("There are no customers yet: no run has come so far.", "`cdp run` first.") from error


def _applied_until(connection: Connection) -> datetime | None:
    found = connection.execute("select max(started_at) from ops.runs where status = 'published'").fetchone()
    return found[0] if found else None


def _tell(where: Project, done: Written, runs: bool, json: bool) -> None:
    if json:
        show_json(asdict(done))
    else:
        sides = {
            name: f"{counted(len(party.records), 'record')} of {party.customer_id}"
            for name, party in (("left", done.left), ("right", done.right))
        }
        said = _SAID[done.action].format(**sides)
        say(f"{done.decision_id}: {said}." + ("" if done.is_new else " It stands already; nothing was written."))
        say(f"taken back by: cdp customer undo {done.decision_id}")
    if done.is_new or runs:
        _then_run(where, runs, json)


def _then_run(where: Project, runs: bool, json: bool) -> None:
    if not runs:
        if not json:
            say("It is written down and takes effect with the next run. next: cdp run")
        return
    from cdp.commands.run import show_summary
    from cdp.progress import progress_bar

    with progress_bar("run") as progress:
        from cdp.run import run_project

        summary = run_project(where, fetch=False, progress=progress)
    if not json:
        show_summary(summary)
