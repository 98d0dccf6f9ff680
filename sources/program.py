"""The statements that turn a block of source rows into typed contract rows, each with ``_sure``.

Stages, each over the one before: the object parsed once, its leaves as text, contract fields as text, columns of the
contract's types. Nested rows go through the same stages as rows of their own and are gathered again.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlglot import exp

from quality.contracts.columns import columns
from quality.contracts.fast_check import consistent
from sources.arithmetic import is_nothing
from sources.compilation import compile_expression, is_present, moment_paths
from sources.demands import demands_of, number_demands
from sources.expression import Each, Path
from sources.leaves import Leaf, coded_values, lay_out, stem_texts, stems_of
from sources.mapped_feed import MappedFeed, source_paths
from sources.moment_scan import moment_column
from sources.nested_rows import child_of, gathered, list_type, opened_rows
from sources.operations.operation import FALSE, TRUE, SqlMoment, SqlValue, both, call, is_null, negated, when
from sources.plain_text import PLAIN, filled_column
from sources.source_rows import Header
from sources.statement import PLACE, SOURCE, column, everything, named, select, stage, temporary
from sources.text_scope import ABSENT, TextScope
from sources.typed_rows import flat_values, typed_rows

GROUP = ("_file_id", "_group", "_is_alone")


_BARRIER: Final = exp.LTE(this=call("random"), expression=exp.Literal.number(1))
"""Always true, but not to the optimizer: a filter on ``_sure`` pushed down through the stages would repeat every
expression in each place that uses it, and take minutes to plan."""


@dataclass(frozen=True)
class PlainRows:
    """Says that only rows of plain texts are to be sure, so that what is known of them is not asked.

    ``moments``: the columns of text beside which their moments stand, and whether these are of a clock without zone.
    """

    moments: tuple[tuple[str, bool], ...] = ()


@dataclass(frozen=True)
class Program:
    """Statements that each make a table or view of the connection's own; the last one is ``checked``.

    ``is_direct``: they only make views, so that accepted rows go straight from the block to where they stay.

    ``checked``: ``_file_id``, ``_row``, ``_source_rows``, the contract's columns, lists of nested rows, ``_sure``; of
    grouped rows also ``_group`` and ``_is_alone``. ``filled`` counts, per file, the rows in which each of ``names``
    holds something; ``columns`` says in which columns of the block they stand, of those that have one of their own.
    """

    statements: tuple[str, ...]
    names: tuple[str, ...]
    filled: str
    columns: Mapping[str, str]
    is_direct: bool = False
    checked: str = "_checked"


def own_leaves(mapped: MappedFeed) -> dict[str, Leaf]:
    """The leaves of an object that the contract row itself is made of, and the lists of its nested rows."""
    demands = demands_of(mapped.fields, mapped.contract)
    for each in _lists(mapped).values():
        if each.instead is not None:
            for path, kinds in number_demands(each.instead.needs):
                demands[path] = demands.get(path, frozenset()) | kinds
        demands[str(each.path.text if each.path else "")] = frozenset({"json"})
    return lay_out(demands)


def _lists(mapped: MappedFeed) -> dict[str, Each]:
    return {name: each for name, each in mapped.rows.items() if each.path is not None}


def json_program(mapped: MappedFeed, held: frozenset[str], plain_rows: PlainRows | None = None) -> Program:
    """For blocks of objects; ``held`` names the columns of the gate, since nothing stands in any other place."""
    every = own_leaves(mapped)
    stems = {stem: f"s{index}" for index, stem in enumerate(stems_of(every)) if f"s{index}" in held}
    leaves = {path: leaf for path, leaf in every.items() if leaf.stem in stems}
    moments = _scanned(plain_rows, {path: stems[leaf.stem] for path, leaf in leaves.items() if _is_text(leaf)})
    plain = frozenset(path for path, leaf in leaves.items() if _is_text(leaf))
    filled = {path: column(filled_column(stems[leaves[path].stem])) for path in plain} if plain_rows else {}
    kept = [
        "strict",
        PLAIN,
        *sorted({item.name for item in (*(found.value for found in moments.values()), *filled.values())}),
    ]
    texts = stage(SOURCE, [*map(column, kept), *stem_texts(leaves, stems)])
    coded, values = coded_values(texts, leaves, kept)
    scope = TextScope(values, mapped.setting, column("_row"), plain, plain_rows is not None, filled, moments)
    lists = {name: each for name, each in _lists(mapped).items() if _text(each.path) in leaves}
    standings = [
        named(_standing(values[_text(each.path)], _may_stand_in(each, scope)), f"_{name}_list")
        for name, each in lists.items()
    ]
    standings.append(named(_no_lists(mapped, scope, lists), "_no_lists"))
    carried = ["strict", "_no_lists", *(f"_{name}_list" for name in lists)]
    rows = typed_rows(everything(coded, *standings), mapped.contract, mapped.fields, scope, carried)
    own = "_plain_own" if plain_rows else "_own"
    statements = [temporary(own, rows, "TABLE" if lists else "VIEW")]
    for name, each in lists.items():
        leaf = leaves[_text(each.path)]
        [items] = stem_texts({"": leaf}, stems)
        listed = stage(SOURCE, [named(items.this, "items")])
        nested = opened_rows(each, child_of(mapped.contract, name), mapped.contract, mapped.setting, listed)
        statements.append(temporary(f"_of_{name}", nested))
    counted = select([column("_file_id"), *stem_texts(leaves, stems)], SOURCE)
    counts: list[exp.Expr] = [exp.Count(this=column(f"t{index}")) for index in range(len(leaves))]
    columns_of = {path: stems[leaf.stem] for path, leaf in leaves.items() if not leaf.rest}
    told = Filled(tuple(leaves), counts, counted, columns_of)
    return _finished(mapped, statements, list(lists), PLACE, told, is_flat=False, is_plain=plain_rows is not None)


def _is_text(leaf: Leaf) -> bool:
    """Whether the column of its stem holds its texts as they are."""
    return leaf.kinds is not None and not leaf.rest


def _scanned(plain_rows: PlainRows | None, columns_of: Mapping[str, str]) -> dict[str, SqlMoment]:
    """By path: the moments that were read of the column its texts stand in."""
    clocks = dict(plain_rows.moments) if plain_rows else {}
    return {
        path: SqlMoment(column(moment_column(name)), clocks[name])
        for path, name in columns_of.items()
        if name in clocks
    }


def moment_texts(mapped: MappedFeed, header: Header | None, held: frozenset[str]) -> list[str]:
    """The columns of a block whose texts are read as moments: of the contract's own, not of nested rows."""
    wanted = {item.name for item in columns(mapped.contract) if item.shape and item.shape.name == "timestamp"}
    paths = {path for name, item in mapped.fields.items() if name in wanted for path in moment_paths(item)}
    if header is not None:
        texts = (index for index, kind in enumerate(header.kinds) if kind == "text")
        return [f"c{index}" for index in texts if header.names[index] in paths]
    every = own_leaves(mapped)
    stems = {stem: f"s{index}" for index, stem in enumerate(stems_of(every))}
    named_so = {stems[leaf.stem] for path, leaf in every.items() if path in paths and _is_text(leaf)}
    return sorted(named_so & held)


