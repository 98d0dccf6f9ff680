"""Where the value of a contract field comes from: the expressions of a mapping; ``sources/grammar.py`` reads them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import TypeAlias

from sources.operations.operation import Operation
from sources.operations.words import NullIf


@dataclass(frozen=True)
class Path:
    """The value at a source path, or of the column that has exactly this name."""

    text: str

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The names along the path."""
        return segments_of(self.text)


@lru_cache(maxsize=4096)
def segments_of(path: str) -> tuple[str, ...]:
    """The names along a path, which is asked for in every row that Python judges."""
    return tuple(path.split("."))


def is_index(segment: str) -> bool:
    """Whether a part of a path counts elements of a list."""
    return segment.isascii() and segment.isdigit()


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
class Sum:
    """The sum of the numbers that are present; absent when none is.

    ``needs_all``: absent unless every one is. ``less``: what is taken off, where it is present.
    """

    terms: tuple[Expression, ...]
    needs_all: bool = False
    less: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Product:
    """The product of numbers, to four places; absent unless every one is present and a number."""

    factors: tuple[Expression, ...]


@dataclass(frozen=True)
class Quotient:
    """One number divided by another, to four places; absent unless both are numbers, or where the divisor is zero."""

    terms: tuple[Expression, Expression]


@dataclass(frozen=True)
class Cleared:
    """The names under which null stands on purpose, joined by commas; absent when there is none.

    A member that is not there is another thing: a call that sends what changed leaves out what did not. A name may
    stand for several places, since vendors spell it in several ways.
    """

    places: Mapping[str, tuple[Path, ...]]

    @cached_property
    def holders(self) -> Mapping[tuple[str, ...], Sequence[tuple[str, str]]]:
        """By the objects that hold the places: under which name null stands, and its key there."""
        found: dict[tuple[str, ...], list[tuple[str, str]]] = {}
        for name, paths in self.places.items():
            for path in paths:
                found.setdefault(path.segments[:-1], []).append((name, path.segments[-1]))
        return found


@dataclass(frozen=True)
class Parent:
    """Inside nested rows: the value at a path of the row around."""

    text: str


@dataclass(frozen=True)
class Pick:
    """A value of the first object of a list that counts; absent when none does."""

    each: Path
    where: tuple[Where, ...]
    value: Expression


@dataclass(frozen=True)
class Join:
    """The texts of a list, or the texts at a path inside its objects that count, joined; absent when there is none."""

    each: Path
    value: Path | None
    separator: str
    where: tuple[Where, ...] = ()


@dataclass(frozen=True)
class Find:
    """A value of the first object of a list whose ``key`` is what ``equals`` is.

    ``is_around``: it is a list of the row around.
    """

    each: Path
    key: Path
    equals: Expression
    value: Expression
    is_around: bool = False


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
    """A row for every object of a list that counts; ``path`` None: for every source row of the group.

    ``instead``: the one row that is made where none counts.
    """

    path: Path | None
    fields: Mapping[str, Expression]
    where: tuple[Where, ...] = ()
    instead: Instead | None = None


@dataclass(frozen=True)
class Instead:
    """A row made of the row around, where ``needs`` is present and not zero: a total whose parts were not sent."""

    needs: Expression
    fields: Mapping[str, Expression]


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
    | Sum
    | Product
    | Quotient
    | Parent
    | Cleared
    | Pick
    | Join
    | Find
    | ListOf
    | Object
    | Each
    | Then
)


def parts(expression: Expression) -> Iterator[Expression]:
    """The expression and all inside it, but not inside the fields of nested rows."""
    yield expression
    match expression:
        case Coalesce(choices):
            inner: tuple[Expression, ...] = choices
        case Concat(pieces, _, _):
            inner = pieces
        case Sum() | Product() | Quotient():
            inner = operands(expression)
        case ListOf(items):
            inner = items
        case When(test, _, value, otherwise):
            inner = (test, value, otherwise)
        case Then(source, _):
            inner = (source,)
        case Find(_, _, equals):
            inner = (equals,)
        case Object(members):
            inner = tuple(members.values())
        case _:
            inner = ()
    for item in inner:
        yield from parts(item)


def operands(expression: Sum | Product | Quotient) -> tuple[Expression, ...]:
    """The numbers that go into a number."""
    match expression:
        case Sum(terms, _, less):
            return (*terms, *less)
        case Product(numbers) | Quotient(numbers):
            return numbers


def paths_of(expression: Expression) -> Iterator[Path]:
    """The paths an expression reads from its own row; lists are named as a whole."""
    for part in parts(expression):
        match part:
            case Path():
                yield part
            case Cleared(places):
                yield from (path for paths in places.values() for path in paths)
            case Each(path) if path is not None:
                yield path
            case SumOf(each) | Pick(each) | Join(each):
                yield each
            case Find(each, is_around=False):
                yield each
            case Then(_, operations):
                yield from (Path(text) for operation in operations for text in operation.paths)
            case _:
                continue


