"""What a run that adds must have in common with a rebuild: tables as queries whose rows can be compared."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from warehouse.database import Warehouse

_NUMBERED = "select record_id, min(record_id) over (partition by {number}) as {number} from identity._nodes order by 1"
_FIRST = "(select node_id, min(record_id) as record_id from identity._nodes group by node_id)"
TABLES = {
    **{
        name: f"from identity.{name} order by all"
        for name in (
            "_texts",
            "_phones",
            "_names",
            "_identifier_values",
            "blocked_identifiers",
            "_shared_values",
            "identifiers",
            "_ties",
            "_holders",
            "edges",
            "_outcomes",
            "_clusters",
            "_said",
            "_standing",
            "customer_links",
            "customer_link_history",
            "customer_aliases",
            "customer_changes",
            "decisions",
            "known_identifiers",
            "_doubts",
            "review_queue",
        )
    },
    "nodes": _NUMBERED.format(number="node_id"),
    "ties": _NUMBERED.format(number="tied_id"),
    "features": f"""
        select nodes.record_id, features.feature, features.value
        from identity._features as features
        left join {_FIRST} as nodes on features.node_id = nodes.node_id
        order by all
    """,
    "keys": f"""
        select nodes.record_id, keys.rule_number, keys.key
        from identity._keys as keys
        left join {_FIRST} as nodes on keys.node_id = nodes.node_id
        order by all
    """,
    "candidates": f"""
        select least(l.record_id, r.record_id), greatest(l.record_id, r.record_id), pairs.rule_number, pairs.rules
        from identity._candidates as pairs
        left join {_FIRST} as l on pairs.node_l = l.node_id
        left join {_FIRST} as r on pairs.node_r = r.node_id
        order by all
    """,
    "scores": f"""
        select least(l.record_id, r.record_id), greatest(l.record_id, r.record_id), pairs.* exclude (node_l, node_r)
        from identity._scores as pairs
        left join {_FIRST} as l on pairs.node_l = l.node_id
        left join {_FIRST} as r on pairs.node_r = r.node_id
        order by all
    """,
    "groups": f"""
        select nodes.record_id, min(nodes.record_id) over (partition by groups.group_id), groups.doubts
        from identity._groups as groups
        left join {_FIRST} as nodes on groups.node_id = nodes.node_id
        order by all
    """,
}
"""What must be equal; nodes by their smallest record, since their numbers mean nothing."""

GROWN = frozenset(
    {
        "customer_links",
        "customer_link_history",
        "customer_aliases",
        "customer_changes",
        "decisions",
        "known_identifiers",
        "_doubts",
        "review_queue",
    }
)
"""Those in which the history of runs shows: ids of customers, and when they were given."""


def tables(warehouse: Warehouse, names: Iterable[str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of each table, in order."""
    return {name: warehouse.cursor().execute(TABLES[name]).fetchall() for name in names}
