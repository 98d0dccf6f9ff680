"""What stands in where a contract demands a field that no column names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from quality.contracts.columns import Column, columns
from quality.contracts.contract import Contract
from sources.operations.operation import text_of
from sources.trial.chosen import Chosen, FieldGuess
from sources.trial.moments import MOSTLY, moment_expression
from sources.trial.observed import EMAIL, PHONE, Observed
from sources.trial.values import FIRST_CHOICE, event_kinds


def fill_required(
    chosen: Chosen, contract: type[Contract], sources: Sequence[Observed], *, is_named: bool
) -> tuple[str, ...]:
    """Fill what the contract cannot do without; the names of what nothing can fill. ``is_named``: a person says that
    the rows are of this contract."""
    demanded = [item for item in columns(contract) if not item.is_nullable and item.default is None]
    for column in sorted(demanded, key=lambda item: item.name in contract.key):
        if column.name in chosen.fields:
            continue
        made = _stand_in(column, contract, chosen, sources, is_named=is_named)
        if made is not None:
            chosen.fields[column.name] = made
    return tuple(column.name for column in demanded if column.name not in chosen.fields)


def _stand_in(
    column: Column, contract: type[Contract], chosen: Chosen, sources: Sequence[Observed], *, is_named: bool
) -> FieldGuess | None:
    shape = column.shape.name if column.shape else ""
    if column.name == "event_kind" and (found := _kind_by_name(chosen, sources)) is not None:
        return found
    if column.name in FIRST_CHOICE:
        choices = ", ".join(column.allowed)
        return FieldGuess({"constant": FIRST_CHOICE[column.name]}, f"nothing says it: check; one of {choices}")
    if column.name == "currency":
        return FieldGuess({"setting": "currency"}, "no column says it: the feed's currency")
    if column.name == "platform":
        return FieldGuess({"constant": "unknown"}, "nothing says it: write the platform's name")
    if shape == "timestamp":
        return _any_moment(chosen, sources)
    if column.name not in contract.key or not chosen.used or column.name in _NEVER_INVENTED:
        return None
    found = _any_id(chosen, contract, sources) if column.name not in _NUMBERED else None
    if found is None and (is_named or _is_somebodys_event(chosen, contract)):
        return _content_id(sources)
    return found


def _kind_by_name(chosen: Chosen, sources: Sequence[Observed]) -> FieldGuess | None:
    """The kind of an event where its name tells it of some; the others are something done."""
    named = chosen.fields.get("event_name")
    source = next((item for item in sources if named and item.name == named.expression), None)
    kinds = event_kinds(source.texts) if source is not None else {}
    if source is None or not kinds:
        return None
    lookup = {"lookup": kinds, "else": FIRST_CHOICE["event_kind"]}
    return FieldGuess({"path": source.name, "then": ["strip", "lower", lookup]}, f"as {source.name} says: check")


_NEVER_INVENTED: Final = frozenset({"on", "member_id"})
_NUMBERED: Final = frozenset({"order_id", "deal_id"})
"""Numbers that a business gives out: no other column is one because its values never repeat."""

_PERSON: Final = frozenset({"source_customer_id", "user_id", "anonymous_id", "email", "phone", "author_id"})


def _is_somebodys_event(chosen: Chosen, contract: type[Contract]) -> bool:
    """Whether columns say who did it and when: such rows are worth having even where nothing numbers them."""
    moments = {item.name for item in columns(contract) if item.shape and item.shape.name == "timestamp"}
    return bool(moments & chosen.fields.keys()) and bool(_PERSON & chosen.fields.keys())


def _content_id(sources: Sequence[Observed]) -> FieldGuess | None:
    """Rows that say the same are then one row, as rows that an export repeats are anyway. Fractions of typed files
    have no text that all readers agree on: where many rows differ in nothing else, there is no such id."""
    told = [source for source in sources if all(value is None or text_of(value) for value in source.values)]
    rows = list(zip(*(source.values for source in told), strict=True))
    if not rows or (len(told) < len(sources) and len(set(rows)) < _MOSTLY_DIFFERENT * len(rows)):
        return None
    names, left = [source.name for source in told], [source.name for source in sources if source not in told]
    but = f" but {', '.join(left)}; rows that differ only there are taken for one: check" if left else ": check"
    why = f"nothing numbers the rows; all that one says{but}"
    return FieldGuess({"concat": names, "with": "|", "then": ["md5"]}, why)


_MOSTLY_DIFFERENT: Final = 0.95


def _any_moment(chosen: Chosen, sources: Sequence[Observed]) -> FieldGuess | None:
    for source in sources:
        may_be = source.type in {"date", "timestamp", "text"}
        expression = moment_expression(source.name, source.texts, source.type, "timestamp") if may_be else None
        if expression is not None and source.texts:
            chosen.used.add(source.name)
            return FieldGuess(expression, f"the values of {source.name} are moments")
    return None


def _any_id(chosen: Chosen, contract: type[Contract], sources: Sequence[Observed]) -> FieldGuess | None:
    for source in sources:
        if (
            source.is_unique
            and source.type in {"integer", "text"}
            and source.name.lower().endswith(("id", "no", "key"))
            and source.share(EMAIL) < MOSTLY
        ):
            chosen.used.add(source.name)
            return FieldGuess(source.name, f"the values of {source.name} never repeat")
    for name in ("email", "phone"):
        if name in chosen.fields and contract.kind == "contacts":  # a person may be known by it, an event never
            return FieldGuess(chosen.fields[name].expression, f"no column is an id; {name} stands for it: check")
    may_be = [item for item in sources if item.is_unique and not max(item.share(EMAIL), item.share(PHONE)) >= MOSTLY]
    unique = next((source for source in may_be if len(source.values) > 1), None)
    if unique is not None:
        return FieldGuess(unique.name, f"the values of {unique.name} never repeat: check")
    return None
