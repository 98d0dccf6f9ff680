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
from typing import Final, TypeAlias

from sqlglot import exp

from quality.contracts.columns import Column, columns
from quality.contracts.contract import ContractPart
from quality.contracts.feedback import SCORE_RANGES
from quality.contracts.value_types import Shape

_VISIBLE = r"[^\x00-\x20\x7f-\xa0\p{Z}]"
_ID_LETTERS = r"[^\x00-\x1f\x7f-\x9f]*"
_TEXT_LETTERS = r"[^\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]*"
_ID: Final = f" *{_VISIBLE}{_ID_LETTERS}"
_TEXT: Final = f"[\t\n\r ]*{_VISIBLE}{_TEXT_LETTERS}"
_NUMBER_LIKE_ID: Final = r"[+\-]?[0-9]+(\.0+|(\.[0-9]*)?[eE]\+?[0-9]{1,3})"
_CLOCK = r"([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](\.[0-9]{1,6})?"
_SHORT_CLOCK = r"([01]?[0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\.[0-9]{1,6})?)?"
_IN_YEAR: Final = r"(-[0-9]{1,2}-[0-9]{1,2}|/[0-9]{1,2}/[0-9]{1,2})"
"""Month and day as ISO 8601 and as spreadsheets write them; the cast knows which there are."""
_DAY_OF_MOMENT: Final = rf"(197[1-9]|19[89][0-9]|20[0-8][0-9]|209[0-8]){_IN_YEAR}"
_ZONED: Final = rf"{_DAY_OF_MOMENT}[T ]{_CLOCK}"
_IN_UTC: Final = rf"{_ZONED}Z|{_DAY_OF_MOMENT}([T ]{_SHORT_CLOCK})?"
_SURE_MOMENTS: Final = ("1971-01-01", "2099-01-01")
_OFFSET: Final = r"[+\-](0[0-9]|1[0-4]):[0-5][0-9]"
_DAY: Final = rf"(18[89][0-9]|19[0-9][0-9]|20[0-9][0-9]){_IN_YEAR}"
_DECIMAL_OF_SCALE: Final = {4: r"-?[0-9]{1,11}(\.[0-9]{1,4})?", 8: r"[0-9]{1,7}(\.[0-9]{1,8})?"}
_COUNT: Final = r"[0-9]{1,15}"
_DOUBLE: Final = r"-?[0-9]{1,9}(\.[0-9]{1,6})?"
_QUOTED: Final = r'"[^"\\\x00-\x1f\x7f-\x9f]*"'
_PART: Final = "part"
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


Value: TypeAlias = tuple[exp.Expr, Callable[[exp.Expr], exp.Expr]]
"""The value of a text, and whether it is sure, said of where the value stands."""


LEAST_LIMIT: Final = 255
"""Letters that every field of text takes."""


def fast_cast(
    column: Column,
    text: exp.Expr,
    plain: exp.Expr | None = None,
    made: exp.Expr | None = None,
    *,
    is_visible: bool = False,
) -> FastCast:
    """The value of a VARCHAR expression, which is NULL when the source says nothing and never empty.

    ``plain`` is true where the text is known to hold no control character: its shape is then told by how it begins.
    ``made``: where the value stands already, so that ``sure`` need not make it once more. ``is_visible``: the text is
    known to begin with a visible character, to hold no control character and at most ``LEAST_LIMIT`` bytes.

    The text must be that of a text or number the source sent: a list, an object or a truth value under a text column
    is for pydantic (truth values under BOOLEAN columns are fine). Under a column of lists or JSON it must be JSON.
    """
    may_be_absent = column.is_nullable or isinstance(column.default, bool)
    if isinstance(text, exp.Null):
        default = exp.convert(column.default) if isinstance(column.default, bool) else exp.null()
        return FastCast(_typed(default, column), exp.true() if may_be_absent else exp.false())
    value, is_sure = _value(column, text)
    sure = is_sure(value if made is None else made)
    shape = column.shape
    if is_visible and shape is not None and shape.name in {"line", "text"}:
        return FastCast(value, exp.true() if may_be_absent else exp.not_(_is_null(text)))
    if is_visible and shape is not None and shape.name == "id":
        sure = _is_no_number(text)
    elif plain is not None and shape is not None and shape.name in {"id", "line", "text"}:
        seen = exp.and_(plain.copy(), _begins_visibly(text))
        begun = _is_no_number(text) if shape.name == "id" else exp.true()
        sure = exp.case().when(seen, exp.and_(begun, _fits(text, shape))).else_(sure)
    if isinstance(column.default, bool):
        value = exp.func("coalesce", value, exp.convert(column.default))
    absent = exp.true() if may_be_absent else exp.false()
    return FastCast(value, exp.case().when(_is_null(text), absent).else_(exp.func("coalesce", sure, exp.false())))


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


