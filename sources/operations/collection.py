"""Operations between text and lists."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

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
    negated,
    text_of,
    when,
)
from sources.operations.text import BLANKS

_PART: Final = exp.column("part", quoted=True)


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
        """The SQL form."""
        parts = call("string_split", value.text, self.separator)
        trimmed = call("list_transform", parts, _over_parts(call("trim", _PART, BLANKS)))
        is_filled = exp.NEQ(this=_PART.copy(), expression=exp.Literal.string(""))
        listed = exp.cast(call("to_json", call("list_filter", trimmed, _over_parts(is_filled))), "VARCHAR", copy=False)
        text = call("nullif", when(_is_filled(value.text), listed), "[]")
        nothing = both(value.as_text, is_null(text))
        return SqlValue(text, nothing, nothing, nothing, both(value.as_text, negated(is_null(text))))

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
        first = exp.cast(call("json_extract", value.text, "$[0]"), "VARCHAR", copy=False)
        plain = either(is_null(first), matches(first, r'"[^"\\]*"|-?[0-9]+|null'))
        text = when(is_list, call("json_extract_string", value.text, "$[0]"), value.text)
        sure = when(is_list, plain, value.as_text)
        number, boolean = when(is_list, plain, value.as_number), when(is_list, plain, value.as_boolean)
        return SqlValue(text, sure, number, boolean, FALSE)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "first element"


def _over_parts(body: exp.Expr) -> exp.Expr:
    return exp.Lambda(this=body, expressions=[exp.to_identifier("part", quoted=True)])


def _is_filled(text: exp.Expr) -> exp.Expr:
    return exp.NEQ(this=text, expression=exp.Literal.string(""))