def paths_around(each: Each) -> Iterator[Path]:
    """The paths that nested rows read from the row around them."""
    for expression in each.fields.values():
        yield from (Path(part.text) for part in parts(expression) if isinstance(part, Parent))
    if each.instead is not None:
        for expression in (each.instead.needs, *each.instead.fields.values()):
            yield from paths_of(expression)


def paths_within(expression: Expression) -> Iterator[Path]:
    """The paths that an expression reads from a source row, also where it makes nested rows."""
    if not isinstance(expression, Each):
        yield from paths_of(expression)
    elif expression.path is not None:
        yield expression.path
        yield from paths_around(expression)
    else:
        for inner in expression.fields.values():
            yield from paths_of(inner)


def element_paths(expression: Expression) -> Iterator[tuple[Path, Path]]:
    """(path of a list, path inside its objects) for everything an expression reads inside lists."""
    for part in parts(expression):
        match part:
            case SumOf(each, value, where):
                inner = [value, *(item.path for item in where)]
            case Pick(each, where, value):
                inner = [*paths_of(value), *(item.path for item in where)]
            case Join(each, value, _, where):
                inner = [*([value] if value else []), *(item.path for item in where)]
            case Find(each, key, _, value, is_around=False):
                inner = [key, *paths_of(value)]
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
        case Parent(text):
            return Parent(_renamed(text, renamed))
        case Cleared(places):
            return Cleared(
                {name: tuple(Path(_renamed(path.text, renamed)) for path in paths) for name, paths in places.items()}
            )
        case Each(Path(text)):
            return _with_list_renamed(expression, text, renamed)
        case SumOf(each) | Pick(each) | Join(each):
            return replace(expression, each=Path(_renamed(each.text, renamed)))
        case Find(each, _, equals):
            return replace(expression, each=Path(_renamed(each.text, renamed)), equals=new(equals))
        case _:
            return _with_parts_renamed(expression, renamed, new)


def with_null_words(expression: Expression, words: tuple[str, ...]) -> Expression:
    """The expression reading each of the words, wherever it stands in the source, as nothing."""
    if not words:
        return expression

    def new(item: Expression) -> Expression:
        return with_null_words(item, words)

    match expression:
        case Path() | Parent():
            return Then(expression, (NullIf(words),))
        case Pick(_, _, value):
            return replace(expression, value=new(value))
        case Find(_, _, equals, value):
            return replace(expression, equals=new(equals), value=new(value))
        case Each(_, fields):
            instead = expression.instead and Instead(
                new(expression.instead.needs), {name: new(item) for name, item in expression.instead.fields.items()}
            )
            return replace(expression, fields={name: new(item) for name, item in fields.items()}, instead=instead)
        case _:
            return _with_parts_renamed(expression, {}, new)


def _with_list_renamed(each: Each, path: str, renamed: Mapping[str, str]) -> Each:
    """What stands inside the objects of the list keeps its names."""
    fields = {name: _with_parents_renamed(item, renamed) for name, item in each.fields.items()}
    instead = each.instead and Instead(
        with_paths_renamed(each.instead.needs, renamed),
        {name: with_paths_renamed(item, renamed) for name, item in each.instead.fields.items()},
    )
    return replace(each, path=Path(_renamed(path, renamed)), fields=fields, instead=instead)


def _with_parents_renamed(expression: Expression, renamed: Mapping[str, str]) -> Expression:
    match expression:
        case Parent(text):
            return Parent(_renamed(text, renamed))
        case Path() | SumOf() | Pick() | Join():
            return expression
        case _:
            return _with_parts_renamed(expression, {}, lambda item: _with_parents_renamed(item, renamed))


def _with_parts_renamed(
    expression: Expression, renamed: Mapping[str, str], new: Callable[[Expression], Expression]
) -> Expression:
    match expression:
        case Coalesce(choices):
            return Coalesce(tuple(map(new, choices)))
        case Concat(pieces):
            return replace(expression, parts=tuple(map(new, pieces)))
        case ListOf(items):
            return ListOf(tuple(map(new, items)))
        case Sum(items):
            return replace(expression, terms=tuple(map(new, items)), less=tuple(map(new, expression.less)))
        case Product(items):
            return Product(tuple(map(new, items)))
        case Quotient((dividend, divisor)):
            return Quotient((new(dividend), new(divisor)))
        case Object(members):
            return Object({name: new(item) for name, item in members.items()})
        case When(test, words, value, otherwise):
            return When(new(test), words, new(value), new(otherwise))
        case Then(source, operations):
            return Then(new(source), tuple(item.renamed(renamed) for item in operations))
        case Each(None, fields):
            return replace(expression, fields={name: new(item) for name, item in fields.items()})
        case _:
            return expression


def _renamed(text: str, renamed: Mapping[str, str]) -> str:
    for old, new in renamed.items():
        if text == old:
            return new
        if text.startswith(f"{old}."):
            return new + text[len(old) :]
    return text
