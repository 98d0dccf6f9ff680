"""Weights are learned back from labels that were drawn by known ones."""

from __future__ import annotations

import numpy as np
import pytest

from identity.compare import Compared
from identity.declaration import LEVELS, IdentityRules, default_rules
from identity.fitting import Labelled, fit, log_loss
from identity.score import probability, score

PRIOR = -10.0
PAIRS = 6_000


def rules() -> IdentityRules:
    found = default_rules()
    assert found is not None
    return found


def drawn(rng: np.random.Generator, size: int) -> Compared:
    """Pairs that come out in every way, also with nothing to compare."""
    levels = {name: rng.integers(-1, len(known), size) for name, known in LEVELS.items()}
    rarity = {name: np.where(level >= 0, rng.uniform(0, 10, size), 0.0) for name, level in levels.items()}
    return Compared(levels, rarity, rng.random(size) < 0.1)


def with_weight(given: IdentityRules, comparison: str, level: str, weight: float) -> IdentityRules:
    comparisons = tuple(
        item.model_copy(
            update={
                "levels": tuple(
                    entry.model_copy(update={"weight": weight}) if entry.level == level else entry
                    for entry in item.levels
                )
            }
        )
        if item.comparison == comparison
        else item
        for item in given.comparisons
    )
    return given.model_copy(update={"comparisons": comparisons})


def labelled(rng: np.random.Generator, truth: IdentityRules) -> Labelled:
    """Labels as the weights of ``truth`` foretell them, drawn by chance."""
    compared = drawn(rng, PAIRS)
    likely = probability(score(compared, truth, PRIOR).weight)
    return Labelled(compared, rng.random(len(likely)) < likely, np.ones(len(likely)))


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.Generator(np.random.PCG64(3))


@pytest.mark.parametrize(
    ("comparison", "level", "weight"),
    [("gender", "different", 0.5), ("city", "different", 2.5), ("phone", "different", -4.0)],
)
def test_a_weight_that_is_declared_wrongly_is_learned_from_labels(
    rng: np.random.Generator, comparison: str, level: str, weight: float
) -> None:
    given = rules()
    pairs = labelled(rng, with_weight(given, comparison, level, weight))
    declared = next(
        e.weight for i in given.comparisons if i.comparison == comparison for e in i.levels if e.level == level
    )
    found = fit(pairs, np.arange(PAIRS), given, PRIOR)
    learned = declared + found.corrections[comparison, level]
    assert abs(learned - weight) < abs(declared - weight) / 2


def test_labels_that_say_what_is_declared_leave_the_weights_alone(rng: np.random.Generator) -> None:
    given = rules()
    found = fit(labelled(rng, given), np.arange(PAIRS), given, PRIOR)
    assert found.spread == 0.25
    assert max(abs(bits) for bits in found.corrections.values()) < 0.6


def test_a_guard_never_comes_to_speak_in_favour(rng: np.random.Generator) -> None:
    given = rules()
    compared = drawn(rng, 500)
    everybody = Labelled(compared, np.ones(500, np.bool_), np.ones(500))
    found = fit(everybody, np.arange(500), given, PRIOR)
    weights = {guard.guard: guard.weight + found.corrections["guard", guard.guard] for guard in given.guards}
    assert found.corrections["prior", ""] > 0
    assert max(weights.values()) <= 1e-9


def test_log_loss_is_that_of_a_pencil() -> None:
    weight = np.array([np.log2(3), 0.0])  # probabilities 3/4 and 1/2
    assert log_loss(weight, np.array([False, True]), np.array([1.0, 3.0])) == pytest.approx((2.0 + 3 * 1.0) / 4)
