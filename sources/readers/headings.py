"""The headings of flat files: which column of a file is which of the columns that a mapping reads.

A first line under which no row could be accepted is a row when it holds values, else the header of another table. The
first is told as a row that cannot be read, the second when it stands alone, lest they vanish.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from sources.operations.text import BLANKS

DELIMITERS: Final = (",", ";", "\t", "|", "^", "`")
HEADER_ROW: Final = 0
"""The row number of a first line that is told as a row: those of its file begin below it."""

_VALUE: Final = re.compile(
    r"[-+]?[0-9][0-9.,]*%?"  # a number
    r"|[0-9]{4}[-/.年][0-9]{1,2}[-/.月][0-9]{1,2}([日 T].*)?"  # a day, or a moment
    r"|[^@\s]+@[^@\s]+\.[^@\s]+"  # an e-mail address
)
_MOST_NAMED: Final = 5


@dataclass(frozen=True)
class Fault:
    """What speaks against a first line being the header. ``has_values``: it may be a row, so it is told like one;
    else it is the header of another table, of which the rows below tell, if there are any."""

    message: str
    has_values: bool


@dataclass(frozen=True)
class Headings:
    """``known``: the columns a mapping reads. ``marks``: what may stand behind a heading, such as "(required)".

    ``others``: what else, in which language ever, a column may be called → the name the mapping reads.
    ``needed``: sets of columns; where a file has none of one of them, no row of it can be accepted.
    """

    known: frozenset[str] = frozenset()
    marks: tuple[str, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    needed: tuple[tuple[str, ...], ...] = ()

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

    def fault(self, headings: Sequence[str]) -> Fault | None:
        """What speaks against a first line; None where it may be the header."""
        names = set(self.named(headings))
        lacking = [choices[0] for choices in self.needed if not any(_is_in(name, names) for name in choices)]
        has_values = any(_VALUE.fullmatch(name) for name in names)
        if not lacking or (not has_values and any(_is_in(name, names) for name in self.known)):
            return None
        what = "holds values" if has_values else "names no column that the feed reads"
        more = f" and {len(lacking) - _MOST_NAMED} more" if len(lacking) > _MOST_NAMED else ""
        message = (
            f"the first line was taken for the header, and {what}; it lacks {', '.join(lacking[:_MOST_NAMED])}{more}"
        )
        return Fault(message, has_values)

    def delimiter(self, line: str) -> str:
        """What separates the headings of a line: a comma, unless another mark makes known columns of it."""
        best = max(DELIMITERS, key=lambda mark: (self.matches(split_line(line, mark)), mark == ","))
        return best if self.known else ","


def _is_in(path: str, names: Collection[str]) -> bool:
    """Whether a file has the column of a path, or one that may hold its place inside."""
    return path in names or path.partition(".")[0] in names


def _letters(name: str) -> str:
    """What is left of a name when case and the way to part words do not matter."""
    return name.casefold().replace("_", " ")


def split_line(line: str, delimiter: str) -> list[str]:
    """The fields of one line; none when its quotes do not end."""
    try:
        return next(csv.reader([line], delimiter=delimiter, strict=True), [])
    except csv.Error:
        return []
