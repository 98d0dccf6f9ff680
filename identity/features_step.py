"""The step that gathers what is known of each node: ``identity._features``, and how many nodes hold each value.

``identity._features`` is what its ``.sql`` file says; where it stands, the statement reads only the records of nodes
that changed. ``identity._holders`` (feature, value, nodes) counts the values that are compared, and the parts of names
under ``name.given`` and ``name.family``: how rare a value is decides what agreeing on it says.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from identity.features import COMPARED
from identity.kept import Keeper, known_among, make, narrowed, part, tell, tell_everything, touched_nodes
from identity.specs import spec
from warehouse.database import Connection
from warehouse.sql_model import sql_step
from warehouse.step import Run, Step

_PART = {
    "identity.records": "_part_records",
    "identity.identifiers": "_part_identifiers",
    "identity._nodes": "_part_nodes",
}
_REPLACE = (
    "delete from identity._features where node_id in (select node_id from _known)",
    "insert into identity._features select * from _features_now",
)
_COUNTED = """
    with compared as (
        select feature, value
        from identity._features
        where list_contains($compared, feature)
        union all
        select 'name.given', split_part(value, chr(9), 1) from identity._features where feature = 'name'
        union all
        select 'name.family', split_part(value, chr(9), 2) from identity._features where feature = 'name'
    )

    select feature, value, count(*) as nodes
    from compared
    group by feature, value
"""
_MOVED = """
    create or replace temp table _moved as
    with moved as (
        select feature, value, nodes from ({now})
        union all
        select feature, value, -nodes from ({before})
    ),

    summed as (
        select feature, value, sum(nodes) as nodes
        from moved
        group by feature, value
        having sum(nodes) <> 0
    )

    select
        summed.feature,
        summed.value,
        coalesce(holders.nodes, 0) as before,
        cast(coalesce(holders.nodes, 0) + summed.nodes as bigint) as now
    from summed
    left join identity._holders as holders on summed.feature = holders.feature and summed.value = holders.value
"""
_REPLACE_HOLDERS = (
    """
    delete from identity._holders as holders
    using _moved
    where holders.feature = _moved.feature and holders.value = _moved.value
    """,
    "insert into identity._holders select feature, value, now from _moved where now > 0",
)
_TOLD = {
    "featured": "select null as key, node_id as one, null as other from _touched",
    "holders": "select feature || ':' || value as key, before as one, now as other from _moved",
}


def features_step() -> Step:
    """Make ``identity._features`` and ``identity._holders``."""
    made = sql_step("identity", "identity", "_features")
    holders = spec("_holders", "How many nodes hold a value that is compared.", ("feature", "value"))
    return replace(made, tables=(*made.tables, holders), execute=partial(_execute, made), keeps_grain=True)


def _execute(made: Step, connection: Connection, run: Run) -> None:
    keeper = Keeper(made.name, ("nodes",))
    compared = {"compared": list(COMPARED)}
    if not keeper.stands(connection, run):
        made.execute(connection, run)
        connection.execute(" ".join(("create or replace table identity._holders as", _COUNTED)), compared)
        tell_everything(connection, *_TOLD)
    else:
        touched_nodes(connection, "nodes")
        known_among(connection, "_known", made.name, "node_id")
        part(connection, "_features_before", made.name, "_known", "node_id")
        part(connection, "_part_nodes", "identity._nodes", "_touched", "node_id")
        for table in ("records", "identifiers"):
            part(connection, f"_part_{table}", f"identity.{table}", "_part_nodes", "record_id")
        make(connection, "_features_now", narrowed(made.statement or "", _PART))
        parts = {
            name: narrowed(_COUNTED, {"identity._features": table})
            for name, table in (("now", "_features_now"), ("before", "_features_before"))
        }
        connection.execute(_MOVED.format(**parts), compared)
        for statement in (*_REPLACE, *_REPLACE_HOLDERS):
            connection.execute(statement)
        for subject, told in _TOLD.items():
            tell(connection, subject, told)
    keeper.done(connection)
