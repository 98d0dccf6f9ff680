"""What columns are called, in English and Chinese: the words by which a first guess finds the fields of a contract."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Final

import yaml

_APART = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^0-9A-Za-z\u3400-\u9fff]+")
_LATER: Final = 0.02
_COMPOSED: Final = 0.7
"""A name that is only put together like those of a field is less sure than any that is listed."""


def words_of(column: str) -> str:
    """A column's name as words: ``customerId`` and ``Customer-ID`` are ``customer id``."""
    return " ".join(part.lower() for part in _APART.split(column) if part)


@cache
def _read(name: str) -> Mapping[str, Any]:
    """A vocabulary: every value is a text, whatever it looks like."""
    text = (files("sources") / "trial" / name).read_text(encoding="utf-8")
    found: Mapping[str, Any] = yaml.load(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader))
    return found


@cache
def synonyms(field: str, kind: str = "") -> tuple[str, ...]:
    """What a field is called, the surest first; in rows of one kind it may be called otherwise."""
    listed = _read("words.yml")
    words = [words_of(word) for word in listed.get(f"{kind}.{field}", listed.get(field, ()))]
    return tuple(dict.fromkeys([words_of(field), *words]))


def likeness(column: str, field: str, kind: str = "") -> float:
    """How surely a column of this name is the field: 1 by its own name, less for each later synonym, 0 for none."""
    name, squeezed = words_of(column), _squeezed(column)
    for index, word in enumerate(synonyms(field, kind)):
        if word in {name, squeezed} or word.replace(" ", "") == squeezed:
            return 1 - index * _LATER
    return 0.0


def composed_likeness(column: str, field: str) -> float:
    """The same of a name that nobody listed, but whose parts mean what the field means: whose it is, and what."""
    squeezed = _squeezed(column)
    for index, pattern in enumerate(_compositions(field)):
        if pattern.fullmatch(squeezed):
            return _COMPOSED - index * _LATER
    return 0.0


def _squeezed(text: str) -> str:
    return words_of(text).replace(" ", "")


@cache
def _compositions(field: str) -> tuple[re.Pattern[str], ...]:
    parts = _read("parts.yml")
    behind = _any_of(parts["behind"])
    names = [name.split() for name in parts["names"].get(field, ())]
    return tuple(re.compile("".join(_part(part, parts["words"]) for part in name) + f"{behind}?") for name in names)


def _part(part: str, words: Mapping[str, Iterable[str]]) -> str:
    name = part.removesuffix("?")
    return _any_of(words.get(name, (name,))) + ("?" if part != name else "")


def _any_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(re.escape(_squeezed(word)) for word in words)})"
