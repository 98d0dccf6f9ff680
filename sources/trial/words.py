"""What columns are called, in English and Chinese: the words by which a first guess finds the fields of a contract."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Final

import yaml

_APART = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^0-9A-Za-z\u3400-\u9fff]+")


def words_of(column: str) -> str:
    """A column's name as words: ``customerId`` and ``Customer-ID`` are ``customer id``."""
    return " ".join(part.lower() for part in _APART.split(column) if part)


@cache
def _vocabulary() -> Mapping[str, tuple[str, ...]]:
    """``words.yml``: every value is a text, whatever it looks like."""
    text = (files("sources") / "trial" / "words.yml").read_text(encoding="utf-8")
    found = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    return {name: tuple(words) for name, words in found.items()}


@cache
def synonyms(field: str) -> tuple[str, ...]:
    """What a field is called, the surest first."""
    listed = [words_of(word) for word in _vocabulary().get(field, ())]
    return tuple(dict.fromkeys([words_of(field), *listed]))


def likeness(column: str, field: str) -> float:
    """How surely a column of this name is the field: 1 by its own name, less for each later synonym, 0 for none."""
    name, squeezed = words_of(column), words_of(column).replace(" ", "")
    for index, word in enumerate(synonyms(field)):
        if word in {name, squeezed} or word.replace(" ", "") == squeezed:
            return 1 - index * _LATER
    return 0.0


_LATER: Final = 0.02
