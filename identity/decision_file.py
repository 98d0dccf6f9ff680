"""Decisions of people as a list and as a CSV file: to look at, to keep, and to bring in from elsewhere.

Columns of the file: ``action`` (merge, split, forbid or allow), ``left`` and ``right`` (each a customer id, e-mail,
phone, order, account or record; several, separated by spaces, are records or what records bear), ``reason``, and
optionally ``decided_by`` and ``decision_id``. Of a split, ``left`` is the customer (or the records that stay) and
``right`` what leaves it. Each line is one decision; one that was brought in before is not brought in again, even when
it was taken back since. Either all lines are written, or none.
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from importlib.resources import files
from pathlib import Path

from identity.decisions import ensure_decisions, standing_constraints
from identity.resolve import bearers
from identity.stewardship import Party, decide, part_and_rest, two_parties
from quality.resolution import Attempt
from warehouse.database import Connection
from warehouse.declaration import suggestion
from warehouse.errors import CdpError, IdentityConflictError, InputError, Problem
from warehouse.whole_file import write_whole

ACTIONS = ("merge", "split", "forbid", "allow")
NEEDED = ("action", "left", "right", "reason")
COLUMNS = (*NEEDED, "decided_by", "decision_id")

_STANDING_SIDES = """
    select decision_id, side, string_agg(record_id, ' ' order by record_id)
    from identity.decision_records
    group by decision_id, side
