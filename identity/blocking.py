"""Which pairs of nodes are compared: the declared blocking rules as one generated select.

A rule is an equi-join of the nodes on all its features; keys shared by more nodes than the rule's cap are passed
over for that rule, so the number of pairs grows with the number of nodes, never with its square.
"""

from __future__ import annotations

from functools import reduce

from sqlglot import exp

from identity.declaration import BlockingRule, IdentityRules
from warehouse.columns import descriptions_for
from warehouse.sql_model import generated_step
from warehouse.step import Step

_SEPARATOR = "chr(31)"


def candidates_step(rules: IdentityRules) -> Step:
    """Make ``identity._candidates``: one row per pair of nodes (node_l < node_r) and the first rule that found it."""
    query, parameters = candidates_query(rules.blocking)
    return generated_step(
        "identity",
        "_candidates",
        "A pair of nodes that some blocking rule found, to be compared.",
        ("node_l", "node_r"),
        descriptions_for("identity", "_candidates"),
        query,
        parameters,
    )


def candidates_query(rules: tuple[BlockingRule, ...]) -> tuple[exp.Expression, dict[str, object]]:
    """The select of all rules, and the values it binds (feature names and caps)."""
    parameters: dict[str, object] = {}
    pairs: list[exp.Expression] = []
    for number, rule in enumerate(rules):
        pairs.append(_pairs(number, rule))
        parameters |= {f"feature_{number}_{position}": name for position, name in enumerate(rule.on)}
        parameters[f"at_most_{number}"] = rule.at_most
    every = reduce(lambda one, other: exp.union(one, other, distinct=False, copy=False), pairs)
    query = (
        exp.select("node_l", "node_r", "min(rule_number) as rule_number", "count(*) as rules")
        .from_(exp.alias_(exp.paren(every), "found", table=True))
        .group_by("node_l", "node_r")
    )
    return query, parameters


def _features(alias: str) -> exp.Table:
    return exp.table_("_features", db="identity", alias=alias)


def _keys(number: int, rule: BlockingRule) -> exp.Select:
    """Nodes and the key under which the rule meets them."""
    names = [f"f{position}" for position in range(len(rule.on))]
    query = exp.select(f"{names[0]}.node_id").from_(_features(names[0]))
    for name in names[1:]:
        query = query.join(_features(name), on=f"{names[0]}.node_id = {name}.node_id")
    for position, name in enumerate(names):
        query = query.where(exp.column("feature", name).eq(exp.Parameter(this=exp.var(f"feature_{number}_{position}"))))
    values = ", ".join(f"{name}.value" for name in names)
    key = f"concat_ws({_SEPARATOR}, {values})" if len(names) > 1 else values
    return query.select(f"{key} as key").distinct()


def _pairs(number: int, rule: BlockingRule) -> exp.Select:
    sized = exp.select("node_id", "key", "count(*) over (partition by key) as holders").from_(
        _keys(number, rule).subquery("keys")
    )
    kept = (
        exp.select("node_id", "key")
        .from_(sized.subquery("sized"))
        .where("holders >= 2")
        .where(exp.column("holders") <= exp.Parameter(this=exp.var(f"at_most_{number}")))
    )
    return (
        exp.select("l.node_id as node_l", "r.node_id as node_r", f"{number} as rule_number")
        .from_(kept.subquery("l"))
        .join(kept.copy().subquery("r"), on="l.key = r.key and l.node_id < r.node_id")
    )