def _text(path: Path | None) -> str:
    assert path is not None
    return path.text


def _may_stand_in(each: Each, scope: TextScope) -> exp.Expr:
    """Whether a row may have to be made of the row around: that is for Python."""
    return FALSE if each.instead is None else negated(is_nothing(compile_expression(each.instead.needs, scope)))


def _standing(value: SqlValue, may_stand_in: exp.Expr) -> exp.Expr:
    """0: there is no list, or an empty one. 1: a list. 2: something else."""
    is_list = both(value.as_json, call("coalesce", call("starts_with", value.text, "["), FALSE))
    is_empty = call("coalesce", exp.EQ(this=value.text, expression=exp.Literal.string("[]")), exp.true())
    branches = [exp.If(this=is_empty, true=exp.Literal.number(0)), exp.If(this=is_list, true=exp.Literal.number(1))]
    if may_stand_in != FALSE:
        branches.insert(0, exp.If(this=may_stand_in, true=exp.Literal.number(2)))
    return exp.Case(ifs=branches, default=exp.Literal.number(2))


def flat_program(
    mapped: MappedFeed, header: Header, strange: Collection[str] = (), plain_rows: PlainRows | None = None
) -> Program:
    """For blocks of flat rows with this header. A row that holds something in a strange column is for Python."""
    values = flat_values(header, sorted({path.text for path in source_paths(mapped)}))
    names = header.names
    empty = exp.Literal.string("")
    counts: list[exp.Expr] = [
        exp.Count(this=exp.Nullif(this=column(f"c{index}"), expression=empty.copy())) for index in range(len(names))
    ]
    filled = Filled(names, counts, SOURCE, {name: f"c{index}" for index, name in enumerate(names)})
    known = [
        is_null(exp.Nullif(this=column(f"c{index}"), expression=empty.copy()))
        for index, name in enumerate(names)
        if name in strange
    ]
    if mapped.group_by:
        return _grouped_program(mapped, values.get(mapped.group_by, ABSENT), values, filled, both(*known))
    moments = {
        name: SqlMoment(column(f"m{index}"), is_clock=None)
        for index, name in enumerate(names)
        if header.kinds[index] == "moment"
    }
    moments |= _scanned(plain_rows, {name: f"c{index}" for index, name in enumerate(names)})
    texts = {
        name: column(filled_column(f"c{index}")) for index, name in enumerate(names) if header.kinds[index] == "text"
    }
    given = {path: texts.get(path, value.text) for path, value in values.items()} if plain_rows else {}
    plain = frozenset(values)
    scope = TextScope(values, mapped.setting, column("_row"), plain, plain_rows is not None, given, moments)
    source = everything(SOURCE, named(both(_no_lists(mapped, scope), *known), "_no_lists"))
    rows = typed_rows(source, mapped.contract, mapped.fields, scope, ["_no_lists"])
    own = temporary("_plain_own" if plain_rows else "_own", rows, "VIEW")
    return _finished(mapped, [own], [], PLACE, filled, is_flat=True, is_plain=plain_rows is not None)


