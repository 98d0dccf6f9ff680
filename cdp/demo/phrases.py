"""The sentences of ``phrases.yml``: they carry feelings and causes, which mimesis does not draw."""

from __future__ import annotations

import functools
import random
from importlib.resources import files
from typing import Any

import yaml


@functools.cache
def phrases() -> dict[str, Any]:
    """The whole file."""
    text = files("cdp.demo").joinpath("phrases.yml").read_text(encoding="utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def opinion(feeling: float, language: str, product: str, coins: random.Random) -> str:
    """A sentence about a product, as its writer feels (about a standard normal number)."""
    tone = "good" if feeling > 0.4 else "bad" if feeling < -0.6 else "middling"
    sentence: str = coins.choice(phrases()[tone][language])
    return sentence.replace("{product}", product)
