"""Training: a new model version from the accepted rows, the configuration and what is known about who is who.

Everything is made anew as version 1 would have it, inside a transaction that the caller undoes: so a training depends
on rows, rules, decisions and labels, and not on the version that happens to be pinned. First weights are estimated from
the records alone (``identity.unlabelled``); labels, where there are enough, correct them. What is told about held-out
labels was not learned from them. Where there is too little to learn from, weights stay as declared; common values and
shared ones are remembered all the same.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from identity.arrays import Flags, Integers
from identity.cluster import Decided, cluster
from identity.cluster import Pairs as WeighedPairs
from identity.clusters import named_nodes, without_ambiguous
from identity.compare import Compared
from identity.declaration import IdentityRules
from identity.fitting import Fit, Labelled, counts_by_level, fit
from identity.labels import Pairs, decided_pairs, joined, pairs_of_persons, read_persons
from identity.model import DECLARED_VERSION, Artefact, Model, declaration_of, declared_weights
from identity.models import Value, ensure_models, pin
from identity.pipeline import candidate_steps
from identity.remembering import remembered
from identity.score import score
from identity.trial import (
    Trial,
    calibration_of,
    compared_pairs,
    pair_scores,
    partition_scores,
    trial_of,
    worse_by,
)
from identity.unlabelled import unlabelled
from identity.weighing import Weighing, candidates_of, weighed_pairs, weighing_of
from quality.resolution import Attempt
from warehouse.database import Connection
from warehouse.step import Run

FEWEST: Final = 20
"""Labelled pairs of either kind, one person or two, below which nothing is learned from labels."""

DECLARED, LEARNED = "declared", "learned"
_MOST_LABELLED: Final = 200_000
_MOST_LEARNED_FROM: Final = 30_000
_SURE_BITS: Final = 6.0
_SURE_PER_LABEL: Final = 5.0
_SEED: Final = 20


@dataclass(frozen=True)
class Trained:
    """What was learned, the values to remember, and what it does worse than the declared weights on held-out labels."""

    artefact: Artefact
    values: tuple[Value, ...]
    worse: tuple[str, ...]


def train(
    connection: Connection, rules: IdentityRules, run: Run, labels: Path | None, *, unlabelled_only: bool = False
) -> Trained:
    """Learn from what is known. Tables of the steps are made anew on the way: the caller rolls back.

    ``unlabelled_only``: labels only tell how well it went; nothing is learned from them.

    Raises:
        InputError: the file of labels is wrong.
    """
    attempt = Attempt(run.now, run.run_id)
    ensure_models(connection, attempt)
    pin(connection, DECLARED_VERSION, attempt)
    for step in candidate_steps(rules):
        step.execute(connection, replace(run, full_refresh=True))
    weighing = weighing_of(connection, rules, Model())
    candidates = candidates_of(connection)
    left, right = candidates.left, candidates.right
    persons = read_persons(connection, labels) if labels is not None else None
    pairs = decided_pairs(connection, labels if persons is None else None)
    if persons is not None:
        pairs = joined([pairs_of_persons(persons, weighing.nodes, left, right), pairs])
    artefact = unlabelled(connection, weighing, candidates, _unlearned(weighing, pairs))
    if min(artefact.labelled.values()) >= FEWEST:
        trial = trial_of(weighing.features, _some(pairs, _MOST_LABELLED))
        if not unlabelled_only:
            base = _weighing_by(artefact, weighing)
            artefact = _learned(artefact, base, trial, _anchors(base, left, right, pairs) if persons is None else None)
        artefact = _tried(artefact, weighing, trial)
    learned = _weighing_by(artefact, weighing)
    found, outcomes = weighed_pairs(learned, left, right)
    if persons is not None and artefact.scores:
        named = named_nodes(connection, weighing.nodes)
        before, _ = weighed_pairs(weighing, left, right)
        scores = {
            name: artefact.scores[name] | dict(partition_scores(persons, _clusters(weighing, pairs_found, named)))
            for name, pairs_found in ((DECLARED, before), (LEARNED, found))
        }
        artefact = artefact.model_copy(update={"scores": scores})
    counts = {name: dict(levels) for name, levels in outcomes.counts.items()}
    artefact = artefact.model_copy(update={"outcomes": counts})
    values = remembered(connection, weighing, artefact.fingerprint())
    return Trained(artefact, values, worse_than_declared(artefact))


def worse_than_declared(artefact: Artefact) -> tuple[str, ...]:
    """The held-out figures by which a version does worse than the declared weights."""
    return worse_by(artefact.scores[DECLARED], artefact.scores[LEARNED]) if artefact.scores else ()


def _unlearned(weighing: Weighing, pairs: Pairs) -> Artefact:
    """What holds whatever the labels say."""
    names = weighing.features["name"]
    return Artefact(
        declaration=declaration_of(weighing.rules),
        declared=declared_weights(weighing.rules),
        population=names.frequencies.people(weighing.nodes),
        names=names.names,
        labelled={"one_person": int(pairs.is_match.sum()), "two_people": int((~pairs.is_match).sum())},
    )


def _weighing_by(artefact: Artefact, weighing: Weighing) -> Weighing:
    """How pairs are weighed under an artefact; ``weighing``: under the declared weights."""
    model = Model(artefact=artefact)
    return replace(weighing, rules=model.corrected(weighing.rules), prior=model.prior(weighing.nodes))


def _learned(artefact: Artefact, base: Weighing, trial: Trial, anchors: Labelled | None) -> Artefact:
    """What the pairs to learn from correct of the weights so far."""
    given, fold = trial.learned_from(), trial.fold[~trial.is_held]
    chosen = _sample(len(fold), _MOST_LEARNED_FROM)
    given, fold = given.part(chosen), fold[chosen]
    rests_on = counts_by_level(given.compared, base.rules)
    if anchors is not None:
        given, fold = _with_anchors(given, fold, anchors)
    found = fit(given, fold, base.rules, base.prior)
    return artefact.model_copy(update=_corrections(found, artefact) | {"spread": found.spread, "rests_on": rests_on})


def _tried(artefact: Artefact, weighing: Weighing, trial: Trial) -> Artefact:
    """How the declared and the learned weights do on the pairs held out."""
    held, learned = trial.held_out(), _weighing_by(artefact, weighing)
    scores = {
        name: dict(pair_scores(held, by.rules, by.prior)) for name, by in ((DECLARED, weighing), (LEARNED, learned))
    }
    return artefact.model_copy(
        update={"scores": scores, "calibration": calibration_of(held, learned.rules, learned.prior)}
    )


def _corrections(found: Fit, artefact: Artefact) -> dict[str, object]:
    """The corrections of an artefact, and on top of them those that labels teach."""
    corrections = {name: dict(levels) for name, levels in artefact.corrections.items()}
    guards, prior = dict(artefact.guards), artefact.prior
    for (of, level), bits in found.corrections.items():
        if of == "prior":
            prior = round(prior + bits, 4)
        elif of == "guard":
            guards[level] = round(guards.get(level, 0.0) + bits, 4)
        else:
            levels = corrections.setdefault(of, {})
            levels[level] = round(levels.get(level, 0.0) + bits, 4)
    return {"corrections": corrections, "guards": guards, "prior": prior}


def _anchors(weighing: Weighing, left: Integers, right: Integers, pairs: Pairs) -> Labelled:
    """Candidates that the weights so far are sure of, taken at their word; together they count more than the labels.

    People are asked about doubtful pairs alone; what they say there must not move what is beyond doubt.
    """
    chosen = _sample(len(left), max(_MOST_LEARNED_FROM // 2, 1))
    compared = compared_pairs(weighing.features, left[chosen], right[chosen])
    weight = score(compared, weighing.rules, weighing.prior).weight
    sure = np.abs(weight) >= _SURE_BITS
    size = max(int(sure.sum()), 1)
    return Labelled(compared, weight > 0, np.full(len(weight), _SURE_PER_LABEL * len(pairs.left) / size)).part(sure)


def _with_anchors(given: Labelled, fold: Integers, anchors: Labelled) -> tuple[Labelled, Integers]:
    whole = Labelled(
        Compared.joined([given.compared, anchors.compared]),
        np.r_[given.is_match, anchors.is_match],
        np.r_[given.counts, anchors.counts],
    )
    return whole, np.r_[fold, np.arange(len(anchors.counts))]


def _clusters(weighing: Weighing, found: WeighedPairs, named: Flags) -> Integers:
    """Per node its cluster, by evidence alone."""
    rules = weighing.rules.clusters
    return cluster(weighing.nodes, without_ambiguous(found, named, rules), rules, Decided())


def _some(pairs: Pairs, most: int) -> Pairs:
    chosen = _sample(len(pairs.left), most)
    return Pairs(
        pairs.left[chosen],
        pairs.right[chosen],
        pairs.is_match[chosen],
        pairs.group_l[chosen],
        pairs.group_r[chosen],
    )


def _sample(size: int, most: int) -> Integers:
    """Places of so many of them at most, in order."""
    if size <= most:
        return np.arange(size)
    return np.sort(np.random.Generator(np.random.PCG64(_SEED)).choice(size, most, replace=False))
