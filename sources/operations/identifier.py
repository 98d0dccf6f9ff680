"""Operations on the ids of vendors that write one id in several ways."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import ClassVar, Final

from sqlglot import exp

from sources.operations.operation import call, matches, when
from sources.operations.text import TextOperation

_SHORT: Final = r"[0-9a-zA-Z]{15}"
_CHECK: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CHUNK: Final = 5


@dataclass(frozen=True)
class SalesforceId(TextOperation):
    """An id of 15 letters gets the three letters that say which of them are capitals; every other text stays.

    Reports give ids of 15 letters, in which case alone tells two people apart, interfaces give 18.
    """

    name: ClassVar[str] = "salesforce_id"

    def on_text(self, text: str) -> str:
        """The Python form."""
        if not re.fullmatch(_SHORT, text):
            return text
        chunks = (text[start : start + _CHUNK] for start in range(0, len(text), _CHUNK))
        return text + "".join(_CHECK[_capitals(chunk)] for chunk in chunks)

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        checks = [self._check(text, start) for start in range(1, 16, _CHUNK)]
        return when(matches(text, _SHORT), call("concat", text, *checks), text)

    def _check(self, text: exp.Expr, start: int) -> exp.Expr:
        """The letter that tells the capitals among five letters: the first counts 1, the second 2, the third 4 …"""
        bits = [
            when(
                matches(call("substring", text, start + place, 1), "[A-Z]"),
                exp.Literal.number(2**place),
                exp.Literal.number(0),
            )
            for place in range(_CHUNK)
        ]
        total: exp.Expr = exp.Literal.number(1)
        for bit in bits:
            total = exp.Add(this=total, expression=bit)
        return call("substring", _CHECK, exp.cast(total, "BIGINT", copy=False), 1)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "id of 15 letters as one of 18"


@dataclass(frozen=True)
class Md5(TextOperation):
    """The MD5 of the text as Mailchimp makes ids of addresses: in hexadecimal, small letters. It hides nothing."""

    name: ClassVar[str] = "md5"

    def on_text(self, text: str) -> str:
        """The Python form."""
        return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("md5", text)


def _capitals(chunk: str) -> int:
    return sum(2**place for place, letter in enumerate(chunk) if "A" <= letter <= "Z")
