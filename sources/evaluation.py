"""The Python form of expressions: what each says of one source row.

Its word is final. The SQL form (``sources/compilation.py``) may stand in for it only where it is sure to agree.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from math import prod
from typing import Any, Final

from sources.expression import (
    Cleared,
    Coalesce,
    Concat,
    Constant,
    Each,
    Expression,
    FeedSetting,
    Find,
    Join,
    ListOf,
    Object,
    Parent,
    Path,
    Pick,
    Product,
    Quotient,
    RowNumber,
    Sum,
    SumOf,
    Then,
    When,
    Where,
    is_index,
    segments_of,
)
from sources.operations.operation import Setting, UnreadableError, Value, text_of, word_of
from sources.operations.text import BLANKS, is_blank_text

_FOUR_PLACES: Final = Decimal("0.0001")


@dataclass(frozen=True)
class RowScope:
    """What an expression sees of one source row: an object, or the columns of a flat row by name."""

    row: Value
    setting: Setting
    position: int
    is_flat: bool = False
    around: RowScope | None = None

    def read(self, path: str) -> Value:
        """The value at a path: of a flat row the column of that name, else what the path walks to."""
        if not self.is_flat:
            return walk(self.row, segments_of(path))
        row = self.row
        assert isinstance(row, dict)
        if path in row:
            return row[path]
        column, _, rest = path.partition(".")
        return walk(row.get(column), rest.split(".")) if rest else None


def walk(value: Value, segments: Sequence[str]) -> Value:
    """Walk names through objects and whole numbers through lists; None where there is no such place."""
    for segment in segments:
        if isinstance(value, dict):
            value = value.get(segment)
        elif isinstance(value, list) and is_index(segment):
            value = value[int(segment)] if int(segment) < len(value) else None
        else:
            return None
    return value


def evaluate(expression: Expression, scope: RowScope) -> Value:
    """The value of an expression in a row.

    Raises:
        UnreadableError: the source holds something that must not be passed on.
    """
    return _MEANINGS[type(expression)](expression, scope)


def _path(expression: Path, scope: RowScope) -> Value:
    return scope.read(expression.text) if scope.is_flat else walk(scope.row, expression.segments)


def _constant(expression: Constant, scope: RowScope) -> Value:  # noqa: ARG001 - the same in every row
    return expression.text


def _first(expression: Coalesce, scope: RowScope) -> Value:
    for item in expression.choices:
        value = _MEANINGS[type(item)](item, scope)
        if value is not None and not is_blank_text(value):
            return value
    return None


def _then(expression: Then, scope: RowScope) -> Value:
    value = evaluate(expression.expression, scope)
    for operation in expression.operations:
        if value is None:
            return None
        value = operation.apply(value, scope)
    return value


def _setting(expression: FeedSetting, scope: RowScope) -> Value:
    return str(found) if (found := getattr(scope.setting, expression.name)) else None


def _when(expression: When, scope: RowScope) -> Value:
    is_met = word_of(evaluate(expression.test, scope)) in expression.words
    return evaluate(expression.value if is_met else expression.otherwise, scope)


def _row_number(expression: RowNumber, scope: RowScope) -> Value:  # noqa: ARG001 - there is but one
    return scope.position


def _cleared(expression: Cleared, scope: RowScope) -> Value:
    """Columns of flat rows are always there, and say nothing by null."""
    if scope.is_flat:
        return None
    null: set[str] = set()
    for stem, members in expression.holders.items():
        holder = walk(scope.row, stem)
        if isinstance(holder, dict):
            null.update(name for name, key in members if key in holder and holder[key] is None)
    return ",".join(name for name in expression.places if name in null) or None


def _listed_values(expression: ListOf, scope: RowScope) -> Value:
    return [value for item in expression.items if (value := evaluate(item, scope)) is not None] or None


def _object(expression: Object, scope: RowScope) -> Value:
    found: dict[str, Value] = {}
    for name, item in expression.members.items():
        value = evaluate(item, scope)
        if value is not None:
            found[name] = value if (text := text_of(value)) is None else text
    return found or None


def _total(expression: Sum, scope: RowScope) -> Value:
    numbers = _numbers(expression.terms, scope)
    is_whole = len(numbers) == len(expression.terms) or (numbers and not expression.needs_all)
    less = _numbers(expression.less, scope)
    return f"{sum(numbers, Decimal(0)) - sum(less, Decimal(0)):f}" if is_whole else None


def _product(expression: Product, scope: RowScope) -> Value:
    return _rounded(prod(numbers, start=Decimal(1))) if (numbers := _all_numbers(expression.factors, scope)) else None


def _quotient(expression: Quotient, scope: RowScope) -> Value:
    numbers = _all_numbers(expression.terms, scope)
    return _rounded(numbers[0] / numbers[1]) if numbers and numbers[1] else None


def _parent(expression: Parent, scope: RowScope) -> Value:
    return scope.around.read(expression.text) if scope.around else None


def _sum_of(expression: SumOf, scope: RowScope) -> Value:
    items = _counting(scope.read(expression.each.text), expression.where)
    found = [walk(item, expression.value.segments) for item in items]
    numbers = [_number(value) for value in found if not is_blank_text(value)]
    return f"{sum(numbers, Decimal(0)):f}" if numbers else None


def _pick(expression: Pick, scope: RowScope) -> Value:
    picked = _counting(scope.read(expression.each.text), expression.where)
    return evaluate(expression.value, RowScope(picked[0], scope.setting, 1)) if picked else None


def _join(expression: Join, scope: RowScope) -> Value:
    counting = _counting(scope.read(expression.each.text), expression.where)
    texts = [_plain(walk(item, expression.value.segments if expression.value else ())) for item in counting]
    return expression.separator.join(text for text in texts if text.strip(BLANKS)) or None


def _find(expression: Find, scope: RowScope) -> Value:
    place = scope.around if expression.is_around else scope
    wanted = word_of(evaluate(expression.equals, scope))
    if place is None or wanted is None:
        return None
    for item in _counting(place.read(expression.each.text), ()):
        if word_of(walk(item, expression.key.segments)) == wanted:
            return evaluate(expression.value, RowScope(item, scope.setting, 1))
    return None


def _concat(expression: Concat, scope: RowScope) -> Value:
    texts = [_plain(evaluate(item, scope)) for item in expression.parts]
    present = [text for text in texts if text.strip(BLANKS)]
    if expression.needs_all and len(present) < len(texts):
        return None
    return expression.separator.join(present) or None


def _counting(items: Value, where: Sequence[Where]) -> list[Value]:
    """The elements of a list that count; an object where a list belongs is a list of one, as made of XML.

    Raises:
        UnreadableError: there is something, but no list.
    """
    if items is None:
        return []
    if isinstance(items, dict):
        items = _listed(items)
    if not isinstance(items, list):
        raise UnreadableError("wrong_type", "a list is expected")
    return [item for item in items if all(word_of(walk(item, test.path.segments)) in test.words for test in where)]


def _listed(items: dict[str, Value]) -> list[Value]:
    """The elements that stand in an object: those of a repeated field as BigQuery writes it to Parquet, or itself."""
    inner = items.get("list")
    if len(items) > 1 or not isinstance(inner, list):
        return [items]
    return [item["element"] if isinstance(item, dict) and item.keys() == {"element"} else item for item in inner]


def _plain(value: Value) -> str:
    if value is None:
        return ""
    text = text_of(value)
    if text is None:
        raise UnreadableError("wrong_type", "text is expected")
    return text


def _numbers(items: Sequence[Expression], scope: RowScope) -> list[Decimal]:
    found = [evaluate(item, scope) for item in items]
    return [_number(value) for value in found if not is_blank_text(value)]


def _all_numbers(items: Sequence[Expression], scope: RowScope) -> list[Decimal]:
    """The numbers, when every one is present and a number; else none: the field it is for says what is wrong."""
    try:
        numbers = _numbers(items, scope)
    except UnreadableError:
        return []
    return numbers if len(numbers) == len(items) else []


def _rounded(number: Decimal) -> Value:
    try:
        return f"{number.quantize(_FOUR_PLACES):f}"
    except InvalidOperation as error:
        raise UnreadableError("out_of_range", "the number is too large") from error


def _number(value: Value) -> Decimal:
    text = repr(value) if isinstance(value, float) else text_of(value)
    try:
        number = Decimal("" if text is None else text.strip())
    except InvalidOperation as error:
        raise UnreadableError("wrong_type", "a number is expected") from error
    if not number.is_finite():
        raise UnreadableError("out_of_range", "a finite number is expected")
    return number


def _rows(each: Each, scope: RowScope) -> Value:
    """One object per element of a list that counts, or the one made instead; what is made of rows is not made here.

    Raises:
        UnreadableError: there is something, but not a list of objects, or a value inside cannot be read.
    """
    if each.path is None:
        return None
    made: list[Value] = []
    items = scope.read(each.path.text)
    for position, item in enumerate(_counting(items, each.where)):
        if not isinstance(item, dict):
            raise PlacedError("wrong_type", "an object is expected", f"[{position}]")
        inside = RowScope(item, scope.setting, position + 1, around=scope)
        made.append(fields_of(each.fields, inside, f"[{position}]"))
    if not made and each.instead and any(_numbers([each.instead.needs], scope)):
        made.append(fields_of(each.instead.fields, scope, "[0]"))
    return made


_MEANINGS: Final[Mapping[type, Callable[[Any, RowScope], Value]]] = {
    Path: _path,
    Constant: _constant,
    Coalesce: _first,
    Then: _then,
    Concat: _concat,
    FeedSetting: _setting,
    When: _when,
    RowNumber: _row_number,
    Cleared: _cleared,
    ListOf: _listed_values,
    Object: _object,
    Sum: _total,
    Product: _product,
    Quotient: _quotient,
    Parent: _parent,
    SumOf: _sum_of,
    Pick: _pick,
    Find: _find,
    Join: _join,
    Each: _rows,
}
"""Looked up, for a row is asked for its fields too often to try one pattern after the other."""


class PlacedError(UnreadableError):
    """An unreadable value inside nested rows; ``place`` says where."""

    def __init__(self, code: str, message: str, place: str) -> None:
        super().__init__(code, message)
        self.place = place


def fields_of(fields: Mapping[str, Expression], scope: RowScope, place: str) -> dict[str, Value]:
    """The fields of a nested row.

    Raises:
        PlacedError: one of them cannot be read.
    """
    made: dict[str, Value] = {}
    for name, expression in fields.items():
        try:
            made[name] = evaluate(expression, scope)
        except UnreadableError as error:
            raise PlacedError(error.code, error.message, f"{place}.{name}") from error
    return made
