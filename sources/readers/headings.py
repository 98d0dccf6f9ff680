"""The headings of flat files: which column of a file is which of the columns that a mapping reads."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from sources.operations.text import BLANKS

DELIMITERS: Final = (",", ";", "\t", "|", "^", "`")


@dataclass(frozen=True)
class Headings:
    """``known``: the columns a mapping reads. ``marks``: what may stand behind a heading, such as "(required)".

    ``others``: what else, in which language ever, a column may be called → the name the mapping reads.
    """

    known: frozenset[str] = frozenset()
    marks: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)

    def named(self, headings: Sequence[str]) -> tuple[str, ...]:
        """The names of columns, in the mapping's words and spelling. A column that is called so already goes before."""
        plain = [self._plain(heading) for heading in headings]
        taken = set(plain)
        found: list[str] = []
        for name in plain:
            spelled = name if name in self.known else self._spellings.get(_letters(name), name)
            found.append(name if spelled in taken else spelled)
            taken.add(found[-1])
        return tuple(found)

    @cached_property
    def _spellings(self) -> dict[str, str]:
        others = {_letters(name): meant for name, meant in self.others.items()}
        return others | {_letters(name): name for name in sorted(self.known, reverse=True)}

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


def _letters(name: str) -> str:
    """What is left of a name when case and the way to part words do not matter."""
    return name.casefold().replace("_", " ")


def split_line(line: str, delimiter: str) -> list[str]:
    """The fields of one line; none when its quotes do not end."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
