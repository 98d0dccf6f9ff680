"""Which values a field can have at all, where that is known: a declaration that asks for another one is never true."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from profiles.survivorship import Survivorship
from quality.contracts.registry import CONTRACTS
from quality.contracts.table import tables
from warehouse.codes import Named, check_code, named_codes
from warehouse.declaration import MisfitError, suggestion

CODES: Final[Mapping[str, Named]] = {"country": "country", "currency": "currency", "language": "language"}
"""Columns that hold codes → of what."""
NAMED: Final[tuple[Named, ...]] = ("country", "language")
"""Those in which sources write names, too."""


@dataclass(frozen=True)
class Vocabulary:
    """What a text field can be: one of ``words``, or a code.

    ``meant`` says what becomes of words before they get there, ``nothing`` lists those that stand for nothing known;
    both are in lower case.
    """

    words: tuple[str, ...] = ()
    sort: Named | None = None
    meant: Mapping[str, str] = field(default_factory=dict)
    nothing: frozenset[str] = frozenset()

    def fix(self, word: str) -> str | None:
        """What to write instead of a word that the field never is; None where it may be."""
        lower = word.strip().lower()
        if lower in self.nothing:
            return "It stands for nothing known: ask with `is_null: true`."
        if word in self.meant.values():
            return None
        if lower in self.meant:
            return f"Did you mean `{self.meant[lower]}`?"
        if self.sort is not None:
            return self._fix_code(self.sort, word)
        if not self.words or word in self.words:
            return None
        plain = "_".join(lower.replace("-", " ").split())
        return f"Did you mean `{plain}`?" if plain in self.words else suggestion(word, self.words)

    def fix_part(self, part: str) -> str | None:
        """The same of a part of a word."""
        if not self.words or any(part in word for word in self.words):
            return None
        return suggestion(part, self.words)

    @staticmethod
    def _fix_code(sort: Named, word: str) -> str | None:
        try:
            check_code(sort, word)
        except MisfitError as error:
            return error.misfits[0].fix
        return None


def contract_vocabulary(kind: str, column: str) -> Vocabulary | None:
    """What a column taken over from a contract can be; None where that is open."""
    if column in CODES:
        return Vocabulary(sort=CODES[column])
    found = (item.allowed for table in tables(kind) for item in table.columns if item.name == column and item.allowed)
    words = next(found, None) if kind in CONTRACTS else None
    return Vocabulary(words) if words else None


def golden_vocabulary(survivorship: Survivorship | None, column: str) -> Vocabulary | None:
    """What a column of the golden record can be, after survivorship gave one word to one thing."""
    meant = survivorship.synonyms.get(column, {}) if survivorship else {}
    nothing = frozenset(survivorship.placeholders if survivorship else ())
    if not meant and not nothing and column not in CODES:
        return None
    return Vocabulary(sort=CODES.get(column), meant=meant, nothing=nothing)


def code_parameters() -> dict[str, object]:
    """The names of countries and languages with their codes, as the parameters by which statements translate them."""
    parameters: dict[str, object] = {}
    for sort in NAMED:
        words = named_codes(sort)
        parameters |= {f"{sort}_names": list(words), f"{sort}_codes": list(words.values())}
    return parameters
