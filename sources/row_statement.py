"""The statement that turns a block of source rows into typed contract rows, each with ``_sure``.

Stages, each a select over the one before: the object parsed once, its leaves as text with a code for their kind,
contract fields as text, columns of the contract's types. Nested rows go through the same stages as rows of their
own and are gathered again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlglot import exp

from quality.contracts.columns import Column, columns
from quality.contracts.contract import Child, ContractPart
from quality.contracts.fast_check import consistent, fast_cast
from sources.compilation import ABSENT, TextScope, compile_expression, is_present, text_value
from sources.evaluation import is_index
from sources.expression import Each, Expression, Path, paths_of
from sources.mapped_feed import MappedFeed
from sources.operations.operation import FALSE, TRUE, SqlValue, both, call, either, is_null, matches, own, when
from sources.readers.source_rows import Header

SOURCE: Final = "source_rows"
"""The Arrow table with the block, as the statement names it: ``_file_id``, ``_row``, then the reader's columns."""

_PLACE: Final = ("_file_id", "_row")


def column(name: str, table: str | None = None) -> exp.Column:
    """A quoted column."""
    return exp.column(name, table=table, quoted=True)


def named(value: exp.Expr, name: str) -> exp.Expr:
    """``value as "name"``."""
    return exp.Alias(this=own(value), alias=exp.to_identifier(name, quoted=True))


def select(items: Iterable[exp.Expr], source: exp.Query | str) -> exp.Select:
    """``select items from source``, without copying either."""
    if isinstance(source, str):
        table: exp.Expr = exp.to_table(source)
    else:
        table = exp.Subquery(this=source, alias=exp.TableAlias(this=exp.to_identifier("stage")))
    return exp.Select(expressions=list(items), from_=exp.From(this=table))


def stage(query: exp.Query, items: Iterable[exp.Expr]) -> exp.Select:
    """The next select over ``query``, its place carried along."""
    return select([*(column(name) for name in _PLACE), *items], query)


@dataclass(frozen=True)
class Leaves:
    """The source paths a row statement reads, as the structure that ``from_json`` takes, and access to each."""

    structure: Mapping[str, object]
    access: Mapping[str, exp.Expr]


def leaves_of(paths: Iterable[Path], row: exp.Expr) -> Leaves:
    """Lay paths out as a structure. A path that is read whole holds the paths below it, as does a list."""
    wanted = sorted({tuple(path.segments) for path in paths})
    stems = {segments: _stem(segments, wanted) for segments in wanted}
    structure: dict[str, object] = {}
    for stem in sorted(set(stems.values())):
        node = structure
        for name in stem[:-1]:
            node = node.setdefault(name, {})  # type: ignore[assignment]  # inner nodes are dicts: no stem is a prefix
        node[stem[-1]] = "JSON"
    access = {}
    for segments, stem in stems.items():
        value: exp.Expr = exp.cast(_extracted(row, stem, structure), "VARCHAR")
        if stem != segments:
            pointer = "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in segments[len(stem) :])
            inner = exp.cast(call("json_extract", value, pointer), "VARCHAR")
            value = call("nullif", inner, "null")
        access[".".join(segments)] = value
    return Leaves(structure, access)


