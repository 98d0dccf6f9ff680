"""Nested rows (order lines, refunds): opened from lists of objects or taken from the rows of a group, and gathered
into one list per parent."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from sqlglot import exp

from quality.contracts.columns import Column, columns
from quality.contracts.contract import Child, Contract, ContractPart
from sources.demands import demands_of
from sources.expression import Each
from sources.leaves import Leaf, coded_values, lay_out, leaf_texts, structure_of
from sources.operations.operation import FALSE, TRUE, Setting, SqlValue, both, call, either, is_null, when
from sources.statement import PLACE, column, everything, member, named, select, stage
from sources.text_scope import ABSENT, TextScope
from sources.typed_rows import typed_rows

_ITEM: Final = "item"


def child_of(contract: type[Contract], field: str) -> Child:
    """The child whose rows stand in a field."""
    return next(child for child in contract.children.values() if child.field == field)


def parent_key(child: Child, contract: type[Contract]) -> tuple[str, ...]:
    """The columns of a nested row that repeat its parent's id."""
    return tuple(name for name in child.key if name in contract.key)


def stored_columns(child: Child, contract: type[Contract]) -> tuple[Column, ...]:
    """The columns stored with a nested row; its parent's key is the parent's."""
    repeated = parent_key(child, contract)
    return tuple(item for item in columns(child.model) if item.name not in repeated)


def list_type(child: Child, contract: type[Contract]) -> str:
    """The type of the column that holds a contract row's nested rows."""
    members = (f'"{item.name}" {item.sql_type}' for item in stored_columns(child, contract))
    return f"STRUCT({', '.join(members)})[]"


def element_leaves(each: Each, model: type[ContractPart]) -> dict[str, Leaf]:
    """The leaves that a row is made of inside an element of its list."""
    demands = demands_of(each.fields, model)
    for test in each.where:
        demands[test.path.text] = demands.get(test.path.text, frozenset()) | {"boolean"}
    return lay_out(demands)


def opened_rows(each: Each, child: Child, contract: type[Contract], setting: Setting, items: exp.Select) -> exp.Select:
    """Nested rows out of lists of objects; ``items``: the place of each parent and ``items``, its list as JSON."""
    leaves = element_leaves(each, child.model)
    opened = call("from_json", column("items"), json.dumps([structure_of(leaves)]))
    lists = stage(items, [named(opened, "items")]).where(call("starts_with", column("items"), "["), copy=False)
    numbers = call("range", 1, exp.Add(this=call("len", column("items")), expression=exp.Literal.number(1)))
    elements = stage(lists, [named(call("unnest", column("items")), "o"), named(call("unnest", numbers), "_position")])
    texts = stage(elements, [column("_position"), *leaf_texts(leaves, column("o"))])
    coded, values = coded_values(texts, leaves, ["_position"])
    counts, is_known = _counting(each, values)
    is_something = either(*(exp.Not(this=is_null(value.text)) for value in values.values()))
    tested = everything(
        coded, named(counts, "_counts"), named(both(is_known, exp.Paren(this=is_something)), "_is_clear")
    )
    scope = TextScope(values, setting, None if each.where else column("_position"))
    typed = typed_rows(tested, child.model, each.fields, scope, ["_position", "_counts", "_is_clear"])
    kept = [column(item.name) for item in columns(child.model)]
    judged = stage(
        typed,
        [*kept, column("_position"), column("_counts"), named(both(column("_sure"), column("_is_clear")), "_sure")],
    )
    return gathered(judged, child, contract, PLACE, column("_counts"), has_rows=False)


def _counting(each: Each, values: Mapping[str, SqlValue]) -> tuple[exp.Expr, exp.Expr]:
    """Whether an element counts, and whether that is sure."""
    counts: list[exp.Expr] = []
    known: list[exp.Expr] = []
    for test in each.where:
        value = values.get(test.path.text, ABSENT)
        words = exp.Array(expressions=[exp.Literal.string(word) for word in test.words])
        counts.append(call("coalesce", call("list_contains", words, value.text), FALSE))
        known.append(value.as_boolean)
    return both(*counts), both(*known)


def gathered(
    rows: exp.Query,
    child: Child,
    contract: type[Contract],
    group: Sequence[str],
    counts: exp.Expr = TRUE,
    *,
    has_rows: bool = True,
) -> exp.Select:
    """One list per parent of the rows that count, in the order of ``_position``, and whether all are sure.

    ``has_rows``: another list says which source row each was made of.
    Sure too: no id twice in a parent, and no row that names a parent of its own.
    """
    stored = [item.name for item in stored_columns(child, contract)]
    own_key = [when(counts, column(name)) for name in child.key if name not in contract.key]
    distinct = exp.Count(this=exp.Distinct(expressions=own_key))
    is_distinct = exp.EQ(this=distinct, expression=call("count_if", counts))
    is_silent = both(*(is_null(column(name)) for name in parent_key(child, contract)))
    all_sure = both(call("bool_and", both(column("_sure"), is_silent)), is_distinct)
    names = ["_position", *stored, *(["_row"] if has_rows else [])]
    listed: exp.Expr = exp.ArrayAgg(this=exp.Struct(expressions=[member(name, column(name)) for name in names]))
    if counts != TRUE:
        listed = exp.Filter(this=listed, expression=exp.Where(this=counts))
    grouped = [column(name) for name in group]
    found = select([*grouped, named(listed, "_items"), named(all_sure, f"_{child.field}_sure")], rows)
    found = found.group_by(*(column(name) for name in group), copy=False)
    items = [
        *(column(name) for name in group),
        named(_each_item(exp.Struct(expressions=[member(name, column(name, _ITEM)) for name in stored])), child.field),
        *([named(_each_item(column("_row", _ITEM)), f"_{child.field}_rows")] if has_rows else []),
        column(f"_{child.field}_sure"),
    ]
    return select(items, found)


def _each_item(value: exp.Expr) -> exp.Expr:
    """Of the items, whose first member is their position. Sorting each list is cheap, sorting each group is not."""
    in_order = call("list_sort", column("_items"))
    return call("list_transform", in_order, exp.Lambda(this=value, expressions=[exp.to_identifier(_ITEM)]))
