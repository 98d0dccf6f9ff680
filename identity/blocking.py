"""Which pairs of nodes are compared: the declared blocking rules as one generated select.

A rule joins the nodes that agree on all its features: they share a *key*. Keys shared by more nodes than the rule's cap
are passed over for that rule, so the number of pairs grows with the number of nodes, never with its square.
``identity._keys`` (rule_number, key, node_id) keeps the keys, as hashes. Where nodes changed, their own pairs are found
anew, and those of every key that crossed its cap, for whomever it ties.
"""

from __future__ import annotations

from functools import partial, reduce

from sqlglot import exp

from identity.declaration import BlockingRule, IdentityRules
from identity.kept import Keeper, is_filled, known_among, make, narrowed, part, tell, tell_everything, touched_nodes
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step

_DROP_KEYS = "delete from identity._keys where node_id in (select node_id from _known)"
_CHANGED_KEYS = """
    create or replace temp table _changed_keys as
    select rule_number, key, sum(before) as before, sum(now) as now
    from (
        select rule_number, key, 1 as before, 0 as now from _keys_before
        union all
        select rule_number, key, 0, 1 from _keys_now
    )
    group by rule_number, key
"""
_HOLDING = """
    create or replace temp table _holding as
    select keys.*
    from identity._keys as keys
    semi join _changed_keys as changed on keys.rule_number = changed.rule_number and keys.key = changed.key
"""
_SIZED = """
    create or replace temp table _sized as
    with held as (select rule_number, key, count(*) as others from _holding group by rule_number, key)

    select
        changed.rule_number,
        changed.key,
        coalesce(held.others, 0) + changed.before as before,
        coalesce(held.others, 0) + changed.now as now,
        changed.now > 0 as is_touched,
        caps.at_most
    from _changed_keys as changed
    inner join _caps as caps on changed.rule_number = caps.rule_number
    left join held on changed.rule_number = held.rule_number and changed.key = held.key
"""
_REOPENED = """
    create or replace temp table _reopened as
    with tied as (
        select holding.*
        from _holding as holding
        semi join (select * from _sized where (before <= at_most) <> (now <= at_most)) as crossed
            on holding.rule_number = crossed.rule_number and holding.key = crossed.key
    )

    select distinct l.node_id as node_l, r.node_id as node_r
    from tied as l
    inner join tied as r on l.rule_number = r.rule_number and l.key = r.key and l.node_id < r.node_id
"""
_LIVE = """
    create or replace temp table _live as
    with live as (
        select rule_number, key from _sized where is_touched and now between 2 and at_most
    )

    select holding.*, false as is_touched
    from _holding as holding
    semi join live on holding.rule_number = live.rule_number and holding.key = live.key
    union all
    select keys.*, true
    from _keys_now as keys
    semi join live on keys.rule_number = live.rule_number and keys.key = live.key
"""
_SHARED = (
    """
    create or replace temp table _shared as
    with ends as (
        select node_l as node_id from _reopened
        union
        select node_r from _reopened
    ),

    own as (
        select keys.*
        from identity._keys as keys
        semi join ends on keys.node_id = ends.node_id
    )

    select reopened.node_l, reopened.node_r, l.rule_number, l.key
    from _reopened as reopened
    inner join own as l on reopened.node_l = l.node_id
    inner join own as r on reopened.node_r = r.node_id and l.rule_number = r.rule_number and l.key = r.key
    """,
    """
    create or replace temp table _dead as
    with sized as (
        select keys.rule_number, keys.key, count(*) as holders
        from identity._keys as keys
        semi join _shared as shared on keys.rule_number = shared.rule_number and keys.key = shared.key
        group by keys.rule_number, keys.key
    )

    select sized.rule_number, sized.key
    from sized
    inner join _caps as caps on sized.rule_number = caps.rule_number
    where sized.holders > caps.at_most
    """,
    """
    delete from _shared as shared using _dead
    where shared.rule_number = _dead.rule_number and shared.key = _dead.key
    """,
)
_NOTHING_SHARED = """
    create or replace temp table _shared (node_l bigint, node_r bigint, rule_number utinyint, key ubigint)
"""
_FOUND = """
    create or replace temp table _found as
    with found as (
        select
            least(own.node_id, other.node_id) as node_l,
            greatest(own.node_id, other.node_id) as node_r,
            own.rule_number,
            own.key
        from _live as own
        inner join _live as other
            on
                own.rule_number = other.rule_number
                and own.key = other.key
                and (own.node_id < other.node_id or (own.node_id > other.node_id and not other.is_touched))
        where own.is_touched
        union all
        select * from _shared
    )

    select
        node_l,
        node_r,
        cast(min(rule_number) as bigint) as rule_number,
        count(*) as rules
    from found
    group by node_l, node_r
"""
_BEFORE = """
    create or replace temp table _pairs_before as
    select *
    from identity._candidates
    where node_l in (select node_id from _known) or node_r in (select node_id from _known)
"""
_REOPENED_BEFORE = """
    insert into _pairs_before
    select candidates.*
    from identity._candidates as candidates
    semi join _reopened on candidates.node_l = _reopened.node_l and candidates.node_r = _reopened.node_r
"""
_REPLACE = (
    """
    delete from identity._candidates as old using _pairs_before as gone
    where old.node_l = gone.node_l and old.node_r = gone.node_r
    """,
    "insert into identity._candidates select * from _found",
)
_MOVED = """
    select
        coalesce(cast(is_now.rule_number as varchar), 'gone') as key,
        coalesce(is_now.node_l, was.node_l) as one,
        coalesce(is_now.node_r, was.node_r) as other
    from _found as is_now
    full join _pairs_before as was on is_now.node_l = was.node_l and is_now.node_r = was.node_r
    where
        is_now.rule_number is distinct from was.rule_number
        or is_now.node_l in (from _touched)
        or is_now.node_r in (from _touched)
"""
_EVERY_PAIR = """
    create or replace table identity._candidates as
    with sized as (
        select rule_number, key, count(*) as holders
        from identity._keys
        group by rule_number, key
    ),

    live as (
        select keys.rule_number, keys.key, keys.node_id
        from identity._keys as keys
        inner join sized on keys.rule_number = sized.rule_number and keys.key = sized.key
        inner join _caps as caps on sized.rule_number = caps.rule_number
        where sized.holders between 2 and caps.at_most
    )

    select
        l.node_id as node_l,
        r.node_id as node_r,
        cast(min(l.rule_number) as bigint) as rule_number,
        count(*) as rules
    from live as l
    inner join live as r on l.rule_number = r.rule_number and l.key = r.key and l.node_id < r.node_id
    group by l.node_id, r.node_id
"""


