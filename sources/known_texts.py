"""What is known of the texts that expressions make, before any row is read."""

from __future__ import annotations

from typing import Final

from sources.expression import Coalesce, Concat, Constant, Expression, FeedSetting, Path, RowNumber, Then, When
from sources.operations.moment import Epoch, Time
from sources.operations.number import Integral
from sources.operations.text import Lower, RemovePrefix, Strip, Upper
from sources.operations.words import NullIf
from sources.text_scope import ABSENT, TextScope

_QUIET: Final = (Strip, Lower, Upper, RemovePrefix, NullIf, Integral, Time, Epoch)
"""Operations that add no text of their own but digits and what ISO 8601 writes between them."""

_SHORT: Final = 100
"""Letters that a declared text may have and be called plain."""


def is_quiet(expression: Expression, scope: TextScope) -> bool:
    """Whether its text can hold no control character where no source text does."""
    match expression:
        case Path(text):
            return text in scope.plain
        case Constant() | FeedSetting() | RowNumber():
            found = evaluate_given(expression, scope)
            return found is None or found.isprintable()
        case Then(source, operations):
            return is_quiet(source, scope) and all(isinstance(operation, _QUIET) for operation in operations)
        case Coalesce(choices):
            return all(is_quiet(item, scope) for item in choices)
        case Concat(pieces, separator):
            return separator.isprintable() and all(is_quiet(item, scope) for item in pieces)
        case When(_, _, value, otherwise):
            return is_quiet(value, scope) and is_quiet(otherwise, scope)
        case _:
            return False


def is_as_given(expression: Expression, scope: TextScope) -> bool:
    """Whether, in rows that are plain, its text is a plain one: nothing is done to what the source gives."""
    if not scope.is_plain:
        return False
    match expression:
        case Path(text):
            return text in scope.plain or scope.read(text) is ABSENT
        case Constant() | FeedSetting() | RowNumber():
            found = evaluate_given(expression, scope)
            return found is None or (
                found.isascii() and found.isprintable() and found[:1] != " " and len(found) < _SHORT
            )
        case Coalesce(choices):
            return all(is_as_given(item, scope) for item in choices)
        case When(_, _, value, otherwise):
            return is_as_given(value, scope) and is_as_given(otherwise, scope)
        case _:
            return False


def evaluate_given(expression: Constant | FeedSetting | RowNumber, scope: TextScope) -> str | None:
    """The text that does not depend on the row; of a row number nothing, since digits are no control characters."""
    match expression:
        case Constant(text):
            return text
        case FeedSetting(name):
            found: str | None = getattr(scope.setting, name)
            return found
        case _:
            return None
