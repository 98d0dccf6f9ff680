"""The Python form of a mapping: one source row, or one group of rows, becomes the fields of a contract row.

Its word is final. The SQL form (``sources/compilation.py``) may stand in for it only where it is sure to agree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import partial
from math import prod
from typing import Final

from quality.contracts.check import Accepted, Reason, Rejected, check
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
from sources.free_form import FreeForm, blamed
from sources.mapped_feed import MappedFeed
from sources.operations.moment import read_moment
from sources.operations.operation import Setting, UnreadableError, Value, text_of, word_of
from sources.operations.text import BLANKS, is_blank_text

_LATEST: Final = "9999"
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
        assert isinstance(self.row, dict)
        if path in self.row:
            return self.row[path]
        column, _, rest = path.partition(".")
        return walk(self.row.get(column), rest.split(".")) if rest else None


def walk(value: Value, segments: Sequence[str]) -> Value:
    """Walk names through objects and whole numbers through lists; None where there is no such place."""
    for segment in segments:
        if value is None:
            return None
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
    if type(expression) is Path:  # most are: looking for a pattern that fits would take longer than reading
        return scope.read(expression.text)
    if type(expression) is Coalesce:
        return _first(expression.choices, scope)
    match expression:
        case Constant(text):
            return text
        case Then(source, operations):
            value = evaluate(source, scope)
            for operation in operations:
                value = None if value is None else operation.apply(value, scope)
            return value
        case Concat():
            return _concat(expression, scope)
        case FeedSetting(name):
            return str(found) if (found := getattr(scope.setting, name)) else None
        case When(test, words, value, otherwise):
            is_met = word_of(evaluate(test, scope)) in words
            return evaluate(value if is_met else otherwise, scope)
        case RowNumber():
            return scope.position
        case Cleared(places):
            null = (name for name, paths in places.items() if any(_is_null(path, scope) for path in paths))
            return ",".join(null) or None
        case _:
            return _evaluate_list(expression, scope)


def _evaluate_list(expression: Expression, scope: RowScope) -> Value:
    match expression:
        case ListOf(items):
            return [value for item in items if (value := evaluate(item, scope)) is not None] or None
        case Object(members):
            return _object(members, scope)
        case Sum(terms):
            numbers = _numbers(terms, scope)
            is_whole = len(numbers) == len(terms) or (numbers and not expression.needs_all)
            less = _numbers(expression.less, scope)
            return f"{sum(numbers, Decimal(0)) - sum(less, Decimal(0)):f}" if is_whole else None
        case Product(factors):
            return _rounded(prod(numbers, start=Decimal(1))) if (numbers := _all_numbers(factors, scope)) else None
        case Quotient(terms):
            numbers = _all_numbers(terms, scope)
            return _rounded(numbers[0] / numbers[1]) if numbers and numbers[1] else None
        case Parent(text):
            return scope.around.read(text) if scope.around else None
        case SumOf(each, path, where):
            return _sum(_counting(scope.read(each.text), where), path)
        case Pick(each, where, value):
            picked = _counting(scope.read(each.text), where)
            return evaluate(value, RowScope(picked[0], scope.setting, 1)) if picked else None
        case Find():
            return _find(expression, scope)
        case Join(each, path, separator, where):
            counting = _counting(scope.read(each.text), where)
            texts = [_plain(walk(item, path.segments if path else ())) for item in counting]
            return separator.join(text for text in texts if text.strip(BLANKS)) or None
        case Each(Path()):
            return _rows(expression, scope)
        case _:
            return None


def _is_null(path: Path, scope: RowScope) -> bool:
    """Whether null stands at a place of an object; columns of flat rows are always there, and say nothing by it."""
    *stem, last = path.segments
    holder = walk(scope.row, stem)
    return not scope.is_flat and isinstance(holder, dict) and last in holder and holder[last] is None


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


def _first(choices: tuple[Expression, ...], scope: RowScope) -> Value:
    for item in choices:
        value = evaluate(item, scope)
        if value is not None and not is_blank_text(value):
            return value
    return None


def _plain(value: Value) -> str:
    if value is None:
        return ""
    text = text_of(value)
    if text is None:
        raise UnreadableError("wrong_type", "text is expected")
    return text


def _object(members: Mapping[str, Expression], scope: RowScope) -> Value:
    found: dict[str, Value] = {}
    for name, item in members.items():
        value = evaluate(item, scope)
        if value is not None:
            found[name] = value if (text := text_of(value)) is None else text
    return found or None


def _sum(items: list[Value], path: Path) -> Value:
    found = [walk(item, path.segments) for item in items]
    numbers = [_number(value) for value in found if not is_blank_text(value)]
    return f"{sum(numbers, Decimal(0)):f}" if numbers else None


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
    """One object per element of a list that counts, or the one made instead.

    Raises:
        UnreadableError: there is something, but not a list of objects, or a value inside cannot be read.
    """
    made: list[Value] = []
    items = scope.read(each.path.text) if each.path else None
    for position, item in enumerate(_counting(items, each.where)):
        if not isinstance(item, dict):
            raise PlacedError("wrong_type", "an object is expected", f"[{position}]")
        inside = RowScope(item, scope.setting, position + 1, around=scope)
        made.append(_fields_of(each.fields, inside, f"[{position}]"))
    if not made and each.instead and any(_numbers([each.instead.needs], scope)):
        made.append(_fields_of(each.instead.fields, scope, "[0]"))
    return made


class PlacedError(UnreadableError):
    """An unreadable value inside nested rows; ``place`` says where."""

    def __init__(self, code: str, message: str, place: str) -> None:
        super().__init__(code, message)
        self.place = place


def _fields_of(fields: Mapping[str, Expression], scope: RowScope, place: str) -> dict[str, Value]:
    made: dict[str, Value] = {}
    for name, expression in fields.items():
        try:
            made[name] = evaluate(expression, scope)
        except UnreadableError as error:
            raise PlacedError(error.code, error.message, f"{place}.{name}") from error
    return made


def judge(
    mapped: MappedFeed, scopes: Sequence[RowScope], extra: Mapping[str, Value] | None = None
) -> Accepted | Rejected:
    """The contract's word on one source row, or on the rows of one group in the order of the file.

    ``extra``: values of new columns that the feed keeps.
    """
    values: dict[str, object] = {}
    reasons: list[Reason] = []
    first = _earliest(mapped, scopes)
    for name, expression in (*mapped.fields.items(), *mapped.rows.items()):
        try:
            values[name] = _value(expression, first, scopes)
            if isinstance(expression, Each) and name in mapped.fields:
                values[name] = values[name] or None  # nothing was answered: no list, as in SQL
        except UnreadableError as error:
            place = error.place if isinstance(error, PlacedError) else ""
            reasons.append(Reason(name + place, error.code, error.message))  # type: ignore[arg-type]  # a known code
    if extra:
        values["extra"] = dict(extra) | _dict(values.get("extra"))
    verdict = _word(mapped, values, reasons)
    if not mapped.free_form or isinstance(verdict, Accepted):
        return verdict
    form = FreeForm(mapped, partial(evaluate, scope=first), first.read, partial(check, mapped.kind))
    settled, left = form.settled(values, blamed(verdict))
    if left or settled != values:
        settled["extra"] = left | _dict(values.get("extra")) or None
    return _word(mapped, settled, [reason for reason in reasons if reason.field not in settled])


def _word(mapped: MappedFeed, values: Mapping[str, object], reasons: Sequence[Reason]) -> Accepted | Rejected:
    """The contract's word on values, beside what could not be evaluated at all."""
    verdict = check(mapped.kind, values)
    if not reasons:
        return verdict
    unread = Rejected(tuple(reasons))
    more = verdict.reasons if isinstance(verdict, Rejected) else ()
    return Rejected((*reasons, *(reason for reason in more if reason.field not in blamed(unread))))


def _value(expression: Expression, first: RowScope, scopes: Sequence[RowScope]) -> object:
    if isinstance(expression, Each) and expression.path is None:
        return [
            _fields_of(expression.fields, RowScope(scope.row, scope.setting, number, scope.is_flat), f"[{number - 1}]")
            for number, scope in enumerate(scopes, 1)
        ]
    return evaluate(expression, first)


def _earliest(mapped: MappedFeed, scopes: Sequence[RowScope]) -> RowScope:
    """The row whose event time is earliest, then first in the file: it speaks for its group."""
    occurred = mapped.fields.get(mapped.contract.occurred or "")
    if len(scopes) == 1 or occurred is None:
        return scopes[0]

    def moment(scope: RowScope) -> str:
        try:
            value = evaluate(occurred, scope)
        except UnreadableError:
            return _LATEST
        found = read_moment(value) if isinstance(value, str) else None
        return found.isoformat(timespec="microseconds") if found else _LATEST

    return min(scopes, key=moment)


def _dict(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}
