"""What people decide about who is who: merge, split, forbid and allow, and taking such a decision back.

A decision is written into the ledger and changes nothing else; the next run makes the customers that follow from it.
Nothing is written that contradicts what stands. Parties are named as people name them: a customer id, or any e-mail,
phone, order, account or record. A former id of a customer names the records that it had.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from identity.decisions import ensure_decisions, standing_constraints
from identity.resolve import bearers, customer_named, resolve
from quality.resolution import Attempt
from warehouse.database import Connection
from warehouse.errors import IdentityConflictError, InputError, UsageError

_RECORDS_OF = "select record_id from identity.customer_links where customer_id = $customer order by 1"
_WERE_OF = """
    select distinct links.record_id
    from identity.customer_links as links
    inner join identity.records as records on links.record_id = records.record_id
    inner join identity.customer_link_history as history
        on records.record_id = history.record_id or records.source_key = history.source_key
    where links.customer_id = $customer and history.customer_id = $former
    order by 1
"""
_INSERT = """
    insert into identity.decisions
        (decision_id, decided_at, run_id, decided_by, actor, action, record_id_l, record_id_r, customer_id, reason,
        retracts)
    values ($decision_id, $at, $run_id, 'person', $by, $action, $left, $right, $customer, $why, $retracts)
"""
_INSERT_RECORDS = """
    insert into identity.decision_records
    select $decision_id, $side, record_id, source_key
    from identity.records
    where list_contains($records, record_id)
    order by record_id
"""
_BEGINNING_SO = """
    select decision_id, action, decision_id in (select retracts from identity.decisions where retracts is not null)
    from identity.decisions
    where decided_by = 'person' and starts_with(decision_id, $id)
    order by 1
