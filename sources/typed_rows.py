"""From the texts of source values to columns of the contract's types and ``_sure``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlglot import exp

from quality.contracts.columns import Column, columns
from quality.contracts.contract import ContractPart
from quality.contracts.fast_check import fast_cast
from sources.compilation import ABSENT, TextScope, compile_expression, text_value
from sources.expression import Expression
from sources.operations.operation import FALSE, TRUE, SqlValue, both, either, is_null, own
from sources.source_rows import Header
from sources.statement import column, named, stage


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
    compiled = {item.name: _compiled(item.name, fields, scope) for item in wanted}
    mapped = [named(_varchar(value.text), f"f_{name}") for name, value in compiled.items()]
    known = both(*(_may_be_asked(item, compiled[item.name]) for item in wanted))
    as_text = stage(texts, [*(column(name) for name in carried), *mapped, named(known, "_known")])
    casts = {item.name: fast_cast(item, column(f"f_{item.name}")) for item in wanted}
    sure = both(column("_known"), *(cast.sure for cast in casts.values()))
    values = [named(cast.value, name) for name, cast in casts.items()]
    return stage(as_text, [*(column(name) for name in carried), *values, named(sure, "_sure")])


def _varchar(text: exp.Expr) -> exp.Expr:
    """A NULL on its own would be taken for a number."""
    return exp.Cast(this=own(text), to=exp.DataType.build("VARCHAR"))


def _compiled(name: str, fields: Mapping[str, Expression], scope: TextScope) -> SqlValue:
    return compile_expression(fields[name], scope) if name in fields else ABSENT


def _may_be_asked(item: Column, value: SqlValue) -> exp.Expr:
    """Where the fast check of a column may be asked about a value, by what kind of value it is."""
    match item.shape.name if item.shape else "list":
        case "decimal" | "count" | "double":
            return value.as_number
        case "flag":
            return value.as_boolean
        case "json":
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
        case "text" | "integer":
            return text_value(text)
        case "float":
            return SqlValue(text, nothing, TRUE, nothing, FALSE)
        case "boolean":
            return SqlValue(text, nothing, nothing, TRUE, FALSE)
        case _:
            return SqlValue(text, nothing, nothing, nothing, exp.Not(this=is_null(text)))
