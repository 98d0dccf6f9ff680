"""How a vendor's objects become contract rows: ``sources/mappings/<id>.yml``, in a small closed vocabulary.

A mapping names the contract it fills, the form of its files, an expression per contract field
(``sources/expression.py``), and the source fields it leaves out on purpose. A source field that is neither read
nor left out is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Fields
from functools import cache
from importlib.resources import files
from typing import Final, Literal

from pydantic import Field

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
)
from sources.grammar import FieldExpression
from warehouse.codes import Country, Currency, TimeZone
from warehouse.declaration import Declaration, Problems, parse_declaration

Format = Literal["jsonl", "json", "csv", "tsv", "parquet", "excel"]
_TABLES: Final = frozenset({"csv", "tsv", "parquet", "excel"})


class Attached(Declaration):
    """An object of another list of the same page that belongs to each object, found by its id."""

    list: str = Field(description="Path of the list in the envelope.")
    key: str = Field("id", description="Path of the id inside the objects of that list.")
    by: str = Field(description="Path of the same id inside the mapping's own objects.")


class Table(Declaration):
    """How the same things are read from the table that the vendor exports: CSV, TSV or Parquet."""

    description: str = Field("", description="What a row of the table is.")
    group_by: str | None = Field(None, description="Column whose equal values make one contract row.")
    fields: dict[str, FieldExpression] = Field(description="Contract field → expression.")
    ignore: tuple[str, ...] = Field((), description="Columns left out on purpose.")


class Mapping(Declaration):
    """One vendor format."""

    description: str = Field(description="What the format is, in one sentence.")
    documentation: str = Field("", description="The vendor's document the mapping follows.")
    kind: str | None = Field(None, description="The contract it fills; absent: any, by the fields of the feed.")
    format: Format = Field(description="The form of the files; the content decides between json and jsonl.")
    also: tuple[Format, ...] = Field((), description="Further forms of the same rows; the content decides.")
    time_zone: TimeZone | None = Field(
        None, description="The zone of the vendor's clocks, where moments have none and the feed names none."
    )
    null_words: tuple[str, ...] = Field((), description="Words that stand for nothing, in whichever field.")
    headings: dict[str, str] = Field(
        default_factory=dict,
        description="What else, in whichever language, a column is called → the name that is read.",
    )
    heading_marks: tuple[str, ...] = Field((), description="Marks behind the headings of columns, such as (required).")
    envelope: tuple[str, ...] = Field(
        (), description="Keys under which the objects may stand, singly or in a list, in a page, webhook or delivery."
    )
    page: tuple[str, ...] = Field((), description="Keys of a page that holds no object, where it names no empty list.")
    attach: dict[str, Attached] = Field(
        default_factory=dict, description="Member of each object → the object of another list of the page."
    )
    country: Country | None = Field(None, description="Country of rows that name none, where the feed names none.")
    currency: Currency | None = Field(None, description="Currency of such rows, where the feed names none.")
    values: dict[str, str] = Field(
        default_factory=dict,
        description="Member whose members are objects around a value, as in older versions → the name of the value.",
    )
    nested: tuple[str, ...] = Field((), description="Lists inside an object that hold objects of the same kind.")
    graphql: dict[str, str] = Field(
        default_factory=dict,
        description="Path in GraphQL answers, in snake_case → path in the vendor's REST answers, where it differs.",
    )
    further_headings: bool = Field(
        False, description="Whether rows of headings below the first, as survey tools write them, are no rows."
    )
    json_columns: tuple[str, ...] = Field(
        (), description="Columns of a table whose cells hold JSON; the rows of such a table are read as objects."
    )
    columns: tuple[str, ...] = Field((), description="Column names in order, of files without a header.")
    group_by: str | None = Field(None, description="Column whose equal values make one contract row.")
    fields: dict[str, FieldExpression] = Field(default_factory=dict, description="Contract field → expression.")
    ignore: tuple[str, ...] = Field((), description="Source fields left out on purpose: paths, subtrees, globs.")
    free_form: tuple[str, ...] = Field(
        (),
        description="Source fields in which senders write what they like: what the contract does not take of them "
        "stays in `extra` under its path, and is no error.",
    )
    table: Table | None = Field(None, description="The same as a table, where the columns are not the objects' fields.")

    def in_format(self, form: Format | None) -> Mapping:
        """The mapping of files in this form: of objects, or of the rows of a table."""
        if self.table is None or form not in _TABLES:
            return self
        table = {"fields": self.table.fields, "group_by": self.table.group_by, "ignore": self.table.ignore}
        return self.model_copy(update=table)


def mapping_ids() -> tuple[str, ...]:
    """The ids of all mappings, sorted."""
    folder = files("sources") / "mappings"
    return tuple(sorted(item.name.removesuffix(".yml") for item in folder.iterdir() if item.name.endswith(".yml")))


@cache
def read_mapping(name: str) -> Mapping:
    """The mapping with this id.

    Raises:
        DeclarationError: its file is wrong.
        FileNotFoundError: there is none.
    """
    text = (files("sources") / "mappings" / f"{name}.yml").read_text(encoding="utf-8")
    problems = Problems()
    mapping = parse_declaration(text, Mapping, problems, shown_as=f"sources/mappings/{name}.yml")
    problems.raise_if_any()
    assert mapping is not None
    return mapping


def describe_mapping(mapping: Mapping) -> list[tuple[str, str, str]]:
    """(source field, contract field, rule in words) for every field, in the order of the mapping."""
    return describe_fields(mapping.fields)


def describe_fields(fields: Fields[str, Expression]) -> list[tuple[str, str, str]]:
    """(source field, contract field, rule in words) of expressions by contract field."""
    return list(_described(fields, "", ""))


def _described(fields: Fields[str, Expression], source: str, target: str) -> Iterator[tuple[str, str, str]]:
    for name, expression in fields.items():
        inner = expression.expression if isinstance(expression, Then) else expression
        if isinstance(inner, Each):
            place = f"{source}{inner.path.text}[]." if inner.path else source
            yield from _described(inner.fields, place, f"{target}{name}[].")
            if inner.instead is not None:
                needed = f"where no {place}. counts and {_short(inner.instead.needs)} is not zero"
                for found, field, rule in _described(inner.instead.fields, source, f"{target}{name}[]."):
                    yield found, field, "; ".join(filter(None, [rule, needed]))
            continue
        where, rule = _in_words(expression)
        yield (", ".join(f"{source}{text}" for text in where), f"{target}{name}", rule)


def _in_words(expression: Expression) -> tuple[list[str], str]:
    """The paths an expression reads, and what it does with them."""
    match expression:
        case Path(text):
            return [text], ""
        case Constant(text):
            return [], "absent" if text is None else f"always {text!r}"
        case FeedSetting(name):
            return [], f"the feed's {name}"
        case RowNumber():
            return [], "position of the row"
        case Coalesce(choices):
            return _joined(choices, "first that is present")
        case Concat(pieces, separator):
            return _joined(pieces, f"joined with {separator!r}" if separator else "joined")
        case When(test, words, value, otherwise):
            sources, _ = _joined((test, value, otherwise), "")
            texts = " or ".join(repr(word) for word in words)
            return sources, f"{_short(value)} if {_short(test)} is {texts}, else {_short(otherwise)}"
        case Then(source, operations):
            sources, rule = _in_words(source)
            return sources, "; ".join(filter(None, [rule, *(operation.rule for operation in operations)]))
        case _:
            return _list_in_words(expression)


def _list_in_words(expression: Expression) -> tuple[list[str], str]:
    match expression:
        case Sum(items):
            sources, rule = _joined(items, "sum" if expression.needs_all else "sum of those present")
            taken, more = _joined(expression.less, "")
            return [*sources, *taken], "; ".join(
                filter(None, [rule, f"less {', '.join(taken)}" if taken else "", more])
            )
        case Product(items):
            return _joined(items, "product")
        case Quotient(items):
            return _joined(items, "quotient")
        case Cleared(places):
            return [
                path.text for paths in places.values() for path in paths
            ], "names of those that are null, not left out"
        case Parent(text):
            return [], f"{text} of the row around"
        case SumOf(each, value, where):
            return [f"{each.text}[].{value.text}"], "sum" + _condition(where)
        case Pick(each, where, value):
            sources, rule = _in_words(value)
            return [f"{each.text}[].{text}" for text in sources], "; ".join(
                filter(None, ["first" + _condition(where), rule])
            )
        case Join(each, value, separator, where):
            joined = f"joined with {separator!r}" + _condition(where)
            return [f"{each.text}[]" + (f".{value.text}" if value else "")], joined
        case Find(each, key, equals, value):
            sources, rule = _in_words(value)
            found = f"of the object whose {key.text} is {_short(equals)}"
            return [f"{each.text}[].{text}" for text in sources], "; ".join(filter(None, [found, rule]))
        case Object(members):
            return _joined(tuple(members.values()), "object of " + ", ".join(members))
        case ListOf(items):
            return _joined(items, "list")
        case _:
            return [], ""


def _condition(where: tuple[Where, ...]) -> str:
    tests = (f"{test.path.text} is {' or '.join(test.words)}" for test in where)
    return f" where {' and '.join(tests)}" if where else ""


def _joined(items: tuple[Expression, ...], rule: str) -> tuple[list[str], str]:
    described = [_in_words(item) for item in items]
    rules = [
        f"{_short(item)}: {inner}" for item, (_, inner) in zip(items, described, strict=True) if _has_rule(item, inner)
    ]
    sources = list(dict.fromkeys(text for found, _ in described for text in found))
    constants = [_short(item) for item in items if isinstance(item, Constant | FeedSetting) and rule]
    return sources, "; ".join(filter(None, [rule, *rules, *(f"else {text}" for text in constants)]))


def _has_rule(item: Expression, rule: str) -> bool:
    return bool(rule) and isinstance(item, Then)


def _short(expression: Expression) -> str:
    sources, rule = _in_words(expression)
    return " ".join(sources) if sources else rule
