"""Why are these records one customer? Resolves whatever a person names, and tells the evidence as a tree.

The result holds personal values. It is made only when somebody asks for one customer, and goes to nobody else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from identity.resolve import resolve
from identity.words import words_for
from warehouse.database import Connection, MissingTableError, Warehouse

_RECORDS = """
    select records.record_id, records.feed, records.kind, records.occurrences, records.first_seen_at,
        records.last_seen_at
    from identity.customer_links as links
    inner join identity.records as records on links.record_id = records.record_id
    where links.customer_id = $customer
    order by records.first_seen_at nulls last, records.record_id
"""
_IDENTIFIERS = """
    select identifiers.record_id, identifiers.identifier_kind, identifiers.value, identifiers.raw_value,
        identifiers.strength, identifiers.is_blocked, coalesce(blocked.reason, '')
    from identity.customer_links as links
    inner join identity.identifiers as identifiers on links.record_id = identifiers.record_id
    left join identity.blocked_identifiers as blocked
        on identifiers.identifier_kind = blocked.identifier_kind and identifiers.value = blocked.value
    where links.customer_id = $customer
    order by 1, 2, 3
"""
_EDGES = """
    select edges.record_id_l, edges.record_id_r, edges.rule, edges.weight, edges.probability, edges.evidence
    from identity.edges as edges
    inner join identity.customer_links as l on edges.record_id_l = l.record_id
    inner join identity.customer_links as r on edges.record_id_r = r.record_id
    where l.customer_id = $customer and r.customer_id = $customer
    order by edges.weight desc, 1, 2
"""
_DECISIONS = """
    select sides.decision_id,
        min(sides.record_id) filter (side = 'left'), min(sides.record_id) filter (side = 'right')
    from identity.decision_records as sides
    inner join identity.decisions as said on sides.decision_id = said.decision_id
    inner join identity.customer_links as links on sides.record_id = links.record_id
    where
        said.action = 'merge'
        and links.customer_id = $customer
        and said.decision_id not in (select retracts from identity.decisions where retracts is not null)
    group by sides.decision_id
    having count(distinct side) = 2
    order by 1
