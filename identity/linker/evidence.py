"""Why two records are, or are not, one person: per field what came out, per group the bits it adds.

Outcomes, never values. The bits of a pair add up to its weight. Each group is weighed against two records at random;
what is left answers the other ways in which two people agree, which are weighed over all groups at once.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from identity.arrays import Floats, Integers
from identity.linker.atoms import Atom
from identity.linker.comparison import Group, Records, compare, unpacked
from identity.linker.linking import Linked
from identity.linker.rules import Rule
from identity.linker.score import group_logs, probability

_CROSSED: Final = ("", "not crossed", "one name stands in the other's place", "given and family name stand crosswise")
_WITHIN: Final = "within_group"
_PRIOR: Final = ("prior", "two records at random")
_OTHERWISE: Final = ("other explanations", "people of one household, place or name rather than chance")
_DECIMALS: Final = 4
EVIDENCE_TYPE: Final = pa.list_(
    pa.struct([("comparison", pa.string()), ("level", pa.string()), ("weight", pa.float64())])
)
_BATCH: Final = 200_000


def edge_table(records: Records, linked: Linked, ids: pa.Array, weight_from: float) -> pa.Table:
    """One row per scored pair from some weight on: record_id_l, record_id_r, rule, weight, probability, evidence."""
    pairs = linked.pairs
    chosen = np.flatnonzero(pairs.weight >= weight_from)
    left, right, weight = pairs.left[chosen], pairs.right[chosen], pairs.weight[chosen]
    masks = np.r_[linked.mask, np.zeros(len(pairs.left) - len(linked.mask), dtype=np.int64)][chosen]
    evidence = [
        _evidence(records, linked, left[at : at + _BATCH], right[at : at + _BATCH], weight[at : at + _BATCH])
        for at in range(0, len(left), _BATCH)
    ]
    names = pa.array([_rule_name(rule, linked.atoms) for rule in linked.rules] + [_WITHIN], pa.string())
    return pa.table(
        {
            "record_id_l": ids.take(pa.array(left)),
            "record_id_r": ids.take(pa.array(right)),
            "rule": names.take(pa.array(_first_rule(masks, len(linked.rules)))),
            "weight": np.round(weight, _DECIMALS),
            "probability": np.round(probability(weight), 6),
            "evidence": pa.chunked_array(evidence, EVIDENCE_TYPE) if evidence else pa.array([], EVIDENCE_TYPE),
        }
    )


def _first_rule(masks: Integers, count: int) -> Integers:
    """The lowest rule of each mask; ``count`` where no rule found the pair."""
    lowest = masks & -masks
    found = np.full(len(masks), count, dtype=np.int64)
    held = lowest > 0
    found[held] = np.round(np.log2(lowest[held].astype(np.float64))).astype(np.int64)
    return found


def _rule_name(rule: Rule, atoms: list[Atom]) -> str:
    return " and ".join(atoms[index].name for index in rule.atoms) or "every pair"


def _evidence(records: Records, linked: Linked, left: Integers, right: Integers, weight: Floats) -> pa.Array:
    compared = compare(records, left, right)
    logs = group_logs(records, linked.model, compared)
    every = len(left)
    names = [group.name for group in records.groups] + [_PRIOR[0], _OTHERWISE[0]]
    levels = [_outcomes(records, group, compared.cells[number]) for number, group in enumerate(records.groups)]
    told = np.stack([np.asarray(pc.not_equal(level, "").to_numpy(zero_copy_only=False)) for level in levels], axis=1)
    against_chance = [match - chance for match, chance, *_ in logs]
    prior = np.full(every, linked.model.parameters.prior[0])
    bits = np.round(np.stack([*against_chance, prior], axis=1), _DECIMALS)
    told = np.c_[told, np.full(every, True)]
    rest = np.round(np.round(weight, _DECIMALS) - (bits * told).sum(axis=1), _DECIMALS)
    bits, told = np.c_[bits, rest], np.c_[told, rest != 0]
    width = len(names)
    texts = pa.concat_arrays([*levels, *(pa.array([level] * every, pa.string()) for _, level in (_PRIOR, _OTHERWISE))])
    structs = pa.StructArray.from_arrays(
        [
            pa.array(names, pa.string()).take(pa.array(np.tile(np.arange(width), every))),
            texts.take(pa.array(np.arange(width * every).reshape(width, every).T.reshape(-1))),
            pa.array(bits.reshape(-1)),
        ],
        ["comparison", "level", "weight"],
    )
    offsets = pa.array(np.r_[0, np.cumsum(told.sum(axis=1))].astype(np.int32))
    return pa.ListArray.from_arrays(offsets, structs.filter(pa.array(told.reshape(-1)))).cast(EVIDENCE_TYPE)


def _outcomes(records: Records, group: Group, cells: Integers) -> pa.Array:
    """Each pair's outcome in a group, in words."""
    distinct, where = np.unique(cells, return_inverse=True)
    levels = unpacked(group, records.fields, distinct)
    texts = pa.array([_told(records, group, row.tolist()) for row in levels], pa.string())
    return texts.take(pa.array(where))


def _told(records: Records, group: Group, row: list[int]) -> str:
    if group.is_crossing:
        return _CROSSED[row[0]] if row[0] > 1 else ""
    told = []
    for index, level in zip(group.fields, row, strict=True):
        item = records.fields[index]
        if level > 0:
            name = item.meaning.levels[level - 1] if level <= item.inexact else "same"
            told.append(f"{item.name} {name.replace('_', ' ')}")
    return ", ".join(told)
