"""The SQL form of sums and products of a row's numbers. Numbers of up to eleven digits and four places are sure."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Final

from sqlglot import exp

from sources.operations.operation import FALSE, SqlValue, both, call, either, is_null, matches, when
from sources.operations.text import BLANKS

NUMBER: Final = r"-?[0-9]{1,11}(\.[0-9]{1,4})?"


def compile_total(terms: Sequence[SqlValue], less: Sequence[SqlValue], *, needs_all: bool) -> SqlValue:
    """The sum of the terms that are present, absent when none is, or when not all are; then what is taken off."""
    zero = exp.Literal.number(0)
    numbers = [call("coalesce", _decimal(term.text), zero) for term in terms]
    total = reduce(lambda left, right: exp.Add(this=left, expression=right), numbers)
    for item in less:
        total = exp.Sub(this=total, expression=call("coalesce", _decimal(item.text), zero))
    blank = [is_blank(term.text) for term in terms]
    nothing = either(*blank) if needs_all else both(*blank)
    return _number(when(nothing, exp.null(), _text(total)), both(*map(is_number_or_blank, (*terms, *less))))


def compile_product(factors: Sequence[SqlValue]) -> SqlValue:
    """The product, absent unless every factor is present; sure while it has no more than four places."""
    numbers = [_decimal(factor.text) for factor in factors]
    product = reduce(lambda left, right: exp.Mul(this=left, expression=right), numbers)
    rounded = exp.TryCast(this=product, to=exp.DataType.build("DECIMAL(38,4)", dialect="duckdb"))
    is_exact = call("coalesce", exp.EQ(this=rounded, expression=product), FALSE)
    nothing = either(*(is_blank(factor.text) for factor in factors))
    known = both(*(is_number_or_blank(factor) for factor in factors), either(nothing, is_exact))
    return _number(when(nothing, exp.null(), _text(rounded)), known)


def compile_quotient(terms: Sequence[SqlValue]) -> SqlValue:
    """The first divided by the second; sure while that comes out even in four places."""
    (dividend, divisor), wide = (_decimal(term.text) for term in terms), "DECIMAL(38,4)"
    zero = exp.EQ(this=divisor, expression=exp.Literal.number(0))
    ratio = exp.Div(
        this=exp.cast(dividend, "DOUBLE", copy=False),
        expression=exp.cast(call("nullif", divisor, 0), "DOUBLE", copy=False),
    )
    quotient = exp.TryCast(this=call("round", ratio, 4), to=exp.DataType.build("DECIMAL(19,4)", dialect="duckdb"))
    again = exp.Mul(this=quotient, expression=divisor)
    is_even = call("coalesce", exp.EQ(this=again, expression=dividend), FALSE)
    nothing = either(*(is_blank(term.text) for term in terms), call("coalesce", zero, FALSE))
    known = both(*(is_number_or_blank(term) for term in terms), either(nothing, is_even))
    return _number(
        when(nothing, exp.null(), exp.cast(exp.cast(quotient, wide, copy=False), "VARCHAR", copy=False)), known
    )


def is_blank(text: exp.Expr) -> exp.Expr:
    """The text is absent or holds nothing."""
    trimmed = exp.EQ(this=call("trim", text, BLANKS), expression=exp.Literal.string(""))
    return call("coalesce", trimmed, exp.true())


def is_number_or_blank(value: SqlValue) -> exp.Expr:
    """The value is surely a number that arithmetic here is exact on, or nothing."""
    return both(value.as_number, either(both(value.as_text, is_blank(value.text)), matches(value.text, NUMBER)))


def is_nothing(value: SqlValue) -> exp.Expr:
    """The value is surely absent, blank or zero."""
    zero = matches(value.text, r"-?0+(\.0+)?")
    return both(value.as_number, either(both(value.as_text, is_blank(value.text)), zero))


def _number(text: exp.Expr, known: exp.Expr) -> SqlValue:
    """Sure as a number, not as text, since its zeros may differ."""
    nothing = both(known, is_null(text))
    return SqlValue(text, nothing, known, nothing, FALSE)


def _decimal(text: exp.Expr) -> exp.Expr:
    """The number; NULL where it could be too large to reckon with."""
    kind = exp.DataType.build("DECIMAL(19,4)", dialect="duckdb")
    return when(matches(text, NUMBER), exp.TryCast(this=text, to=kind))


def _text(number: exp.Expr) -> exp.Expr:
    return exp.Cast(this=number, to=exp.DataType.build("VARCHAR"))
