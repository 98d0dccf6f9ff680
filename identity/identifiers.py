"""Which identifier values name nobody: placeholders that are declared, and values that too many people share.

Tables: ``identity._identifier_kinds`` (the declared kinds) and ``identity.blocked_identifiers`` (one row per value
that is no evidence, with the reason).
"""

from __future__ import annotations

import re
from functools import partial

import pyarrow as pa

from identity.arrays import arrow, write_table
from identity.declaration import Blocked, IdentityRules
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

_COUNTED = """
    with namers as (
        select
            records.record_id,
            left(names.family, 4) || ' ' || left(names.given, 3) as called
        from identity.records as records
        inner join identity._names as names
            on coalesce(records.full_name, '') = coalesce(names.full_name, '')
            and coalesce(records.given_name, '') = coalesce(names.given_name, '')
            and coalesce(records.family_name, '') = coalesce(names.family_name, '')
    )
    select
        found.identifier_kind,
        found.value,
        count(distinct found.record_id) as records,
        count(distinct namers.called) as people
    from identity._identifier_values as found
    left join namers on found.record_id = namers.record_id
    where found.identifier_kind not in ('cookie', 'device')
    group by 1, 2
    order by 1, 2
"""


def identifier_kinds_step(rules: IdentityRules) -> Step:
    """Make ``identity._identifier_kinds`` from the declaration."""
    table = spec("_identifier_kinds", "A kind of identifier and what it proves, as declared.", ("identifier_kind",))
    return Step(table.full_name, (table,), frozenset(), partial(_write_kinds, rules))


def blocked_step(rules: IdentityRules) -> Step:
    """Make ``identity.blocked_identifiers`` from the declaration and from the data."""
    table = spec(
        "blocked_identifiers",
        "A value that names nobody and is no evidence: a declared placeholder, or one shared by too many people.",
        ("identifier_kind", "value"),
    )
    reads = frozenset({"identity._identifier_values", "identity.records", "identity._names"})
    return Step(table.full_name, (table,), reads, partial(_write_blocked, rules))


def declared_reason(kind: str, value: str, blocked: tuple[Blocked, ...]) -> str | None:
    """The reason of the first declared block that a normalised value falls under."""
    for item in blocked:
        if item.kind != kind:
            continue
        if value in item.values or (item.pattern is not None and re.fullmatch(item.pattern, value)):
            return item.reason
    return None


def _write_kinds(rules: IdentityRules, connection: Connection, _: Run) -> None:
    kinds = rules.identifiers
    table = arrow(
        {
            "identifier_kind": ([kind.kind for kind in kinds], pa.string()),
            "strength": ([kind.strength for kind in kinds], pa.string()),
            "is_personal": ([kind.personal for kind in kinds], pa.bool_()),
        }
    )
    write_table(connection, "identity._identifier_kinds", table)


def _write_blocked(rules: IdentityRules, connection: Connection, _: Run) -> None:
    limits = {kind.kind: kind for kind in rules.identifiers}
    rows: list[tuple[str, str, str, int, int]] = []
    for kind, value, records, people in connection.execute(_COUNTED).fetchall():
        reason = declared_reason(kind, value, rules.blocked)
        limit = limits.get(kind)
        if reason is None and limit is not None:
            if people > limit.people:
                reason = "shared by too many people"
            elif records > limit.records:
                reason = "tied to too many records"
        if reason is not None:
            rows.append((kind, value, reason, people, records))
    table = arrow(
        {
            "identifier_kind": ([row[0] for row in rows], pa.string()),
            "value": ([row[1] for row in rows], pa.string()),
            "reason": ([row[2] for row in rows], pa.string()),
            "people": ([row[3] for row in rows], pa.int64()),
            "records": ([row[4] for row in rows], pa.int64()),
        }
    )
    write_table(connection, "identity.blocked_identifiers", table)