def _no_lists(mapped: MappedFeed, scope: TextScope, besides: Collection[str] = ()) -> exp.Expr:
    """Whether a row surely makes no rows of lists but those ``besides``; in flat columns they are for Python."""
    clear: list[exp.Expr] = []
    for name, each in _lists(mapped).items():
        if name not in besides:
            value = scope.read(_text(each.path))
            clear += [value.as_text, is_null(value.text), negated(_may_stand_in(each, scope))]
    return both(*clear)


@dataclass(frozen=True)
class Filled:
    """Source fields, what counts where each holds something in the rows of ``source``, and columns of the block."""

    names: tuple[str, ...]
    counts: list[exp.Expr]
    source: exp.Query | str
    columns: Mapping[str, str]


def _grouped_program(
    mapped: MappedFeed, key: SqlValue, values: dict[str, SqlValue], filled: Filled, known: exp.Expr
) -> Program:
    """Rows of one file with the same value make one contract row; the earliest one speaks for the group."""
    is_blank = exp.Not(this=is_present(key.text))
    alone = exp.cast(column("_row"), "VARCHAR", copy=False)
    group = named(when(is_blank, alone, key.text), "_group")
    grouped = everything(SOURCE, group, named(is_blank, "_is_alone"), named(known, "_is_known"))
    in_order = exp.Order(expressions=[exp.Ordered(this=column("_row"))])
    number = exp.Window(this=exp.RowNumber(), partition_by=[column(name) for name in GROUP], order=in_order)
    statements = [temporary("_numbered", everything(grouped, named(number, "_position")))]
    scope = TextScope(values, mapped.setting, column("_position"))
    carried = ["_group", "_is_alone", "_position"]
    statements.append(temporary("_firsts", _firsts(mapped, scope)))
    no_lists = named(_no_lists(mapped, scope), "_no_lists")
    first = everything("_numbered", no_lists).join("_firsts", using=list(PLACE), copy=False)
    kept = ["_group", "_is_alone", "_first_row", "_source_rows", "_in_order", "_no_lists"]
    typed_firsts = typed_rows(first, mapped.contract, mapped.fields, scope, kept)
    statements.append(temporary("_own", _placed_first(typed_firsts)))
    rows = {name: each for name, each in mapped.rows.items() if each.path is None}
    for name, each in rows.items():
        child = child_of(mapped.contract, name)
        typed = typed_rows("_numbered", child.model, each.fields, scope, carried)
        statements.append(temporary(f"_of_{name}", gathered(typed, child, mapped.contract, GROUP)))
    return _finished(mapped, statements, list(rows), GROUP, filled, is_flat=True)


