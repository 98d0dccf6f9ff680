"""Customer ids: given once, kept for ever. The step that turns clusters into customers.

``identity.customer_link_history`` is the ledger's memory: which record was linked to which customer from when to
when. The other tables follow from it: ``customer_links`` (what holds now), ``customer_aliases`` (ids that were
merged into others), ``customer_changes`` (what each run created, extended, merged or split) and new rows of
``decisions``. The laws, for a cluster and the customers its records had before:

- A customer goes on in the cluster that holds most of its records (then the oldest event, then
  those that bear the id longest, then the smallest record).
- Of several customers that go on in one cluster, the one with most records there keeps its id (then the oldest
  event, then the smallest id); the others become aliases of it.
- A cluster in which nobody goes on takes back the id that its records had once, when that id is free; else a new one.
- A record that vanished (its values changed, a device became known) counts for the record that took its place: the
  one of the same source person, or of the same device.

Where clusters stand, the laws are applied to those that changed and to every customer that they touch; what they say of
the others is what they said before.
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pyarrow as pa

from identity.arrays import arrow
from identity.decisions import decisions_specs, ensure_decisions
from identity.kept import Keeper, add, make, tell, tell_everything
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step, TableSpec

_CREATE = (
    """
    create table if not exists identity.customer_link_history (
        record_id varchar not null, customer_id varchar not null, valid_from timestamp not null, valid_to timestamp,
        source_key varchar not null, device_key varchar, run_id varchar not null
    )
    """,
    """
    create table if not exists identity.customer_aliases (
        former_id varchar not null, customer_id varchar not null, since timestamp not null, reason varchar not null
    )
    """,
    """
    create table if not exists identity.customer_changes (
        run_id varchar not null, changed_at timestamp not null, customer_id varchar not null, change varchar not null,
        other_customer_id varchar, records bigint not null
    )
    """,
)
_TAKEN = """
    select incoming.customer_id
    from _incoming as incoming
    semi join identity.customer_link_history as history on incoming.customer_id = history.customer_id
    union
    select incoming.customer_id
    from _incoming as incoming
    semi join identity.customer_aliases as aliases on incoming.customer_id = aliases.former_id
"""
_UNNAMED = """
    select distinct cluster_id
    from _clusters_now
    where
        cluster_id not in (select cluster_id from _heirs where is_winner)
        and cluster_id not in (select cluster_id from _revived)
    order by 1
"""
_EVERYTHING = (
    "create or replace temp table _clusters_now as select * from identity._clusters",
    "create or replace temp table _links_before as select * from identity.customer_link_history where valid_to is null",
)
_PART = "create or replace temp table _part as select distinct key as record_id from _heard"
_WIDEN = """
    insert into _part
    with owners as (
        select distinct history.customer_id
        from identity.customer_link_history as history
        semi join _part on history.record_id = _part.record_id
        where history.valid_to is null
    ),

    homes as (
        select distinct clusters.cluster_id
        from identity._clusters as clusters
        semi join _part on clusters.record_id = _part.record_id
    ),

    gone as (
        select history.source_key, history.device_key
        from identity.customer_link_history as history
        semi join _part on history.record_id = _part.record_id
        anti join identity._clusters as clusters on history.record_id = clusters.record_id
        where history.valid_to is null
    ),

    found as (
        select history.record_id
        from identity.customer_link_history as history
        semi join owners on history.customer_id = owners.customer_id
        where history.valid_to is null
        union
        select clusters.record_id
        from identity._clusters as clusters
        semi join homes on clusters.cluster_id = homes.cluster_id
        union
        select records.record_id
        from identity.records as records
        semi join gone on records.source_key = gone.source_key
        union
        select records.record_id
        from identity.records as records
        semi join gone on records.device_key = gone.device_key
    )

    select found.record_id
    from found
    anti join _part on found.record_id = _part.record_id
"""
_CHOSEN = (
    """
    create or replace temp table _clusters_now as
    select clusters.*
    from identity._clusters as clusters
    semi join _part on clusters.record_id = _part.record_id
    """,
    """
    create or replace temp table _links_before as
    select history.*
    from identity.customer_link_history as history
    semi join _part on history.record_id = _part.record_id
    where history.valid_to is null
    """,
)
_ALL_LINKS = """
    create or replace table identity.customer_links as
    select record_id, customer_id, valid_from, valid_to
    from identity.customer_link_history
    where valid_to is null
    order by record_id
