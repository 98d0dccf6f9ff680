"""Operations on text. None of them touches a value that is no text: the contract says what is wrong with it."""

from __future__ import annotations

import html
import re
from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from sources.operations.operation import (
    FALSE,
    TRUE,
    Operation,
    Scope,
    SqlScope,
    SqlValue,
    Value,
    absent_or,
    both,
    call,
    either,
    is_null,
    own,
    text_of,
    when,
    word_of,
)

BLANKS = " \t\r\n\x0b\x0c\u00a0\u2007\u202f\u3000\u200b\ufeff"
"""What counts as blank around a text: also the no-break and ideographic spaces and zero-width marks of exports."""


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
        empty = exp.EQ(this=own(text), expression=exp.Literal.string(""))
        joined = exp.DPipe(this=exp.Literal.string(self.before), expression=own(text), safe=True)
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
class Unescape(TextOperation):
    """HTML entities become the characters they stand for."""

    name: ClassVar[str] = "unescape"

    def on_text(self, text: str) -> str:
        """The Python form."""
        return html.unescape(text)

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form knows five entities."""
        return _unescaped(text)

    def sql_sure(self, text: exp.Expr) -> exp.Expr:
        """Sure while no other entity occurs."""
        return _has_known_entities_only(text)


@dataclass(frozen=True)
class HtmlText(TextOperation):
    """HTML becomes plain text: breaks and paragraphs are line ends, tags go, entities are resolved."""

    name: ClassVar[str] = "html_text"
    _steps: ClassVar[tuple[tuple[str, str], ...]] = (
        (r"<[bB][rR][ \t\r\n]*/?>", "\n"),
        (r"</[pP]>[ \t\r\n]*<[pP]([ \t\r\n][^>]*)?>", "\n\n"),
        (r"<[/!a-zA-Z][^>]*>", ""),
    )

    def on_text(self, text: str) -> str:
        """The Python form."""
        for pattern, replacement in self._steps:
            text = re.sub(pattern, replacement, text)
        return html.unescape(text).strip(BLANKS)

    def sql_text(self, text: exp.Expr) -> exp.Expr:
        """The SQL form."""
        for pattern, replacement in self._steps:
            text = call("regexp_replace", text, pattern, replacement, "g")
        return call("trim", _unescaped(text), BLANKS)

    def sql_sure(self, text: exp.Expr) -> exp.Expr:
        """Sure while no entity beyond the five occurs."""
        return _has_known_entities_only(text)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "as plain text"


@dataclass(frozen=True)
class NullIf(Operation):
    """Values that mean "nothing" at this vendor become absent."""

    name: ClassVar[str] = "null_if"
    accepts: ClassVar[frozenset[str]] = frozenset({"boolean"})
    words: tuple[str, ...]

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        return None if word_of(value) in self.words else value

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form; of a fraction or list it cannot say whether its text is one of the words."""
        is_word = call(
            "list_contains", exp.Array(expressions=[exp.Literal.string(word) for word in self.words]), value.text
        )
        hit = both(value.as_boolean, call("coalesce", is_word, FALSE))
        return SqlValue(
            when(hit, exp.null(), value.text), value.as_text, value.as_number, value.as_boolean, value.as_json
        )

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "absent if " + " or ".join(repr(word) for word in self.words)


@dataclass(frozen=True)
class Lookup(Operation):
    """A word is translated; ``otherwise`` says what becomes of others: kept, dropped, or a constant."""

    name: ClassVar[str] = "lookup"
    accepts: ClassVar[frozenset[str]] = frozenset({"boolean"})
    table: tuple[tuple[str, str | None], ...]
    keep: bool = True
    otherwise: str | None = None

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        word = word_of(value)
        table = dict(self.table)
        if word is not None and word in table:
            return table[word]
        return value if self.keep else self.otherwise

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form."""
        rest = value.text if self.keep else _constant(self.otherwise)
        branches = [exp.If(this=exp.Literal.string(word), true=_constant(meaning)) for word, meaning in self.table]
        found = exp.Case(this=own(value.text), ifs=branches, default=own(rest)) if branches else rest
        text = when(is_null(value.text), exp.null(), found)
        if not self.keep:
            return SqlValue.of_text(text, value.as_boolean)
        is_known = _one_of(value.text, tuple(word for word, _ in self.table))
        hit = both(value.as_boolean, is_known)
        sure = call("coalesce", either(value.as_text, hit), FALSE)
        return SqlValue(text, sure, either(value.as_number, hit), value.as_boolean, value.as_json)

    @property
    def rule(self) -> str:
        """The operation in words."""
        pairs = ", ".join(f"{word} → {meaning if meaning is not None else 'absent'}" for word, meaning in self.table)
        rest = "others kept" if self.keep else f"others → {self.otherwise if self.otherwise is not None else 'absent'}"
        return f"{pairs}; {rest}"


def _constant(text: str | None) -> exp.Expr:
    return exp.null() if text is None else exp.Literal.string(text)


def _one_of(text: exp.Expr, words: tuple[str, ...]) -> exp.Expr:
    listed = exp.Array(expressions=[exp.Literal.string(word) for word in words])
    return call("coalesce", call("list_contains", listed, text), FALSE) if words else FALSE


def _is_ascii(text: exp.Expr) -> exp.Expr:
    return absent_or(text, exp.EQ(this=call("length", text), expression=call("strlen", text)))


_ENTITIES = (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&nbsp;", "\u00a0"), ("&amp;", "&"))


def _unescaped(text: exp.Expr) -> exp.Expr:
    """The ampersand comes last, so that ``&amp;lt;`` is read once."""
    for entity, character in _ENTITIES:
        text = call("replace", text, entity, character)
    return text


def _has_known_entities_only(text: exp.Expr) -> exp.Expr:
    rest = text
    for entity, _ in _ENTITIES:
        rest = call("replace", rest, entity, " ")
    return absent_or(text, exp.Not(this=call("regexp_matches", rest, "&[#a-zA-Z]")))