def _firsts(mapped: MappedFeed, scope: TextScope) -> exp.Select:
    """One row per group: the one whose event is earliest, then first in the file. ``_in_order``: that is sure."""
    occurred = mapped.contract.occurred or ""
    moments: exp.Query = everything("_numbered", named(TRUE, "_sure"))
    by_time: list[exp.Expr] = []
    if occurred in mapped.fields:
        moments = typed_rows(
            "_numbered", mapped.contract, mapped.fields, scope, ["_group", "_is_alone", "_is_known"], only=occurred
        )
        by_time = [exp.Ordered(this=column(occurred), nulls_first=False)]
    order = exp.Order(expressions=[*by_time, exp.Ordered(this=column("_row"))])

    def over(function: exp.Expr, by: exp.Order | None = None) -> exp.Expr:
        return exp.Window(this=function, partition_by=[column(name) for name in GROUP], order=by)

    ranked = stage(
        moments,
        [
            named(over(exp.RowNumber(), order), "_rank"),
            named(over(call("bool_and", both(column("_sure"), column("_is_known")))), "_in_order"),
            named(over(exp.Min(this=column("_row"))), "_first_row"),
            named(over(exp.Count(this=exp.Star())), "_source_rows"),
        ],
    )
    kept = [column(name) for name in ("_first_row", "_source_rows", "_in_order")]
    return stage(ranked, kept).where(exp.EQ(this=column("_rank"), expression=exp.Literal.number(1)), copy=False)


def _placed_first(rows: exp.Query) -> exp.Select:
    """A group stands in the place of its first row, whichever row speaks for it."""
    dropped = [exp.to_identifier(name) for name in ("_row", "_first_row", "_sure", "_in_order")]
    sure = named(both(column("_sure"), column("_in_order")), "_sure")
    return select([exp.Star(except_=dropped), named(column("_first_row"), "_row"), sure], rows)


def _finished(
    mapped: MappedFeed,
    statements: Sequence[str],
    lists: Sequence[str],
    group: Sequence[str],
    filled: Filled,
    *,
    is_flat: bool,
    is_plain: bool = False,
) -> Program:
    counts = [column("_file_id"), *filled.counts]
    counted = select(counts, filled.source).group_by(column("_file_id"), copy=False)
    own, checked = ("_plain_own", "_plain_checked") if is_plain else ("_own", "_checked")
    whole = temporary(checked, _whole(mapped, lists, group, own, is_flat=is_flat), "TABLE" if lists else "VIEW")
    is_direct = group == PLACE and not lists
    return Program(
        (*statements, whole), filled.names, counted.sql(dialect="duckdb"), filled.columns, is_direct, checked
    )


def _whole(mapped: MappedFeed, lists: Sequence[str], group: Sequence[str], own: str, *, is_flat: bool) -> exp.Select:
    """Own columns and nested lists side by side, and whether everything is sure."""
    sure: list[exp.Expr] = [
        _BARRIER,
        column("_sure", own),
        consistent(mapped.kind, lambda name: column(name, own)),
        column("_no_lists", own),
    ]
    if not is_flat:
        sure.append(column("strict", own))
    items: list[exp.Expr] = []
    for child in mapped.contract.children.values():
        name = child.field
        value: exp.Expr = exp.Array(expressions=[])
        rows: exp.Expr = exp.null()
        if name in lists:
            value = call("coalesce", column(name, f"_of_{name}"), value)
            rows = column(f"_{name}_rows", f"_of_{name}") if is_flat else rows
            found = call("coalesce", column(f"_{name}_sure", f"_of_{name}"), FALSE)
            sure.append(found if is_flat else _list_is_sure(name, found, own))
        stored = exp.DataType.build(list_type(child, mapped.contract), dialect="duckdb")
        items.append(named(exp.Cast(this=value, to=stored), name))
        items.append(
            named(exp.cast(rows, exp.DataType.build("BIGINT[]", dialect="duckdb"), copy=False), f"_{name}_rows")
        )
    count = column("_source_rows", own) if mapped.group_by else exp.Literal.number(1)
    more = [column("_group", own), column("_is_alone", own)] if mapped.group_by else []
    own_columns = [column(item.name, own) for item in columns(mapped.contract)]
    places = [column(name, own) for name in PLACE]
    query = select(
        [*places, *more, named(count, "_source_rows"), *own_columns, *items, named(both(*sure), "_sure")], own
    )
    for name in lists:
        query = query.join(exp.to_table(f"_of_{name}"), using=list(group), join_type="left", copy=False)
    return query


def _list_is_sure(name: str, found: exp.Expr, own: str) -> exp.Expr:
    branches = [
        exp.If(this=exp.Literal.number(0), true=exp.true()),
        exp.If(this=exp.Literal.number(1), true=found),
    ]
    return exp.Case(this=column(f"_{name}_list", own), ifs=branches, default=exp.false())
