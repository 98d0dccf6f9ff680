"""What expressions see of a row whose source values stand in columns of text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from sources.list_compilation import ListReading
from sources.operations.operation import FALSE, TRUE, Setting, SqlMoment, SqlValue

ABSENT: Final = SqlValue.of_text(exp.null(), TRUE)
UNKNOWN: Final = SqlValue.of_text(exp.null(), FALSE)
NO_MOMENT: Final = SqlMoment(exp.null(), is_clock=False)


@dataclass(frozen=True)
class TextScope:
    """What an expression sees of a row whose source values stand in columns of text."""

    values: Mapping[str, SqlValue]
    setting: Setting
    position: exp.Expr | None
    plain: frozenset[str] = frozenset()
    """Paths whose texts are plain (``sources/plain_text.py``) wherever the column ``_plain`` is true."""
    is_plain: bool = False
    """Whether rows count only where that column is true: what is plain need not be asked how it looks."""
    filled: Mapping[str, exp.Expr] = field(default_factory=dict)
    """Plain paths whose texts stand in columns, too, that are NULL where a text is empty, wherever rows count."""
    moments: Mapping[str, SqlMoment] = field(default_factory=dict)
    """Paths whose values stand in columns of moments too, wherever rows count."""
    lists: tuple[tuple[ListReading, SqlValue], ...] = ()
    """What was read out of lists already, and the columns that hold it."""

    def read(self, path: str) -> SqlValue:
        """The value at a source path; absent when the rows have no such place."""
        return self.values.get(path, ABSENT)

    def read_moment(self, path: str) -> SqlMoment | None:
        """The moment at a source path, or that nothing stands there; None where only the text can tell."""
        return NO_MOMENT if self.read(path) is ABSENT else self.moments.get(path)


def text_value(text: exp.Expr) -> SqlValue:
    """A column that holds nothing but text."""
    return SqlValue.of_text(text, TRUE)
