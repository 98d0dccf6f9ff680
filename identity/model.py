"""A model version: what was learned about the records of one business, to be used until people pin another version.

Version 1 has learned nothing: weights as declared, frequencies and shared values as the accepted rows have them. It is
made by the first run and does not depend on which rows that saw. Every other version is made by training
(``identity.training``) and holds corrections of the declared weights, in bits, so that a weight which is declared anew
still counts; the population and its common values; and which values too many people share. What is estimated knows how
much one agreement says alone, and lifts the declared ``short_of_link``.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from pydantic import BaseModel, ConfigDict

from identity.declaration import Comparison, Guard, IdentityRules
from identity.frequencies import COUNTED, Frequencies, value_key

DECLARED_VERSION = 1
"""The version that has learned nothing."""

_SAID_LATER = ("chances", "classes", "is_capped")
"""Parts that artefacts of earlier releases lack: where they say nothing, digests stay as they were."""

WeightsByLevel = dict[str, dict[str, float]]
"""Comparison → level → bits."""


class Band(BaseModel):
    """Held-out pairs of about one probability: how many, and how many of them are one person."""

    model_config = ConfigDict(frozen=True)

    at_least: float
    pairs: int
    expected: float
    found: float


class Chances(BaseModel):
    """How often pairs come out at one level of a comparison, given that there is something to compare."""

    model_config = ConfigDict(frozen=True)

    match: float
    random: float
    household: float


class Artefact(BaseModel):
    """What a model version holds beside its values, as it is written down."""

    model_config = ConfigDict(frozen=True)

    corrections: WeightsByLevel = {}
    guards: dict[str, float] = {}
    prior: float = 0.0
    spread: float = 0.0
    population: float | None = None
    names: float | None = None
    declaration: str = ""
    declared: WeightsByLevel = {}
    rests_on: dict[str, dict[str, int]] = {}
    outcomes: dict[str, dict[str, int]] = {}
    scores: dict[str, dict[str, float]] = {}
    calibration: tuple[Band, ...] = ()
    labelled: dict[str, int] = {}
    chances: dict[str, dict[str, Chances]] = {}
    """Of versions that are estimated without labels: comparison → level → how often each class comes out so."""
    classes: dict[str, float] = {}
    """How many pairs of each class there are, as estimated."""
    is_capped: bool = True
    """Whether agreeing on one thing alone stays short of a link, as declared."""

    def fingerprint(self) -> str:
        """The same for equal learning, over every machine and run; the salt of remembered values hangs on it."""
        fields = type(self).model_fields
        unsaid = {name for name in _SAID_LATER if getattr(self, name) == fields[name].default}
        return hashlib.sha256(self.model_dump_json(exclude=unsaid).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Model:
    """A version, ready for use."""

    version: int = DECLARED_VERSION
    artefact: Artefact = field(default_factory=Artefact)
    frequencies: Frequencies = COUNTED
    shared: Mapping[str, frozenset[str]] | None = None
    """Kind of identifier → hashes of values that too many people share; None: as the accepted rows have it."""

    def fingerprint(self) -> str:
        """The same for versions that hold the same: what was learned, and with it the values that are remembered."""
        return f"{self.version} {self.artefact.fingerprint()}"

    def prior(self, nodes: int) -> float:
        """The odds, in bits, that two people taken at random are one."""
        return self.artefact.prior - float(np.log2(self.frequencies.people(nodes)))

    def corrected(self, rules: IdentityRules) -> IdentityRules:
        """The rules with the learned weights in place of the declared ones."""
        if not self.artefact.corrections and not self.artefact.guards and self.artefact.is_capped:
            return rules
        comparisons = tuple(self._comparison(item) for item in rules.comparisons)
        guards = tuple(self._guard(guard) for guard in rules.guards)
        return rules.model_copy(update={"comparisons": comparisons, "guards": guards})

    def is_shared(self, kind: str, value: str) -> bool | None:
        """Whether the model knows the value as one that too many people share; None: it has no say."""
        if self.shared is None:
            return None
        return value_key(self.frequencies.salt, kind, value) in self.shared.get(kind, frozenset())

    def _comparison(self, item: Comparison) -> Comparison:
        learned = self.artefact.corrections.get(item.comparison, {})
        levels = tuple(
            level.model_copy(update={"weight": level.weight + learned.get(level.level, 0.0)}) for level in item.levels
        )
        capped = {} if self.artefact.is_capped else {"short_of_link": None}
        return item.model_copy(update={"levels": levels, **capped})

    def _guard(self, guard: Guard) -> Guard:
        return guard.model_copy(update={"weight": min(guard.weight + self.artefact.guards.get(guard.guard, 0.0), 0.0)})


def declared_weights(rules: IdentityRules) -> WeightsByLevel:
    """The weights of some rules, by comparison and level; guards stand under ``guard``."""
    weights = {item.comparison: {level.level: level.weight for level in item.levels} for item in rules.comparisons}
    return weights | {"guard": {guard.guard: guard.weight for guard in rules.guards}}


def declaration_of(rules: IdentityRules) -> str:
    """A fingerprint of what is declared about comparing: it tells whether a model was made under the same rules."""
    parts = rules.model_dump_json(include={"comparisons", "guards", "blocking", "identifiers", "blocked"})
    return hashlib.sha256(parts.encode()).hexdigest()[:16]
