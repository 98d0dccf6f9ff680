"""Which column fills which field of a contract: by what it is called, else by what its values look like."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from quality.contracts.columns import Column, columns
from quality.contracts.contract import Contract
from sources.trial.chosen import Chosen
from sources.trial.moments import moment_expression
from sources.trial.observed import EMAIL, PHONE, Observed
from sources.trial.values import EVENT_NAME, amount_expression, money_of, state_guess
from sources.trial.words import composed_likeness, likeness

_OFTEN: Final = 0.6
"""The share of values by whose looks a column is known that its name tells nothing of."""
_HALF: Final = 0.5
_DIALLED: Final = re.compile(r"(?=(?:[^0-9*]*[0-9*]){6})[0-9*+()./ #extEXT-]+\Z")
"""What may be a phone number, with some digits hidden perhaps."""
_LOOKS: Final = (
    ("email", EMAIL, "e-mail addresses"),
    ("phone", PHONE, "phone numbers"),
    ("event_name", EVENT_NAME, "names of events"),
)
_MUST_LOOK: Final[Mapping[str, re.Pattern[str]]] = {"email": re.compile(".*@"), "phone": _DIALLED}
"""``receives e-mail: yes`` names no address, whatever its column is called."""

Likeness = Callable[[str, str], float]
"""How surely a column of a name is a field."""


def by_name(chosen: Chosen, fields: Sequence[Column], sources: Sequence[Observed], kind: str) -> None:
    """Columns called as a field is; then, for what is left, those whose names are put together like a field's."""
    listed: Likeness = partial(likeness, kind=kind)
    for alike in (listed, composed_likeness):
        for column in fields:
            if column.name not in chosen.fields and column.shape is not None and column.shape.name != "json":
                _take_by_name(chosen, column, sources, alike)


def _take_by_name(chosen: Chosen, column: Column, sources: Sequence[Observed], alike: Likeness) -> None:
    ranked = [(_surety(source, column, alike), source) for source in sources if source.name not in chosen.used]
    for surety, source in sorted(ranked, key=lambda item: -item[0]):
        if surety <= 0:
            return
        if column.name == "status" and column.allowed and source.texts:
            chosen.take(column.name, source, *state_guess(source.name, source.texts, column.allowed))
            return
        expression = _expression(source, column)
        if expression is not None:
            chosen.take(column.name, source, expression, f"called {source.name}{_money(source, column)}")
            return


def _money(source: Observed, column: Column) -> str:
    """A mark that is taken out of amounts says their currency: whoever declares the feed has to."""
    mark = money_of(source.texts) if column.shape and column.shape.name == "decimal" else None
    return f", in {mark}: check the currency" if mark else ""


def _surety(source: Observed, column: Column, alike: Likeness) -> float:
    """By its whole path, else by its last part, a little less."""
    last = source.name.rpartition(".")[2]
    own = alike(source.name, column.name)
    return own or (0.8 * alike(last, column.name) if last != source.name else 0.0)


def _expression(source: Observed, column: Column) -> object | None:
    """How a source fills a column; None where its values cannot be what the column holds."""
    shape = column.shape.name if column.shape else ""
    kind = source.type
    if kind is None:
        return source.name
    looks = _MUST_LOOK.get(column.name)
    if looks is not None and source.share(looks) < _HALF:
        return None
    match shape:
        case "timestamp" | "day":
            return moment_expression(source.name, source.texts, source.type, shape)
        case "decimal" | "count" | "double":
            plain = source.name if kind in {"integer", "number"} else None
            return amount_expression(source.name, source.texts) or plain
        case "flag":
            return source.name if kind == "boolean" or set(source.texts) <= {"0", "1"} else None
        case "code":
            if column.allowed:
                return source.name if {text.lower() for text in source.texts} <= set(column.allowed) else None
            return source.name if all(re.fullmatch("[A-Z]{3}", text) for text in source.texts) else None
        case _:
            return source.name


def by_value(chosen: Chosen, contract: type[Contract], sources: Sequence[Observed]) -> None:
    """E-mail addresses, phone numbers and names of events are known by their looks, whatever the column is called."""
    for name, pattern, looks in _LOOKS:
        if name in chosen.fields or name not in contract.model_fields:
            continue
        left = [source for source in sources if source.name not in chosen.used]
        best = max(left, key=lambda source: source.share(pattern), default=None)
        if best is not None and best.share(pattern) >= _OFTEN:
            chosen.take(name, best, best.name, f"its values are {looks}")


def looks_like(contract: type[Contract], source: Observed) -> str:
    """What the values of a column are by their looks, of what a contract has a place for; else nothing."""
    named = {column.name for column in columns(contract)}
    return next((looks for name, pattern, looks in _LOOKS if name in named and source.share(pattern) >= _OFTEN), "")
