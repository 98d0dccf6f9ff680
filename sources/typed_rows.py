"""From the texts of source values to columns of the contract's types and ``_sure``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sqlglot import exp

from quality.contracts.columns import Column, columns
from quality.contracts.contract import ContractPart
from quality.contracts.fast_check import fast_cast, fast_moment
from sources.common_parts import lean_everything, lean_stage
from sources.compilation import compile_expression, compile_moment, given_text, opened_in
from sources.expression import Expression, Join, Pick, SumOf, parts
from sources.known_texts import is_as_given, is_quiet
from sources.list_compilation import ListReading, list_value
from sources.operations.operation import FALSE, TRUE, SqlMoment, SqlValue, both, either, is_null
from sources.plain_text import PLAIN
from sources.source_rows import Header
from sources.statement import column, everything, named
from sources.text_scope import ABSENT, TextScope, text_value


def typed_rows(
    texts: exp.Query | str,
    model: type[ContractPart],
    fields: Mapping[str, Expression],
    scope: TextScope,
    carried: Sequence[str] = (),
    only: str | None = None,
) -> exp.Select:
    """The columns of a model (or one of them) and ``_sure``; ``carried`` names columns of ``texts`` that stay."""
    wanted = [item for item in columns(model) if only in {None, item.name}]
    texts, scope = _with_lists(texts, [fields[item.name] for item in wanted if item.name in fields], scope)
    compiled = {item.name: _compiled(item.name, fields, scope) for item in wanted}
    columns_of = {item.name: item for item in wanted}
    moments = {name: found for name in compiled if (found := _moment(columns_of[name], fields, scope)) is not None}
    compiled |= {name: SqlValue.of_text(found.value, found.sure) for name, found in moments.items()}
    present = {name: value.text for name, value in compiled.items() if value is not ABSENT}
    given = {name for name, item in fields.items() if is_as_given(item, scope)}
    told = {name: given_text(fields[name], scope) for name in given & present.keys()}
    mapped = [
        named(text if name in moments else _given(told.get(name, text), is_filled=name in told), f"f_{name}")
        for name, text in present.items()
    ]
    known = both(*(_may_be_asked(item, compiled[item.name]) for item in wanted))
    quiet = {name for name, item in fields.items() if scope.plain and name not in given and is_quiet(item, scope)}
    kept = [*(column(name) for name in carried), *([column(PLAIN)] if quiet else [])]
    if scope.is_plain:
        known = both(column(PLAIN), known)
    as_text = lean_stage(texts, [*kept, *mapped, named(known, "_known")])
    texts_of = {name: exp.null() if value is ABSENT else column(f"f_{name}") for name, value in compiled.items()}
    casts = {
        item.name: fast_cast(
            item,
            texts_of[item.name],
            column(PLAIN) if item.name in quiet else None,
            column(item.name),
            is_visible=item.name in given,
        )
        for item in wanted
    }
    casts |= {name: fast_moment(columns_of[name], column(f"f_{name}")) for name in moments}
    made = [named(cast.value, name) for name, cast in casts.items()]
    as_values = lean_stage(as_text, [*kept, *(column(f"f_{name}") for name in present), *made, column("_known")])
    sure = both(column("_known"), *(cast.sure for cast in casts.values()))
    return lean_stage(
        as_values, [*(column(name) for name in carried), *(column(name) for name in casts), named(sure, "_sure")]
    )


def _with_lists(
    texts: exp.Query | str, fields: Iterable[Expression], scope: TextScope
) -> tuple[exp.Query | str, TextScope]:
    """Lists opened, and read, once a row each, however often their values are asked for."""
    found: list[ListReading] = []
    for part in (part for item in fields for part in parts(item)):
        if isinstance(part, SumOf | Pick | Join) and part not in found and scope.read(part.each.text) is not ABSENT:
            found.append(part)
    if not found:
        return texts, scope
    opened = [named(opened_in(item, scope), f"_opened_{number}") for number, item in enumerate(found)]
    read = [
        list_value(item, scope.read(item.each.text), column(f"_opened_{number}")) for number, item in enumerate(found)
    ]
    kept: dict[exp.Expr, str] = {}
    for number, value in enumerate(read):
        for name, part in vars(value).items():
            if part not in (TRUE, FALSE):
                kept.setdefault(part, f"_read_{number}_{name}")
    columns_of = [
        SqlValue(**{name: column(kept[part]) if part in kept else part for name, part in vars(value).items()})
        for value in read
    ]
    stages = lean_everything(everything(texts, *opened), [named(part, name) for part, name in kept.items()])
    return stages, replace(scope, lists=tuple(zip(found, columns_of, strict=True)))


def _moment(item: Column, fields: Mapping[str, Expression], scope: TextScope) -> SqlMoment | None:
    """The moment that a column of moments is made of, where no text needs to be read for it."""
    if item.shape is None or item.shape.name != "timestamp" or item.name not in fields or not scope.moments:
        return None
    found = compile_moment(fields[item.name], scope)
    return None if found is None or isinstance(found.value, exp.Null) else found


def _given(text: exp.Expr, *, is_filled: bool) -> exp.Expr:
    """The text; NULL, which on its own would be taken for a number, where it is empty."""
    typed = exp.Cast(this=text, to=exp.DataType.build("VARCHAR"))
    return typed if is_filled else exp.Nullif(this=typed, expression=exp.Literal.string(""))


def _compiled(name: str, fields: Mapping[str, Expression], scope: TextScope) -> SqlValue:
    return compile_expression(fields[name], scope) if name in fields else ABSENT


def _may_be_asked(item: Column, value: SqlValue) -> exp.Expr:
    """Where the fast check of a column may be asked about a value, by what kind of value it is."""
    match item.shape.name if item.shape else "list":
        case "decimal" | "count" | "double":
            return value.as_number
        case "flag":
            return value.as_boolean
        case "json" | "list":
            return either(value.as_json, both(value.as_text, is_null(value.text)))
        case _:
            return value.as_text


def flat_values(header: Header, paths: Iterable[str]) -> dict[str, SqlValue]:
    """The columns of flat rows as values. Below a column of objects nothing is sure but that there is nothing."""
    values: dict[str, SqlValue] = {}
    for path in paths:
        if path in header.names:
            index = header.names.index(path)
            values[path] = _flat_value(column(f"c{index}"), header.kinds[index])
            continue
        stem, _, rest = path.partition(".")
        if rest and stem in header.names and header.kinds[header.names.index(stem)] == "json":
            values[path] = SqlValue.of_text(exp.null(), is_null(column(f"c{header.names.index(stem)}")))
    return values


def _flat_value(text: exp.Expr, kind: str) -> SqlValue:
    nothing = is_null(text)
    match kind:
        case "text" | "integer" | "moment":
            return text_value(text)
        case "float":
            return SqlValue(text, nothing, TRUE, nothing, FALSE)
        case "boolean":
            return SqlValue(text, nothing, nothing, TRUE, FALSE)
        case _:
            return SqlValue(text, nothing, nothing, nothing, exp.Not(this=is_null(text)))
