"""Operations on words of a closed set: what means nothing, and what each is called here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from sqlglot import exp

from sources.operations.operation import (
    FALSE,
    Operation,
    Scope,
    SqlScope,
    SqlValue,
    Value,
    both,
    call,
    either,
    is_null,
    when,
    word_of,
)


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
        found = exp.Case(this=value.text, ifs=branches, default=rest) if branches else rest
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
