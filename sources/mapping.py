"""How a vendor's objects become contract rows: ``sources/mappings/<id>.yml``, in a small closed vocabulary.

A mapping names the contract it fills, the form of its files, an expression per contract field
(``sources/expression.py``), and the source fields it leaves out on purpose. A source field that is neither read
nor left out is reported.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Mapping as Table
from functools import cache
from importlib.resources import files
from typing import Literal

from pydantic import Field

from sources.expression import (
    Coalesce,
    Concat,
    Constant,
    Each,
    Expression,
    FeedSetting,
    Join,
    ListOf,
    Object,
    Path,
    Pick,
    RowNumber,
    SumOf,
    Then,
    When,
    Where,
)
from sources.grammar import FieldExpression
from warehouse.business import TimeZone
from warehouse.declaration import Declaration, Problems, parse_declaration

Format = Literal["jsonl", "json", "csv", "tsv", "parquet", "excel"]


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
    heading_marks: tuple[str, ...] = Field((), description="Marks behind the headings of columns, such as (required).")
    envelope: tuple[str, ...] = Field((), description="Keys under which an array of the objects may stand.")
    columns: tuple[str, ...] = Field((), description="Column names in order, of files without a header.")
    group_by: str | None = Field(None, description="Column whose equal values make one contract row.")
    fields: dict[str, FieldExpression] = Field(default_factory=dict, description="Contract field → expression.")
    ignore: tuple[str, ...] = Field((), description="Source fields left out on purpose: paths, subtrees, globs.")


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


def describe_fields(fields: Table[str, Expression]) -> list[tuple[str, str, str]]:
    """(source field, contract field, rule in words) of expressions by contract field."""
    return list(_described(fields, "", ""))


def _described(fields: Table[str, Expression], source: str, target: str) -> Iterator[tuple[str, str, str]]:
    for name, expression in fields.items():
        inner = expression.expression if isinstance(expression, Then) else expression
        if isinstance(inner, Each):
            place = f"{source}{inner.path.text}[]." if inner.path else source
            yield from _described(inner.fields, place, f"{target}{name}[].")
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
        case SumOf(each, value, where):
            return [f"{each.text}[].{value.text}"], "sum" + _condition(where)
        case Pick(each, where, value):
            sources, rule = _in_words(value)
            return [f"{each.text}[].{text}" for text in sources], "; ".join(
                filter(None, ["first" + _condition(where), rule])
            )
        case Join(each, value, separator):
            return [f"{each.text}[]" + (f".{value.text}" if value else "")], f"joined with {separator!r}"
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
