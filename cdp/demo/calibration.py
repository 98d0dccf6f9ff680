"""How hard the generated persons are to recognise: measured on the files and their truth, with no help of the platform.

A join on exact e-mail or phone is the least that anybody would try. Its recall says how much is missing, the precision
of its transitive closure what it confuses. The reachable recall says what can be found at all: pairs of records of one
person that are tied by a chain of common ids, contacts, devices, accounts, or a name together with a place.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from cdp.demo.records import Identity, Record, read_records

PLACEHOLDERS = frozenset({"test@test.com", "noreply@example.com", "3800138000", "4008208820", "0000000000"})


@dataclass(frozen=True)
class Calibration:
    """Pairwise figures over all record pairs; ``closure_*`` are of the components of the joins.

    ``closure_precision_without_placeholders``: the same after the made-up values were left out.
    """

    records: int
    persons: int
    join_recall: float
    closure_recall: float
    closure_precision: float
    closure_precision_without_placeholders: float
    reachable_recall: float


def calibrate(folder: Path) -> Calibration:
    """Measure a generated project (``folder`` holds landing/ and truth/)."""
    records = read_records(folder)
    owners = [record.person_id for record in records]
    naive = _components(records, _contacts)
    honest = _components(records, _real_contacts)
    reachable = _components(records, _evidence, within_person=True)
    true_pairs = _pairs(owners)
    return Calibration(
        records=len(records),
        persons=len(set(owners)),
        join_recall=_joined_pairs(records) / true_pairs,
        closure_recall=_pairs(zip(owners, naive, strict=True)) / true_pairs,
        closure_precision=_pairs(zip(owners, naive, strict=True)) / max(_pairs(naive), 1),
        closure_precision_without_placeholders=_pairs(zip(owners, honest, strict=True)) / max(_pairs(honest), 1),
        reachable_recall=_pairs(zip(owners, reachable, strict=True)) / true_pairs,
    )


def _contacts(identity: Identity) -> Iterable[Hashable]:
    return [value for value in (identity.email, identity.phone) if value]


def _real_contacts(identity: Identity) -> Iterable[Hashable]:
    return [value for value in _contacts(identity) if value not in PLACEHOLDERS]


def _evidence(identity: Identity) -> Iterable[Hashable]:
    """Everything that can tie two records of one person together."""
    yield from _real_contacts(identity)
    yield from (("id", identity.customer_id), ("device", identity.device), ("key", identity.feed, identity.key))
    yield from (("name", identity.name, identity.city), ("name", identity.name, identity.postcode))
    yield ("mailbox", identity.email.partition("@")[0] or identity.account)
    yield ("home", identity.postcode, identity.city)


def _components(
    records: Sequence[Record], values: Callable[[Identity], Iterable[Hashable]], *, within_person: bool = False
) -> list[int]:
    """Component of each record under the joins on ``values``; empty values tie nothing."""
    parent = list(range(len(records)))

    def root(at: int) -> int:
        while parent[at] != at:
            parent[at] = parent[parent[at]]
            at = parent[at]
        return at

    first: dict[Hashable, int] = {}
    for at, record in enumerate(records):
        for value in values(record.identity):
            if isinstance(value, tuple) and not all(value):
                continue
            known = first.setdefault((record.person_id, value) if within_person else value, at)
            parent[root(at)] = root(known)
    return [root(at) for at in range(len(records))]


def _pairs(labels: Iterable[Hashable]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(labels).values())


def _joined_pairs(records: Sequence[Record]) -> int:
    """Pairs of one person that share an e-mail or a phone themselves."""
    by_person: defaultdict[str, list[Identity]] = defaultdict(list)
    for record in records:
        by_person[record.person_id].append(record.identity)
    return sum(
        (bool(one.email) and one.email == other.email) or (bool(one.phone) and one.phone == other.phone)
        for identities in by_person.values()
        for one, other in combinations(identities, 2)
    )