def _stem(segments: tuple[str, ...], wanted: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """The part of a path up to the first place that is read whole or counted."""
    for length in range(1, len(segments)):
        if segments[:length] in wanted or is_index(segments[length]):
            return segments[:length]
    return segments


def _extracted(row: exp.Expr, stem: Sequence[str], structure: Mapping[str, object]) -> exp.Expr:
    """By position, since the database takes names that differ in case only for the same."""
    value, node = own(row), structure
    for name in stem:
        value = call("struct_extract_at", value, list(node).index(name) + 1)
        inner = node[name]
        node = inner if isinstance(inner, Mapping) else {}
    return value


def json_texts(
    source: exp.Query, leaves: Leaves, more: Iterable[exp.Expr] = ()
) -> tuple[exp.Select, dict[str, SqlValue]]:
    """The stage of leaves as text (``t0`` …) and kind (``k0`` …), and the values they are."""
    items: list[exp.Expr] = list(more)
    values: dict[str, SqlValue] = {}
    for index, (path, leaf) in enumerate(leaves.access.items()):
        items.append(named(leaf, f"j{index}"))
        values[path] = _json_value(column(f"t{index}"), column(f"k{index}"))
    raw = stage(source, items)
    carried = [column(item.alias_or_name) for item in more]
    coded: list[exp.Expr] = []
    for index in range(len(leaves.access)):
        text = column(f"j{index}")
        is_string = call("starts_with", text, '"')
        coded.append(named(when(is_string, call("json_extract_string", text, "$"), text), f"t{index}"))
        coded.append(named(_kind_code(text, is_string), f"k{index}"))
    return stage(raw, [*carried, *coded]), values


def _kind_code(text: exp.Expr, is_string: exp.Expr) -> exp.Expr:
    """0: text or a whole number, or nothing. 1: another number. 2: true or false. 3: a list or an object."""
    plain = either(is_null(text), is_string)
    branches = [
        (plain, 0),
        (matches(text, "-?[0-9]+"), 0),
        (matches(text, "-?[0-9].*"), 1),
        (matches(text, "true|false"), 2),
    ]
    ifs = [exp.If(this=condition, true=exp.Literal.number(code)) for condition, code in branches]
    return exp.cast(exp.Case(ifs=ifs, default=exp.Literal.number(3)), "TINYINT")


def _json_value(text: exp.Expr, kind: exp.Expr) -> SqlValue:
    def has(*codes: int) -> exp.Expr:
        return either(*(exp.EQ(this=kind, expression=exp.Literal.number(code)) for code in codes))

    return SqlValue(text, has(0), has(0, 1), has(0, 2), has(3))


def flat_values(header: Header, paths: Iterable[str]) -> dict[str, SqlValue]:
    """The columns of flat rows as values; below a JSON column a path may go on."""
    values: dict[str, SqlValue] = {}
    for path in paths:
        if path in header.names:
            index = header.names.index(path)
            values[path] = _flat_value(column(f"c{index}"), header.kinds[index])
            continue
        stem, _, rest = path.partition(".")
        if rest and stem in header.names and header.kinds[header.names.index(stem)] == "json":
            values[path] = SqlValue.of_text(
                exp.null(), exp.Is(this=column(f"c{header.names.index(stem)}"), expression=exp.null())
            )
    return values


def _flat_value(text: exp.Expr, kind: str) -> SqlValue:
    nothing = is_null(text)
    match kind:
        case "text" | "integer":
            return text_value(text)
        case "float":
            return SqlValue(text, nothing, TRUE, own(nothing), FALSE)
        case "boolean":
            return SqlValue(text, nothing, own(nothing), TRUE, FALSE)
        case _:
            return SqlValue(text, nothing, own(nothing), own(nothing), exp.Not(this=own(nothing)))


def typed_stages(
    texts: exp.Query,
    model: type[ContractPart],
    fields: Mapping[str, Expression],
    scope: TextScope,
    carried: Sequence[str],
) -> exp.Select:
    """From texts to the columns of a model and ``_sure``; ``carried`` names columns of ``texts`` that stay."""
    wanted = columns(model)
    compiled = {
        item.name: compile_expression(fields[item.name], scope) if item.name in fields else ABSENT for item in wanted
    }
    kept = [column(name) for name in carried]
    mapped = [named(value.text, f"f_{name}") for name, value in compiled.items()]
    needs = both(*(_needed(item, compiled[item.name]) for item in wanted))
    as_text = stage(texts, [*kept, *mapped, named(needs, "_known")])
    casts = {item.name: fast_cast(item, column(f"f_{item.name}")) for item in wanted}
    sure = both(column("_known"), *(cast.sure for cast in casts.values() if cast.sure != exp.true()))
    values = [named(cast.value, name) for name, cast in casts.items()]
    return stage(as_text, [*(column(name) for name in carried), *values, named(sure, "_sure")])


def _needed(item: Column, value: SqlValue) -> exp.Expr:
    """Which kinds of source values the fast check may be asked about, by the kind of column."""
    shape = item.shape.name if item.shape else "list"
    match shape:
        case "decimal" | "count" | "double":
            return value.as_number
        case "flag":
            return value.as_boolean
        case "json":
            nothing = is_null(value.text)
            return either(value.as_json, both(value.as_text, nothing))
        case _:
            return value.as_text


def value_columns(model: type[ContractPart], key: Sequence[str] = ()) -> tuple[Column, ...]:
    """The columns of a model that are stored with a nested row; its parent's key is the parent's."""
    return tuple(item for item in columns(model) if item.name not in key)


def parent_key(child: Child, key: Sequence[str]) -> tuple[str, ...]:
    """The columns of a nested row that repeat its parent's id."""
    return tuple(name for name in child.key if name in key)


def gathered(
    rows: exp.Query,
    child: Child,
    key: Sequence[str],
    group: Sequence[str],
    order: str,
    counts: exp.Expr = TRUE,
) -> exp.Select:
    """Nested rows as one list per parent, with the lists of their source rows and whether all are sure.

    Sure too: no id twice in a parent, and no row that names another parent itself.
    """
    stored = value_columns(child.model, parent_key(child, key))
    pairs = [
        exp.PropertyEQ(this=exp.to_identifier(item.name, quoted=True), expression=column(item.name)) for item in stored
    ]
    own_key = [when(counts, column(name)) for name in child.key if name not in key]
    distinct = exp.Count(this=exp.Distinct(expressions=own_key))
    is_distinct = exp.EQ(this=distinct, expression=call("count_if", counts))
    silent = both(*(is_null(column(name)) for name in parent_key(child, key)))
    all_sure = both(call("bool_and", both(column("_sure"), silent)), is_distinct)

    def listed(value: exp.Expr) -> exp.Expr:
        made = _ordered_list(value, order)
        return made if counts == TRUE else exp.Filter(this=made, expression=exp.Where(this=own(counts)))

    return (
        exp.select(
            *(column(name) for name in group),
            named(listed(exp.Struct(expressions=pairs)), child.field),
            named(listed(column("_row")), f"_{child.field}_rows"),
            named(all_sure, f"_{child.field}_sure"),
        )
        .from_(rows.subquery("nested"))
        .group_by(*(column(name) for name in group))
    )


def _ordered_list(value: exp.Expr, order: str) -> exp.Expr:
    return exp.ArrayAgg(this=exp.Order(this=value, expressions=[exp.Ordered(this=column(order))]))


@dataclass(frozen=True)
class Program:
    """The statements that check a block: each makes a table of the connection's own; the last one is ``_checked``.

    ``_checked``: ``_file_id``, ``_row``, ``_source_rows``, the contract's columns, lists of nested rows, ``_sure``.
    """

    statements: tuple[str, ...]
    leaves: Mapping[str, exp.Expr] = field(default_factory=dict)


def json_program(mapped: MappedFeed) -> Program:
    """For blocks of objects."""
    paths = [path for item in mapped.fields.values() for path in paths_of(item)]
    lists = {name: each.path for name, each in mapped.rows.items() if each.path is not None}
    leaves = leaves_of([*paths, *lists.values()], column("o"))
    raw = column("raw")
    surely = both(column("strict"), call("json_valid", raw))
    opened = when(surely, call("from_json", raw, json.dumps(leaves.structure)))
    parsed = exp.select(*(column(name) for name in _PLACE), named(opened, "o")).from_(SOURCE)
    is_object = named(exp.Not(this=is_null(column("o"))), "_is_object")
    texts, values = json_texts(exp.select("*").from_("_parsed"), leaves, [is_object])
    scope = TextScope(values, mapped.setting, column("_row"))
    empty = [named(_list_standing(values[path.text]), f"_{name}_list") for name, path in lists.items()]
    with_lists = exp.select("*", *empty).from_(texts.subquery("texts"))
    carried = ["_is_object", *(f"_{name}_list" for name in lists)]
    own = typed_stages(with_lists, mapped.contract, mapped.fields, scope, carried)
    statements = [_table("_parsed", parsed), _table("_own", own)]
    for name, path in lists.items():
        statements.append(_table(f"_of_{name}", _json_children(mapped, name, leaves.access[path.text])))
    return Program((*statements, _table("_checked", _whole(mapped, list(lists), group=_PLACE))), leaves.access)


def _list_standing(value: SqlValue) -> exp.Expr:
    """0: there is no list, or an empty one. 1: a list. 2: something else."""
    is_list = both(value.as_json, call("coalesce", call("starts_with", value.text, "["), FALSE))
    is_empty = call("coalesce", exp.EQ(this=own(value.text), expression=exp.Literal.string("[]")), exp.true())
    branches = [exp.If(this=is_empty, true=exp.Literal.number(0)), exp.If(this=is_list, true=exp.Literal.number(1))]
    return exp.Case(ifs=branches, default=exp.Literal.number(2))


def _json_children(mapped: MappedFeed, name: str, leaf: exp.Expr) -> exp.Select:
    """The nested rows of a list of objects, gathered per parent."""
    child = next(item for item in mapped.contract.children.values() if item.field == name)
    each = mapped.rows[name]
    paths = [path for item in each.fields.values() for path in paths_of(item)] + [test.path for test in each.where]
    inner = leaves_of(paths, column("o"))
    items = call("from_json", column("items"), json.dumps([inner.structure]))
    is_list = call("starts_with", column("items"), "[")
    lists = exp.select(*(column(key) for key in _PLACE), named(leaf, "items")).from_("_parsed")
    opened = (
        exp.select(*(column(key) for key in _PLACE), named(items, "items")).from_(lists.subquery("l")).where(is_list)
    )
    position = call(
        "unnest", call("range", 1, exp.Add(this=call("len", column("items")), expression=exp.Literal.number(1)))
    )
    elements = exp.select(
        *(column(key) for key in _PLACE), named(call("unnest", column("items")), "o"), named(position, "_position")
    ).from_(opened.subquery("opened"))
    texts, values = json_texts(elements, inner, [column("_position")])
    counts, test_known = _counting(each, values)
    scope = TextScope(values, mapped.setting, None if each.where else column("_position"))
    tested = exp.select("*", named(counts, "_counts"), named(test_known, "_test_known")).from_(texts.subquery("texts"))
    carried = ["_position", "_counts", "_test_known", "_some"]
    some = either(*(exp.Not(this=is_null(value.text)) for value in values.values()))
    with_some = exp.select("*", named(exp.Paren(this=some), "_some")).from_(tested.subquery("tested"))
    typed = typed_stages(with_some, child.model, each.fields, scope, carried)
    judged = exp.select(
        exp.Star(except_=[exp.to_identifier("_sure")]),
        named(both(column("_sure"), column("_test_known"), column("_some")), "_sure"),
    ).from_(typed.subquery("typed"))
    return gathered(judged, child, mapped.contract.key, _PLACE, "_position", counts=column("_counts"))


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


def flat_program(mapped: MappedFeed, header: Header) -> Program:
    """For blocks of flat rows with this header."""
    paths = {path.text for item in mapped.fields.values() for path in paths_of(item)}
    nested = {path.text for each in mapped.rows.values() for item in each.fields.values() for path in paths_of(item)}
    values = flat_values(header, sorted(paths | nested | ({mapped.group_by} if mapped.group_by else set())))
    if not mapped.group_by:
        scope = TextScope(values, mapped.setting, column("_row"))
        own = typed_stages(exp.select("*").from_(SOURCE), mapped.contract, mapped.fields, scope, [])
        return Program((_table("_own", own), _table("_checked", _whole(mapped, [], group=_PLACE))))
    return _grouped_program(mapped, values)


def _grouped_program(mapped: MappedFeed, values: Mapping[str, SqlValue]) -> Program:
    """Rows of one file with the same value make one contract row; the earliest one speaks for the group."""
    key = values.get(mapped.group_by or "", ABSENT)
    alone = exp.cast(column("_row"), "VARCHAR")
    is_blank = exp.Not(this=is_present(key.text))
    group = [named(when(is_blank, alone, key.text), "_group"), named(is_blank, "_is_alone")]
    grouped = exp.select("*", *group).from_(SOURCE)
    by_group = [column("_file_id"), column("_group"), column("_is_alone")]
    number = exp.Window(
        this=exp.RowNumber(), partition_by=by_group, order=exp.Order(expressions=[exp.Ordered(this=column("_row"))])
    )
    numbered = exp.select("*", named(number, "_position")).from_(grouped.subquery("grouped"))
    statements = [_table("_numbered", numbered)]
    scope = TextScope(values, mapped.setting, column("_position"))
    carried = ["_group", "_is_alone", "_position"]
    source = exp.select("*").from_("_numbered")
    rows = typed_stages(source, mapped.contract, mapped.fields, scope, carried)
    statements += [_table("_rows", rows), _table("_own", _earliest(mapped))]
    names = ("_file_id", "_group", "_is_alone")
    for name, each in mapped.rows.items():
        child = next(item for item in mapped.contract.children.values() if item.field == name)
        typed = typed_stages(source, child.model, each.fields, scope, carried)
        statements.append(_table(f"_of_{name}", gathered(typed, child, mapped.contract.key, names, "_position")))
    whole = _whole(mapped, list(mapped.rows), group=names)
    return Program((*statements, _table("_checked", whole)))


def _earliest(mapped: MappedFeed) -> exp.Select:
    """One row per group: the one whose event is earliest, then first in the file. Sure when all rows are."""
    by_group = [column("_file_id"), column("_group"), column("_is_alone")]
    occurred = mapped.contract.occurred
    order = [exp.Ordered(this=column(occurred), nulls_first=False)] if occurred and occurred in mapped.fields else []
    order.append(exp.Ordered(this=column("_row")))

    def over(function: exp.Expr, *, in_order: bool = False) -> exp.Expr:
        ordered = exp.Order(expressions=[own(item) for item in order]) if in_order else None
        return exp.Window(this=function, partition_by=[own(item) for item in by_group], order=ordered)

    ranked = exp.select(
        exp.Star(except_=[exp.to_identifier("_sure"), exp.to_identifier("_row")]),
        named(over(exp.RowNumber(), in_order=True), "_rank"),
        named(over(call("bool_and", column("_sure"))), "_sure"),
        named(over(exp.Min(this=column("_row"))), "_row"),
        named(over(exp.Count(this=exp.Star())), "_source_rows"),
    ).from_("_rows")
    return (
        exp.select("*")
        .from_(ranked.subquery("ranked"))
        .where(exp.EQ(this=column("_rank"), expression=exp.Literal.number(1)))
    )


def _whole(mapped: MappedFeed, lists: Sequence[str], group: Sequence[str]) -> exp.Select:
    """Own columns and nested lists side by side, and whether everything is sure."""
    own = [column(item.name, "_own") for item in columns(mapped.contract)]
    sure: list[exp.Expr] = [column("_sure", "_own"), consistent(mapped.kind, lambda name: column(name, "_own"))]
    is_object = not mapped.is_flat
    if is_object:
        sure.append(column("_is_object", "_own"))
    elif any(each.path is not None for each in mapped.rows.values()):
        sure.append(exp.false())
    items: list[exp.Expr] = []
    for child in mapped.contract.children.values():
        name, stored = child.field, f"{list_type(child, mapped.contract.key)}"
        value: exp.Expr = exp.Array(expressions=[])
        rows: exp.Expr = exp.null()
        if name in lists:
            value = call("coalesce", column(name, f"_of_{name}"), value)
            rows = rows if is_object else column(f"_{name}_rows", f"_of_{name}")
            found = call("coalesce", column(f"_{name}_sure", f"_of_{name}"), FALSE)
            sure.append(_list_sure(name, found) if is_object else found)
        items.append(named(exp.cast(value, exp.DataType.build(stored, dialect="duckdb")), name))
        items.append(named(exp.cast(rows, exp.DataType.build("BIGINT[]", dialect="duckdb")), f"_{name}_rows"))
    count = column("_source_rows", "_own") if mapped.group_by else exp.Literal.number(1)
    query = exp.select(
        *(column(name, "_own") for name in _PLACE),
        named(count, "_source_rows"),
        *own,
        *items,
        named(both(*sure), "_sure"),
    ).from_("_own")
    if mapped.group_by:
        query = query.select(column("_group", "_own"), column("_is_alone", "_own"))
    for name in lists:
        query = query.join(exp.to_table(f"_of_{name}"), using=list(group), join_type="left")
    return query


def _list_sure(name: str, found: exp.Expr) -> exp.Expr:
    standing = column(f"_{name}_list", "_own")
    return exp.Case(
        this=standing,
        ifs=[
            exp.If(this=exp.Literal.number(0), true=exp.true()),
            exp.If(this=exp.Literal.number(1), true=found),
        ],
        default=exp.false(),
    )


def list_type(child: Child, key: Sequence[str]) -> str:
    """The type of the column that holds a contract row's nested rows."""
    stored = value_columns(child.model, parent_key(child, key))
    return "STRUCT(" + ", ".join(f'"{item.name}" {item.sql_type}' for item in stored) + ")[]"


def _table(name: str, query: exp.Query) -> str:
    made = exp.Create(
        this=exp.to_table(name),
        kind="TABLE",
        replace=True,
        expression=query,
        properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
    )
    return made.sql(dialect="duckdb")
