"""How the expressions of a mapping are written.

A plain string is a path (dots walk objects, whole numbers walk lists). Otherwise one of

- of values: ``{path}``, ``{constant}``, ``{setting}``, ``{row_number: true}``, ``{cleared: {name: path or paths}}``,
  ``{coalesce: […]}``, ``{concat: […], with, all}``, ``{when, equals | in, value, else}``,
  ``{object: {name: expression}}``, ``{list: […]}``;
- of numbers: ``{sum: […], less: […], all}``, ``{product: [a, b]}``, ``{quotient: [a, b]}``;
- over lists: ``{sum_of: {each, value, where}}``, ``{pick: list, where, value}``, ``{join: list, value, with, where}``,
  ``{find: list, key, equals, value, around}`` (the object whose key is what an expression is, also in a list of the row
  around), and
  ``{each: list, fields, where, instead: {needs, fields}}``, a row for every object; ``where`` maps a path inside it to
  a word or words; ``{parent: path}`` reads from the row around; ``instead`` makes one row where no object counts;
- of groups: ``{rows: true, fields}``, a row for every source row.

Each may add ``then: [operation, …]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final

from pydantic import PlainValidator, WithJsonSchema

from sources.expression import (
    Cleared,
    Coalesce,
    Concat,
    Constant,
    Each,
    Expression,
    FeedSetting,
    Find,
    Instead,
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
)
from sources.operations.operation import MappingError
from sources.operations.vocabulary import parse_operation, word
from warehouse.declaration import nearest, suggestion
from warehouse.misfit import Misfit, both, each_of, raise_misfits

SETTINGS: Final = ("country", "currency", "time_zone")

_FORMS: Final[Mapping[str, frozenset[str]]] = {
    "path": frozenset(),
    "constant": frozenset(),
    "coalesce": frozenset(),
    "concat": frozenset({"with", "all"}),
    "setting": frozenset(),
    "when": frozenset({"equals", "in", "value", "else"}),
    "row_number": frozenset(),
    "position": frozenset(),
    "sum_of": frozenset(),
    "sum": frozenset({"all", "less"}),
    "product": frozenset(),
    "quotient": frozenset(),
    "parent": frozenset(),
    "cleared": frozenset(),
    "object": frozenset(),
    "pick": frozenset({"where", "value"}),
    "find": frozenset({"key", "equals", "value", "around"}),
    "join": frozenset({"value", "with", "where"}),
    "list": frozenset(),
    "each": frozenset({"fields", "where", "instead"}),
    "rows": frozenset({"fields"}),
}


def parse_expression(written: object) -> Expression:
    """The expression a mapping writes.

    Raises:
        MappingError: it is none, in words for the person who wrote it.
    """
    if isinstance(written, Expression):
        return written
    if isinstance(written, str):
        return Path(_name(written, "a path"))
    if not isinstance(written, dict):
        raise MappingError("this is no expression", f"Write a path, or one of {', '.join(sorted(_FORMS))}.")
    rest = {str(key): value for key, value in written.items()}
    then = _list(rest.pop("then", []), "then")
    expression, operations = both(lambda: _parse_form(rest), lambda: each_of(parse_operation, then))
    return Then(expression, operations) if operations else expression


def _parse_form(written: Mapping[str, object]) -> Expression:
    form = next((name for name in _FORMS if name in written), None)
    if form is None:
        wrong = next(iter(written), "")
        raise MappingError(f"`{wrong}` is not an expression", suggestion(wrong, list(_FORMS)))
    unknown = sorted(written.keys() - {form} - _FORMS[form])
    misfits = [
        Misfit(f"`{key}` does not go with `{form}`", suggestion(key, [*_FORMS[form], "then"])) for key in unknown
    ]
    if any(nearest(key, _FORMS[form] - written.keys()) for key in unknown):
        raise_misfits(misfits)  # what they stand for is missing, and not to be told of
    return both(lambda: raise_misfits(misfits), lambda: _parse_argument(form, written))[1]


def _parse_argument(form: str, written: Mapping[str, object]) -> Expression:
    argument = written[form]
    match form:
        case "path":
            return Path(_name(argument, "path"))
        case "constant":
            return Constant(word(argument))
        case "coalesce":
            return Coalesce(_expressions(argument, form))
        case "concat":
            return Concat(_expressions(argument, form), word(written.get("with")) or "", written.get("all") is True)
        case "setting":
            return _setting(argument)
        case "when":
            return _when(written)
        case "row_number" | "position":
            return RowNumber()
        case _:
            return _parse_list_form(form, argument, written)


def _parse_list_form(form: str, argument: object, written: Mapping[str, object]) -> Expression:
    match form:
        case "list":
            return ListOf(_expressions(argument, form))
        case "object":
            return Object(_parsed(_table(argument, form)))
        case "sum_of":
            return _sum_of(argument)
        case "sum":
            less = written.get("less", [])
            terms, subtracted = both(lambda: _expressions(argument, form), lambda: _expressions(less, "less"))
            return Sum(terms, written.get("all") is True, subtracted)
        case "product":
            return Product(_two(argument, form))
        case "quotient":
            return Quotient(_two(argument, form))
        case "parent":
            return Parent(_name(argument, form))
        case "cleared":
            return Cleared({name: _paths(paths, name) for name, paths in _table(argument, form).items()})
        case "pick":
            value = parse_expression(written.get("value"))
            return Pick(Path(_name(argument, form)), _where(written.get("where")), value)
        case "join":
            inner = Path(_name(written["value"], "value")) if "value" in written else None
            where = _where(written.get("where"))
            return Join(Path(_name(argument, form)), inner, word(written.get("with")) or "", where)
        case "find":
            key = Path(_name(written.get("key"), "key"))
            equals, value = each_of(parse_expression, (written.get("equals"), written.get("value")))
            return Find(Path(_name(argument, form)), key, equals, value, written.get("around") is True)
        case _:
            return _each(written)


def _two(argument: object, form: str) -> tuple[Expression, Expression]:
    match _expressions(argument, form):
        case (first, second):
            return first, second
        case _:
            raise MappingError(f"`{form}` takes two numbers")


def _setting(argument: object) -> FeedSetting:
    if argument not in SETTINGS:
        raise MappingError(f"`{argument}` is not a setting", suggestion(str(argument), list(SETTINGS)))
    return FeedSetting(str(argument))


def _when(written: Mapping[str, object]) -> When:
    if ("equals" in written) == ("in" in written) or "value" not in written:
        raise MappingError("`when` takes `equals` or `in`, `value`, and perhaps `else`")
    words = _words(_list(written["in"], "in") if "in" in written else written["equals"])
    otherwise = written["else"] if written.get("else") is not None else Constant(None)
    test, value, rest = each_of(parse_expression, (written["when"], written["value"], otherwise))
    return When(test, words, value, rest)


def _sum_of(argument: object) -> SumOf:
    keys = set(argument) if isinstance(argument, dict) else set()
    if not isinstance(argument, dict) or not {"each", "value"} <= keys <= {"each", "value", "where"}:
        raise MappingError("`sum_of` takes `each` (path of a list), `value` (path inside its objects), perhaps `where`")
    where = _where(argument.get("where"))
    return SumOf(Path(_name(argument["each"], "each")), Path(_name(argument["value"], "value")), where)


def _each(written: Mapping[str, object]) -> Each:
    fields = _table(written.get("fields"), "fields")
    path = None if "rows" in written else Path(_name(written["each"], "each"))
    where = _where(written.get("where"))
    parsed, instead = both(lambda: _parsed(fields), lambda: _instead(written.get("instead")))
    return Each(path, parsed, where, instead)


def _instead(written: object) -> Instead | None:
    if written is None:
        return None
    if not isinstance(written, dict) or set(written) != {"needs", "fields"}:
        raise MappingError("`instead` takes `needs` (a value that is neither absent nor zero) and `fields`")
    fields = _table(written["fields"], "fields")
    return Instead(*both(lambda: parse_expression(written["needs"]), lambda: _parsed(fields)))


def _parsed(fields: Mapping[str, object]) -> dict[str, Expression]:
    return dict(zip(fields, each_of(parse_expression, fields.values()), strict=True))


def _where(written: object) -> tuple[Where, ...]:
    if written is None:
        return ()
    return tuple(Where(Path(name), _words(wanted)) for name, wanted in _table(written, "where").items())


def _words(wanted: object) -> tuple[str, ...]:
    return tuple(
        text for item in (wanted if isinstance(wanted, list) else [wanted]) if (text := word(item)) is not None
    )


def _expressions(written: object, what: str) -> tuple[Expression, ...]:
    return each_of(parse_expression, _list(written, what))


def _name(value: object, what: str) -> str:
    text = word(value)
    if text is None or not text:
        raise MappingError(f"{what} is a name such as customer.email")
    return text


def _paths(written: object, what: str) -> tuple[Path, ...]:
    return tuple(Path(_name(path, what)) for path in (written if isinstance(written, list) else [written]))


def _table(value: object, what: str) -> dict[str, object]:
    if not isinstance(value, dict) or not value:
        raise MappingError(f"`{what}` takes names and expressions")
    return {str(name): item for name, item in value.items()}


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        raise MappingError(f"`{what}` takes a list")
    return value


FieldExpression = Annotated[
    Expression,
    PlainValidator(parse_expression),
    WithJsonSchema({"anyOf": [{"type": "string"}, {"type": "object"}], "description": "A path or an expression."}),
]
