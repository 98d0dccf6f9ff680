"""Seeded chance: one independent stream per purpose, so that adding a feed does not shuffle the others."""

from __future__ import annotations

import random

import numpy as np
from numpy.typing import NDArray

Dice = np.random.Generator
Integers = NDArray[np.int64]
Numbers = NDArray[np.float64]
Flags = NDArray[np.bool_]


def dice(seed: int, purpose: str) -> Dice:
    """A numpy generator for whole columns."""
    return np.random.default_rng([seed, *purpose.encode()])


def coins(seed: int, purpose: str) -> random.Random:
    """A Python generator for single rows (a text seed is hashed with SHA-512: the same everywhere)."""
    return random.Random(f"{seed}/{purpose}")


def scramble(values: Integers, salt: int) -> NDArray[np.uint64]:
    """Numbers to well spread 64-bit numbers, without collisions (splitmix64): for ids that look random."""
    mixed = values.astype(np.uint64) + np.uint64(salt * 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def chances(values: Integers, salt: int) -> Numbers:
    """One fixed number in [0, 1) for each value: a choice that stays the same wherever it is asked for."""
    return (scramble(values, salt) >> np.uint64(11)).astype(np.float64) / float(1 << 53)


def anonymous_id(cookie: int) -> str:
    """What the site writes into a cookie."""
    return anonymous_ids(np.array([cookie], dtype=np.int64))[0]


def anonymous_ids(cookies: Integers) -> list[str]:
    """What the site writes into cookies."""
    return uuids(cookies, 21)


def uuids(values: Integers, salt: int) -> list[str]:
    """One id in the form of a UUID for each number."""
    halves = zip(scramble(values, salt).tolist(), scramble(values, salt + 1).tolist(), strict=True)
    texts = (f"{high:016x}{low:016x}" for high, low in halves)
    return [f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}" for text in texts]


def falling_weights(count: int, exponent: float = 0.9) -> Numbers:
    """Zipf's law over ``count`` ranks, summing to 1: a few values are common, most are rare."""
    weights = 1.0 / np.arange(1, count + 1, dtype=np.float64) ** exponent
    return np.asarray(weights / weights.sum(), dtype=np.float64)
