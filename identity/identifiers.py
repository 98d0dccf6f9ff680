"""Which identifier values name nobody: placeholders that are declared, and values that too many people share.

Tables: ``identity._identifier_kinds`` (the declared kinds), ``identity.blocked_identifiers`` (one row per value that is
no evidence, with the reason) and ``identity._shared_values`` (what exceeds a declared limit now, whether the pinned
model blocks it or not). A model that was trained says which values too many people share; the limits of unique kinds
hold all the same, because those join without being weighed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

import pyarrow as pa

from identity.arrays import add_rows, arrow, write_table, write_temporary
from identity.declaration import Blocked, Identifier, IdentityRules
from identity.kept import Keeper, narrowed, part, tell, tell_everything
from identity.model import Model
from identity.models import pinned_model
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

SHARED_BY_PEOPLE = "shared by too many people"
_KEPT_TABLES = ("identity.blocked_identifiers", "identity._shared_values")
_TOUCHED = """
    create or replace temp table _touched as
    select distinct split_part(key, ':', 1) as identifier_kind, substr(key, strpos(key, ':') + 1) as value
    from _heard
"""
_PARTS = (
    """
    create or replace temp table _part_records as
    select records.record_id, records.full_name, records.given_name, records.family_name
    from identity.records as records
    semi join _part_values on records.record_id = _part_values.record_id
    """,
    """
    create or replace temp table _blocked_before as
    select identifier_kind, value
    from identity.blocked_identifiers
    semi join _touched using (identifier_kind, value)
    """,
)
_OF_TOUCHED = """
    as old using _touched
    where old.identifier_kind = _touched.identifier_kind and old.value = _touched.value
"""
_CHANGED = """
    with now as (
        select identifier_kind, value
        from identity.blocked_identifiers
        semi join _touched using (identifier_kind, value)
    )

    select identifier_kind || ':' || value as key, null as one, null as other
    from ((from now except from _blocked_before) union all (from _blocked_before except from now))
"""
_IN_ALL = "select (select count(*) from identity.records), (select count(*) from identity._names)"
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
    shared = spec(
        "_shared_values",
        "A value that more people or records share than its kind allows, and whether it is blocked for it.",
        ("identifier_kind", "value"),
    )
    reads = frozenset({"identity._identifier_values", "identity.records", "identity._names", "identity.models"})
    return Step(table.full_name, (table, shared), reads, partial(_write_blocked, rules), keeps_grain=True)


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


def _write_blocked(rules: IdentityRules, connection: Connection, run: Run) -> None:
    model = pinned_model(connection)
    declared = rules.model_dump_json(include={"identifiers", "blocked"})
    keeper = Keeper("identity.blocked_identifiers", ("values",), (declared, model.fingerprint()))
    if not keeper.stands(connection, run):
        for table, rows in zip(
            _KEPT_TABLES, _judged(rules, model, connection.execute(_COUNTED).fetchall()), strict=True
        ):
            write_table(connection, table, rows)
        tell_everything(connection, "blocked")
    else:
        _judge_again(rules, model, connection)
        tell(connection, "blocked", _CHANGED)
    keeper.done(connection)


def _judge_again(rules: IdentityRules, model: Model, connection: Connection) -> None:
    """The values that records which changed bear, or bore."""
    connection.execute(_TOUCHED)
    _write_doubtful(rules, model, connection)
    part(connection, "_part_values", "identity._identifier_values", "_doubtful", "identifier_kind, value")
    for statement in _PARTS:
        connection.execute(statement)
    parts = {"identity._identifier_values": "_part_values", "identity.records": "_part_records"}
    found = connection.execute(narrowed(_COUNTED, parts)).fetchall()
    for table, rows in zip(_KEPT_TABLES, _judged(rules, model, found), strict=True):
        connection.execute(" ".join(("delete from", table, _OF_TOUCHED)))
        add_rows(connection, table, rows)


def _write_doubtful(rules: IdentityRules, model: Model, connection: Connection) -> None:
    """``_doubtful``: the touched values that something can block, which leaves few to be counted.

    Not the names that thousands bear: their limits are beyond all records, and beyond all names that people have.
    """
    [(records, names)] = connection.execute(_IN_ALL).fetchall()
    limited = {kind.kind for kind in rules.identifiers if kind.people < names or kind.records < records}
    found = [
        (kind, value)
        for kind, value in connection.execute("select identifier_kind, value from _touched").fetchall()
        if kind in limited or model.is_shared(kind, value) or declared_reason(kind, value, rules.blocked)
    ]
    columns = {
        "identifier_kind": ([kind for kind, _ in found], pa.string()),
        "value": ([value for _, value in found], pa.string()),
    }
    write_temporary(connection, "_doubtful", arrow(columns))


def _judged(
    rules: IdentityRules, model: Model, counted: Iterable[tuple[str, str, int, int]]
) -> tuple[pa.Table, pa.Table]:
    """Of some values with their records and people those that name nobody, and those that are shared by too many."""
    limits: dict[str, Identifier] = {kind.kind: kind for kind in rules.identifiers}
    blocked: list[tuple[str, str, str, int, int]] = []
    shared: list[tuple[str, str, bool]] = []
    for kind, value, records, people in counted:
        reason = declared_reason(kind, value, rules.blocked)
        limit = limits.get(kind)
        if reason is None and limit is not None:
            exceeded = _exceeded(limit, records, people)
            reason = _learned_reason(model, limit, value, exceeded)
            if exceeded is not None:
                shared.append((kind, value, reason is not None))
        if reason is not None:
            blocked.append((kind, value, reason, people, records))
    return _tables_of(blocked, shared)


def _exceeded(limit: Identifier, records: int, people: int) -> str | None:
    if people > limit.people:
        return SHARED_BY_PEOPLE
    return "tied to too many records" if records > limit.records else None


def _learned_reason(model: Model, limit: Identifier, value: str, exceeded: str | None) -> str | None:
    says = model.is_shared(limit.kind, value)
    if says is None or limit.strength == "unique":
        return exceeded
    return (exceeded or SHARED_BY_PEOPLE) if says else None


def _tables_of(
    blocked: list[tuple[str, str, str, int, int]], shared: list[tuple[str, str, bool]]
) -> tuple[pa.Table, pa.Table]:
    table = arrow(
        {
            "identifier_kind": ([row[0] for row in blocked], pa.string()),
            "value": ([row[1] for row in blocked], pa.string()),
            "reason": ([row[2] for row in blocked], pa.string()),
            "people": ([row[3] for row in blocked], pa.int64()),
            "records": ([row[4] for row in blocked], pa.int64()),
        }
    )
    over = arrow(
        {
            "identifier_kind": ([row[0] for row in shared], pa.string()),
            "value": ([row[1] for row in shared], pa.string()),
            "is_blocked": ([row[2] for row in shared], pa.bool_()),
        }
    )
    return table, over
