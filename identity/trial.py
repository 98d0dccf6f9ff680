"""Labelled pairs apart: what is learned from, and what is held out to try it on.

Groups of people are held out whole: a pair is on trial when either of its ends is, and nothing is learned from it.
Pairs of two groups are on trial more often than pairs of one, so pairs count by how rarely their kind lands where they
are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from identity.arrays import Flags, Integers
from identity.compare import Compared, compare
from identity.declaration import IdentityRules
from identity.features import Feature
from identity.fitting import Labelled, log_loss
from identity.labels import Pairs, Persons
from identity.model import Band
from identity.score import probability, score
from identity.scores import codes, harmonic, pairs_in

_TENTHS_HELD_OUT: Final = 3
_SHARE: Final = _TENTHS_HELD_OUT / 10
_CHUNK: Final = 200_000
_BANDS: Final = (0.0, 0.05, 0.2, 0.5, 0.8, 0.95)
_SAME: Final = 5e-4
_WANTED_HIGH: Final = ("f1", "pair_f1")

Scores = Mapping[str, float]


@dataclass(frozen=True)
class Trial:
    """Compared labelled pairs; which of them are held out; and which may not be told apart when folds are made."""

    labelled: Labelled
    is_held: Flags
    fold: Integers

    def learned_from(self) -> Labelled:
        """The pairs to learn from."""
        return self.labelled.part(~self.is_held)

    def held_out(self) -> Labelled:
        """The pairs to try it on."""
        return self.labelled.part(self.is_held)


def is_held_out(group: Integers) -> Flags:
    """Whether groups are held out."""
    return np.asarray(group % 10 < _TENTHS_HELD_OUT)


def trial_of(features: Mapping[str, Feature], pairs: Pairs) -> Trial:
    """Compare labelled pairs and set some of them aside."""
    held = is_held_out(pairs.group_l) | is_held_out(pairs.group_r)
    groups = 1 + (pairs.group_l != pairs.group_r)
    learned_from = (1 - _SHARE) ** groups
    counts = 1 / np.where(held, 1 - learned_from, learned_from)
    counts *= (1 - _SHARE) * len(counts) / max(float(counts.sum()), 1.0)
    compared = compared_pairs(features, pairs.left, pairs.right)
    return Trial(Labelled(compared, pairs.is_match, counts), held, np.minimum(pairs.group_l, pairs.group_r) // 10)


def compared_pairs(features: Mapping[str, Feature], left: Integers, right: Integers) -> Compared:
    """Compare pairs in chunks."""
    starts = range(0, max(len(left), 1), _CHUNK)
    parts = [compare(features, left[start : start + _CHUNK], right[start : start + _CHUNK]) for start in starts]
    return Compared.joined(parts)


def pair_scores(held: Labelled, rules: IdentityRules, prior: float) -> Scores:
    """How well weights foretell held-out pairs: log-loss in bits, and F1 of pairs at the link threshold."""
    weight = score(held.compared, rules, prior).weight
    linked = weight >= rules.clusters.link_at
    right, claimed, wanted = (
        float(held.counts[chosen].sum()) for chosen in (linked & held.is_match, linked, held.is_match)
    )
    found = harmonic(right / claimed if claimed else 1.0, right / wanted if wanted else 1.0)
    return {"log_loss": log_loss(weight, held.is_match, held.counts), "pair_f1": found}


def calibration_of(held: Labelled, rules: IdentityRules, prior: float) -> tuple[Band, ...]:
    """Of held-out pairs of about one probability: what share is foretold, and found, to be one person."""
    likely = probability(score(held.compared, rules, prior).weight)
    band = np.searchsorted(_BANDS, likely, side="right") - 1
    return tuple(
        Band(
            at_least=start,
            pairs=int(inside.sum()),
            expected=round(float(np.average(likely[inside], weights=held.counts[inside])), 4),
            found=round(float(np.average(held.is_match[inside], weights=held.counts[inside])), 4),
        )
        for number, start in enumerate(_BANDS)
        if (inside := band == number).any()
    )


def partition_scores(persons: Persons, label: Integers) -> Scores:
    """Pairwise precision, recall and F1 of clusters over the records of held-out persons.

    A pair that joins a held-out person to another one counts half: it would be met from either side.
    """
    held = is_held_out(persons.group[persons.person])
    truth, found = codes(persons.person), codes(label[persons.node])
    joint = codes(truth * (int(found.max(initial=0)) + 1) + found)
    right, wanted, inside = (pairs_in(of[held]) for of in (joint, truth, found))
    claimed = inside + (pairs_in(found) - pairs_in(found[~held]) - inside) / 2
    precision, recall = right / claimed if claimed else 1.0, right / wanted if wanted else 1.0
    return {"precision": precision, "recall": recall, "f1": harmonic(precision, recall)}


def worse_by(declared: Scores, learned: Scores) -> tuple[str, ...]:
    """What the learned weights do worse than the declared ones, beyond what is nothing."""
    lower = [name for name in _WANTED_HIGH if name in learned and learned[name] < declared[name] - _SAME]
    higher = [name for name in ("log_loss",) if name in learned and learned[name] > declared[name]]
    return (*lower, *higher)
