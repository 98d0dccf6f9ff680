"""Operations on numbers: sign, whole numbers, minor units of money."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import ClassVar, Final

from sqlglot import exp

from sources.operations.operation import (
    FALSE,
    Operation,
    Scope,
    SqlScope,
    SqlValue,
    UnreadableError,
    Value,
    absent_or,
    both,
    call,
    either,
    is_null,
    matches,
    text_of,
    when,
)

_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_PLAIN_SQL = r"-?[0-9]+(\.[0-9]+)?"
_INTEGRAL = re.compile(r"(-?[0-9]+)\.0+")
_WHOLE = re.compile(r"-?[0-9]{1,18}")
_EXACT_FLOAT: Final = 2**53

MINOR_DIGITS: Final[Mapping[str, int]] = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "JOD", "KWD", "OMR", "TND"), 3)
"""Digits behind the point where they are not two (Stripe's documentation of currencies)."""


@dataclass(frozen=True)
class Integral(Operation):
    """``17850.0`` is ``17850``: whole numbers that a spreadsheet turned into floating point."""

    name: ClassVar[str] = "integral"
    accepts: ClassVar[frozenset[str]] = frozenset({"number"})

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        if isinstance(value, float) and value.is_integer() and abs(value) < _EXACT_FLOAT:
            return str(int(value))
        if isinstance(value, str) and (match := _INTEGRAL.fullmatch(value)):
            return match[1]
        return value

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form."""
        text = call("regexp_replace", value.text, r"^(-?[0-9]+)\.0+$", r"\1")
        whole = both(value.as_number, matches(value.text, r"-?[1-9][0-9]{0,14}\.0|0\.0"))
        sure = either(value.as_text, whole)
        return SqlValue(text, sure, either(value.as_number, sure), value.as_boolean, value.as_json)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return "without a trailing .0"


@dataclass(frozen=True)
class Negate(Operation):
    """The sign changes."""

    name: ClassVar[str] = "negate"
    accepts: ClassVar[frozenset[str]] = frozenset({"number"})

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        if isinstance(value, float):
            return -value
        text = text_of(value)
        if text is None or not _PLAIN.fullmatch(text):
            return value
        return text[1:] if text.startswith("-") else f"-{text}"

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form."""
        negative = call("starts_with", value.text, "-")
        minus = exp.DPipe(this=exp.Literal.string("-"), expression=value.text, safe=True)
        changed = when(negative, call("substring", value.text, 2), minus)
        return _signed(value, changed)


@dataclass(frozen=True)
class Absolute(Operation):
    """The sign goes."""

    name: ClassVar[str] = "absolute"
    accepts: ClassVar[frozenset[str]] = frozenset({"number"})

    def apply(self, value: Value, scope: Scope) -> Value:  # noqa: ARG002 - needs no surroundings
        """The Python form."""
        if isinstance(value, float):
            return abs(value)
        text = text_of(value)
        return value if text is None or not _PLAIN.fullmatch(text) else text.removeprefix("-")

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:  # noqa: ARG002 - likewise
        """The SQL form."""
        return _signed(value, call("ltrim", value.text, "-"))


def _signed(value: SqlValue, changed: exp.Expr) -> SqlValue:
    plain = matches(value.text, _PLAIN_SQL)
    text = when(plain, changed, value.text)
    number = both(value.as_number, either(absent_or(value.text, FALSE), value.as_text, plain))
    return SqlValue(text, value.as_text, number, value.as_text, FALSE)


@dataclass(frozen=True)
class MinorUnits(Operation):
    """An amount in the smallest unit of its currency becomes one in the currency; ``currency`` is a source path."""

    name: ClassVar[str] = "minor_units"
    currency: str

    def apply(self, value: Value, scope: Scope) -> Value:
        """The Python form."""
        text = text_of(value)
        if text is None or not _WHOLE.fullmatch(text.strip()):
            if text is not None and not text.strip():
                return None
            raise UnreadableError("wrong_type", "an amount in minor units is a whole number")
        code = text_of(scope.read(self.currency)) or scope.setting.currency or ""
        return f"{Decimal(text.strip()).scaleb(-MINOR_DIGITS.get(code.strip().upper(), 2)):f}"

    def sql(self, value: SqlValue, scope: SqlScope) -> SqlValue:
        """The SQL form."""
        currency = scope.read(self.currency)
        declared = exp.Literal.string(scope.setting.currency or "")
        code = call("upper", call("trim", call("coalesce", call("nullif", currency.text, ""), declared)))
        amount = exp.TryCast(this=value.text, to=exp.DataType.build("DECIMAL(38,3)", dialect="duckdb"))
        branches = [
            exp.If(this=_among(code, digits), true=_scaled(amount, digits))
            for digits in sorted(set(MINOR_DIGITS.values()))
        ]
        text = exp.Case(ifs=branches, default=_scaled(amount, 2))
        plain_code = absent_or(currency.text, matches(currency.text, "[A-Za-z]{0,3}"))
        sure = both(
            value.as_text,
            absent_or(value.text, matches(value.text, "-?[1-9][0-9]{0,17}|0")),
            currency.as_text,
            plain_code,
        )
        return SqlValue.of_text(when(is_null(value.text), exp.null(), text), sure)

    @property
    def rule(self) -> str:
        """The operation in words."""
        return f"from minor units of {self.currency}"

    @property
    def paths(self) -> tuple[str, ...]:
        """The path of the currency."""
        return (self.currency,)

    def renamed(self, renames: Mapping[str, str]) -> MinorUnits:
        """The same with the currency under its name in this feed."""
        return MinorUnits(renames.get(self.currency, self.currency))


def _among(code: exp.Expr, digits: int) -> exp.Expr:
    codes = exp.Array(expressions=[exp.Literal.string(key) for key, value in MINOR_DIGITS.items() if value == digits])
    return call("list_contains", codes, code)


def _scaled(amount: exp.Expr, digits: int) -> exp.Expr:
    step = exp.cast(exp.Literal.string(str(Decimal(1).scaleb(-digits))), "DECIMAL(4,3)", copy=False)
    scaled = exp.cast(exp.Mul(this=amount, expression=step), f"DECIMAL(38,{digits})", copy=False)
    return exp.Cast(this=scaled, to=exp.DataType.build("VARCHAR"))
