"""How names and values that come from outside are shown to people: no longer than a line, without control codes, and
without what looks like a personal value: files and columns are named after persons too."""

from __future__ import annotations

from typing import Final

from warehouse.personal_text import mask_name

NAME: Final = 60
"""Characters of a foreign name that are shown."""


def shown(text: str, most: int = NAME) -> str:
    """The text with what cannot be printed as escapes, cut after ``most`` characters; most texts come back as they are.

    Binary files that pass for a header would fill a screen, and escape codes in names would steer a terminal.
    """
    text = mask_name(text)
    cut = text if len(text) <= most else text[: most - 1] + "…"
    return cut if cut.isprintable() else "".join(map(_escaped, cut))


def visible(text: str) -> str:
    """The text in its full length with control codes as escapes; lines stay lines."""
    if text.isprintable():
        return text
    return "".join(char if char in "\n\t" else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    return char if char.isprintable() else char.encode("unicode_escape").decode("ascii")
