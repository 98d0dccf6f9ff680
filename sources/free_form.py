"""What senders made up: in such a value the contract finds no fault.

Trackers take any property of any event, so ``value: "blue"`` or ``category: ["a", "b"]`` breaks no promise. A mapping
names the source fields that are such properties (``free_form``). What the contract does not take of them stays, as it
came and under its source path, in ``extra``; the contract field takes the next of its choices, or stays empty.

Statements need not know of it: they only take rows that they are sure of, and such a row is none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from quality.contracts.check import Accepted, Rejected
from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from sources.expression import Expression
from sources.free_choices import Choice, sources_of
from sources.mapped_feed import MappedFeed
from sources.operations.operation import UnreadableError, Value
from sources.operations.text import is_blank_text

UNIT: Final = "currency"
"""Refused, it takes the amounts with it, whether or not it is free-form itself."""
_AMOUNT = "_amount"


@dataclass(frozen=True)
class FreeForm:
    """The free-form values of one source row: how to evaluate and read it, and how to check what is made of it."""

    mapped: MappedFeed
    evaluate: Callable[[Expression], Value]
    read: Callable[[str], Value]
    check: Callable[[Mapping[str, object]], Accepted | Rejected]

    def settled(
        self, values: Mapping[str, object], refused: Collection[str]
    ) -> tuple[dict[str, object], dict[str, Value]]:
        """The values without free-form ones in the ``refused`` fields, and the source values that are left over."""
        found, kept = dict(values), dict[str, Value]()
        for name, choices in self.mapped.free_choices.items():
            if name in refused:
                self._settle(name, choices, found, kept)
        # An amount without the unit it was sent in says nothing: it goes where a refused currency goes.
        if UNIT in refused and found.get(UNIT) is None:
            for name, expression in self.mapped.fields.items():
                if name.endswith(_AMOUNT) and found.get(name) is not None:
                    found[name] = None
                    kept |= self._sources(sources_of(expression))
        return found, kept

    def _settle(self, name: str, choices: Sequence[Choice], found: dict[str, object], kept: dict[str, Value]) -> None:
        """Put in the first choice that the contract takes; none where one that it refuses is not free-form."""
        left: dict[str, Value] = {}
        others = {key: value for key, value in found.items() if key != name}
        for choice in choices:
            try:
                value = self.evaluate(choice.expression)
                is_refused = not is_blank_text(value) and name in blamed(self.check(others | {name: value}))
            except UnreadableError:
                value, is_refused = None, True
            if is_refused:
                sources = self._sources(choice.places)
                if not all(choice.places[path] for path in sources):
                    return
                left |= sources
            elif not is_blank_text(value):
                break
        else:
            value = None
        found[name] = value
        # What identifies people has no place in a column that is shown to everybody.
        if name not in _personal(self.mapped.kind):
            kept |= left

    def _sources(self, paths: Iterable[str]) -> dict[str, Value]:
        """What stands at the paths that a value is taken from."""
        found = {path: self.read(path) for path in paths}
        return {path: value for path, value in found.items() if not is_blank_text(value)}


def blamed(verdict: Accepted | Rejected) -> set[str]:
    """The contract fields that a word on a row finds fault with."""
    reasons = verdict.reasons if isinstance(verdict, Rejected) else ()
    return {reason.field.split(".")[0].split("[")[0] for reason in reasons}


def _personal(kind: str) -> set[str]:
    return {column.name for column in columns(CONTRACTS[kind]) if column.is_personal}
