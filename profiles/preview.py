"""What another configuration, or decisions not yet carried out, would change about who is who.

The steps run inside a transaction that is always rolled back, so that what is told is what a run would make, to the
last row, and the warehouse stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from warehouse.database import Connection, Warehouse
from warehouse.step import Run, Step

_BEFORE: Final = (
    "create temp table _links_standing as select record_id, customer_id from identity.customer_links",
    "create temp table _members_standing as select segment, customer_id from profiles.segment_members",
    "create temp table _worth_standing as select customer_id, total_base_amount from profiles.purchase_traits",
)
_COUNTS: Final = """
    select
        count(distinct links_before.customer_id) as customers_before,
        count(distinct links_after.customer_id) as customers_after,
        count(*) filter (
            where links_before.customer_id is distinct from links_after.customer_id
        ) as records_moved
    from _links_standing as links_before
    full join identity.customer_links as links_after on links_before.record_id = links_after.record_id
"""
_REGROUPED: Final = """
    with overlap as (
        select
            links_before.customer_id as before_id,
            links_after.customer_id as after_id,
            count(*) as records,
            coalesce(any_value(worth.total_base_amount), 0) as base_amount
        from _links_standing as links_before
        inner join identity.customer_links as links_after on links_before.record_id = links_after.record_id
        left join _worth_standing as worth on links_before.customer_id = worth.customer_id
        group by links_before.customer_id, links_after.customer_id
    ),

    sides as (
        select 'merged' as change, after_id as whole, before_id as part, records, base_amount from overlap
        union all
        select 'split' as change, before_id as whole, after_id as part, records, base_amount from overlap
    )

    select
        whole,
        list(part order by part = whole desc, part),
        sum(records)::bigint,
        case when change = 'merged' then sum(base_amount) else any_value(base_amount) end
    from sides
    where change = $change
    group by change, whole
    having count(*) > 1
    order by 4 desc, 3 desc, 1
"""
_SEGMENTS: Final = """
    with moved as (
        select
            coalesce(members_before.segment, members_after.segment) as segment,
            members_before.customer_id is null as is_entering,
            coalesce(worth_before.total_base_amount, worth_after.total_base_amount, 0) as base_amount
        from _members_standing as members_before
        full join profiles.segment_members as members_after
            on
                members_before.segment = members_after.segment
                and members_before.customer_id = members_after.customer_id
        left join _worth_standing as worth_before on members_before.customer_id = worth_before.customer_id
        left join profiles.purchase_traits as worth_after on members_after.customer_id = worth_after.customer_id
        where members_before.customer_id is null or members_after.customer_id is null
    )

    select
        segment,
        count(*) filter (where is_entering),
        count(*) filter (where not is_entering),
        coalesce(sum(base_amount) filter (where is_entering), 0),
        coalesce(sum(base_amount) filter (where not is_entering), 0)
    from moved
    group by segment
    order by count(*) desc, segment
"""


@dataclass(frozen=True)
class Regrouped:
    """Customers that become one, or one that becomes several: the id that stands for the whole comes first.

    ``base_amount`` is what they have bought in all, in the base currency.
    """

    customer_id: str
    parts: tuple[str, ...]
    records: int
    base_amount: Decimal


@dataclass(frozen=True)
class SegmentShift:
    """How many customers would enter and leave a segment, and what they have bought in all."""

    segment: str
    entering: int
    leaving: int
    entering_base_amount: Decimal
    leaving_base_amount: Decimal


@dataclass(frozen=True)
class Preview:
    """What would change: customers (visitors included), merges and splits, segments."""

    as_of: date
    customers_before: int
    customers_after: int
    records_moved: int
    merged: tuple[Regrouped, ...]
    split: tuple[Regrouped, ...]
    segments: tuple[SegmentShift, ...]


def preview(warehouse: Warehouse, steps: Iterable[Step], run: Run) -> Preview:
    """Make the tables anew by some steps, tell what differs from those that stand, and undo all of it."""
    with warehouse.rehearsal() as connection:
        for statement in _BEFORE:
            connection.execute(statement)
        for step in steps:
            step.execute(connection, run)
        return _told(connection, run.as_of)


def _told(connection: Connection, as_of: date) -> Preview:
    [(before, after, moved)] = connection.execute(_COUNTS).fetchall()
    return Preview(
        as_of,
        int(before),
        int(after),
        int(moved),
        _regrouped(connection, "merged"),
        _regrouped(connection, "split"),
        tuple(SegmentShift(*row) for row in connection.execute(_SEGMENTS).fetchall()),
    )


def _regrouped(connection: Connection, change: str) -> tuple[Regrouped, ...]:
    rows: list[tuple[Any, ...]] = connection.execute(_REGROUPED, {"change": change}).fetchall()
    return tuple(Regrouped(whole, tuple(parts), records, amount) for whole, parts, records, amount in rows)
