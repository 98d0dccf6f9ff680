"""The leaves of an object that a mapping reads, and the text of each.

Of a row the text stands in the columns that the gate made, of an element of a list in what ``from_json`` lays out.

A leaf that only text or numbers are wanted of is taken as text at once; the gate (``sources/gate.py``) has refused
objects in which something else stands there. Lists, objects, and what is read inside them, stay JSON, and their
text carries a code for what it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlglot import exp

from sources.demands import Demands
from sources.expression import is_index
from sources.operations.operation import (
    FALSE,
    TRUE,
    SqlValue,
    absent_or,
    both,
    call,
    either,
    is_null,
    matches,
    when,
)
from sources.statement import column, named, stage

Segments = tuple[str, ...]

_FRACTION = r"-?[0-9]+(\.[0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)"


@dataclass(frozen=True)
class Leaf:
    """A source path: ``stem`` leads to the place in the layout, ``rest`` goes on inside its JSON.

    ``kinds``: what may stand there besides text and whole numbers; None when it is kept as JSON.
    """

    stem: Segments
    rest: Segments
    kinds: frozenset[str] | None


def lay_out(demands: Demands) -> dict[str, Leaf]:
    """Path → leaf. A path that is read whole holds the paths below it, as does a list whose elements are counted."""
    wanted = {path: tuple(path.split(".")) for path in sorted(demands)}
    stems = {path: _stem(segments, set(wanted.values())) for path, segments in wanted.items()}
    kept = {stem for path, stem in stems.items() if stem != wanted[path] or "json" in demands[path]}
    return {
        path: Leaf(stem, wanted[path][len(stem) :], None if stem in kept else demands[path])
        for path, stem in stems.items()
    }


def _stem(segments: Segments, wanted: set[Segments]) -> Segments:
    """The part of a path up to the first place that is read whole or counted."""
    for length in range(1, len(segments)):
        if segments[:length] in wanted or is_index(segments[length]):
            return segments[:length]
    return segments


def structure_of(leaves: Mapping[str, Leaf]) -> dict[str, object]:
    """The layout as ``from_json`` takes it."""
    structure: dict[str, object] = {}
    for leaf in sorted(leaves.values(), key=lambda item: item.stem):
        node = structure
        for name in leaf.stem[:-1]:
            node = node.setdefault(name, {})  # type: ignore[assignment]  # inner nodes are dicts: no stem is a prefix
        node[leaf.stem[-1]] = "JSON" if leaf.kinds is None else "VARCHAR"
    return structure


def leaf_texts(leaves: Mapping[str, Leaf], row: exp.Expr) -> list[exp.Expr]:
    """``t0`` …: the raw text of each leaf of an opened object; of one kept as JSON its JSON."""
    structure = structure_of(leaves)
    return [named(raw_leaf(leaf, row, structure), f"t{index}") for index, leaf in enumerate(leaves.values())]


def stems_of(leaves: Mapping[str, Leaf]) -> tuple[Segments, ...]:
    """The places of the layout, each once."""
    return tuple(sorted({leaf.stem for leaf in leaves.values()}))


def stem_texts(leaves: Mapping[str, Leaf], columns: Mapping[Segments, str]) -> list[exp.Expr]:
    """``t0`` …: the raw text of each leaf, out of the columns that hold the stems."""
    return [
        named(_rest_of(column(columns[leaf.stem]), leaf.rest), f"t{index}")
        for index, leaf in enumerate(leaves.values())
    ]


def raw_leaf(leaf: Leaf, row: exp.Expr, structure: Mapping[str, object]) -> exp.Expr:
    """The raw text of one leaf of an opened object."""
    return _rest_of(exp.cast(_extracted(row, leaf.stem, structure), "VARCHAR", copy=False), leaf.rest)


def _rest_of(value: exp.Expr, rest: Segments) -> exp.Expr:
    if not rest:
        return value
    pointer = "".join(f"/{name.replace('~', '~0').replace('/', '~1')}" for name in rest)
    return call("nullif", exp.cast(call("json_extract", value, pointer), "VARCHAR", copy=False), "null")


def _extracted(row: exp.Expr, stem: Sequence[str], structure: Mapping[str, object]) -> exp.Expr:
    """By position, since the database takes names that differ in case only for the same."""
    value, node = row, structure
    for name in stem:
        value = call("struct_extract_at", value, list(node).index(name) + 1)
        inner = node[name]
        node = inner if isinstance(inner, Mapping) else {}
    return value


def coded_values(
    source: exp.Query | str, leaves: Mapping[str, Leaf], carried: Iterable[str]
) -> tuple[exp.Select, dict[str, SqlValue]]:
    """The stage in which JSON leaves have become text and a code (``k0`` …), and the value that each path is."""
    items: list[exp.Expr] = [column(name) for name in carried]
    values: dict[str, SqlValue] = {}
    for index, (path, leaf) in enumerate(leaves.items()):
        text = column(f"t{index}")
        if leaf.kinds is not None:
            items.append(text)
            values[path] = _plain_value(column(f"t{index}"), leaf.kinds)
            continue
        is_string = call("starts_with", text, '"')
        items.append(named(when(is_string, call("json_extract_string", text, "$"), text), f"t{index}"))
        items.append(named(_kind_code(text, is_string), f"k{index}"))
        values[path] = _coded_value(column(f"t{index}"), column(f"k{index}"))
    return stage(source, items), values


def inline_value(raw: exp.Expr) -> SqlValue:
    """The value of a JSON leaf, in place."""
    is_string = call("starts_with", raw, '"')
    return _coded_value(when(is_string, call("json_extract_string", raw, "$"), raw), _kind_code(raw, is_string))


def _plain_value(text: exp.Expr, kinds: frozenset[str]) -> SqlValue:
    """Text that cannot be a list or an object. A text that looks like a fraction or truth value may be one."""
    no_number = absent_or(text, exp.Not(this=matches(text, _FRACTION))) if "number" in kinds else TRUE
    no_boolean = absent_or(text, both(_differs(text, "true"), _differs(text, "false"))) if "boolean" in kinds else TRUE
    return SqlValue(text, both(no_number, no_boolean), no_boolean, no_number, FALSE)


def _differs(text: exp.Expr, word: str) -> exp.Expr:
    return exp.NEQ(this=text, expression=exp.Literal.string(word))


def _kind_code(text: exp.Expr, is_string: exp.Expr) -> exp.Expr:
    """0: text or a whole number, or nothing. 1: another number. 2: true or false. 3: a list or an object."""
    branches = [
        (either(is_null(text), is_string), 0),
        (matches(text, "-?[0-9]+"), 0),
        (matches(text, "-?[0-9].*"), 1),
        (matches(text, "true|false"), 2),
    ]
    ifs = [exp.If(this=condition, true=exp.Literal.number(code)) for condition, code in branches]
    return exp.cast(exp.Case(ifs=ifs, default=exp.Literal.number(3)), "TINYINT", copy=False)


def _coded_value(text: exp.Expr, kind: exp.Expr) -> SqlValue:
    def has(*codes: int) -> exp.Expr:
        return either(*(exp.EQ(this=kind, expression=exp.Literal.number(code)) for code in codes))

    return SqlValue(text, has(0), has(0, 1), has(0, 2), has(3))
