"""Parts of expressions that occur more than once, made once a row: in stages of their own below the one that uses them.

The database does so only for what every row needs, and nothing behind a condition counts as such: of expressions that
are made of cases and conjunctions it would evaluate every copy. What could fail stays behind the condition it stands
behind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from sqlglot import exp

from sources.statement import column, everything, named, stage

_Key: TypeAlias = tuple[object, ...]

_NEVER_FAIL: Final = frozenset(
    {"chr", "coalesce", "concat", "concat_ws", "contains", "epoch", "json_object", "left", "length", "list_bool_and"}
    | {"list_contains", "list_filter", "list_sum", "list_transform", "lower", "ltrim", "nullif", "regexp_full_match"}
    | {"regexp_matches", "regexp_replace", "replace", "rtrim", "split_part", "starts_with", "strlen", "string_split"}
    | {"substring", "to_json", "trim", "try_strptime", "upper"}
)
"""As they are called here: a character by its number is always a written one."""
_HARMLESS: Final = (
    *(exp.Column, exp.Literal, exp.Identifier, exp.Boolean, exp.Null, exp.DataType, exp.DataTypeParam, exp.Array),
    *(exp.And, exp.Or, exp.Not, exp.Paren, exp.Is, exp.EQ, exp.NEQ, exp.LT, exp.LTE, exp.GT, exp.GTE, exp.DPipe),
    *(exp.Case, exp.If, exp.TryCast, exp.Lambda, exp.Coalesce, exp.Nullif, exp.Dot, exp.Bracket),
    *(exp.Concat, exp.Trim),
)
_TEXTS: Final = (exp.DataType.Type.VARCHAR, exp.DataType.Type.TEXT)
_ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul)
_COSTLY: Final = (exp.Anonymous, exp.Cast, exp.Case, exp.Coalesce, exp.Nullif, exp.DPipe)


def lean_stage(query: exp.Query | str, items: Sequence[exp.Expr]) -> exp.Select:
    """``stage`` with the common parts of its items in stages before it."""
    return stage(*_with_parts(query, items))


def lean_everything(query: exp.Query | str, items: Sequence[exp.Expr]) -> exp.Select:
    """``everything`` likewise."""
    made, kept = _with_parts(query, items)
    return everything(made, *kept)


def _with_parts(query: exp.Query | str, items: Sequence[exp.Expr]) -> tuple[exp.Query | str, list[exp.Expr]]:
    parts = _Parts()
    roots = [parts.number(item) for item in items]
    parts.uses.update(roots)
    names = {number: f"_p{number}" for number in parts.common()}
    levels: dict[int, list[exp.Expr]] = {}
    depth: dict[int, int] = {}
    for number in names:  # parts were numbered from the inside out
        made, inner = parts.rewritten(parts.nodes[number], names, number)
        depth[number] = 1 + max((depth[item] for item in inner), default=0)
        levels.setdefault(depth[number], []).append(named(made, names[number]))
    for _, stages in sorted(levels.items()):
        query = everything(query, *stages)
    return query, [parts.rewritten(item, names)[0] for item in items]


@dataclass
class _Parts:
    """Numbers equal expressions alike. ``uses``: in how many places of different expressions each stands."""

    numbers: dict[_Key, int] = field(default_factory=dict)
    nodes: list[exp.Expr] = field(default_factory=list)
    uses: Counter[int] = field(default_factory=Counter)
    sealed: set[int] = field(default_factory=set)
    """What stands inside functions over the elements of a list: it is no part of the row."""
    _of: dict[int, int] = field(default_factory=dict)
    """By identity: expressions are shared by all that use them, so each is looked at once."""
    _sealed_too: set[int] = field(default_factory=set)
    _fails: set[int] = field(default_factory=set)
    _is_costly: set[int] = field(default_factory=set)

    def number(self, node: exp.Expr, *, is_sealed: bool = False) -> int:
        """The number of an expression, higher than those of its parts."""
        is_sealed = is_sealed or isinstance(node, exp.Lambda)
        if id(node) in (self._sealed_too if is_sealed else self._of):
            return self._of[id(node)]
        inner: list[int] = []
        key: list[object] = [type(node)]
        for name, value in node.args.items():
            key.append(name)
            for item in value if isinstance(value, list) else (value,):
                if isinstance(item, exp.Expr):
                    inner.append(self.number(item, is_sealed=is_sealed))
                    key.append((inner[-1],))
                else:
                    key.append(item)
        found = self.numbers.get(tuple(key))
        if found is None:
            found = self.numbers[tuple(key)] = len(self.nodes)
            self.nodes.append(node)
            self.uses.update(inner)
            self._note(found, node, inner)
        if is_sealed:
            self.sealed.add(found)
            self._sealed_too.add(id(node))
        self._of[id(node)] = found
        return found

    def _note(self, number: int, node: exp.Expr, inner: Sequence[int]) -> None:
        if self._fails.intersection(inner) or not _is_harmless(node):
            self._fails.add(number)
        if isinstance(node, _COSTLY) or self._is_costly.intersection(inner):
            self._is_costly.add(number)

    def common(self) -> Iterator[int]:
        """What is worth a column of its own."""
        for number, node in enumerate(self.nodes):
            if (
                self.uses[number] > 1
                and number in self._is_costly
                and number not in self._fails
                and number not in self.sealed
                and isinstance(node, exp.Condition)
                and not isinstance(node, exp.If | exp.Paren)
            ):
                yield number

    def rewritten(self, node: exp.Expr, names: dict[int, str], whole: int = -1) -> tuple[exp.Expr, set[int]]:
        """The expression with columns in the places of common parts, and which these are; ``whole`` is itself one."""
        found: set[int] = set()

        def changed(item: exp.Expr) -> exp.Expr:
            number = self._of.get(id(item), -1)
            if number in names and number != whole:
                found.add(number)
                return column(names[number])
            return item.__class__(**{name: replaced(value) for name, value in item.args.items()})

        def replaced(value: object) -> object:
            if isinstance(value, list):
                return [replaced(each) for each in value]
            return changed(value) if isinstance(value, exp.Expr) else value

        return changed(node), found


def _is_harmless(node: exp.Expr) -> bool:
    """Whether it gives something for every value: what fails for some must not be made where it is not asked for."""
    if isinstance(node, exp.Anonymous):
        name = str(node.this).lower()
        return name in _NEVER_FAIL or (name == "json_merge_patch" and all(map(_is_object, node.expressions)))
    if isinstance(node, exp.Cast) and not isinstance(node, exp.TryCast):
        return node.to.this in _TEXTS
    if isinstance(node, _ARITHMETIC):
        kinds = {cast.to.this for cast in node.find_all(exp.TryCast)}
        return kinds == {exp.DataType.Type.DECIMAL}
    return isinstance(node, _HARMLESS)


def _is_object(node: exp.Expr) -> bool:
    """Whether it is surely JSON: an object made here, or one written down."""
    return isinstance(node, exp.Literal) or (isinstance(node, exp.Anonymous) and node.name.lower() == "json_object")
