"""The headings of flat files: which column of a file is which of the columns that a mapping reads."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sources.operations.text import BLANKS

DELIMITERS: Final = (",", ";", "\t", "|", "^", "`")


@dataclass(frozen=True)
class Headings:
    """``known``: the columns a mapping reads. ``marks``: what may stand behind a heading, such as "(required)"."""

    known: frozenset[str] = frozenset()
    marks: tuple[str, ...] = ()

    def named(self, headings: Sequence[str]) -> tuple[str, ...]:
        """The names of columns: without blanks and marks, in the mapping's spelling where only case differs."""
        plain = [self._plain(heading) for heading in headings]
        spellings = {name.casefold(): name for name in sorted(self.known, reverse=True)}
        taken = set(plain)
        found: list[str] = []
        for name in plain:
            spelled = name if name in self.known else spellings.get(name.casefold(), name)
            found.append(name if spelled in taken else spelled)
            taken.add(found[-1])
        return tuple(found)

    def _plain(self, heading: str) -> str:
        name = heading.strip(BLANKS)
        for mark in self.marks:
            name = name.removesuffix(mark).rstrip(BLANKS)
        return name

    def matches(self, headings: Sequence[str]) -> int:
        """How many columns are known."""
        return len(self.known & set(self.named(headings)))

    def delimiter(self, line: str) -> str:
        """What separates the headings of a line: a comma, unless another mark makes known columns of it."""
        best = max(DELIMITERS, key=lambda mark: (self.matches(split_line(line, mark)), mark == ","))
        return best if self.known else ","


def split_line(line: str, delimiter: str) -> list[str]:
    """The fields of one line; none when its quotes do not end."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
