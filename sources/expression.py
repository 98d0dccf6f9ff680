"""Where the value of a contract field comes from: the expressions of a mapping.

A plain string is a path (dots walk objects, whole numbers walk lists). Otherwise one of ``{path}``, ``{constant}``,
``{coalesce: […]}``, ``{concat: […], with, all}``, ``{setting}``, ``{when, equals | in, value, else}``,
``{row_number: true}``, ``{object: {name: expression}}``, ``{list: […]}``; over lists ``{sum_of: {each, value, where}}``,
``{pick: list, where, value}``, ``{join: list, value, with}``, ``{each: list, fields, where}`` (a row for every
object); of groups ``{rows: true, fields}`` (a row for every source row). Each may add ``then: [operation, …]``;
``where`` maps a path inside the object to a word or words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, TypeAlias

from pydantic import PlainValidator, WithJsonSchema

from sources.operations.operation import MappingError, Operation
from sources.operations.vocabulary import parse_operation, word
from warehouse.declaration import suggestion

SETTINGS = ("country", "currency", "time_zone")


@dataclass(frozen=True)
class Path:
    """The value at a source path, or of the column that has exactly this name."""

    text: str

    @property
    def segments(self) -> tuple[str, ...]:
        """The names along the path."""
        return tuple(self.text.split("."))


@dataclass(frozen=True)
class Constant:
    """The same value in every row, as text; None is absent."""

    text: str | None


@dataclass(frozen=True)
class Coalesce:
    """The first value that is neither absent nor empty text."""

    choices: tuple[Expression, ...]


@dataclass(frozen=True)
class Concat:
    """The texts that are neither absent nor empty, joined; absent when there is none.

    ``needs_all``: absent unless every part is there.
    """

    parts: tuple[Expression, ...]
    separator: str
    needs_all: bool = False


@dataclass(frozen=True)
class FeedSetting:
    """What the feed declares: country, currency or time_zone."""

    name: str


@dataclass(frozen=True)
class When:
    """One value if ``test`` is one of the words, else another."""

    test: Expression
    words: tuple[str, ...]
    value: Expression
    otherwise: Expression


@dataclass(frozen=True)
class RowNumber:
    """The position of the row in its group, or in its file, counted from 1."""


@dataclass(frozen=True)
class Where:
    """Which objects of a list count: those with one of the words at a path."""

    path: Path
    words: tuple[str, ...]


@dataclass(frozen=True)
class SumOf:
    """The sum of a value over the objects of a list that count; absent when none has it."""

    each: Path
    value: Path
    where: tuple[Where, ...] = ()


@dataclass(frozen=True)
class Pick:
    """A value of the first object of a list that counts; absent when none does."""

    each: Path
    where: tuple[Where, ...]
    value: Expression


@dataclass(frozen=True)
class Join:
    """The texts of a list, or the texts at a path inside its objects, joined; absent when there is none."""

    each: Path
    value: Path | None
    separator: str


@dataclass(frozen=True)
class ListOf:
    """A list of the values that are present; absent when none is."""

    items: tuple[Expression, ...]


@dataclass(frozen=True)
class Object:
    """An object of the members that are present, as JSON; absent when none is."""

    members: Mapping[str, Expression]


@dataclass(frozen=True)
class Each:
    """A row for every object of a list that counts; ``path`` None: for every source row of the group."""

    path: Path | None
    fields: Mapping[str, Expression]
    where: tuple[Where, ...] = ()


@dataclass(frozen=True)
class Then:
    """An expression whose value goes through operations."""

    expression: Expression
    operations: tuple[Operation, ...]


Expression: TypeAlias = (
    Path
    | Constant
    | Coalesce
    | Concat
    | FeedSetting
    | When
    | RowNumber
    | SumOf
    | Pick
    | Join
    | ListOf
    | Object
    | Each
    | Then
)

_FORMS: Mapping[str, frozenset[str]] = {
    "path": frozenset(),
    "constant": frozenset(),
    "coalesce": frozenset(),
    "concat": frozenset({"with", "all"}),
    "setting": frozenset(),
    "when": frozenset({"equals", "in", "value", "else"}),
    "row_number": frozenset(),
    "position": frozenset(),
    "sum_of": frozenset(),
    "object": frozenset(),
    "pick": frozenset({"where", "value"}),
    "join": frozenset({"value", "with"}),
    "list": frozenset(),
    "each": frozenset({"fields", "where"}),
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
        raise MappingError("an expression is a path, or one of " + ", ".join(sorted(_FORMS)))
    rest = {str(key): value for key, value in written.items()}
    operations = tuple(parse_operation(item) for item in _list(rest.pop("then", []), "then"))
    expression = _parse_form(rest)
    return Then(expression, operations) if operations else expression


def _parse_form(written: Mapping[str, object]) -> Expression:
    form = next((name for name in _FORMS if name in written), None)
    if form is None:
        wrong = next(iter(written), "")
        raise MappingError(f"`{wrong}` is not an expression. {suggestion(wrong, list(_FORMS))}")
    for key in written.keys() - {form} - _FORMS[form]:
        raise MappingError(f"`{key}` does not go with `{form}`. {suggestion(key, [*_FORMS[form], 'then'])}")
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
            return Object({name: parse_expression(item) for name, item in _table(argument, form).items()})
        case "sum_of":
            return _sum_of(argument)
        case "pick":
            value = parse_expression(written.get("value"))
            return Pick(Path(_name(argument, form)), _where(written.get("where")), value)
        case "join":
            inner = Path(_name(written["value"], "value")) if "value" in written else None
            return Join(Path(_name(argument, form)), inner, word(written.get("with")) or "")
        case _:
            return _each(written)


def _setting(argument: object) -> FeedSetting:
    if argument not in SETTINGS:
        raise MappingError(f"`{argument}` is not a setting. {suggestion(str(argument), list(SETTINGS))}")
    return FeedSetting(str(argument))


def _when(written: Mapping[str, object]) -> When:
    if ("equals" in written) == ("in" in written) or "value" not in written:
        raise MappingError("`when` takes `equals` or `in`, `value`, and perhaps `else`")
    words = _words(_list(written["in"], "in") if "in" in written else written["equals"])
    otherwise = written.get("else")
    rest = Constant(None) if otherwise is None else parse_expression(otherwise)
    return When(parse_expression(written["when"]), words, parse_expression(written["value"]), rest)


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
    return Each(path, {name: parse_expression(item) for name, item in fields.items()}, where)


def _where(written: object) -> tuple[Where, ...]:
    if written is None:
        return ()
    return tuple(Where(Path(name), _words(wanted)) for name, wanted in _table(written, "where").items())


def _words(wanted: object) -> tuple[str, ...]:
    return tuple(
        text for item in (wanted if isinstance(wanted, list) else [wanted]) if (text := word(item)) is not None
    )


def _expressions(written: object, what: str) -> tuple[Expression, ...]:
    return tuple(parse_expression(item) for item in _list(written, what))


def _name(value: object, what: str) -> str:
    text = word(value)
    if text is None or not text:
        raise MappingError(f"{what} is a name such as customer.email")
    return text


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


def parts(expression: Expression) -> Iterator[Expression]:
    """The expression and all inside it, but not inside the fields of nested rows."""
    yield expression
    match expression:
        case Coalesce(choices):
            inner: tuple[Expression, ...] = choices
        case Concat(pieces, _, _):
            inner = pieces
        case ListOf(items):
            inner = items
        case When(test, _, value, otherwise):
            inner = (test, value, otherwise)
        case Then(source, _):
            inner = (source,)
        case Object(members):
            inner = tuple(members.values())
        case _:
            inner = ()
    for item in inner:
        yield from parts(item)


def paths_of(expression: Expression) -> Iterator[Path]:
    """The paths an expression reads from its own row; lists are named as a whole."""
    for part in parts(expression):
        match part:
            case Path():
                yield part
            case Each(path) if path is not None:
                yield path
            case SumOf(each) | Pick(each) | Join(each):
                yield each
            case Then(_, operations):
                yield from (Path(text) for operation in operations for text in operation.paths)
            case _:
                continue


def element_paths(expression: Expression) -> Iterator[tuple[Path, Path]]:
    """(path of a list, path inside its objects) for everything an expression reads inside lists."""
    for part in parts(expression):
        match part:
            case SumOf(each, value, where):
                inner = [value, *(item.path for item in where)]
            case Pick(each, where, value):
                inner = [*paths_of(value), *(item.path for item in where)]
            case Join(each, value):
                inner = [value] if value else []
            case Each(Path() as each, fields, where):
                read = [path for item in fields.values() for path in paths_of(item)]
                inner = [*read, *(item.path for item in where)]
                deeper = [pair for item in fields.values() for pair in element_paths(item)]
                yield from ((Path(f"{each.text}.{outer.text}"), path) for outer, path in deeper)
            case _:
                continue
        yield from ((each, path) for path in inner)


def with_paths_renamed(expression: Expression, renamed: Mapping[str, str]) -> Expression:
    """The expression with every path that equals, or lies below, a key of ``renamed`` reading the new place instead."""
    if not renamed:
        return expression

    def new(item: Expression) -> Expression:
        return with_paths_renamed(item, renamed)

    match expression:
        case Path(text):
            return Path(_renamed(text, renamed))
        case Coalesce(choices):
            return Coalesce(tuple(map(new, choices)))
        case Concat(pieces):
            return replace(expression, parts=tuple(map(new, pieces)))
        case ListOf(items):
            return ListOf(tuple(map(new, items)))
        case Object(members):
            return Object({name: new(item) for name, item in members.items()})
        case When(test, words, value, otherwise):
            return When(new(test), words, new(value), new(otherwise))
        case Then(source, operations):
            return Then(new(source), tuple(item.renamed(renamed) for item in operations))
        case Each(None, fields):
            return replace(expression, fields={name: new(item) for name, item in fields.items()})
        case Each(Path(text)):
            return replace(expression, path=Path(_renamed(text, renamed)))
        case SumOf(each) | Pick(each) | Join(each):
            return replace(expression, each=Path(_renamed(each.text, renamed)))
        case _:
            return expression


def _renamed(text: str, renamed: Mapping[str, str]) -> str:
    for old, new in renamed.items():
        if text == old:
            return new
        if text.startswith(f"{old}."):
            return new + text[len(old) :]
    return text
