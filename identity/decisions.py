"""The ledger of decisions, ``identity.decisions``: append-only, by rules, by the model and by people.

What a person decided is about two sides, each a set of records (``identity.decision_records``), and holds between
every record of the one and every record of the other, for ever or until a later row retracts it:

- *merge*: both sides are one person.
- *split*: the two sides, which were one customer, are two people. *forbid*: they are two and must never become one.
- *allow*: nothing that was split or forbidden stands between them any more; the evidence decides.

The latest word about two records counts. A record that vanished, because its values changed, is stood for by the
records of the same source person.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files

from identity.specs import spec
from warehouse.database import Connection
from warehouse.errors import IdentityConflictError
from warehouse.step import TableSpec

APART = ("split", "forbid")

_CREATE = (
    """
    create table if not exists identity.decisions (
        decision_id varchar not null,
        decided_at timestamp not null,
        run_id varchar,
        decided_by varchar not null,
        actor varchar,
        action varchar not null,
        record_id_l varchar,
        record_id_r varchar,
        customer_id varchar,
        weight double,
        reason varchar,
        retracts varchar
    )
    """,
    """
    create table if not exists identity.decision_records (
        decision_id varchar not null,
        side varchar not null,
        record_id varchar not null,
        source_key varchar
    )
    """,
)


@dataclass(frozen=True)
class Constraint:
    """What stands between two records (left < right) by the word of a person, and by which decision."""

    record_id_l: str
    record_id_r: str
    is_together: bool
    decision_id: str
    action: str


def decisions_specs() -> tuple[TableSpec, ...]:
    """How readers know the ledger."""
    return (
        spec(
            "decisions",
            "The ledger: every link and every decision about who is who, by whom and when. Rows are only added.",
            ("decision_id",),
        ),
        spec(
            "decision_records",
            "The records that a person's decision is about, on two sides. Rows are only added.",
            ("decision_id", "record_id"),
        ),
    )


def ensure_decisions(connection: Connection) -> None:
    """Create the ledger where it does not exist yet."""
    for statement in _CREATE:
        connection.execute(statement)


def standing_constraints(connection: Connection, new: str | None = None) -> tuple[Constraint, ...]:
    """What people decided and nobody took back, by ids of records that exist. ``new``: a decision that is being made.

    Raises:
        IdentityConflictError: records that must be together by way of others must also be apart.
    """
    ensure_decisions(connection)
    statement = (files("identity") / "ledger_sql" / "standing.sql").read_text(encoding="utf-8")
    found = tuple(Constraint(*row) for row in connection.execute(statement).fetchall())
    _check_consistent(found, new)
    return found


def _check_consistent(found: tuple[Constraint, ...], new: str | None) -> None:
    neighbours: dict[str, list[tuple[str, str]]] = {}
    for item in found:
        if item.is_together:
            neighbours.setdefault(item.record_id_l, []).append((item.record_id_r, item.decision_id))
            neighbours.setdefault(item.record_id_r, []).append((item.record_id_l, item.decision_id))
    home = _homes(neighbours)
    for item in found:
        one, other = item.record_id_l, item.record_id_r
        if not item.is_together and one in home and home[one] == home.get(other):
            tying = ", ".join(sorted(_named(decision, new) for decision in _path(neighbours, one, other)))
            raise IdentityConflictError(
                f"Decisions contradict each other: {_named(item.decision_id, new)} ({item.action}) keeps "
                f"records apart that are made one customer by: {tying}.",
                "Take one back with `cdp customer undo`; `cdp customer decisions` tells what each is about.",
            )


def _named(decision: str, new: str | None) -> str:
    return "the new one" if decision == new else decision


def _homes(neighbours: dict[str, list[tuple[str, str]]]) -> dict[str, str]:
    """For each record that is tied to others, the first record it is tied to, over any number of steps."""
    home: dict[str, str] = {}
    for start in neighbours:
        if start in home:
            continue
        home[start] = start
        waiting = [start]
        while waiting:
            for record, _ in neighbours[waiting.pop()]:
                if record not in home:
                    home[record] = start
                    waiting.append(record)
    return home


def _path(neighbours: dict[str, list[tuple[str, str]]], start: str, end: str) -> list[str]:
    """The decisions on a shortest way from one record to another."""
    came: dict[str, tuple[str, str]] = {start: ("", "")}
    waiting = [start]
    for record in waiting:
        for other, decision in neighbours[record]:
            if other not in came:
                came[other] = (record, decision)
                waiting.append(other)
    found: list[str] = []
    while end != start:
        end, decision = came[end]
        found.append(decision)
    return sorted(set(found))
