"""Values of persons, masked so that a person can still compare two of them: the shape stays, the value does not."""

from __future__ import annotations

import re

_HIDDEN = "•••"
_DIGITS_SHOWN = 2
_WORD = re.compile(r"\S+")


def masked_value(field: str, value: object) -> str:
    """``a•••@e•••`` of an e-mail, the last two digits of a phone, the year of a date, the initials of all else."""
    text = str(value).strip()
    if field == "email" or "@" in text[1:]:
        return "@".join(_start(part) for part in text.split("@", 1))
    if field == "phone":
        digits = re.sub(r"\D", "", text)
        return _HIDDEN + (digits[-_DIGITS_SHOWN:] if len(digits) > 2 * _DIGITS_SHOWN else "")
    if field == "birth_on":
        return f"{text[:4]}-••-••"
    if field in {"full_name", "given_name", "family_name", "name"}:
        return " ".join(_start(word) for word in _WORD.findall(text))
    return _start(text)


def _start(text: str) -> str:
    return text[:1] + _HIDDEN if len(text) > 1 else _HIDDEN
