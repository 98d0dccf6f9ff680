"""Flat rows as statements and as Python see them: columns whose values are text, numbers, truth values or JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlglot import exp

from sources.operations.operation import Value
from sources.source_rows import Header
from sources.statement import column, named


def flat_texts(header: Header) -> list[exp.Expr]:
    """``c0`` …: the columns of a block as text, whatever they were."""
    return [named(_as_text(column(f"c{index}"), kind), f"c{index}") for index, kind in enumerate(header.kinds)]


def _as_text(value: exp.Expr, kind: str) -> exp.Expr:
    """The text of a flat column, whatever it was."""
    if kind == "json":
        value = exp.Anonymous(this="to_json", expressions=[value])
    text: exp.Expr = exp.cast(value, "VARCHAR")
    if kind == "float":
        not_a_number = exp.Anonymous(this="isnan", expressions=[value])
        text = exp.Case(ifs=[exp.If(this=exp.Not(this=not_a_number), true=text)])
    return text


def flat_row(header: Header, texts: Sequence[str | None]) -> dict[str, Value]:
    """The values of a flat row as the Python form sees them."""
    return {
        name: text if text is None or kind == "text" else _value(text, kind)
        for name, kind, text in zip(header.names, header.kinds, texts, strict=True)
    }


def _value(text: str, kind: str) -> Value:
    match kind:
        case "integer":
            return int(text)
        case "float":
            return float(text)
        case "boolean":
            return text == "true"
        case "json":
            value: Value = json.loads(text)
            return value
        case _:
            return text