def _value(column: Column, text: exp.Expr) -> Value:
    if column.items is None:
        return _OF_SHAPE[column.shape.name](column, column.shape, text) if column.shape else _unknown(column)
    if isinstance(column.items, Shape):
        return _texts(column.items, text)
    return _parts(column.items, text) if column.sql_type == "JSON" else _unknown(column)


def _unknown(column: Column) -> Value:
    return _null(column), lambda _: exp.false()


def _id(_: Column, shape: Shape, text: exp.Expr) -> Value:
    return text.copy(), lambda _: exp.and_(_matches(text, _ID), _is_no_number(text), _fits(text, shape))


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


def _text(_: Column, shape: Shape, text: exp.Expr) -> Value:
    return text.copy(), lambda _: exp.and_(_matches(text, _TEXT), _fits(text, shape))


def _code(column: Column, shape: Shape, text: exp.Expr) -> Value:
    if column.allowed:
        return text.copy(), lambda _: _is_one_of(text, column.allowed)
    return text.copy(), lambda _: _matches(text, shape.pattern or "")


def _timestamp(_: Column, __: Shape, text: exp.Expr) -> Value:
    with_offset = _matches(text, _ZONED + _OFFSET)
    zoned = exp.AtTimeZone(this=_cast(text.copy(), "TIMESTAMPTZ"), zone=exp.Literal.string("UTC"))
    in_utc = _cast(text.copy(), "TIMESTAMP")  # which drops an offset, and that of Z is none
    return exp.case().when(_matches(text, _IN_UTC), in_utc).when(with_offset, zoned), _is_made


def _day(_: Column, __: Shape, text: exp.Expr) -> Value:
    return exp.case().when(_matches(text, _DAY), _cast(text.copy(), "DATE")), _is_made


def _decimal(column: Column, shape: Shape, text: exp.Expr) -> Value:
    value = exp.case().when(_matches(text, _DECIMAL_OF_SCALE[shape.scale]), _cast(text.copy(), column.sql_type))
    if column.minimum is None:
        return value, _is_made
    minimum = exp.convert(column.minimum)
    return value, lambda made: exp.func("coalesce", exp.GT(this=made.copy(), expression=minimum), exp.false())


def _count(column: Column, _: Shape, text: exp.Expr) -> Value:
    return exp.case().when(_matches(text, _COUNT), _cast(text.copy(), column.sql_type)), _is_made


def _double(_: Column, __: Shape, text: exp.Expr) -> Value:
    return exp.case().when(_matches(text, _DOUBLE), _cast(text.copy(), "DOUBLE")), _is_made


def _flag(_: Column, __: Shape, text: exp.Expr) -> Value:
    """Sure by the text: in a column that has a default the value is never NULL."""
    words, others = ("true", "1"), ("false", "0")
    value = exp.case().when(_is_one_of(text, words), exp.true()).when(_is_one_of(text, others), exp.false())
    return value, lambda _: _is_one_of(text, (*words, *others))


def _json(_: Column, __: Shape, text: exp.Expr) -> Value:
    """Sure of small flat objects, written compactly and without escapes, whose keys are distinct."""

    def is_distinct(made: exp.Expr) -> exp.Expr:
        keys = exp.func("json_keys", made.copy())
        distinct = exp.func("list_distinct", keys.copy())
        return exp.EQ(this=exp.func("len", keys), expression=exp.func("len", distinct))

    return exp.case().when(_matches(text, _FLAT_OBJECT), _cast(text.copy(), "JSON")), is_distinct


