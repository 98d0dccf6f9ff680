"""Operations between text and lists."""

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
    matches,
    own,
    text_of,
    when,
)
from sources.operations.text import BLANKS


@dataclass(frozen=True)
class Split(Operation):
    """Text becomes the list of its parts; blank parts are dropped, and a list without parts is absent."""

    name: ClassVar[str] = "split"
    separator: str

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        text = text_of(value)
        if text is None:
            return value
        parts: list[Value] = [part for item in text.split(self.separator) if (part := item.strip(BLANKS))]
        return parts or None

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form knows only that nothing stays nothing: a statement carries text, not lists."""
        nothing = call("coalesce", exp.EQ(this=own(value.text), expression=exp.Literal.string("")), exp.true())
        return SqlValue.of_text(exp.null(), both(value.as_text, nothing))

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"split at {self.separator!r}"


@dataclass(frozen=True)
class FirstOfList(Operation):
    """The first element of a list; other values stay as they are."""

    name: ClassVar[str] = "first_of_list"
    accepts: ClassVar[frozenset[str]] = frozenset({"json"})

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        if isinstance(value, list):
            return value[0] if value else None
        return value

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form."""
        is_list = both(value.as_json, call("coalesce", call("starts_with", value.text, "["), FALSE))
        first = exp.cast(call("json_extract", value.text, "$[0]"), "VARCHAR")
        plain = either(is_null(first), matches(first, r'"[^"\\]*"|-?[0-9]+|null'))
        text = when(is_list, call("json_extract_string", value.text, "$[0]"), value.text)
        sure = when(is_list, plain, value.as_text)
        number, boolean = when(is_list, plain, value.as_number), when(is_list, plain, value.as_boolean)
        return SqlValue(text, sure, number, boolean, FALSE)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "first element"
