"""Records that certain evidence joins before anything is compared: one source's person, one WeChat account.

Table ``identity._nodes`` (record_id, node_id, tied_id): records that share an unblocked unique identifier, or every
identifying value, are tied, and one node. Where people decided that tied records are apart, each side is a node of its
own; visitors (nothing but a cookie or device) are no nodes. Numbers of nodes mean nothing: a node keeps its number as
long as its records stay the same. ``identity._ties`` (record_id, value) holds what ties records.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from identity.arrays import Integers, arrow, components, encoded, read_table, write_temporary
from identity.decisions import standing_constraints
from identity.kept import Keeper, add, narrowed, part, tell, tell_everything
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

_NONE = (
    "create or replace table identity._nodes (record_id varchar, node_id bigint, tied_id bigint)",
    "create or replace table identity._ties (record_id varchar, value varchar)",
    "create or replace table identity._kept_apart (record_id_l varchar, record_id_r varchar)",
)
_HEARD_RECORDS = """
    create or replace temp table _changed as
    with moved as (
        (from _apart_now except from identity._kept_apart)
        union all
        (from identity._kept_apart except from _apart_now)
    ),

    found as (
        select key as record_id, one = 1 as stood from _heard
        union all
        select unnest([record_id_l, record_id_r]), true from moved
    )

    select record_id, bool_or(stood) as stood
    from found
    group by record_id
"""
_EVERY_RECORD = """
    create or replace temp table _changed as
    select distinct record_id, false as stood
    from identity.identifiers
"""
_FORGET_TIES = "delete from identity._ties where record_id in (select record_id from _changed where stood)"
_KEEP_APART = "create or replace table identity._kept_apart as select * from _apart_now"
_TIES = """
    with found as (
        select record_id, identifier_kind, value, strength
        from identity.identifiers
        where strength <> 'device' and not is_blocked
    ),

    named as (
        select
            record_id,
            md5(string_agg(identifier_kind || ':' || value, chr(31) order by identifier_kind, value)) as names
        from found
        group by record_id
        having bool_or(identifier_kind in ('email', 'phone') and strength = 'strong')
    )

    select record_id, identifier_kind || ':' || value as value
    from found
    where strength = 'unique'
    union all
    select
        named.record_id,
        'same:' || md5(
            concat_ws(
                chr(31), named.names, coalesce(said.address_line, ''), coalesce(said.city, ''),
                coalesce(said.postcode, ''), coalesce(cast(said.birth_on as varchar), ''), coalesce(said.gender, '')
            )
        ) as value
    from named
    inner join identity.records as said on named.record_id = said.record_id
"""
_AFFECTED = """
    create or replace temp table _affected as
    with values_now as (
        select distinct ties.value
        from identity._ties as ties
        semi join _changed on ties.record_id = _changed.record_id
    ),

    met as (
        select record_id from _changed
        union
        select ties.record_id
        from identity._ties as ties
        semi join values_now on ties.value = values_now.value
    ),

    ties_before as (
        select distinct nodes.tied_id
        from identity._nodes as nodes
        semi join met on nodes.record_id = met.record_id
    )

    select record_id from met
    union
    select nodes.record_id
    from identity._nodes as nodes
    semi join ties_before on nodes.tied_id = ties_before.tied_id
"""
_KNOWN = """
    create or replace temp table _known as
    select record_id, row_number() over (order by record_id) - 1 as place
    from (
        select distinct identifiers.record_id
        from identity.identifiers as identifiers
        semi join _affected on identifiers.record_id = _affected.record_id
        where identifiers.strength <> 'device'
    )
"""
_SHARED = """
    with found as (
        select known.place, ties.value, count(*) over (partition by ties.value) as records
        from identity._ties as ties
        inner join _known as known on ties.record_id = known.record_id
    )

    select place, value
    from found
    where records > 1
    order by place, value
"""
_APART = """
    select l.place, r.place
    from _apart_now as apart
    inner join _known as l on apart.record_id_l = l.record_id
    inner join _known as r on apart.record_id_r = r.record_id
    order by 1, 2
"""
_NODES_NOW = """
    create or replace temp table _nodes_now as
    with labelled as (
        select known.record_id, labels.node, labels.tied
        from _known as known
        inner join _labels as labels on known.place = labels.place
    ),

    joined as (
        select labelled.*, before.node_id, count(*) over (partition by labelled.node) as records
        from labelled
        left join _nodes_before as before on labelled.record_id = before.record_id
    ),

    sizes as (select node_id, count(*) as records from _nodes_before group by node_id),

    stays as (
        select joined.node, min(joined.node_id) as node_id
        from joined
        inner join sizes on joined.node_id = sizes.node_id
        group by joined.node
        having
            count(distinct joined.node_id) = 1
            and count(*) = any_value(joined.records)
            and count(*) = any_value(sizes.records)
    ),

    fresh as (
        select
            node,
            (select coalesce(max(node_id), -1) from identity._nodes) + row_number() over (order by node) as node_id
        from (select distinct node from labelled anti join stays using (node))
    ),

    numbered as (from stays union all from fresh)

    select
        labelled.record_id,
        numbered.node_id,
        min(numbered.node_id) over (partition by labelled.tied) as tied_id
    from labelled
    inner join numbered on labelled.node = numbered.node
