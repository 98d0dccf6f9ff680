"""Operations on text. None of them touches a value that is no text: the contract says what is wrong with it."""

from __future__ import annotations

import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from sources.operations.operation import (
    TRUE,
    Operation,
    Scope,
    SqlScope,
    SqlValue,
    Value,
    absent_or,
    both,
    call,
    text_of,
    when,
)

BLANKS = " \t\r\n\x0b\x0c\u00a0\u2007\u202f\u3000\u200b\ufeff"
"""What counts as blank around a text: also the no-break and ideographic spaces and zero-width marks of exports."""


def is_blank_text(value: Value) -> bool:
    """Whether a value is absent or text that holds nothing."""
    return value is None or (isinstance(value, str) and not value.strip(BLANKS))


@dataclass(frozen=True)
class TextOperation(Operation):
    """An operation from text to text."""

    @abstractmethod
    def on_text(self, text: str) -> str | None:
        """The Python form for text."""

    @abstractmethod
    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form for text."""

    def sql_sure(self, text: exp.Expr) -> exp.Expr:  # noqa: ARG002 - most need not look at the text
        """Where both forms agree; everywhere unless an operation says otherwise."""
        return TRUE

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - text operations need no surroundings
        """The Python form."""
        text = text_of(value)
        return value if text is None else self.on_text(text)

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form."""
        return SqlValue.of_text(self.sql_text(value.text), both(value.as_text, self.sql_sure(value.text)))


@dataclass(frozen=True)
class Strip(TextOperation):
    """Blanks around the text are taken off."""

    name: ClassVar[str] = "strip"

    def on_text(self, text: str) -> str:
        """The Python form."""
        return text.strip(BLANKS)

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("trim", text, BLANKS)


@dataclass(frozen=True)
class SpreadsheetText(TextOperation):
    """What people write so that a spreadsheet leaves digits alone is taken off: ``="0138"`` and ``'0138``."""

    name: ClassVar[str] = "spreadsheet_text"
    _steps: ClassVar[tuple[tuple[str, str], ...]] = ((r'^="([^"]*)"$', r"\1"), (r"^'([0-9+(].*)$", r"\1"))

    def on_text(self, text: str) -> str:
        """The Python form."""
        for pattern, replacement in self._steps:
            text = re.sub(pattern.replace("$", r"\Z"), replacement, text)
        return text

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        for pattern, replacement in self._steps:
            text = call("regexp_replace", text, pattern, replacement)
        return text

    @property
    def rule(self) -> str:
        """The operation in words."""
        return """without the ="…" or ' of a spreadsheet"""


@dataclass(frozen=True)
class Lower(TextOperation):
    """Small letters."""

    name: ClassVar[str] = "lower"

    def on_text(self, text: str) -> str:
        """The Python form."""
        return text.lower()

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("lower", text)

    def sql_sure(self, text: exp.Expr) -> exp.Expr:
        """Beyond ASCII the two disagree on a few letters."""
        return _is_ascii(text)


@dataclass(frozen=True)
class Upper(TextOperation):
    """Capital letters."""

    name: ClassVar[str] = "upper"

    def on_text(self, text: str) -> str:
        """The Python form."""
        return text.upper()

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("upper", text)

    def sql_sure(self, text: exp.Expr) -> exp.Expr:
        """Beyond ASCII the two disagree on a few letters."""
        return _is_ascii(text)


@dataclass(frozen=True)
class Digits(TextOperation):
    """Only the digits 0 to 9 are kept."""

    name: ClassVar[str] = "digits"

    def on_text(self, text: str) -> str:
        """The Python form."""
        return re.sub("[^0-9]", "", text)

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("regexp_replace", text, "[^0-9]", "", "g")


@dataclass(frozen=True)
class Prefix(TextOperation):
    """A text is put before the value, unless the value is blank."""

    name: ClassVar[str] = "prefix"
    before: str

    def on_text(self, text: str) -> str:
        """The Python form."""
        return self.before + text if text else text

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        empty = exp.EQ(this=text, expression=exp.Literal.string(""))
        joined = exp.DPipe(this=exp.Literal.string(self.before), expression=text, safe=True)
        return when(empty, text, joined)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"with {self.before!r} before it"


@dataclass(frozen=True)
class RemovePrefix(TextOperation):
    """A text at the beginning is taken off, once."""

    name: ClassVar[str] = "remove_prefix"
    before: str

    def on_text(self, text: str) -> str:
        """The Python form."""
        return text.removeprefix(self.before)

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        rest = call("substring", text, len(self.before) + 1)
        return when(call("starts_with", text, self.before), rest, text)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"without a leading {self.before!r}"


@dataclass(frozen=True)
class First(TextOperation):
    """The first letters."""

    name: ClassVar[str] = "first"
    count: int

    def on_text(self, text: str) -> str:
        """The Python form."""
        return text[: self.count]

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("substring", text, 1, self.count)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"first {self.count} letters"


@dataclass(frozen=True)
class Replace(TextOperation):
    """Texts inside the value are replaced, one pair after the other."""

    name: ClassVar[str] = "replace"
    pairs: tuple[tuple[str, str], ...]

    def on_text(self, text: str) -> str:
        """The Python form."""
        for old, new in self.pairs:
            text = text.replace(old, new)
        return text

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        for old, new in self.pairs:
            text = call("replace", text, old, new)
        return text

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "with " + ", ".join(f"{old!r} → {new!r}" for old, new in self.pairs)


@dataclass(frozen=True)
class Before(TextOperation):
    """What stands before the first occurrence of a text; everything when it does not occur."""

    name: ClassVar[str] = "before"
    mark: str

    def on_text(self, text: str) -> str:
        """The Python form."""
        return text.split(self.mark, 1)[0]

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("split_part", text, self.mark, 1)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"up to {self.mark!r}"


@dataclass(frozen=True)
class AfterLast(TextOperation):
    """What stands behind the last occurrence of a text; everything when it does not occur."""

    name: ClassVar[str] = "after_last"
    mark: str

    def on_text(self, text: str) -> str:
        """The Python form."""
        return text.rsplit(self.mark, 1)[-1]

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("split_part", text, self.mark, -1)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"behind the last {self.mark!r}"


@dataclass(frozen=True)
class Part(TextOperation):
    """The part of this number between the occurrences of a text; empty when there are fewer."""

    name: ClassVar[str] = "part"
    mark: str
    number: int

    def on_text(self, text: str) -> str:
        """The Python form."""
        parts = text.split(self.mark)
        return parts[self.number - 1] if len(parts) >= self.number else ""

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return call("split_part", text, self.mark, self.number)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"part {self.number} between {self.mark!r}"


@dataclass(frozen=True)
class Containing(TextOperation):
    """Absent unless a text occurs in the value."""

    name: ClassVar[str] = "containing"
    mark: str

    def on_text(self, text: str) -> str | None:
        """The Python form."""
        return text if self.mark in text else None

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return when(call("contains", text, self.mark), text)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"absent without {self.mark!r}"


@dataclass(frozen=True)
class Lacking(TextOperation):
    """Absent if a text occurs in the value: what a platform masked."""

    name: ClassVar[str] = "lacking"
    mark: str

    def on_text(self, text: str) -> str | None:
        """The Python form."""
        return None if self.mark in text else text

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        return when(call("contains", text, self.mark), exp.null(), text)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"absent with {self.mark!r}"


def _is_ascii(text: exp.Expr) -> exp.Expr:
    return absent_or(text, exp.EQ(this=call("length", text), expression=call("strlen", text)))