"""
_OPPOSED = {"merge": ("forbid", False), "forbid": ("merge", True)}
"""Which standing decision between the same records refuses a new one: its action, and whether it ties together."""


@dataclass(frozen=True)
class Party:
    """A side of a decision: records of one customer, all of them or some."""

    customer_id: str
    records: tuple[str, ...]


@dataclass(frozen=True)
class Written:
    """A decision as it was written."""

    decision_id: str
    action: str
    left: Party
    right: Party
    is_new: bool = True
    """False: it was decided before and stands; nothing was written."""


def two_parties(connection: Connection, left: str, right: str, country: str) -> tuple[Party, Party]:
    """The two that are named: each a whole customer; where both are one customer, the records that bear what is named.

    Raises:
        InputError: one names nobody, or several customers.
        UsageError: both name the same records.
    """
    one, other = _party(connection, left, country), _party(connection, right, country)
    if one.customer_id == other.customer_id:
        one, other = _told_apart(*(_bearing(connection, who, one.customer_id, country) for who in (left, right)))
        if not one.records or not other.records or set(one.records) & set(other.records):
            raise UsageError(
                f"Both are customer {one.customer_id} already, and not by records of their own.",
                f"Name records of it: `cdp customer explain {one.customer_id}` lists them.",
            )
    return one, other


def part_and_rest(connection: Connection, who: str, parts: Sequence[str], country: str) -> tuple[Party, Party]:
    """Records of a customer that are named by themselves or by what they bear, and all that stays: its other records,
    and what people decided to be one with it since the last run.

    Raises:
        InputError: the customer or one of the parts names nobody.
        UsageError: nothing of the customer would be left.
    """
    customer = resolve(connection, who, default_country=country)
    chosen = {record for part in parts for record in _bearing(connection, part, customer, country).records}
    own = _records_of(connection, customer)
    rest = tuple(record for record in _tied(connection, own) if record not in chosen)
    if not set(own) - chosen:
        raise UsageError(
            f"These are all {len(chosen)} records of customer {customer}: nothing would be left to split from.",
            f"Name some of them: `cdp customer explain {customer}` lists them.",
        )
    return Party(customer, tuple(sorted(chosen))), Party(customer, rest)


def decide(
    connection: Connection, action: str, left: Party, right: Party, attempt: Attempt, decision_id: str | None = None
) -> Written:
    """Write a decision about two parties; one that stands already is not written again, unless it brings its own id.

    Raises:
        IdentityConflictError: it contradicts what was decided before and stands; nothing is written if the caller
            rolls back.
    """
    ensure_decisions(connection)
    _refuse_opposed(connection, action, left.records, right.records)
    standing = _stands_already(connection, action, left.records, right.records) if decision_id is None else None
    if standing is not None:
        return Written(standing, action, left, right, is_new=False)
    written = Written(decision_id or _new_id(attempt, action, left.records, right.records), action, left, right)
    values = _values(written.decision_id, attempt, action) | {
        "left": left.records[0],
        "right": right.records[0],
        "customer": left.customer_id,
    }
    connection.execute(_INSERT, values)
    for side, party in (("left", left), ("right", right)):
        given = {"decision_id": written.decision_id, "side": side, "records": list(party.records)}
        connection.execute(_INSERT_RECORDS, given)
    standing_constraints(connection, written.decision_id)
    return written


def take_back(connection: Connection, decision_id: str, attempt: Attempt) -> str:
    """Retract a decision, named by its id or the beginning of it; the whole id.

    Raises:
        UsageError: there is no such decision of a person, or several, or it was taken back before.
        IdentityConflictError: what then stands again contradicts other decisions.
    """
    ensure_decisions(connection)
    found = connection.execute(_BEGINNING_SO, {"id": decision_id.strip()}).fetchall()
    if len(found) != 1 or not decision_id.strip():
        raise UsageError(
            "No person's decision has this id." if not found else f"{len(found)} decisions begin so.",
            "`cdp customer decisions` lists them.",
        )
    whole, action, is_gone = found[0]
    if is_gone or action == "retract":
        raise UsageError(
            f"Decision {whole} was taken back before." if is_gone else f"{whole} itself takes a decision back.",
            "Decide anew to have it stand again.",
        )
    values = _values(_new_id(attempt, "retract", (whole,), ()), attempt, "retract")
    connection.execute(_INSERT, values | {"left": None, "right": None, "customer": None, "retracts": whole})
    standing_constraints(connection)
    return str(whole)


def party_of(connection: Connection, customer: str, record: str | None = None) -> Party:
    """A customer as a whole, or one record of it."""
    return Party(customer, (record,) if record is not None else _records_of(connection, customer))


def _told_apart(one: Party, other: Party) -> tuple[Party, Party]:
    """Two sides of one customer; where one is a part of the other, that part and the rest."""
    left, right = set(one.records), set(other.records)
    if right < left:
        left -= right
    elif left < right:
        right -= left
    return Party(one.customer_id, tuple(sorted(left))), Party(other.customer_id, tuple(sorted(right)))


def _party(connection: Connection, who: str, country: str) -> Party:
    """A record is meant by itself; everything else means its whole customer."""
    customer = customer_named(connection, who.strip())
    if customer is None:
        named = bearers(connection, who, default_country=country)
        if len(named) == 1 and named[0][1].startswith(who.strip()):
            return Party(named[0][0], (named[0][1],))
        customer = resolve(connection, who, default_country=country)
    return Party(customer, _records_of(connection, customer))


def _bearing(connection: Connection, who: str, customer: str, country: str) -> Party:
    """The records of a customer that are named, that bear what is named, or that were of the former id that is."""
    who = who.strip()
    if who == customer:
        return Party(customer, _records_of(connection, customer))
    if customer_named(connection, who) == customer:
        named = connection.execute(_WERE_OF, {"customer": customer, "former": who}).fetchall()
        found = tuple(str(row[0]) for row in named)
    else:
        borne = bearers(connection, who, default_country=country)
        found = tuple(sorted(record for owner, record in borne if owner == customer))
    if not found:
        raise InputError(
            f"No record of customer {customer} is, or bears, what is named.",
            f"`cdp customer explain {customer}` lists its records and what they bear.",
        )
    return Party(customer, found)


def _records_of(connection: Connection, customer: str) -> tuple[str, ...]:
    return tuple(str(row[0]) for row in connection.execute(_RECORDS_OF, {"customer": customer}).fetchall())


def _tied(connection: Connection, records: Sequence[str]) -> tuple[str, ...]:
    """The records and all that standing decisions make one with them, over any number of steps."""
    neighbours: dict[str, list[str]] = {}
    for item in standing_constraints(connection):
        if item.is_together:
            neighbours.setdefault(item.record_id_l, []).append(item.record_id_r)
            neighbours.setdefault(item.record_id_r, []).append(item.record_id_l)
    found, waiting = set(records), list(records)
    while waiting:
        for other in neighbours.get(waiting.pop(), ()):
            if other not in found:
                found.add(other)
                waiting.append(other)
    return tuple(sorted(found))


def _refuse_opposed(connection: Connection, action: str, left: Collection[str], right: Collection[str]) -> None:
    opposed = _OPPOSED.get(action)
    if opposed is None:
        return
    one, other = set(left), set(right)
    for item in standing_constraints(connection):
        ends = (item.record_id_l, item.record_id_r)
        crosses = (ends[0] in one and ends[1] in other) or (ends[1] in one and ends[0] in other)
        if crosses and (item.action, item.is_together) == opposed:
            lifts = "`cdp customer allow` them first" if action == "merge" else "`cdp customer split` them"
            raise IdentityConflictError(
                f"Decision {item.decision_id} ({item.action}) says the opposite of these records, and stands.",
                f"{lifts}, or take it back: cdp customer undo {item.decision_id}",
            )


def _stands_already(connection: Connection, action: str, left: Collection[str], right: Collection[str]) -> str | None:
    """The one decision that says the same of every record of one side and every record of the other, and stands."""
    said = {
        frozenset((item.record_id_l, item.record_id_r)): item.decision_id
        for item in standing_constraints(connection)
        if item.action == action
    }
    found = {said.get(frozenset((one, other))) for one in left for other in right}
    return found.pop() if len(found) == 1 else None


def _values(decision_id: str, attempt: Attempt, action: str) -> dict[str, object]:
    return {
        "decision_id": decision_id,
        "at": attempt.at,
        "run_id": attempt.run_id,
        "by": attempt.by,
        "action": action,
        "why": attempt.why,
        "retracts": None,
    }


def _new_id(attempt: Attempt, action: str, left: Collection[str], right: Collection[str]) -> str:
    """``d`` and 12 hexadecimal digits."""
    said = "|".join((attempt.run_id, attempt.at.isoformat(), action, *sorted(left), "", *sorted(right)))
    return "d" + hashlib.md5(said.encode(), usedforsecurity=False).hexdigest()[:12]