"""
_REPLACE = (
    "delete from identity._nodes where record_id in (select record_id from _affected)",
    "insert into identity._nodes select * from _nodes_now order by record_id",
)
_MOVED = """
    with moved as (
        (select record_id, node_id from _nodes_now except select record_id, node_id from _nodes_before)
        union all
        (select record_id, node_id from _nodes_before except select record_id, node_id from _nodes_now)
        union all
        select nodes.record_id, nodes.node_id
        from _nodes_now as nodes
        semi join _changed on nodes.record_id = _changed.record_id
    )

    select distinct null as key, node_id as one, null as other from moved
"""
_KEEPER = Keeper("identity._nodes", ("identified",))


def nodes_step() -> Step:
    """Make ``identity._nodes``."""
    table = spec("_nodes", "The records that certain evidence joins before anything is compared.", ("record_id",))
    reads = frozenset({"identity.identifiers", "identity.records"})
    return Step(table.full_name, (table,), reads, _execute, keeps_grain=True)


def _execute(connection: Connection, run: Run) -> None:
    stands = _KEEPER.stands(connection, run)
    _read_apart(connection)
    if not stands:
        for statement in _NONE:
            connection.execute(statement)
    connection.execute(_HEARD_RECORDS if stands else _EVERY_RECORD)
    connection.execute(_FORGET_TIES)
    add(connection, "identity._ties", _ties(connection) if stands else _TIES)
    for statement in (_AFFECTED, _KNOWN):
        connection.execute(statement)
    part(connection, "_nodes_before", "identity._nodes", "_affected", "record_id")
    _number(connection)
    for statement in _REPLACE:
        connection.execute(statement)
    if stands:
        tell(connection, "nodes", _MOVED)
    else:
        tell_everything(connection, "nodes")
    connection.execute(_KEEP_APART)
    _KEEPER.done(connection)


def _ties(connection: Connection) -> str:
    """The select of what ties the records that changed."""
    for table in ("identifiers", "records"):
        part(connection, f"_part_{table}", f"identity.{table}", "_changed", "record_id")
    return narrowed(_TIES, {f"identity.{table}": f"_part_{table}" for table in ("identifiers", "records")})


def _read_apart(connection: Connection) -> None:
    """What people keep apart, as a temporary table."""
    apart = sorted(
        {(item.record_id_l, item.record_id_r) for item in standing_constraints(connection) if not item.is_together}
    )
    columns = {
        "record_id_l": ([one for one, _ in apart], pa.string()),
        "record_id_r": ([other for _, other in apart], pa.string()),
    }
    write_temporary(connection, "_apart_now", arrow(columns))


def _number(connection: Connection) -> None:
    """Which affected records are one node, and the number of each node."""
    [(count,)] = connection.execute("select count(*) from _known").fetchall()
    shared = read_table(connection, _SHARED)
    members = np.asarray(shared.column("place").to_numpy(), dtype=np.int64)
    values, _ = encoded(shared.column("value"))
    order = np.lexsort((members, values))
    members, values = members[order], values[order]
    tied = components(count, *_chained(members, values))
    apart = [(int(one), int(other)) for one, other in connection.execute(_APART).fetchall()]
    side = _sides(tied, apart)
    node = components(count, *_chained(*_by_side(members, values, side))) if side.any() else tied
    labels = {"place": (np.arange(count), pa.int64()), "node": (node, pa.int64()), "tied": (tied, pa.int64())}
    write_temporary(connection, "_labels", arrow(labels))
    connection.execute(_NODES_NOW)


def _sides(label: Integers, apart: list[tuple[int, int]]) -> Integers:
    """Per record 0, or the number of the side on which decisions put it inside its node.

    Records kept apart from the same others of their node are one side.
    """
    others: dict[int, set[int]] = {}
    for one, other in apart:
        if label[one] == label[other]:
            others.setdefault(one, set()).add(other)
            others.setdefault(other, set()).add(one)
    numbers: dict[tuple[int, ...], int] = {}
    side = np.zeros(len(label), dtype=np.int64)
    for record in sorted(others):
        side[record] = numbers.setdefault(tuple(sorted(others[record])), len(numbers) + 1)
    return side


def _by_side(members: Integers, values: Integers, side: Integers) -> tuple[Integers, Integers]:
    """The same ties, but a value ties only records of one side."""
    split = values * (int(side.max()) + 1) + side[members]
    order = np.lexsort((members, split))
    return members[order], split[order]


def _chained(members: Integers, values: Integers) -> tuple[Integers, Integers]:
    """Each record of a value joined to the next one."""
    same = values[1:] == values[:-1]
    return members[:-1][same], members[1:][same]
