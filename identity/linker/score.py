"""The weight of a pair: log2 odds that both records are one person, under fitted parameters.

Rare values that agree say more than common ones of their bin: the frequency of the very value corrects the classes in
which agreement is chance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from identity.arrays import Floats, Integers
from identity.linker.comparison import Compared, Group, Records, unpacked
from identity.linker.estimate import Cells, Parameters, distinct
from identity.linker.fields import Field
from identity.linker.roles import Learning, Role

_MOST_FUZZY_BITS: Final = 3.0
_LEAST_LOG: Final = -90.0
_GRADED: Final = 3
"""A field with so many inexact levels has two that nearly agree."""
_AT_ONCE: Final = 1 << 16
"""Pairs weighed at once: what a processor keeps at hand."""
_CHANCE: Final = frozenset({Learning.RANDOM, Learning.TIED, Learning.LEANING, Learning.SURNAME, Learning.AGREED})


@dataclass(frozen=True)
class Frequencies:
    """Per field: log2 of how far the share of each value is from what its level stands for."""

    exact: tuple[Floats, ...]
    fuzzy_mean: tuple[Floats, ...]


@dataclass(frozen=True)
class Model:
    """Parameters with the frequencies of the values they were learnt beside."""

    parameters: Parameters
    frequencies: Frequencies


def make_model(records: Records, parameters: Parameters, compared: Compared) -> Model:
    """Parameters for scoring; the candidate pairs say how common the values of nearly equal pairs are."""
    exact = tuple(_exact_bits(item) for item in records.fields)
    fuzzy = tuple(
        np.array([_fuzzy_mean(item, compared, level, number) for level in (item.inexact - 1, item.inexact)])
        for number, item in enumerate(records.fields)
    )
    return Model(parameters, Frequencies(exact, fuzzy))


def group_logs(records: Records, model: Model, compared: Compared) -> list[Floats]:
    """Per group the log2 probability of each pair's outcome in every class; shape (classes, pairs)."""
    found = []
    for number, (group, cells) in enumerate(zip(records.groups, model.parameters.cells, strict=True)):
        logs = _cell_logs(records, group, cells, compared.cells[number])
        for index in group.fields:
            _correct(logs, records.fields[index], index, model, compared)
        if group.is_crossing:
            _correct_crossed(logs, records, compared)
        found.append(logs)
    return found


def weights(records: Records, model: Model, compared: Compared) -> Floats:
    """log2 odds of each pair."""
    found = np.empty(len(compared))
    for start in range(0, len(compared), _AT_ONCE):
        part = compared.taken(slice(start, start + _AT_ONCE))
        total = np.repeat(model.parameters.prior[:, None], len(part), axis=1)
        for logs in group_logs(records, model, part):
            total += logs
        found[start : start + len(part)] = odds(total)
    return found


def odds(logs: Floats) -> Floats:
    """log2 of match against everything else; classes along the first axis."""
    return np.asarray(logs[0] - np.logaddexp2.reduce(logs[1:], axis=0))


def probability(weight: Floats) -> Floats:
    """The probability that log2 odds stand for."""
    return np.asarray(1.0 / (1.0 + np.exp2(-np.clip(weight, -60.0, 60.0))))


def _cell_logs(records: Records, group: Group, cells: Cells, keys: Integers) -> Floats:
    """Probabilities of seen cells as learnt, of unseen ones as if their fields were independent."""
    present, where = distinct(keys)
    place = np.minimum(np.searchsorted(cells.keys, present), len(cells.keys) - 1)
    logs = cells.logs[:, place]
    unseen = np.flatnonzero(cells.keys[place] != present)
    if len(unseen):
        levels = unpacked(group, records.fields, present[unseen])
        for number, fields in enumerate(cells.fields):
            found = np.zeros(len(unseen))
            for column, probabilities in enumerate(fields):
                found += np.log2(np.maximum(np.r_[1.0, probabilities], 1e-30))[levels[:, column]]
            logs[number, unseen] = found
    return np.maximum(logs, _LEAST_LOG)[:, where]


def _correct(logs: Floats, item: Field, number: int, model: Model, compared: Compared) -> None:
    level = compared.levels[number]
    meaning = item.meaning
    sides = enumerate((meaning.household, meaning.community, meaning.namesake), 2)
    chance = [1] + [c for c, side in sides if side in _CHANCE]
    bits = np.where(level > item.inexact, model.frequencies.exact[number][item.codes[compared.left]], 0.0)
    for nth, fuzzy in enumerate((item.inexact - 1, item.inexact) if item.inexact >= _GRADED else ()):
        near = np.flatnonzero(level == fuzzy)
        apart = _common(item, compared, near) - model.frequencies.fuzzy_mean[number][nth]
        bits[near] = np.clip(0.5 * apart, -_MOST_FUZZY_BITS, _MOST_FUZZY_BITS)
    for c in chance:
        logs[c] += bits


def _correct_crossed(logs: Floats, records: Records, compared: Compared) -> None:
    """Crossing on rare names is no chance: the shares of the very names instead of the typical ones."""
    given, family = records.numbered(Role.GIVEN), records.numbered(Role.FAMILY)
    chosen = np.flatnonzero(compared.crossed > 1)
    if given is None or family is None or not len(chosen):
        return
    g, f = records.fields[given], records.fields[family]
    typical = max(float((g.share * f.share).sum()), 1e-9)
    left, right = compared.left[chosen], compared.right[chosen]
    bits = np.zeros(len(chosen))
    for one, other, share in ((g.codes[left], f.codes[right], f.share), (f.codes[left], g.codes[right], g.share)):
        same = (one == other) & (one > 0)
        bits += np.where(same, np.log2(np.maximum(share[one], 1e-9) / typical), 0.0)
    logs[1:, chosen] += np.clip(bits, -12.0, 12.0)


def _common(item: Field, compared: Compared, chosen: Integers) -> Floats:
    one, other = item.codes[compared.left[chosen]], item.codes[compared.right[chosen]]
    return np.log2(np.maximum(np.maximum(item.share[one], item.share[other]), 1e-12))


def _exact_bits(item: Field) -> Floats:
    weight = np.bincount(item.bin_of[1:], item.share[1:], item.bins)
    squares = np.bincount(item.bin_of[1:], item.share[1:] ** 2, item.bins)
    typical = squares / np.maximum(weight, 1e-300)
    found = np.log2(np.maximum(item.share, 1e-12) / np.maximum(typical[np.maximum(item.bin_of, 0)], 1e-12))
    found[0] = 0.0
    return np.asarray(found)


def _fuzzy_mean(item: Field, compared: Compared, level: int, number: int) -> float:
    near = np.flatnonzero(compared.levels[number] == level)
    return float(_common(item, compared, near).mean()) if len(near) else 0.0