"""
_PART_LINKS = (
    """
    create or replace temp table _links_were as
    select links.record_id, links.customer_id
    from identity.customer_links as links
    semi join _part on links.record_id = _part.record_id
    """,
    "delete from identity.customer_links where record_id in (select record_id from _part)",
    """
    insert into identity.customer_links
    select history.record_id, history.customer_id, history.valid_from, history.valid_to
    from identity.customer_link_history as history
    semi join _part on history.record_id = _part.record_id
    where history.valid_to is null
    order by history.record_id
    """,
)
_MOVED_LINKS = """
    with links_now as (
        select links.record_id, links.customer_id
        from identity.customer_links as links
        semi join _part on links.record_id = _part.record_id
    )

    select distinct record_id as key, null as one, null as other
    from (
        (from _links_were except from links_now)
        union all
        (from links_now except from _links_were)
    )
"""
_STAGES = ("claims", "heirs", "revived")
_FINISH = (
    "changes",
    "close_links",
    "open_links",
    "forget_revived",
    "redirect_aliases",
    "add_aliases",
    "decisions",
    "drop_momentary",
)
_KEEPER = Keeper("identity.ledger", ("clusters",))


def ledger_step() -> Step:
    """Assign customer ids to clusters and write down what changed."""
    reads = frozenset({"identity._clusters", "identity.records", "identity.edges", "identity._nodes"})
    return Step("identity.ledger", (*_specs(), *decisions_specs()), reads, _execute, keeps_grain=True)


def _specs() -> tuple[TableSpec, ...]:
    return (
        spec("customer_links", "Which customer each record belongs to now.", ("record_id",)),
        spec(
            "customer_link_history",
            "Which customer each record belonged to, from when to when we held it so.",
            ("record_id", "valid_from"),
        ),
        spec("customer_aliases", "A former customer id and the customer it stands for now.", ("former_id",)),
        spec(
            "customer_changes",
            "What a run changed about a customer: created, extended, merged, split or retired.",
            ("changed_at", "customer_id", "change", "other_customer_id"),
        ),
    )


def _execute(connection: Connection, run: Run) -> None:
    for statement in _CREATE:
        connection.execute(statement)
    ensure_decisions(connection)
    stands = _KEEPER.stands(connection, run)
    _choose(connection, stands)
    for stage in _STAGES:
        connection.execute(_statement(stage))
    _name_new_customers(connection)
    connection.execute(_statement("assigned"))
    values = {"now": run.now, "run_id": run.run_id}
    for stage in _FINISH:
        text = _statement(stage)
        connection.execute(text, {name: value for name, value in values.items() if f"${name}" in text})
    for statement in _PART_LINKS if stands else (_ALL_LINKS,):
        connection.execute(statement)
    if stands:
        tell(connection, "linked", _MOVED_LINKS)
    else:
        tell_everything(connection, "linked")
    _KEEPER.done(connection)


def _choose(connection: Connection, stands: bool) -> None:
    """The clusters and links that the laws speak of: all, or those that changed, with every customer they touch."""
    if stands:
        connection.execute(_PART)
        while connection.execute(_WIDEN).fetchall() not in ([], [(0,)]):
            pass
    for statement in _CHOSEN if stands else _EVERYTHING:
        connection.execute(statement)


def _statement(stage: str) -> str:
    return (files("identity") / "ledger_sql" / f"{stage}.sql").read_text(encoding="utf-8")


def new_customer_id(cluster_id: str, attempt: int) -> str:
    """``c`` and 16 hex digits, made from the cluster's smallest record; another one for each attempt."""
    digest = hashlib.md5(f"{cluster_id}|{attempt}".encode(), usedforsecurity=False).hexdigest()
    return f"c{digest[:16]}"


def _name_new_customers(connection: Connection) -> None:
    """An id that nobody ever bore for every cluster that is to have a new one."""
    waiting = [str(row[0]) for row in connection.execute(_UNNAMED).fetchall()]
    connection.execute("create or replace temp table _new_ids (cluster_id varchar, customer_id varchar)")
    given: set[str] = set()
    attempt = 0
    while waiting:
        wanted = {new_customer_id(cluster_id, attempt): cluster_id for cluster_id in reversed(waiting)}
        free = {customer: cluster for customer, cluster in wanted.items() if customer not in given}
        taken = _add_ids(connection, free)
        given |= free.keys() - taken
        named = {cluster for customer, cluster in free.items() if customer not in taken}
        waiting = [cluster for cluster in waiting if cluster not in named]
        attempt += 1


def _add_ids(connection: Connection, wanted: dict[str, str]) -> set[str]:
    """Give clusters the ids that are free; those that are taken."""
    table = arrow({"cluster_id": (list(wanted.values()), pa.string()), "customer_id": (list(wanted), pa.string())})
    connection.register("_incoming", table)
    try:
        make(connection, "_taken", _TAKEN)
        taken = {str(row[0]) for row in connection.execute("from _taken").fetchall()}
        add(connection, "_new_ids", "from _incoming where customer_id not in (from _taken)")
    finally:
        connection.unregister("_incoming")
    return taken
