"""The steps from records to identifiers: ``identity._identifier_values`` and ``identity.identifiers``.

Both are what their ``.sql`` file says. Where they stand, the statement reads only the records that changed, and its
rows take the place of those that these records had.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from identity.declaration import IdentityRules
from identity.kept import Keeper, add, narrowed, part, tell, tell_everything
from warehouse.database import Connection
from warehouse.sql_model import sql_step
from warehouse.step import Run, Step

_VALUES = "identity._identifier_values"
_TOUCHED = """
    create or replace temp table _touched as
    with moved as (
        (from identity._mentions except from identity._mentions_before)
        union all
        (from identity._mentions_before except from identity._mentions)
    ),

    found as (
        select key as record_id, one = 1 as stood from _heard
        union all
        select record_id, true from moved
    )

    select record_id, bool_or(stood) as stood
    from found
    group by record_id
"""
_KEEP_MENTIONS = "create or replace table identity._mentions_before as select * from identity._mentions"
_PARTS = {"identity.records": "_part_records", "identity._mentions": "_part_mentions"}
_VALUES_BEFORE = """
    create or replace temp table _values_before as
    select distinct found.identifier_kind, found.value
    from identity._identifier_values as found
    semi join (select record_id from _touched where stood) as stood on found.record_id = stood.record_id
"""
_REMOVE = "delete from identity._identifier_values where record_id in (select record_id from _touched where stood)"
_VALUES_NOW = """
    select identifier_kind || ':' || value as key, null as one, null as other
    from (
        select identifier_kind, value from _values_before
        union
        select found.identifier_kind, found.value
        from identity._identifier_values as found
        semi join _touched on found.record_id = _touched.record_id
    )
    where identifier_kind not in ('cookie', 'device')
"""
_SAYING = "select record_id as key, cast(stood as bigint) as one, null as other from _touched"

_RECORDS_OF_BLOCKS = """
    create or replace temp table _touched as
    with blocked as (
        select split_part(key, ':', 1) as identifier_kind, substr(key, strpos(key, ':') + 1) as value
        from _heard
        where subject = 'blocked'
    ),

    found as (
        select key as record_id, one = 1 as stood from _heard where subject = 'said'
        union all
        select found.record_id, true
        from identity._identifier_values as found
        semi join blocked on found.identifier_kind = blocked.identifier_kind and found.value = blocked.value
    )

    select record_id, bool_or(stood) as stood
    from found
    group by record_id
"""
_FORGET = "delete from identity.identifiers where record_id in (select record_id from _touched where stood)"


def identifier_values_step() -> Step:
    """Make ``identity._identifier_values``: what each record is identified by, normalised."""
    made = sql_step("identity", "identity", "_identifier_values")
    return replace(made, execute=partial(_make_values, made), keeps_grain=True)


def identifiers_step(rules: IdentityRules) -> Step:
    """Make ``identity.identifiers``: the same with the strength of each kind, and whether the value is blocked."""
    made = sql_step("identity", "identity", "identifiers")
    kinds = rules.model_dump_json(include={"identifiers"})
    return replace(
        made,
        execute=partial(_make_identifiers, made, Keeper(made.name, ("said", "blocked"), (kinds,))),
        keeps_grain=True,
    )


def _make_values(made: Step, connection: Connection, run: Run) -> None:
    keeper = Keeper(made.name, ("records",))
    if not keeper.stands(connection, run):
        made.execute(connection, run)
        tell_everything(connection, "said", "values")
    else:
        connection.execute(_TOUCHED)
        for table, name in _PARTS.items():
            part(connection, name, table, "_touched", "record_id")
        for statement in (_VALUES_BEFORE, _REMOVE):
            connection.execute(statement)
        add(connection, _VALUES, narrowed(made.statement or "", _PARTS))
        tell(connection, "values", _VALUES_NOW)
        tell(connection, "said", _SAYING)
    connection.execute(_KEEP_MENTIONS)
    keeper.done(connection)


def _make_identifiers(made: Step, keeper: Keeper, connection: Connection, run: Run) -> None:
    if not keeper.stands(connection, run):
        made.execute(connection, run)
        tell_everything(connection, "identified")
    else:
        connection.execute(_RECORDS_OF_BLOCKS)
        part(connection, "_part_values", _VALUES, "_touched", "record_id")
        connection.execute(_FORGET)
        add(connection, made.name, narrowed(made.statement or "", {_VALUES: "_part_values"}))
        tell(connection, "identified", _SAYING)
    keeper.done(connection)
