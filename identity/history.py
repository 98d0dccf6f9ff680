"""Who was this on that day: what we held about who is who, at any moment since we began to hold it.

``identity.customer_link_history`` knows the customer of every record at every moment. Which record bore an e-mail or
a phone is remembered in ``identity.known_identifiers`` (identifier_kind, value_hash, record_id, known_since), also when
the record is gone; a hash is enough to ask with, so no value is kept longer than its source keeps it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from identity.kept import Keeper
from identity.resolve import IDENTIFIER_KINDS, bearers, customer_named, spellings
from identity.specs import spec
from warehouse.database import Connection
from warehouse.errors import InputError
from warehouse.step import Run, Step

_CREATE = """
    create table if not exists identity.known_identifiers (
        identifier_kind varchar not null, value_hash varchar not null, record_id varchar not null,
        known_since timestamp not null
    )
"""
_REMEMBER = """
    insert into identity.known_identifiers
    select distinct
        found.identifier_kind,
        md5(found.identifier_kind || ':' || found.value) as value_hash,
        found.record_id,
        $now as known_since
    from {identifiers} as found
    left join identity.known_identifiers as known
        on
            found.record_id = known.record_id
            and found.identifier_kind = known.identifier_kind
            and md5(found.identifier_kind || ':' || found.value) = known.value_hash
    where list_contains($kinds, found.identifier_kind) and known.record_id is null
    order by 1, 2, 3
"""
_PART = """
    create or replace temp table _part as
    select identifiers.*
    from identity.identifiers as identifiers
    semi join (select distinct key from _heard) as heard on identifiers.record_id = heard.key
"""
_KEEPER = Keeper("identity.known_identifiers", ("identified",))
_BORE = """
    select distinct known.record_id
    from identity.known_identifiers as known
    inner join (select unnest($kinds) as kind) as kinds on known.identifier_kind = kinds.kind
    inner join (select unnest($values) as value) as given on true
    where known.value_hash = md5(kinds.kind || ':' || given.value)
    order by 1
"""
_HELD = """
    select
        history.record_id,
        history.customer_id,
        history.valid_from,
        history.valid_to,
        coalesce(aliases.customer_id, history.customer_id) as stands_for
    from identity.customer_link_history as history
    left join identity.customer_aliases as aliases on history.customer_id = aliases.former_id
    where
        (list_contains($records, history.record_id) or list_contains($customers, history.customer_id))
        and ($at is null or (history.valid_from <= $at and (history.valid_to is null or history.valid_to > $at)))
    order by history.valid_from, history.record_id
"""
_FORMER = "select former_id from identity.customer_aliases where customer_id = $customer"
_CHANGES = """
    select changed_at, customer_id, change, other_customer_id, records
    from identity.customer_changes
    where list_contains($customers, customer_id) or list_contains($customers, other_customer_id)
    order by changed_at, customer_id, change, other_customer_id
"""


@dataclass(frozen=True)
class Held:
    """A record belonged to a customer, from when to when we held it so; the customer that this one stands for now."""

    record_id: str
    customer_id: str
    valid_from: datetime
    valid_to: datetime | None
    stands_for: str


@dataclass(frozen=True)
class Change:
    """What a run changed about a customer."""

    changed_at: datetime
    customer_id: str
    change: str
    other_customer_id: str | None
    records: int


@dataclass(frozen=True)
class History:
    """Links and changes of whoever was named."""

    links: tuple[Held, ...]
    changes: tuple[Change, ...]


def known_identifiers_step() -> Step:
    """Remember which record bore which identifier."""
    table = spec(
        "known_identifiers",
        "Which record bore which identifier, as a hash of its value, kept also when the record is gone. Only added to.",
        ("identifier_kind", "value_hash", "record_id"),
    )
    return Step(table.full_name, (table,), frozenset({"identity.identifiers"}), _execute, keeps_grain=True)


def history(connection: Connection, who: str, *, at: datetime | None = None, default_country: str = "") -> History:
    """What we held about a customer id (a former or retired one too), record or identifier; ``at`` a moment, or ever.

    Raises:
        InputError: nothing was ever known of it.
    """
    who = who.strip()
    current = customer_named(connection, who) or who
    former = connection.execute(_FORMER, {"customer": current}).fetchall()
    customers = {who, current, *(str(row[0]) for row in former)}
    records = {record for _, record in bearers(connection, who, default_country=default_country)}
    values = {"kinds": list(IDENTIFIER_KINDS), "values": spellings(who, default_country)}
    records |= {str(row[0]) for row in connection.execute(_BORE, values).fetchall()} | {who}
    asked = {"records": sorted(records), "customers": sorted(customers), "at": at}
    links = tuple(Held(*row) for row in connection.execute(_HELD, asked).fetchall())
    if not links:
        when = "" if at is None else " at that time"
        raise InputError(f"Nothing was known of this{when}.", "Check the spelling; phones best with country code.")
    customers |= {held.customer_id for held in links}
    changes = connection.execute(_CHANGES, {"customers": sorted(customers)}).fetchall()
    return History(links, tuple(Change(*row) for row in changes))


def _execute(connection: Connection, run: Run) -> None:
    connection.execute(_CREATE)
    stands = _KEEPER.stands(connection, run)
    if stands:
        connection.execute(_PART)
    remember = _REMEMBER.format(identifiers="_part" if stands else "identity.identifiers")
    connection.execute(remember, {"now": run.now, "kinds": list(IDENTIFIER_KINDS)})
    _KEEPER.done(connection)
