"""Operations on numbers that name nobody: a spreadsheet took their digits, or a platform lent them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from sources.operations.operation import call, matches, when
from sources.operations.text import BLANKS, TextOperation

LENT_NUMBER = r"(\+?86[- ]?)?1[0-9*]{10}(-|转|,| ext\.? ?)+[0-9]{1,6}"
"""A mobile number with an extension: a platform lends it for one delivery."""

SCIENTIFIC = r"[+-]?[0-9]+([.,][0-9]+)?[eE]\+?[0-9]{1,3}"
"""What a spreadsheet makes of a long number: the digits that it does not show are lost."""


@dataclass(frozen=True)
class Undamaged(TextOperation):
    """A long number that a spreadsheet wrote in scientific notation has lost its digits: it is absent."""

    name: ClassVar[str] = "undamaged"

    def on_text(self, text: str) -> str | None:
        """The Python form."""
        return None if re.fullmatch(SCIENTIFIC, text.strip(BLANKS)) else text

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return when(matches(call("trim", text, BLANKS), SCIENTIFIC), exp.null(), text)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "absent in scientific notation"


@dataclass(frozen=True)
class NotVirtual(TextOperation):
    """A mobile number with an extension is a platform's, lent for one delivery: it is absent."""

    name: ClassVar[str] = "not_virtual"

    def on_text(self, text: str) -> str | None:
        """The Python form."""
        return None if re.fullmatch(LENT_NUMBER, text.strip(BLANKS)) else text

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return when(matches(call("trim", text, BLANKS), LENT_NUMBER), exp.null(), text)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "absent if lent by the platform"