def candidates_step(rules: IdentityRules) -> Step:
    """Make ``identity._candidates``: one row per pair of nodes (node_l < node_r) and the first rule that found it."""
    table = spec("_candidates", "A pair of nodes that some blocking rule found, to be compared.", ("node_l", "node_r"))
    execute = partial(_execute, rules.blocking, rules.model_dump_json(include={"blocking"}))
    return Step(table.full_name, (table,), frozenset({"identity._features"}), execute, keeps_grain=True)


def _execute(rules: tuple[BlockingRule, ...], declared: str, connection: Connection, run: Run) -> None:
    keeper = Keeper("identity._candidates", ("featured",), (declared,))
    query, parameters = keys_query(rules)
    keys = query.sql(dialect="duckdb")
    stands = keeper.stands(connection, run)
    _write_caps(connection, rules)
    if not stands:
        connection.execute(" ".join(("create or replace table identity._keys as", keys)), parameters)
        connection.execute(_EVERY_PAIR)
        tell_everything(connection, "candidates")
    else:
        touched_nodes(connection, "featured")
        part(connection, "_part_features", "identity._features", "_touched", "node_id")
        known_among(connection, "_known", "identity._keys", "node_id")
        part(connection, "_keys_before", "identity._keys", "_known", "node_id")
        connection.execute(_DROP_KEYS)
        make(connection, "_keys_now", narrowed(keys, {"identity._features": "_part_features"}), parameters)
        _find_again(connection)
        for statement in _REPLACE:
            connection.execute(statement)
        tell(connection, "candidates", _MOVED)
    keeper.done(connection)


def _find_again(connection: Connection) -> None:
    """``_found``: the pairs of nodes that changed and of keys that crossed caps; ``_pairs_before``: as they were."""
    for statement in (_CHANGED_KEYS, _HOLDING, _SIZED, _REOPENED, _LIVE, _BEFORE, _NOTHING_SHARED):
        connection.execute(statement)
    connection.execute("insert into identity._keys select * from _keys_now")
    if is_filled(connection, "_reopened"):
        for statement in (*_SHARED, _REOPENED_BEFORE):
            connection.execute(statement)
    connection.execute(_FOUND)


def _write_caps(connection: Connection, rules: tuple[BlockingRule, ...]) -> None:
    connection.execute("create or replace temp table _caps (rule_number utinyint, at_most bigint)")
    for number, rule in enumerate(rules):
        connection.execute("insert into _caps values ($number, $most)", {"number": number, "most": rule.at_most})


def keys_query(rules: tuple[BlockingRule, ...]) -> tuple[exp.Expr, dict[str, object]]:
    """The keys under which nodes meet, of all rules, and the names of features that the select binds."""
    parameters: dict[str, object] = {}
    keys: list[exp.Expr] = []
    for number, rule in enumerate(rules):
        keys.append(_keys(number, rule))
        parameters |= {f"feature_{number}_{position}": name for position, name in enumerate(rule.on)}
    return reduce(lambda one, other: exp.union(one, other, distinct=False, copy=False), keys), parameters


def _keys(number: int, rule: BlockingRule) -> exp.Select:
    """Nodes and the key under which the rule meets them."""
    names = [f"f{position}" for position in range(len(rule.on))]
    query = exp.select().from_(_features(names[0]))
    for name in names[1:]:
        query = query.join(_features(name), on=f"{names[0]}.node_id = {name}.node_id")
    for position, name in enumerate(names):
        query = query.where(exp.column("feature", name).eq(exp.Parameter(this=exp.var(f"feature_{number}_{position}"))))
    key = exp.func("hash", *(exp.column("value", name) for name in names))
    return query.select(f"cast({number} as utinyint) as rule_number", key.as_("key"), f"{names[0]}.node_id")


def _features(alias: str) -> exp.Table:
    return exp.table_("_features", db="identity", alias=alias)
