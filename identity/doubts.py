"""The step from edges and customers to doubtful pairs: ``identity._doubts``, which the review queue puts in order.

The table is what its ``.sql`` file says. Where it stands, the statement reads only the edges that were weighed again
and those of records whose customer is another now.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from identity.declaration import IdentityRules
from identity.kept import Keeper, add, narrowed, part
from warehouse.database import Connection
from warehouse.sql_model import sql_step
from warehouse.step import Run, Step

_HEARD_OF = (
    "create or replace temp table _relinked as select distinct key as record_id from _heard where subject = 'linked'",
    """
    create or replace temp table _reweighed as
    select distinct split_part(key, ' ', 1) as record_id_l, split_part(key, ' ', 2) as record_id_r
    from _heard
    where subject = 'edges'
    """,
    """
    create or replace temp table _part_edges as
    select edges.record_id_l, edges.record_id_r, edges.weight, edges.probability, edges.is_apart
    from identity.edges as edges
    semi join _reweighed
        on edges.record_id_l = _reweighed.record_id_l and edges.record_id_r = _reweighed.record_id_r
    union
    select edges.record_id_l, edges.record_id_r, edges.weight, edges.probability, edges.is_apart
    from identity.edges as edges
    where edges.record_id_l in (from _relinked) or edges.record_id_r in (from _relinked)
    """,
    """
    create or replace temp table _ends as
    select record_id_l as record_id from _part_edges
    union
    select record_id_r from _part_edges
    """,
)
_DROP = (
    "delete from identity._doubts where record_id_l in (from _relinked) or record_id_r in (from _relinked)",
    """
    delete from identity._doubts as doubts using _reweighed
    where doubts.record_id_l = _reweighed.record_id_l and doubts.record_id_r = _reweighed.record_id_r
    """,
)
_PARTS = {"identity.edges": "_part_edges", "identity.customer_links": "_part_links"}


def doubts_step(rules: IdentityRules) -> Step:
    """Make ``identity._doubts``."""
    limits = {"link_at": rules.clusters.link_at, "review_from": rules.clusters.review_from}
    made = sql_step("identity", "identity", "_doubts", parameters=limits)
    return replace(made, execute=partial(_execute, made), keeps_grain=True)


def _execute(made: Step, connection: Connection, run: Run) -> None:
    keeper = Keeper(made.name, ("edges", "linked"), tuple(f"{name} {at}" for name, at in made.parameters.items()))
    if not keeper.stands(connection, run):
        made.execute(connection, run)
    else:
        for statement in _HEARD_OF:
            connection.execute(statement)
        part(connection, "_part_links", "identity.customer_links", "_ends", "record_id")
        for statement in _DROP:
            connection.execute(statement)
        narrow = narrowed(made.statement or "", _PARTS)
        add(connection, made.name, narrow, made.parameters)
    keeper.done(connection)
