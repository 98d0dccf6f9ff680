"""The contract at scan speed: SQL that is sure of a value, or says that it is not.

``fast_cast`` turns the text of a source value into the column's value and a predicate ``sure``. Where ``sure`` is true,
pydantic accepts that text and gives exactly that value; a property test holds the two together. Where it is
false nothing is said: the row goes to pydantic. So the shapes here may be narrower than pydantic's, never wider.

Traps the shapes keep out: a cast to TIMESTAMP drops an offset, ``'1.5'::INTEGER`` is 2, ``'1_000'`` is 1000, ``nan``
compares as greatest. A text is therefore matched whole against a strict shape before it is cast.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from quality.contracts.columns import Column
from quality.contracts.feedback import SCORE_RANGES
from quality.contracts.value_types import Shape

_VISIBLE = r"[^\x00-\x20\x7f-\xa0\p{Z}]"
_ID_LETTERS = r"[^\x00-\x1f\x7f-\x9f]*"
_TEXT_LETTERS = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*"
_ID: Final = f" *{_VISIBLE}{_ID_LETTERS}"
_TEXT: Final = f"[\t\n\r ]*{_VISIBLE}{_TEXT_LETTERS}"
_NUMBER_LIKE_ID: Final = r"[+\-]?[0-9]+(\.0+|(\.[0-9]*)?[eE]\+?[0-9]{1,3})"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_MOMENT: Final = rf"(197[1-9]|19[89][0-9]|20[0-8][0-9]|209[0-8])-[01][0-9]-[0-3][0-9][T ]{_CLOCK}"
_SURE_MOMENTS: Final = ("1971-01-01", "2099-01-01")
_OFFSET: Final = r"[+\-](0[0-9]|1[0-4]):[0-5][0-9]"
_DAY: Final = r"(18[89][0-9]|19[0-9][0-9]|20[0-9][0-9])-[01][0-9]-[0-3][0-9]"
_DECIMAL_OF_SCALE: Final = {4: r"-?[0-9]{1,11}(\.[0-9]{1,4})?", 8: r"[0-9]{1,7}(\.[0-9]{1,8})?"}
_COUNT: Final = r"[0-9]{1,15}"
_DOUBLE: Final = r"-?[0-9]{1,9}(\.[0-9]{1,6})?"
_FLAT_OBJECT_VALUE = r'(true|false|null|"[^"\\\x00-\x1f\x7f]*")'
_FLAT_OBJECT: Final = (
    rf'\{{("[^"\\\x00-\x1f\x7f]*":{_FLAT_OBJECT_VALUE}(,"[^"\\\x00-\x1f\x7f]*":{_FLAT_OBJECT_VALUE})*)?\}}'
)


@dataclass(frozen=True)
class FastCast:
    """``value`` has the column's SQL type and never fails; it is the contract's value wherever ``sure`` is true.

    ``sure`` is never NULL.
    """

    value: exp.Expr
    sure: exp.Expr


def fast_cast(column: Column, text: exp.Expr, plain: exp.Expr | None = None) -> FastCast:
    """The value of a VARCHAR expression, NULL or empty when the source says nothing.

    ``plain`` is true where the text is known to hold no control character: its shape is then told by how it begins.

    The text must be that of a text or number the source sent: a list, an object or a truth value under a text column
    is for pydantic (truth values under BOOLEAN columns are fine).
    """
    given = exp.Nullif(this=text.copy(), expression=exp.Literal.string(""))
    may_be_absent = column.is_nullable or isinstance(column.default, bool)
    if isinstance(text, exp.Null):
        default = exp.convert(column.default) if isinstance(column.default, bool) else exp.null()
        return FastCast(_typed(default, column), exp.true() if may_be_absent else exp.false())
    if column.shape is None:
        return FastCast(_null(column), _is_null(given) if may_be_absent else exp.false())
    value, sure = _OF_SHAPE[column.shape.name](column, column.shape, given)
    if plain is not None and column.shape.name in {"id", "line", "text"}:
        seen = exp.and_(plain.copy(), _begins_visibly(given))
        begun = _is_no_number(given) if column.shape.name == "id" else exp.true()
        sure = exp.case().when(seen, exp.and_(begun, _fits(given, column.shape))).else_(sure)
    if isinstance(column.default, bool):
        value = exp.func("coalesce", value, exp.convert(column.default))
    absent = exp.true() if may_be_absent else exp.false()
    return FastCast(value, exp.case().when(_is_null(given), absent).else_(exp.func("coalesce", sure, exp.false())))


def fast_moment(column: Column, moment: exp.Expr) -> FastCast:
    """The same for a moment that the source gives as such, in UTC."""
    first, last = (exp.cast(exp.Literal.string(day), "TIMESTAMP") for day in _SURE_MOMENTS)
    inside = exp.and_(exp.GTE(this=moment.copy(), expression=first), exp.LT(this=moment.copy(), expression=last))
    absent = exp.true() if column.is_nullable else exp.false()
    return FastCast(moment.copy(), exp.func("coalesce", inside, absent))


def consistent(kind: str, value_of: Callable[[str], exp.Expr]) -> exp.Expr:
    """Whether sure values are also right together; never NULL. ``value_of``: column → expression of its type.

    The rules within one row only: that ids of nested rows are distinct, and their order the same, is for who reads
    them.
    """
    if kind != "feedback":
        return exp.true()
    score, scale = value_of("score"), value_of("score_scale")
    on_scale = [
        exp.and_(exp.EQ(this=scale.copy(), expression=exp.Literal.string(name)), _between(score.copy(), low, high))
        for name, (low, high) in SCORE_RANGES.items()
    ]
    return exp.or_(_is_null(score), exp.func("coalesce", exp.paren(exp.or_(*on_scale)), exp.false()))


def _id(_: Column, shape: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    return text.copy(), exp.and_(_matches(text, _ID), _is_no_number(text), _fits(text, shape))


def _is_no_number(text: exp.Expr) -> exp.Expr:
    """Not what a spreadsheet may have made of an id; what begins behind the digits is none."""
    begins = exp.GTE(this=text.copy(), expression=exp.Literal.string(":"))
    return exp.case().when(begins, exp.true()).else_(exp.not_(_matches(text, _NUMBER_LIKE_ID)))


def _begins_visibly(text: exp.Expr) -> exp.Expr:
    """The first character is neither a blank nor a control character: told by comparing, which takes no scan."""

    def between(first: exp.Expr, behind: exp.Expr) -> exp.Expr:
        return exp.and_(exp.GTE(this=text.copy(), expression=first), exp.LT(this=text.copy(), expression=behind))

    ascii_ = between(_character("!"), _character("\x7f"))
    western = between(_character("\u00c0"), _character("\u1680"))
    eastern = exp.GTE(this=text.copy(), expression=_character("\u3001"))
    return exp.paren(exp.or_(ascii_, western, eastern))


def _character(letter: str) -> exp.Expr:
    return exp.Anonymous(this="chr", expressions=[exp.Literal.number(ord(letter))])


def _text(_: Column, shape: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    return text.copy(), exp.and_(_matches(text, _TEXT), _fits(text, shape))


def _code(column: Column, shape: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    if column.allowed:
        return text.copy(), _is_one_of(text, column.allowed)
    return text.copy(), _matches(text, shape.pattern or "")


def _timestamp(_: Column, __: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    with_offset = _matches(text, _MOMENT + _OFFSET)
    zoned = exp.AtTimeZone(this=_cast(text.copy(), "TIMESTAMPTZ"), zone=exp.Literal.string("UTC"))
    plain = _cast(exp.func("rtrim", text.copy(), exp.Literal.string("Z")), "TIMESTAMP")
    value = exp.case().when(_matches(text, f"{_MOMENT}Z?"), plain).when(with_offset, zoned)
    return value, exp.not_(_is_null(value))


def _day(_: Column, __: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    value = exp.case().when(_matches(text, _DAY), _cast(text.copy(), "DATE"))
    return value, exp.not_(_is_null(value))


def _decimal(column: Column, shape: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    value = exp.case().when(_matches(text, _DECIMAL_OF_SCALE[shape.scale]), _cast(text.copy(), column.sql_type))
    if column.minimum is None:
        return value, exp.not_(_is_null(value))
    return value, exp.func("coalesce", exp.GT(this=value.copy(), expression=exp.convert(column.minimum)), exp.false())


def _count(column: Column, _: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    is_count = _matches(text, _COUNT)
    return exp.case().when(is_count, _cast(text.copy(), column.sql_type)), is_count.copy()


def _double(_: Column, __: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    is_double = _matches(text, _DOUBLE)
    return exp.case().when(is_double, _cast(text.copy(), "DOUBLE")), is_double.copy()


def _flag(_: Column, __: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    value = (
        exp.case().when(_is_one_of(text, ("true", "1")), exp.true()).when(_is_one_of(text, ("false", "0")), exp.false())
    )
    return value, exp.not_(_is_null(value))


def _json(_: Column, __: Shape, text: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
    """Sure of small flat objects, written compactly and without escapes, whose keys are distinct."""
    flat = _matches(text, _FLAT_OBJECT)
    value = exp.case().when(flat, _cast(text.copy(), "JSON"))
    keys = exp.func("json_keys", value.copy())
    distinct = exp.EQ(this=exp.func("len", keys), expression=exp.func("len", exp.func("list_distinct", keys.copy())))
    return value, exp.func("coalesce", distinct, exp.false())


_OF_SHAPE: Final[Mapping[str, Callable[[Column, Shape, exp.Expr], tuple[exp.Expr, exp.Expr]]]] = {
    "id": _id,
    "line": _text,
    "text": _text,
    "code": _code,
    "timestamp": _timestamp,
    "day": _day,
    "decimal": _decimal,
    "count": _count,
    "double": _double,
    "flag": _flag,
    "json": _json,
}


def _matches(text: exp.Expr, pattern: str) -> exp.Expr:
    return exp.Anonymous(this="regexp_full_match", expressions=[text.copy(), exp.Literal.string(pattern)])


def _is_one_of(text: exp.Expr, words: tuple[str, ...]) -> exp.Expr:
    """Through a list: ``IN`` with many literals becomes a join that loses the order of rows."""
    listed = exp.Array(expressions=[exp.Literal.string(word) for word in words])
    return exp.Anonymous(this="list_contains", expressions=[listed, text.copy()])


def _fits(text: exp.Expr, shape: Shape) -> exp.Expr:
    """Bytes are counted faster than characters, and are never fewer."""

    def at_most(measure: str) -> exp.Expr:
        counted = exp.Anonymous(this=measure, expressions=[text.copy()])
        return exp.LTE(this=counted, expression=exp.convert(shape.max_length))

    return exp.case().when(at_most("strlen"), exp.true()).else_(at_most("length"))


def _between(value: exp.Expr, low: float, high: float) -> exp.Expr:
    return exp.Between(this=value, low=exp.convert(low), high=exp.convert(high))


def _cast(value: exp.Expr, sql_type: str) -> exp.Expr:
    return exp.TryCast(this=value, to=exp.DataType.build(sql_type, dialect="duckdb"))


def _null(column: Column) -> exp.Expr:
    return _typed(exp.null(), column)


def _typed(value: exp.Expr, column: Column) -> exp.Expr:
    return exp.Cast(this=value, to=exp.DataType.build(column.sql_type, dialect="duckdb"))


def _is_null(value: exp.Expr) -> exp.Expr:
    return exp.Is(this=value.copy(), expression=exp.null())
