"""The SQL form of a mapping's expressions: text, and where that text is sure to be what Python would make."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlglot import exp

from sources.arithmetic import compile_product, compile_quotient, compile_total
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
    operands,
)
from sources.known_texts import is_as_given
from sources.list_compilation import ListReading, list_value, opened_list
from sources.operations.moment import OnServersClock, Time
from sources.operations.operation import (
    FALSE,
    TRUE,
    Operation,
    SqlMoment,
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
from sources.text_scope import ABSENT, NO_MOMENT, UNKNOWN, TextScope, text_value


def compile_expression(expression: Expression, scope: TextScope) -> SqlValue:
    """The SQL form of an expression in a row."""
    match expression:
        case Path(text):
            return scope.read(text)
        case Then(source, operations):
            value = compile_expression(source, scope)
            for operation in operations:
                value = value if value is ABSENT else operation.sql(value, scope)
            return ABSENT if isinstance(value.text, exp.Null) and value.as_text == TRUE else value
        case Coalesce(choices):
            made = [(item, value) for item in choices if (value := compile_expression(item, scope)) is not ABSENT]
            return _coalesce([_choice(item, value, scope) for item, value in made])
        case Concat():
            return _concat(expression, scope)
        case When():
            return _when(expression, scope)
        case Object(members):
            values = {name: compile_expression(item, scope) for name, item in members.items()}
            return _object({name: value for name, value in values.items() if value is not ABSENT})
        case ListOf(items):
            return _list_of(_present(compile_expression(item, scope) for item in items))
        case Sum() | Product() | Quotient():
            return _reckoned(expression, [compile_expression(item, scope) for item in operands(expression)])
        case SumOf() | Pick() | Join() | Find() | Each():
            return _compile_list(expression, scope)
        case _:
            return _compile_given(expression, scope)


def given_text(expression: Expression, scope: TextScope) -> exp.Expr:
    """The text of an expression that is as given: in rows that are plain, NULL or a text that is not empty."""
    match expression:
        case Path(text):
            return exp.null() if scope.read(text) is ABSENT else scope.filled[text]
        case Coalesce(choices):
            return _first_of([given_text(item, scope) for item in choices])
        case When():
            test = compile_expression(expression.test, scope)
            value, otherwise = given_text(expression.value, scope), given_text(expression.otherwise, scope)
            if test is ABSENT or value == otherwise:
                return otherwise
            return when(_is_met(expression, test), value, otherwise)
        case _:
            declared = compile_expression(expression, scope).text
            return exp.null() if declared == exp.Literal.string("") else declared


def _first_of(texts: Sequence[exp.Expr]) -> exp.Expr:
    """The first that is not NULL."""
    known = [text for text in texts if not isinstance(text, exp.Null)]
    if len(known) < 2:
        return known[0] if known else exp.null()
    return exp.Coalesce(this=known[0], expressions=known[1:])


def compile_moment(expression: Expression, scope: TextScope) -> SqlMoment | None:
    """The moment of an expression in a row, without a look at its text; None where that is needed."""
    match expression:
        case Path(text):
            return scope.read_moment(text)
        case Then(source, operations):
            return _moment_after(source, operations, scope)
        case Coalesce(choices):
            return _first_moment([compile_moment(item, scope) for item in choices])
        case _:
            return None


def _moment_after(source: Expression, operations: Sequence[Operation], scope: TextScope) -> SqlMoment | None:
    if isinstance(source, Coalesce):  # of several columns one may be of a clock, and another not
        return _first_moment([_moment_after(item, operations, scope) for item in source.choices])
    moment = compile_moment(source, scope)
    for operation in operations:
        is_known = moment is not None and not isinstance(moment.value, exp.Null)
        moment = operation.sql_of_moment(moment, scope) if moment is not None and is_known else moment
    return moment


def _first_moment(choices: Sequence[SqlMoment | None]) -> SqlMoment | None:
    """The first that is there."""
    known = [item for item in choices if item is not None and not isinstance(item.value, exp.Null)]
    if None in choices or not known:
        return None if None in choices else NO_MOMENT
    if len(known) == 1:
        return known[0]
    values = exp.Coalesce(this=known[0].value, expressions=[item.value for item in known[1:]])
    behind = [exp.If(this=negated(is_null(item.value)), true=item.sure) for item in known]
    return SqlMoment(values, known[0].is_clock, exp.Case(ifs=behind, default=exp.true()))


def moment_paths(expression: Expression) -> frozenset[str]:
    """The paths that are read as moments where the moment of an expression is asked for."""
    match expression:
        case Path(text):
            return frozenset({text})
        case Then(source, operations):
            besides = (getattr(item, "paths", ()) for item in operations if isinstance(item, Time | OnServersClock))
            return moment_paths(source).union(*besides)
        case Coalesce(choices):
            return frozenset().union(*map(moment_paths, choices))
        case _:
            return frozenset()


def _reckoned(expression: Sum | Product | Quotient, numbers: Sequence[SqlValue]) -> SqlValue:
    match expression:
        case Sum(terms, needs_all):
            return compile_total(numbers[: len(terms)], numbers[len(terms) :], needs_all=needs_all)
        case Product():
            return compile_product(numbers)
        case Quotient():
            return compile_quotient(numbers)


def _compile_given(expression: Constant | FeedSetting | RowNumber | Parent | Cleared, scope: TextScope) -> SqlValue:
    match expression:
        case Cleared():
            return ABSENT  # the gate leaves rows with null in one of these places to Python
        case Constant(text):
            return ABSENT if text is None else text_value(_literal(text))
        case FeedSetting(name):
            found = getattr(scope.setting, name)
            return ABSENT if found is None else text_value(_literal(found))
        case Parent():
            return UNKNOWN
        case Find():
            absent = SqlValue.of_text(exp.null(), _is_known_absent(scope.read(expression.each.text)))
            return UNKNOWN if expression.is_around else absent
        case _:
            position = scope.position
            return UNKNOWN if position is None else text_value(exp.cast(position, "VARCHAR", copy=False))


def _present(values: Iterable[SqlValue]) -> list[SqlValue]:
    """Without those of which it is known, before any row is read, that nothing stands there."""
    return [value for value in values if value is not ABSENT]


def _compile_list(expression: SumOf | Pick | Join | Find | Each, scope: TextScope) -> SqlValue:
    if isinstance(expression, SumOf | Pick | Join) and scope.read(expression.each.text) is ABSENT:
        return ABSENT
    match expression:
        case SumOf(each) | Pick(each) | Join(each):
            known = next((value for item, value in scope.lists if item == expression), None)
            return known or list_value(expression, scope.read(each.text), opened_in(expression, scope))
        case Find(each, is_around=False):
            return SqlValue.of_text(exp.null(), _is_known_absent(scope.read(each.text)))
        case Each(Path() as each):
            return SqlValue.of_text(exp.null(), _is_empty_list(scope.read(each.text)))
        case _:
            return UNKNOWN


def opened_in(expression: ListReading, scope: TextScope) -> exp.Expr:
    """The list that an expression reads, opened."""

    def inside(values: Mapping[str, SqlValue]) -> SqlValue:
        inner = TextScope(values, scope.setting, None)
        return compile_expression(expression.value, inner) if isinstance(expression, Pick) else UNKNOWN

    return opened_list(expression, scope.read(expression.each.text), inside)


def _literal(text: str | None) -> exp.Expr:
    return exp.null() if text is None else exp.Literal.string(text)


def _is_known_absent(value: SqlValue) -> exp.Expr:
    return both(value.as_text, is_null(value.text))


def _is_empty_list(value: SqlValue) -> exp.Expr:
    empty = both(value.as_json, call("coalesce", exp.EQ(this=value.text, expression=exp.Literal.string("[]")), FALSE))
    return either(_is_known_absent(value), empty)


def is_present(text: exp.Expr) -> exp.Expr:
    """The text is neither absent nor blank; what begins with a visible ASCII character needs no trimming."""
    trimmed = exp.NEQ(this=call("trim", text, BLANKS), expression=exp.Literal.string(""))
    is_visible = both(
        exp.GTE(this=text, expression=exp.Literal.string("!")),
        exp.LT(this=text, expression=call("chr", exp.Literal.number(127))),
    )
    return when(is_visible, exp.true(), call("coalesce", trimmed, FALSE))


@dataclass(frozen=True)
class _Choice:
    """A value that may be taken, whether it is there, and whether it is known that it is absent where it is not."""

    value: SqlValue
    is_there: exp.Expr
    is_given: bool
    is_told: exp.Expr


def _choice(expression: Expression, value: SqlValue, scope: TextScope) -> _Choice:
    if not is_as_given(expression, scope):
        return _Choice(value, is_present(value.text), is_given=False, is_told=value.as_text)
    text = given_text(expression, scope)
    is_place = isinstance(expression, Path) and not isinstance(
        text, exp.Null
    )  # which says itself that it holds nothing
    is_told = TRUE if is_place else value.as_text
    return _Choice(replace(value, text=text), negated(is_null(text)), is_given=True, is_told=is_told)


def _coalesce(choices: Sequence[_Choice]) -> SqlValue:
    """The first that is present; nothing is sure behind a choice of which it is not known that it is absent."""

    def chain(last: exp.Expr, part: str) -> exp.Expr:
        branches: list[exp.If] = []
        for choice in choices:
            branches.append(exp.If(this=choice.is_there, true=getattr(choice.value, part)))
            if part != "text" and choice.is_told != TRUE:
                branches.append(exp.If(this=negated(choice.is_told), true=exp.false()))
        if all(branch.args["true"] == last for branch in branches):
            return last
        return exp.Case(ifs=branches, default=last)

    if not choices:
        return ABSENT
    is_given = all(choice.is_given for choice in choices)
    text = _first_of([choice.value.text for choice in choices]) if is_given else chain(exp.null(), "text")
    if all(choice.value.as_text == TRUE for choice in choices):
        return text_value(text)
    return SqlValue(
        text,
        chain(TRUE, "as_text"),
        chain(TRUE, "as_number"),
        chain(TRUE, "as_boolean"),
        chain(FALSE, "as_json"),
    )


def _concat(expression: Concat, scope: TextScope) -> SqlValue:
    every = [compile_expression(item, scope) for item in expression.parts]
    values = _present(every)
    if not values or (expression.needs_all and len(values) < len(every)):
        return ABSENT
    present = [when(is_present(value.text), value.text) for value in values]
    joined = call("concat_ws", expression.separator, *present)
    text = call("nullif", joined, "")
    if expression.needs_all:
        text = when(both(*(is_present(value.text) for value in values)), text)
    return SqlValue.of_text(text, both(*(value.as_text for value in values)))


def _when(expression: When, scope: TextScope) -> SqlValue:
    test = compile_expression(expression.test, scope)
    value, otherwise = compile_expression(expression.value, scope), compile_expression(expression.otherwise, scope)
    if test is ABSENT or (value is ABSENT and otherwise is ABSENT):
        return otherwise
    hit = _is_met(expression, test)
    return SqlValue(
        when(hit, value.text, otherwise.text),
        both(test.as_boolean, when(hit, value.as_text, otherwise.as_text)),
        both(test.as_boolean, when(hit, value.as_number, otherwise.as_number)),
        both(test.as_boolean, when(hit, value.as_boolean, otherwise.as_boolean)),
        both(test.as_boolean, when(hit, value.as_json, otherwise.as_json)),
    )


def _is_met(expression: When, test: SqlValue) -> exp.Expr:
    words = exp.Array(expressions=[exp.Literal.string(word) for word in expression.words])
    return call("coalesce", call("list_contains", words, test.text), FALSE) if expression.words else exp.false()


def _list_of(items: Sequence[SqlValue]) -> SqlValue:
    """Compact JSON of the values that are present. Whole numbers are not told from texts of digits: not sure."""
    if not items:
        return ABSENT
    texts = [
        when(item.as_json, item.text, exp.cast(call("to_json", item.text), "VARCHAR", copy=False)) for item in items
    ]
    is_empty = both(*(is_null(item.text) for item in items))
    joined = call("concat", "[", call("concat_ws", ",", *texts), "]")
    known = both(*(either(item.as_json, both(item.as_text, negated(_is_whole(item.text)))) for item in items))
    nothing = both(known, is_empty)
    return SqlValue(when(is_empty, exp.null(), joined), nothing, nothing, nothing, both(known, negated(is_empty)))


def _is_whole(text: exp.Expr) -> exp.Expr:
    return matches(text, "-?[0-9]+")


def _object(members: Mapping[str, SqlValue]) -> SqlValue:
    """Compact JSON of the members that are present. What never is costs nothing."""
    if not members:
        return ABSENT
    known = both(*(value.as_text for value in members.values()))
    members = {name: value for name, value in members.items() if not isinstance(value.text, exp.Null)}
    pairs: list[exp.Expr] = []
    for name, value in members.items():
        pairs += [exp.Literal.string(name), value.text]
    is_empty = both(*(is_null(value.text) for value in members.values()))
    whole = call("json_object", *pairs)
    dropped = call("json_merge_patch", "{}", whole)
    text = when(is_empty, exp.null(), exp.cast(dropped if len(members) > 1 else whole, "VARCHAR", copy=False))
    nothing = both(known, is_empty)
    return SqlValue(text, nothing, nothing, nothing, both(known, negated(is_empty)))
