"""The SQL form of what a mapping reads out of lists: sums, picks, joins. Each element is looked at once, in place."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

from sqlglot import exp

from sources.expression import Join, Path, Pick, SumOf, Where, paths_of
from sources.leaves import inline_value, lay_out, raw_leaf, structure_of
from sources.operations.operation import (
    FALSE,
    SqlValue,
    both,
    call,
    either,
    is_null,
    matches,
    negated,
    when,
)
from sources.operations.text import BLANKS
from sources.statement import column, member

_NUMBER = r"-?[0-9]{1,11}(\.[0-9]{1,4})?"
_ELEMENT, _MADE = "element", "made"
ListReading: TypeAlias = SumOf | Pick | Join


def opened_list(
    expression: ListReading, items: SqlValue, compiled: Callable[[Mapping[str, SqlValue]], SqlValue]
) -> exp.Expr:
    """What an expression looks at in each element; ``compiled`` makes the value of a pick of those inside an element.

    A list of ``counts``, ``clear`` (that is sure), ``text`` and ``sure`` of the value. No list is NULL.
    """
    match expression:
        case SumOf():
            number = expression.value
            return _opened(items, expression.where, [number], lambda values: _number(values[number.text]))
        case Pick():
            return _opened(items, expression.where, paths_of(expression.value), compiled)
        case Join():
            path = expression.value
            paths = [path] if path else None
            return _opened(items, expression.where, paths, lambda values: values[path.text if path else ""])


def list_value(expression: ListReading, items: SqlValue, opened: exp.Expr) -> SqlValue:
    """What becomes of an opened list."""
    match expression:
        case SumOf():
            return _sum(items, opened)
        case Pick():
            return _first(items, opened)
        case Join():
            return _joined(expression, items, opened)


def _sum(items: SqlValue, opened: exp.Expr) -> SqlValue:
    """The sum as text; sure as a number, not as text, since its zeros may differ."""
    counted = _filtered(opened, column("counts", _MADE))
    numbers = call("list_transform", counted, _lambda(_MADE, exp.TryCast(this=column("text", _MADE), to=_decimal())))
    text = exp.Cast(this=call("list_sum", numbers), to=exp.DataType.build("VARCHAR"))
    is_clear = _is_clear(items, opened)
    nothing = both(is_clear, is_null(text))
    return SqlValue(text, nothing, is_clear, nothing, FALSE)


def _first(items: SqlValue, opened: exp.Expr) -> SqlValue:
    """The value of the first element that counts."""
    first = exp.Bracket(
        this=exp.Paren(this=_filtered(opened, column("counts", _MADE))), expressions=[exp.Literal.number(0)]
    )
    is_clear = _is_clear(items, opened, exp.or_(negated(column("counts", _MADE)), column("sure", _MADE), copy=False))
    text = exp.Dot(this=first, expression=exp.to_identifier("text"))
    return SqlValue.of_text(text, is_clear)


def _joined(expression: Join, items: SqlValue, opened: exp.Expr) -> SqlValue:
    """The texts that are not blank, joined."""
    counted = _filtered(opened, column("counts", _MADE)) if expression.where else opened
    texts = call("list_transform", counted, _lambda(_MADE, column("text", _MADE)))
    is_present = exp.NEQ(this=call("trim", column("text"), BLANKS), expression=exp.Literal.string(""))
    present = call("list_filter", texts, _lambda("text", call("coalesce", is_present, FALSE)))
    joined = call("nullif", call("array_to_string", present, expression.separator), "")
    return SqlValue.of_text(joined, _is_clear(items, opened))


def _number(value: SqlValue) -> SqlValue:
    """A number as text; blank text is no number and no fault."""
    blank = call(
        "coalesce", exp.EQ(this=call("trim", value.text, BLANKS), expression=exp.Literal.string("")), exp.true()
    )
    sure = both(value.as_number, either(both(value.as_text, blank), matches(value.text, _NUMBER)))
    return SqlValue.of_text(value.text, sure)


def _opened(
    items: SqlValue,
    where: Sequence[Where],
    paths: Iterable[Path] | None,
    compiled: Callable[[Mapping[str, SqlValue]], SqlValue],
) -> exp.Expr:
    """``paths`` None: the value is the element itself, under the empty path."""
    is_list = both(items.as_json, call("coalesce", call("starts_with", items.text, "["), FALSE))
    text = when(is_list, items.text)
    element = exp.to_identifier(_ELEMENT)
    if paths is None:
        opened = call("from_json", text, '["JSON"]')
        values = {"": inline_value(exp.cast(element, "VARCHAR", copy=False))}
    else:
        wanted = [*(path.text for path in paths), *(test.path.text for test in where)]
        leaves = lay_out(dict.fromkeys(wanted, frozenset({"json"})))
        opened = call("from_json", text, json.dumps([structure_of(leaves)]))
        structure = structure_of(leaves)
        values = {path: inline_value(raw_leaf(leaf, element.copy(), structure)) for path, leaf in leaves.items()}
    counts: list[exp.Expr] = []
    clear: list[exp.Expr] = []
    for test in where:
        words = exp.Array(expressions=[exp.Literal.string(word) for word in test.words])
        counts.append(call("coalesce", call("list_contains", words, values[test.path.text].text), FALSE))
        clear.append(values[test.path.text].as_boolean)
    value = compiled(values)
    members = {
        "counts": both(*counts),
        "clear": both(*clear),
        "text": value.text,
        "sure": value.as_text,
    }
    struct = exp.Struct(expressions=[member(name, part) for name, part in members.items()])
    return call("list_transform", opened, _lambda(_ELEMENT, struct))


def _is_clear(items: SqlValue, made: exp.Expr, sure: exp.Expr | None = None) -> exp.Expr:
    """There is no list, or one of which every element is clear."""
    needed = sure if sure is not None else either(negated(column("counts", _MADE)), column("sure", _MADE))
    each = both(column("clear", _MADE), exp.Paren(this=needed))
    all_clear = call("coalesce", call("list_bool_and", call("list_transform", made, _lambda(_MADE, each))), exp.true())
    nothing = both(items.as_text, is_null(items.text))
    is_list = both(items.as_json, call("coalesce", call("starts_with", items.text, "["), FALSE))
    return call("coalesce", either(nothing, both(is_list, all_clear)), FALSE)


def _filtered(made: exp.Expr, condition: exp.Expr) -> exp.Expr:
    return call("list_filter", made, _lambda(_MADE, condition))


def _lambda(name: str, body: exp.Expr) -> exp.Expr:
    return exp.Lambda(this=body, expressions=[exp.to_identifier(name)])


def _decimal() -> exp.DataType:
    return exp.DataType.build("DECIMAL(38,4)", dialect="duckdb")
