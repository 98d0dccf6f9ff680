"""Which known word a wrong one was probably meant to be."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterable
from typing import Final

_MOST_LISTED: Final = 40
_SURE: Final = 0.75
"""From this likeness on the nearest word is meant; below it, others may be."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that a wrong one was probably meant to be; None where none is like it."""
    return next(iter(difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)), None)


def surely_meant(word: str, known: Iterable[str]) -> str | None:
    """The known word that a wrong one was certainly meant to be; None where another may be."""
    near = nearest(word, sorted(known))
    return near if near is not None and difflib.SequenceMatcher(None, word, near).ratio() >= _SURE else None


def as_meant(word: str, known: Collection[str]) -> str | None:
    """A known word as it is, and for a wrong one the known one that is surely meant; None where another may be."""
    return word if word in known else surely_meant(word, known)


def suggestion(word: str, known: Iterable[str]) -> str:
    """``Did you mean `x`?`` for the nearest known word; where none is really near, the known ones."""
    words = sorted(known)
    if not words:
        return "There is none yet."
    near = nearest(word, words)
    if surely_meant(word, words):
        return f"Did you mean `{near}`?"
    more = len(words) - _MOST_LISTED
    known_ones = f"Known: {', '.join(words[:_MOST_LISTED])}{f' and {more} more' if more > 0 else ''}."
    return f"Did you mean `{near}`? {known_ones}" if near is not None else known_ones
