"""What an operation is: a Python form whose word is final, and a SQL form that says where it is sure to agree.

A value is what JSON can hold. Nothing is done to ``None``. Whole numbers count as their decimal text, since
vendors disagree whether an id is a number; other values that an operation does not understand pass through
unchanged, so that the contract can say what is wrong with them. Where passing through could turn into a silently
wrong value (an amount in minor units), the operation raises ``UnreadableError``.

SQL forms share what they are made of: an expression may stand in many others, so none is changed once it is made.
Copies would cost most of the compilation, and hide from ``sources.common_parts`` what is one and the same.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Protocol, TypeAlias

from sqlglot import exp

from warehouse.misfit import MisfitError

Value: TypeAlias = "str | int | float | bool | list[Value] | dict[str, Value] | None"


TRUE = exp.true()
FALSE = exp.false()


class MappingError(MisfitError):
    """What a mapping says makes no sense, in words for the person who wrote it."""

    def __init__(self, what: str, fix: str = "docs/declarations.md shows how expressions are written.") -> None:
        super().__init__(what, fix)


class UnreadableError(ValueError):
    """An operation cannot make sense of its value; ``code`` is one of the quarantine codes."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Setting:
    """What the feed declares about all its rows."""

    time_zone: str = "UTC"
    country: str | None = None
    currency: str | None = None


@dataclass(frozen=True)
class SqlValue:
    """A value inside a statement.

    ``text`` is VARCHAR, NULL when the value is absent. The others are never NULL and say for which readers
    the text stands for the value exactly: ``as_text`` for text columns (strings, whole numbers, absent),
    ``as_number`` for numeric ones (also fractions), ``as_boolean`` for booleans (also true and false);
    ``as_json``: the value is a list or an object, and the text is its JSON.
    """

    text: exp.Expr
    as_text: exp.Expr
    as_number: exp.Expr
    as_boolean: exp.Expr
    as_json: exp.Expr

    @classmethod
    def of_text(cls, text: exp.Expr, sure: exp.Expr) -> SqlValue:
        """A value that is text wherever it is ``sure``."""
        return cls(text, sure, sure, sure, FALSE)


@dataclass(frozen=True)
class SqlMoment:
    """A moment inside a statement: a TIMESTAMP, NULL where nothing stands there.

    ``is_clock``: of a clock whose zone is not said, else in UTC; None: not known which. ``sure`` is never NULL.
    """

    value: exp.Expr
    is_clock: bool | None
    sure: exp.Expr = TRUE


class Scope(Protocol):
    """Where an operation's Python form finds the feed's setting and the row's other values."""

    @property
    def setting(self) -> Setting:
        """What the feed declares."""

    def read(self, path: str) -> Value:
        """The value at a source path of the same row."""


class SqlScope(Protocol):
    """The same for the SQL form."""

    @property
    def setting(self) -> Setting:
        """What the feed declares."""

    def read(self, path: str) -> SqlValue:
        """The value at a source path of the same row."""

    def read_moment(self, path: str) -> SqlMoment | None:
        """The moment there, which is NULL where nothing stands; None where only the text can tell."""


@dataclass(frozen=True)
class Operation(ABC):
    """One word of the vocabulary; a subclass is one way to change a value."""

    name: ClassVar[str]
    accepts: ClassVar[frozenset[str]] = frozenset()
    """Kinds of values it changes besides text and whole numbers: number, boolean, json."""

    @abstractmethod
    def apply(self, value: Value, scope: Scope) -> Value:
        """The Python form. ``value`` is never None.

        Raises:
            UnreadableError: passing the value on would make it silently wrong.
        """

    @abstractmethod
    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:
        """The SQL form: wherever a result is sure, it equals the Python form."""

    def sql_of_moment(self, moment: SqlMoment, scope: SqlScope) -> SqlMoment | None:  # noqa: ARG002 - most do
        """The SQL form for a moment whose text is not asked for; None where the text is needed."""
        return None

    @property
    def rule(self) -> str:
        """The operation in words, for generated documentation."""
        return self.name.replace("_", " ")

    @property
    def paths(self) -> tuple[str, ...]:
        """Further source paths the operation reads."""
        return ()

    def renamed(self, renames: Mapping[str, str]) -> Operation:  # noqa: ARG002 - most read no further path
        """The operation reading the places that ``renames`` (expected name → name in this feed) gives."""
        return self


def word_of(value: Value) -> str | None:
    """Like ``text_of``, and ``true`` or ``false`` for truth values."""
    return ("true" if value else "false") if isinstance(value, bool) else text_of(value)


def text_of(value: Value) -> str | None:
    """The text a value stands for: strings and whole numbers; None for everything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    return None


def call(name: str, *arguments: exp.Expr | str | int) -> exp.Expr:
    """A function call; text and numbers among the arguments become literals."""
    return exp.Anonymous(this=name, expressions=[literal(item) for item in arguments])


def literal(value: exp.Expr | str | int) -> exp.Expr:
    """A literal, or the expression it already is."""
    if isinstance(value, exp.Expr):
        return value
    return exp.Literal.number(value) if isinstance(value, int) else exp.Literal.string(value)


def either(*conditions: exp.Expr) -> exp.Expr:
    """One of the conditions holds; false ones are left out."""
    if TRUE in conditions:
        return TRUE
    kept = [item for item in conditions if item != FALSE]
    return exp.or_(*kept, copy=False) if kept else FALSE


def is_null(text: exp.Expr) -> exp.Expr:
    """The text is absent."""
    return exp.Is(this=text, expression=exp.null())


def negated(condition: exp.Expr) -> exp.Expr:
    """The condition does not hold."""
    return exp.Not(this=exp.Paren(this=condition))


def both(*conditions: exp.Expr) -> exp.Expr:
    """All conditions hold; true ones are left out."""
    kept = [item for item in conditions if item != TRUE]
    return exp.and_(*kept, copy=False) if kept else TRUE


def matches(text: exp.Expr, pattern: str) -> exp.Expr:
    """The whole text matches the pattern; false when it is NULL."""
    return call("coalesce", call("regexp_full_match", text, pattern), FALSE)


def absent_or(text: exp.Expr, condition: exp.Expr) -> exp.Expr:
    """True when the text is absent, else the condition (a NULL condition is false)."""
    return call("coalesce", either(is_null(text), condition), FALSE)


def when(condition: exp.Expr, then: exp.Expr, otherwise: exp.Expr | None = None) -> exp.Expr:
    """``case when condition then … else … end``."""
    return exp.Case(ifs=[exp.If(this=condition, true=then)], default=otherwise or exp.null())
