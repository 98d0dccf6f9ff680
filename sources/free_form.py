"""What senders made up: in such a value the contract finds no fault.

Trackers take any property of any event, so ``value: "blue"`` or ``category: ["a", "b"]`` breaks no promise. A mapping
names the source fields that are such properties (``free_form``). What the contract does not take of them stays, as it
came and under its source path, in ``extra``; the contract field takes the next of its choices, or stays empty.

Statements need not know of it: they only take rows that they are sure of, and such a row is none of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from quality.contracts.check import Accepted, Rejected
from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from sources.expression import Coalesce, Expression, Then, When, parts, paths_of
from sources.mapped_feed import MappedFeed
from sources.operations.operation import UnreadableError, Value
from sources.operations.text import is_blank_text
from sources.shape import is_ignored

_UNIT = "currency"
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
        for name in [name for name in self.mapped.fields if name in refused]:
            self._settle(name, found, kept)
        # An amount without the unit it was sent in says nothing: it goes where a refused currency goes.
        if _UNIT in refused and found.get(_UNIT) is None:
            for name, expression in self.mapped.fields.items():
                if name.endswith(_AMOUNT) and found.get(name) is not None:
                    found[name] = None
                    kept |= self._sources(expression)
        return found, kept

    def _settle(self, name: str, found: dict[str, object], kept: dict[str, Value]) -> None:
        """Put in the first choice that the contract takes; none where one that it refuses is not free-form."""
        left: dict[str, Value] = {}
        others = {key: value for key, value in found.items() if key != name}
        for choice in _choices(self.mapped.fields[name]):
            try:
                value = self.evaluate(choice)
                is_refused = not is_blank_text(value) and name in blamed(self.check(others | {name: value}))
            except UnreadableError:
                value, is_refused = None, True
            if is_refused:
                sources = self._sources(choice)
                if not all(is_ignored(path, self.mapped.free_form) for path in sources):
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

    def _sources(self, expression: Expression) -> dict[str, Value]:
        """What stands at the paths an expression takes its value from."""
        paths = Counter(path.text for path in paths_of(expression))
        tests = (part.test for part in parts(expression) if isinstance(part, When))
        paths.subtract(path.text for test in tests for path in paths_of(test))
        found = {path: self.read(path) for path, count in paths.items() if count > 0}
        return {path: value for path, value in found.items() if not is_blank_text(value)}


def blamed(verdict: Accepted | Rejected) -> set[str]:
    """The contract fields that a word on a row finds fault with."""
    reasons = verdict.reasons if isinstance(verdict, Rejected) else ()
    return {reason.field.split(".")[0].split("[")[0] for reason in reasons}


def _personal(kind: str) -> set[str]:
    return {column.name for column in columns(CONTRACTS[kind]) if column.is_personal}


def _choices(expression: Expression) -> Iterator[Expression]:
    """The choices that come from the source: what the feed says of rows without a word is no answer to a wrong one."""
    match expression:
        case Coalesce(choices):
            for item in choices:
                yield from _choices(item)
        case Then(Coalesce() as inner, operations):
            yield from (Then(item, operations) for item in _choices(inner))
        case _ if next(paths_of(expression), None) is not None:
            yield expression
