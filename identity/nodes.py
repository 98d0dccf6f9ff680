"""Records that certain evidence joins before anything is compared: one source's person, one WeChat account.

Table ``identity._nodes`` (record_id, node_id): records that share an unblocked unique identifier, or every
identifying value, are one node. Where people decided that records of one node are apart, each side is a node of its
own; visitors (nothing but a cookie or device) are no nodes. Node numbers follow the smallest record id.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from identity.arrays import Integers, arrow, components, encoded, read_table, write_table
from identity.decisions import standing_constraints
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

_KNOWN = """
    select distinct record_id
    from identity.identifiers
    where strength <> 'device'
    order by record_id
"""
_CERTAIN = """
    with signed as (
        select
            records.record_id,
            md5(
                string_agg(identifiers.identifier_kind || ':' || identifiers.value, chr(31)
                    order by identifiers.identifier_kind, identifiers.value)
                || coalesce(records.address_line, '') || chr(31) || coalesce(records.city, '') || chr(31)
                || coalesce(records.postcode, '') || chr(31) || coalesce(cast(records.birth_on as varchar), '')
                || chr(31) || coalesce(records.gender, '')
            ) as signature
        from identity.records as records
        inner join identity.identifiers as identifiers on records.record_id = identifiers.record_id
        where not identifiers.is_blocked and identifiers.strength <> 'device'
        group by
            records.record_id, records.address_line, records.city, records.postcode, records.birth_on, records.gender
        having bool_or(identifiers.identifier_kind in ('email', 'phone') and identifiers.strength = 'strong')
            and bool_or(identifiers.identifier_kind = 'name')
    )
    select record_id, identifier_kind || ':' || value as value
    from identity.identifiers
    where strength = 'unique' and not is_blocked
    union all
    select record_id, 'same:' || signature
    from signed
    order by 1, 2
"""


def nodes_step() -> Step:
    """Make ``identity._nodes``."""
    table = spec("_nodes", "The records that certain evidence joins before anything is compared.", ("record_id",))
    reads = frozenset({"identity.identifiers", "identity.records"})
    return Step(table.full_name, (table,), reads, _execute)


def _execute(connection: Connection, _: Run) -> None:
    records: list[str] = read_table(connection, _KNOWN).column("record_id").to_pylist()
    number = {record: position for position, record in enumerate(records)}
    members, values = _ties(read_table(connection, _CERTAIN), number)
    label = components(len(records), *_chained(members, values))
    apart = [
        (number[item.record_id_l], number[item.record_id_r])
        for item in standing_constraints(connection)
        if not item.is_together and item.record_id_l in number and item.record_id_r in number
    ]
    side = _sides(label, apart)
    if side.any():
        label = components(len(records), *_chained(*_by_side(members, values, side)))
    node = np.unique(label, return_inverse=True)[1]
    write_table(
        connection, "identity._nodes", arrow({"record_id": (records, pa.string()), "node_id": (node, pa.int64())})
    )


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


def _ties(certain: pa.Table, number: dict[str, int]) -> tuple[Integers, Integers]:
    """Numbers of records and of the values that tie them, ordered by value."""
    values, _ = encoded(certain.column("value"))
    record_codes, record_texts = encoded(certain.column("record_id"))
    position = np.array([number[text] for text in record_texts], dtype=np.int64)
    members = position[record_codes] if len(position) else record_codes
    order = np.lexsort((members, values))
    return members[order], values[order]


def _chained(members: Integers, values: Integers) -> tuple[Integers, Integers]:
    """Each record of a value joined to the next one."""
    same = values[1:] == values[:-1]
    return members[:-1][same], members[1:][same]
