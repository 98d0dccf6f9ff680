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
"""

from __future__ import annotations

import hashlib
from importlib.resources import files

import pyarrow as pa

from identity.arrays import arrow
from identity.decisions import decisions_specs, ensure_decisions
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
    select customer_id from identity.customer_link_history
    union
    select former_id from identity.customer_aliases
"""
_UNNAMED = """
    select distinct cluster_id
    from identity._clusters
    where
        cluster_id not in (select cluster_id from _heirs where is_winner)
        and cluster_id not in (select cluster_id from _revived)
    order by 1
"""
_STAGES = ("claims", "heirs", "revived")
_TIDY = (
    "drop table _claims_now",
    "drop table _heirs",
    "drop table _revived",
    "drop table _new_ids",
    "drop table _assigned",
)
_FINISH = (
    "changes",
    "close_links",
    "open_links",
    "forget_revived",
    "redirect_aliases",
    "add_aliases",
    "decisions",
    "drop_momentary",
    "customer_links",
)


def ledger_step() -> Step:
    """Assign customer ids to clusters and write down what changed."""
    reads = frozenset({"identity._clusters", "identity.records", "identity.edges", "identity._nodes"})
    return Step("identity.ledger", (*_specs(), *decisions_specs()), reads, _execute)


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
    for stage in _STAGES:
        connection.execute(_statement(stage))
    _name_new_customers(connection)
    connection.execute(_statement("assigned"))
    values = {"now": run.now, "run_id": run.run_id}
    for stage in _FINISH:
        text = _statement(stage)
        connection.execute(text, {name: value for name, value in values.items() if f"${name}" in text})
    for statement in _TIDY:
        connection.execute(statement)


def _statement(stage: str) -> str:
    return (files("identity") / "ledger_sql" / f"{stage}.sql").read_text(encoding="utf-8")


def new_customer_id(cluster_id: str, taken: set[str]) -> str:
    """``c`` and 16 hex digits, made from the cluster's smallest record; another one while that is taken."""
    attempt = 0
    while True:
        digest = hashlib.md5(f"{cluster_id}|{attempt}".encode(), usedforsecurity=False).hexdigest()
        customer_id = f"c{digest[:16]}"
        if customer_id not in taken:
            taken.add(customer_id)
            return customer_id
        attempt += 1


def _name_new_customers(connection: Connection) -> None:
    taken = {str(row[0]) for row in connection.execute(_TAKEN).fetchall()}
    clusters = [str(row[0]) for row in connection.execute(_UNNAMED).fetchall()]
    ids = [new_customer_id(cluster_id, taken) for cluster_id in clusters]
    connection.register("_incoming", arrow({"cluster_id": (clusters, pa.string()), "customer_id": (ids, pa.string())}))
    try:
        connection.execute("create or replace temp table _new_ids as select * from _incoming")
    finally:
        connection.unregister("_incoming")