"""
_MOST_PAIRS = 400
_ALIASES = "select former_id from identity.customer_aliases where customer_id = $customer order by 1"


@dataclass(frozen=True)
class SeenIdentifier:
    """An identifier of a record, with why it is no evidence, if it is none."""

    kind: str
    value: str
    raw_value: str
    strength: str
    blocked_because: str | None


@dataclass(frozen=True)
class SeenRecord:
    """A record of the customer: where it comes from, how often it was seen, what identifies it."""

    record_id: str
    feed: str
    kind: str
    occurrences: int
    first_seen_at: datetime | None
    last_seen_at: datetime | None
    identifiers: tuple[SeenIdentifier, ...]


@dataclass(frozen=True)
class Reason:
    """One comparison behind an edge, in words, with its bits."""

    comparison: str
    level: str
    weight: float
    words: str


@dataclass(frozen=True)
class Branch:
    """A record, the evidence that ties it to the record above it, and the records below it."""

    record_id: str
    rule: str | None = None
    weight: float | None = None
    probability: float | None = None
    reasons: tuple[Reason, ...] = ()
    below: tuple[Branch, ...] = ()


@dataclass(frozen=True)
class Explanation:
    """A customer with everything that made it one."""

    customer_id: str
    former_ids: tuple[str, ...]
    records: tuple[SeenRecord, ...]
    trees: tuple[Branch, ...]
    """One tree of the strongest evidence; more than one where a link has since lost its evidence."""
    edges: int
    pairs: tuple[Pair, ...] = ()
    """The strongest of these edges."""
    decisions: tuple[Said, ...] = ()


@dataclass(frozen=True)
class Pair:
    """Two records of the customer that were compared: what the evidence amounts to."""

    record_id_l: str
    record_id_r: str
    rule: str
    weight: float
    probability: float


@dataclass(frozen=True)
class Said:
    """A decision of a person that ties records of the customer: its id, and one record of each side."""

    decision_id: str
    record_id_l: str
    record_id_r: str


@dataclass
class _Growing:
    record_id: str
    edge: tuple[object, ...] | None = None
    below: list[_Growing] = field(default_factory=list)


def explain(warehouse: Warehouse, who: str, *, default_country: str = "") -> Explanation:
    """Explain the customer that ``who`` names: a customer id, a former one, an e-mail, phone, order or account.

    Raises:
        InputError: it names nobody, or several customers.
    """
    connection = warehouse.cursor()
    customer = resolve(connection, who, default_country=default_country)
    records = _records(connection, customer)
    edges = connection.execute(_EDGES, {"customer": customer}).fetchall()
    former = connection.execute(_ALIASES, {"customer": customer}).fetchall()
    trees = _trees([record.record_id for record in records], edges)
    pairs = tuple(Pair(*row[:5]) for row in edges[:_MOST_PAIRS])
    names = tuple(row[0] for row in former)
    return Explanation(customer, names, records, trees, len(edges), pairs, _decisions(connection, customer))


def _decisions(connection: Connection, customer: str) -> tuple[Said, ...]:
    try:
        found = connection.execute(_DECISIONS, {"customer": customer}).fetchall()
    except MissingTableError:  # the last run was of a version that did not know people's decisions
        return ()
    return tuple(Said(*row) for row in found)


def _records(connection: Connection, customer: str) -> tuple[SeenRecord, ...]:
    identifiers: dict[str, list[SeenIdentifier]] = {}
    for row in connection.execute(_IDENTIFIERS, {"customer": customer}).fetchall():
        seen = SeenIdentifier(row[1], row[2], row[3], row[4], row[6] if row[5] else None)
        identifiers.setdefault(row[0], []).append(seen)
    found = connection.execute(_RECORDS, {"customer": customer}).fetchall()
    return tuple(
        SeenRecord(row[0], row[1], row[2], row[3], row[4], row[5], tuple(identifiers.get(row[0], ()))) for row in found
    )


def _trees(records: Iterable[str], edges: list[tuple[object, ...]]) -> tuple[Branch, ...]:
    """The spanning trees of the strongest edges, rooted in the oldest records."""
    order = list(records)
    home = {record: record for record in order}

    def root(record: str) -> str:
        while home[record] != record:
            record = home[record]
        return record

    neighbours: dict[str, list[tuple[str, tuple[object, ...]]]] = {record: [] for record in order}
    for edge in edges:
        one, other = str(edge[0]), str(edge[1])
        if root(one) != root(other):
            home[root(one)] = root(other)
            neighbours[one].append((other, edge))
            neighbours[other].append((one, edge))
    placed: set[str] = set()
    return tuple(_branch(_grown(record, neighbours, placed)) for record in order if record not in placed)


def _grown(start: str, neighbours: dict[str, list[tuple[str, tuple[object, ...]]]], placed: set[str]) -> _Growing:
    top = _Growing(start)
    placed.add(start)
    waiting = [top]
    while waiting:
        node = waiting.pop(0)
        for record, edge in neighbours[node.record_id]:
            if record not in placed:
                placed.add(record)
                child = _Growing(record, edge)
                node.below.append(child)
                waiting.append(child)
    return top


def _branch(node: _Growing) -> Branch:
    below = tuple(_branch(child) for child in node.below)
    if node.edge is None:
        return Branch(node.record_id, below=below)
    _, _, rule, weight, probability, evidence = node.edge
    assert isinstance(evidence, list)
    reasons = tuple(
        Reason(item["comparison"], item["level"], item["weight"], words_for(item["comparison"], item["level"]))
        for item in evidence
    )
    return Branch(node.record_id, str(rule), float(str(weight)), float(str(probability)), reasons, below)