def _texts(items: Shape, text: exp.Expr) -> Value:
    """Sure of lists of texts without quotes, escapes and control characters that all fit together."""
    each = rf"{_QUOTED}(,{_QUOTED})*"
    opened = exp.Anonymous(this="from_json", expressions=[text.copy(), exp.Literal.string('["VARCHAR"]')])
    value = exp.case().when(_matches(text, rf"\[({each})?\]"), opened)

    def is_sure(made: exp.Expr) -> exp.Expr:
        if items.name != "id":
            return exp.and_(_is_made(made), _fits(text, items))
        numbers = exp.Anonymous(
            this="regexp_matches", expressions=[text.copy(), exp.Literal.string(f'"{_NUMBER_LIKE_ID}"')]
        )
        return exp.and_(_is_made(made), _fits(text, items), exp.not_(numbers))

    return value, is_sure


def _parts(model: type[ContractPart], text: exp.Expr) -> Value:
    """Sure of lists of objects that hold plain texts in the order of the model, as JSON in the model's own words."""
    found = columns(model)
    if found[0].is_nullable or any(item.sql_type not in {"VARCHAR", "TIMESTAMP"} for item in found):
        return _cast(exp.null(), "JSON"), lambda _: exp.false()
    pairs = [rf'"{item.name}":{_QUOTED}' for item in found]
    rest = [f"(,{pair})?" if item.is_nullable else f",{pair}" for item, pair in zip(found[1:], pairs[1:], strict=True)]
    each = rf"\{{{pairs[0]}{''.join(rest)}\}}"
    layout = "[{" + ",".join(f'"{item.name}":"VARCHAR"' for item in found) + "}]"
    opened = exp.Anonymous(this="from_json", expressions=[text.copy(), exp.Literal.string(layout)])
    words: list[exp.Expr] = []
    sure: list[exp.Expr] = []
    for item in found:
        given = exp.Nullif(this=exp.column(item.name, table=_PART), expression=exp.Literal.string(""))
        cast = fast_cast(item, given)
        words += [exp.Literal.string(f'{"," if words else "{"}"{item.name}":'), _as_words(item, cast.value)]
        sure.append(cast.sure)
    whole = exp.func("concat", *words, exp.Literal.string("}"))
    made = exp.case().when(exp.and_(*sure), whole).else_(exp.Literal.string("?"))  # no JSON: all is NULL
    listed = exp.Anonymous(this="list_transform", expressions=[opened, _over(made)])
    joined = exp.Anonymous(this="array_to_string", expressions=[listed, exp.Literal.string(",")])
    value = exp.func("concat", exp.Literal.string("["), joined, exp.Literal.string("]"))
    return exp.case().when(_matches(text, rf"\[({each}(,{each})*)?\]"), _cast(value, "JSON")), _is_made


def _as_words(column: Column, value: exp.Expr) -> exp.Expr:
    """JSON of a text that needs no escapes, or of a moment."""

    def written(form: str) -> exp.Expr:
        return exp.func("strftime", value.copy(), exp.Literal.string(form))

    text: exp.Expr = value
    if column.sql_type == "TIMESTAMP":
        second = exp.func("date_trunc", exp.Literal.string("second"), value.copy())
        is_whole = exp.EQ(this=second, expression=value.copy())
        text = exp.case().when(is_whole, written("%Y-%m-%dT%H:%M:%S")).else_(written("%Y-%m-%dT%H:%M:%S.%f"))
    quoted = exp.func("concat", exp.Literal.string('"'), text.copy(), exp.Literal.string('"'))
    absent = "null" if column.default is None else f'"{column.default}"'
    return exp.case().when(_is_null(value), exp.Literal.string(absent)).else_(quoted)


def _over(body: exp.Expr) -> exp.Expr:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(_PART)])


def _is_made(value: exp.Expr) -> exp.Expr:
    return exp.not_(_is_null(value))


_OF_SHAPE: Final[Mapping[str, Callable[[Column, Shape, exp.Expr], Value]]] = {
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
