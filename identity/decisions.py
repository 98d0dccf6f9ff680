"""The ledger of decisions, ``identity.decisions``: append-only, by rules, by the model and by people.

What people decided binds the clustering for ever, or until a later row retracts it: *merge* and *allow* put two
records together, *split* and *forbid* keep them apart. The latest decision about a pair counts.
"""

from __future__ import annotations

from dataclasses import dataclass

from identity.specs import spec
from warehouse.database import Connection
from warehouse.errors import IdentityConflictError
from warehouse.step import TableSpec

TOGETHER = ("merge", "allow")
APART = ("split", "forbid")

_CREATE = """
    create table if not exists identity.decisions (
        decision_id varchar not null,
        decided_at timestamp not null,
        run_id varchar,
        decided_by varchar not null,
        actor varchar,
        action varchar not null,
        record_id_l varchar,
        record_id_r varchar,
        customer_id varchar,
        weight double,
        reason varchar,
        retracts varchar
    )
"""
_STANDING = """
    with standing as (
        select
            least(record_id_l, record_id_r) as record_id_l,
            greatest(record_id_l, record_id_r) as record_id_r,
            action,
            row_number() over (
                partition by least(record_id_l, record_id_r), greatest(record_id_l, record_id_r)
                order by decided_at desc, decision_id desc
            ) as nth
        from identity.decisions
        where
            decided_by = 'person'
            and action in ('merge', 'allow', 'split', 'forbid')
            and decision_id not in (select retracts from identity.decisions where retracts is not null)
    )
    select record_id_l, record_id_r, action in ('merge', 'allow') as is_together
    from standing
    where nth = 1 and record_id_l <> record_id_r
    order by 1, 2
"""


@dataclass(frozen=True)
class Constraint:
    """A standing decision of a person about two records (left < right)."""

    record_id_l: str
    record_id_r: str
    is_together: bool


def decisions_spec() -> TableSpec:
    """How readers know the ledger."""
    return spec(
        "decisions",
        "The ledger: every link and every decision about who is who, by whom and when. Rows are only added.",
        ("decision_id",),
    )


def ensure_decisions(connection: Connection) -> None:
    """Create the ledger where it does not exist yet."""
    connection.execute(_CREATE)


def standing_constraints(connection: Connection) -> tuple[Constraint, ...]:
    """What people decided and nobody took back, by record ids.

    Raises:
        IdentityConflictError: records that must be together by way of others must also be apart.
    """
    ensure_decisions(connection)
    found = tuple(Constraint(*row) for row in connection.execute(_STANDING).fetchall())
    home: dict[str, str] = {}

    def root(record: str) -> str:
        while home.get(record, record) != record:
            record = home[record]
        return record

    for item in found:
        if item.is_together:
            home[root(item.record_id_l)] = root(item.record_id_r)
    for item in found:
        if not item.is_together and root(item.record_id_l) == root(item.record_id_r):
            raise IdentityConflictError(
                f"Records {item.record_id_l[:8]}… and {item.record_id_r[:8]}… are decided to be apart, "
                "and by way of others to be together.",
                "Take one of these decisions back (`cdp customer split` or `merge`).",
            )
    return found
