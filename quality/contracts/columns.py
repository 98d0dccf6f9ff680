"""The columns of a contract's table, read off its model: nothing about a column is said twice."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from types import UnionType
from typing import Annotated, Literal, Union, get_args, get_origin

from annotated_types import Ge
from pydantic.fields import FieldInfo

from quality.contracts.contract import Contract, ContractPart
from quality.contracts.value_types import Personal, Shape

_TEXT = Shape("code", "VARCHAR")


@dataclass(frozen=True)
class Column:
    """One column of a staging table.

    ``shape`` says how a value is read (None for lists and structs), ``allowed`` the closed set of a column that has
    one, ``minimum`` the lowest whole number, ``default`` what an absent value becomes. ``items``: of a list how each
    of its elements is read, or the model of each.
    """

    name: str
    sql_type: str
    description: str
    is_nullable: bool = True
    is_personal: bool = False
    shape: Shape | None = None
    allowed: tuple[str, ...] = ()
    minimum: int | None = None
    default: object = None
    items: Shape | type[ContractPart] | None = field(default=None, repr=False)
    """Read off the model, which ``sql_type`` and ``shape`` tell apart already: no reason to call batches stale."""


@cache
def columns(model: type[ContractPart]) -> tuple[Column, ...]:
    """The columns of a model in its order; nested rows that are tables of their own are left out."""
    own_tables = {child.field for child in model.children.values()} if issubclass(model, Contract) else set()
    return tuple(_column(name, field) for name, field in model.model_fields.items() if name not in own_tables)


def _column(name: str, field: FieldInfo) -> Column:
    facts = tuple(_facts(field.annotation)) + tuple(field.metadata)
    shape = next((fact for fact in facts if isinstance(fact, Shape)), None)
    allowed = tuple(_allowed(field.annotation))
    parts = _part(field.annotation)
    sql_type = shape.sql_type if shape else "VARCHAR"
    if allowed:
        shape = _TEXT
    elif parts is not None and (shape is None or shape.sql_type != "JSON"):
        shape, sql_type = None, _list_type(parts)
    minimum = next((int(str(fact.ge)) for fact in facts if isinstance(fact, Ge)), None)
    return Column(
        name=name,
        sql_type=sql_type,
        description=field.description or "",
        is_nullable=not field.is_required() and not isinstance(field.default, bool),
        is_personal=any(isinstance(fact, Personal) for fact in facts),
        shape=shape,
        allowed=allowed,
        minimum=minimum if minimum is not None else shape.minimum if shape else None,
        default=None if field.is_required() else field.default,
        items=_items(parts),
    )


def _facts(annotation: object) -> Iterator[object]:
    """Metadata of an annotation, looked up through ``X | None``, but not inside lists."""
    if get_origin(annotation) is Annotated:
        inner, *facts = get_args(annotation)
        yield from facts
        yield from _facts(inner)
    elif get_origin(annotation) in {Union, UnionType}:
        for choice in get_args(annotation):
            yield from _facts(choice)


def _allowed(annotation: object) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from get_args(annotation)
    elif get_origin(annotation) in {Union, UnionType, Annotated}:
        for choice in get_args(annotation):
            yield from _allowed(choice)


def _part(annotation: object) -> object:
    """What a list field holds, None when the field is no list."""
    if get_origin(annotation) is tuple:
        return get_args(annotation)[0]
    if get_origin(annotation) in {Union, UnionType, Annotated}:
        found = (_part(choice) for choice in get_args(annotation))
        return next((part for part in found if part is not None), None)
    return None


def _items(part: object) -> Shape | type[ContractPart] | None:
    if isinstance(part, type) and issubclass(part, ContractPart):
        return part
    return next((fact for fact in _facts(part) if isinstance(fact, Shape)), None)


def _list_type(part: object) -> str:
    if isinstance(part, type) and issubclass(part, ContractPart):
        fields = ", ".join(f'"{column.name}" {column.sql_type}' for column in columns(part))
        return f"STRUCT({fields})[]"
    return "VARCHAR[]"
