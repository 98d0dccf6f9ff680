"""Which pairs are weighed again where scores stand.

Pairs that are new or gone, pairs of a node that changed, and pairs that agree on a value which counts as rarer or more
common than before (``identity.frequencies``). ``_before`` holds the scores that these pairs had.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from identity.arrays import arrow, read_table, write_temporary
from identity.compare_names import NAME_PARTS
from identity.declaration import LEVELS, IdentityRules
from identity.kept import touched_nodes
from identity.model import Model
from identity.outcomes import level_bits
from identity.weighing import Candidates, read_candidates
from warehouse.database import Connection

_COUNTS_MOVED = """
    with moved as (
        select split_part(key, ':', 1) as feature, substr(key, strpos(key, ':') + 1) as value, one, other, version
        from _heard
        where subject = 'holders'
    )

    select feature, value, arg_min(one, version) as before, arg_max(other, version) as now
    from moved
    where list_contains($asked, feature) and feature <> 'name'
    group by feature, value
    order by feature, value
"""
_CONCERNED = """
    create or replace temp table _concerned as
    with shifted as (
        select features.node_id, features.feature as comparison
        from identity._features as features
        semi join _shifted_values as shifted on features.feature = shifted.feature and features.value = shifted.value
        where list_contains($asked, features.feature)
        union all
        select features.node_id, features.feature as comparison
        from identity._features as features
        where
            features.feature = 'name'
            and (
                split_part(features.value, chr(9), 1)
                in (select value from _shifted_values where feature = 'name.given')
                or split_part(features.value, chr(9), 2)
                in (select value from _shifted_values where feature = 'name.family')
            )
    )

    select node_id, bit_or(mask) as shifted
    from (
        select shifted.node_id, asking.mask
        from shifted
        inner join (select distinct comparison, mask from _asking) as asking on shifted.comparison = asking.comparison
        union all
        select node_id, -1 from _touched
    )
    group by node_id
"""
_ASKED = """
    create or replace temp table _asked as
    with patterns as (select distinct levels from identity._scores),

    silenced as (
        select patterns.levels, bit_or(silencing.mask) as silent
        from patterns
        inner join _silencing as silencing on ((patterns.levels >> silencing.bits) & 15) = silencing.level
        group by patterns.levels
    ),

    asked as (
        select
            patterns.levels,
            bit_or(case when asking.of_both then asking.mask else 0 end) as of_both,
            bit_or(case when asking.of_both then 0 else asking.mask end) as of_any
        from patterns
        inner join _asking as asking on ((patterns.levels >> asking.bits) & 15) = asking.level
        group by patterns.levels
    )

    select
        asked.levels,
        asked.of_both & ~coalesce(silenced.silent, 0) as of_both,
        asked.of_any & ~coalesce(silenced.silent, 0) as of_any
    from asked
    left join silenced on asked.levels = silenced.levels
"""
_BEFORE = """
    create or replace temp table _before as
    with near as (
        select scores.*, coalesce(l.shifted, 0) as of_l, coalesce(r.shifted, 0) as of_r
        from identity._scores as scores
        left join _concerned as l on scores.node_l = l.node_id
        left join _concerned as r on scores.node_r = r.node_id
        where l.node_id is not null or r.node_id is not null
    )

    select scores.*
    from identity._scores as scores
    semi join _moved_pairs on scores.node_l = _moved_pairs.node_l and scores.node_r = _moved_pairs.node_r
    union
    select near.* exclude (of_l, of_r)
    from near
    left join _asked as asked on near.levels = asked.levels
    where
        near.of_l < 0
        or near.of_r < 0
        or near.of_l & near.of_r & asked.of_both <> 0
        or (near.of_l | near.of_r) & asked.of_any <> 0
"""
_MOVED_PAIRS = """
    create or replace temp table _moved_pairs as
    select one as node_l, other as node_r, try_cast(arg_max(key, version) as bigint) as rule_number
    from _heard
    where subject = 'candidates'
    group by one, other
"""
_TO_SCORE = """
    select node_l, node_r, rule_number
    from _moved_pairs
    where rule_number is not null
    union all
    select scores.node_l, scores.node_r, scores.rule_number
    from _before as scores
    anti join _moved_pairs as moved on scores.node_l = moved.node_l and scores.node_r = moved.node_r
    where scores.rule_number >= 0
    order by 1, 2
"""


def candidates_to_weigh(connection: Connection, rules: IdentityRules, model: Model) -> Candidates:
    """The candidate pairs to be weighed again; ``_before`` holds all scores that no longer hold, ``_touched`` the nodes
    that changed.
    """
    touched_nodes(connection, "featured")
    connection.execute(_MOVED_PAIRS)
    _read_shifted(connection, model.corrected(rules), model)
    for statement in (_ASKED, _BEFORE):
        connection.execute(statement)
    return read_candidates(connection, _TO_SCORE)


def _read_shifted(connection: Connection, rules: IdentityRules, model: Model) -> None:
    """``_concerned``: the nodes that hold a value which counts as rarer or more common than before, and of what.

    A node that changed is concerned in everything.
    """
    asked = _write_asking(connection, rules)
    table = read_table(connection, _COUNTS_MOVED, {"asked": [*asked, *(f"name.{part}" for part in NAME_PARTS)]})
    before, now = (np.asarray(table.column(name).to_numpy(), dtype=np.float64) for name in ("before", "now"))
    features, values = np.array(table.column("feature").to_pylist(), dtype=object), table.column("value").to_pylist()
    shifted = np.zeros(len(values), dtype=np.bool_)
    for feature in sorted(set(features)):
        chosen = np.flatnonzero(features == feature)
        texts, held = [values[place] for place in chosen.tolist()], model.frequencies.held
        name = feature.removeprefix("name.")
        shifted[chosen] = held(name, texts, before[chosen]) != held(name, texts, now[chosen])
    write_temporary(
        connection, "_shifted_values", table.select(["feature", "value"]).filter(pa.array(shifted, pa.bool_()))
    )
    connection.execute(_CONCERNED, {"asked": asked})


def _write_asking(connection: Connection, rules: IdentityRules) -> list[str]:
    """``_asking``: the levels that ask how rare a value is; the comparisons that have such levels.

    On its best level both nodes hold the value that the level speaks of.
    """
    asking = [
        (item.comparison, level_bits(item.comparison), place + 1, 1 << number, place == 0)
        for number, item in enumerate(rules.comparisons)
        for place, level in enumerate(item.levels)
        if level.rarity
    ]
    kinds = (pa.string(), pa.int32(), pa.int64(), pa.int64(), pa.bool_())
    names = ("comparison", "bits", "level", "mask", "of_both")
    columns = {
        name: ([row[place] for row in asking], kind)
        for place, (name, kind) in enumerate(zip(names, kinds, strict=True))
    }
    write_temporary(connection, "_asking", arrow(columns))
    _write_silencing(connection, rules)
    return sorted({row[0] for row in asking})


def _write_silencing(connection: Connection, rules: IdentityRules) -> None:
    """``_silencing``: levels of others after which a comparison says nothing, however rare its value is."""
    silencing = [
        (1 << number, level_bits(other), place + 1)
        for number, item in enumerate(rules.comparisons)
        for other, levels in item.silent_after.items()
        if other in LEVELS
        for place, level in enumerate(LEVELS[other])
        if not levels or level in levels
    ]
    names = ("mask", "bits", "level")
    columns = {name: ([row[place] for row in silencing], pa.int64()) for place, name in enumerate(names)}
    write_temporary(connection, "_silencing", arrow(columns))