"""


@dataclass(frozen=True)
class PersonDecision:
    """A decision of a person: what it is about now, and whether it stands."""

    decision_id: str
    decided_at: datetime
    actor: str
    action: str
    records_l: int
    records_r: int
    customers_l: list[str]
    customers_r: list[str]
    reason: str
    state: str
    """stands, waits for the next run, overruled (by later ones), or taken back."""


@dataclass(frozen=True)
class _Line:
    number: int
    action: str
    left: str
    right: str
    reason: str
    decided_by: str
    decision_id: str


def person_decisions(connection: Connection, applied_until: datetime | None) -> tuple[PersonDecision, ...]:
    """What people decided, newest first. ``applied_until``: when the newest run began that came to its end."""
    standing = sorted({item.decision_id for item in standing_constraints(connection)})
    statement = (files("identity") / "ledger_sql" / "person_decisions.sql").read_text(encoding="utf-8")
    rows = connection.execute(statement, {"standing": standing, "applied_until": applied_until}).fetchall()
    return tuple(PersonDecision(*row) for row in rows)


def export_decisions(connection: Connection, file: Path) -> int:
    """Write the decisions that were not taken back, oldest first, by record ids; how many."""
    sides = {(row[0], row[1]): row[2] for row in connection.execute(_STANDING_SIDES).fetchall()}
    kept = [item for item in reversed(person_decisions(connection, None)) if item.state != "taken back"]
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for item in kept:
        left, right = (sides.get((item.decision_id, side), "") for side in ("left", "right"))
        writer.writerow((item.action, left, right, item.reason, item.actor, item.decision_id))
    write_whole(file, text.getvalue().encode())
    return len(kept)


def import_decisions(connection: Connection, file: Path, attempt: Attempt, country: str) -> tuple[int, int]:
    """Write the decisions of a file, line by line; how many were new, and how many known before.

    A line may be about what the lines before it say. The caller rolls back when something is wrong.

    Raises:
        InputError: the file cannot be read, or lines are wrong: all problems at once.
        IdentityConflictError: a line contradicts what stands, or a line before it.
    """
    ensure_decisions(connection)
    lines = _read(file)
    known = {str(row[0]) for row in connection.execute("select decision_id from identity.decisions").fetchall()}
    new = [line for line in lines if _id_of(line) not in known]
    problems: list[Problem] = []
    for place, line in enumerate(new):
        try:
            left, right = _parties(connection, line, country)
        except CdpError as error:
            problems.append(Problem(file.name, line.number, error.reason, error.fix))
        if not problems:
            at = attempt.at + timedelta(microseconds=place)
            own = replace(attempt, at=at, by=line.decided_by or attempt.by, why=line.reason)
            _decide(connection, file.name, line, left, right, own)
    _raise(problems)
    return len(new), len(lines) - len(new)


def _decide(connection: Connection, file: str, line: _Line, left: Party, right: Party, attempt: Attempt) -> None:
    try:
        decide(connection, line.action, left, right, attempt, _id_of(line))
    except IdentityConflictError as error:
        raise IdentityConflictError(f"{file}:{line.number}: {error.reason}", error.fix) from error


def _read(file: Path) -> list[_Line]:
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{file.name} cannot be read as UTF-8 text.", "Save it as a UTF-8 CSV file.") from error
    reader = csv.reader(io.StringIO(text), strict=True)
    problems: list[Problem] = []
    lines: dict[str, _Line] = {}
    try:
        header = [name.strip() for name in next(reader, [])]
        problems += _wrong_header(file.name, header)
        _raise(problems)
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            line = _line(dict(zip(header, (cell.strip() for cell in cells), strict=False)), reader.line_num)
            problems += _wrong_line(file.name, line, len(cells), len(header))
            lines.setdefault(_id_of(line), line)
    except csv.Error as error:
        problems.append(Problem(file.name, reader.line_num, f"Not CSV: {error}.", "Close every quote."))
    _raise(problems)
    return list(lines.values())


def _line(cells: dict[str, str], number: int) -> _Line:
    return _Line(number, *(cells.get(name, "") for name in COLUMNS))


def _wrong_header(file: str, header: Sequence[str]) -> list[Problem]:
    missing = [name for name in NEEDED if name not in header]
    found = [Problem(file, 1, f"There is no column `{name}`.", f"Columns: {', '.join(COLUMNS)}.") for name in missing]
    return found + [
        Problem(file, 1, f"`{name}` is no column of decisions.", suggestion(name, list(COLUMNS)))
        for name in header
        if name not in COLUMNS
    ]


def _wrong_line(file: str, line: _Line, cells: int, columns: int) -> list[Problem]:
    if cells != columns:
        return [Problem(file, line.number, f"{cells} cells under {columns} columns.", "Quote cells with commas.")]
    found = []
    if line.action not in ACTIONS:
        fix = suggestion(line.action, list(ACTIONS))
        found.append(Problem(file, line.number, f"`action` is not one of {', '.join(ACTIONS)}.", fix))
    for name in ("left", "right", "reason"):
        if not getattr(line, name):
            what = "Say why, so that others understand it later." if name == "reason" else "Say who is meant."
            found.append(Problem(file, line.number, f"`{name}` is empty.", what))
    return found


def _parties(connection: Connection, line: _Line, country: str) -> tuple[Party, Party]:
    left, right = line.left.split(), line.right.split()
    if len(left) > 1 or (len(right) > 1 and line.action != "split"):
        return _listed(connection, left, country), _listed(connection, right, country)
    if line.action == "split":
        leaving, staying = part_and_rest(connection, line.left, right, country)
        return staying, leaving
    return two_parties(connection, line.left, line.right, country)


def _listed(connection: Connection, named: Sequence[str], country: str) -> Party:
    """The records that several names stand for."""
    found: dict[str, str] = {}
    for who in named:
        borne = bearers(connection, who, default_country=country)
        if not borne:
            raise InputError("One of several that are named is no record and borne by none.", "Name records.")
        found |= {record: customer for customer, record in borne}
    return Party(next(iter(found.values())), tuple(sorted(found)))


def _id_of(line: _Line) -> str:
    """The id that the file gives, else one made from what the line says: the same line is the same decision."""
    if line.decision_id:
        return line.decision_id
    said = "\x1f".join((line.action, line.left, line.right, line.reason, line.decided_by))
    return "d" + hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()[:12]


def _raise(problems: Sequence[Problem]) -> None:
    if problems:
        count = f"{len(problems)} problem{'s' if len(problems) != 1 else ''}"
        told = "\n".join(str(problem) for problem in sorted(set(problems)))
        raise InputError(f"{count} in the decisions:\n{told}", "Mend the lines named above; nothing was written.")
