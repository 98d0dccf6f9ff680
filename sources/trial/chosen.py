"""What was chosen for the fields of a contract, and why."""

from __future__ import annotations

from dataclasses import dataclass, field

from sources.trial.observed import Observed


@dataclass(frozen=True)
class FieldGuess:
    """What fills a contract field: an expression as a declaration writes it, and why."""

    expression: object
    why: str


@dataclass
class Chosen:
    """Contract field → what fills it; and the columns that are used for it."""

    fields: dict[str, FieldGuess] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)

    def take(self, name: str, source: Observed, expression: object, why: str) -> None:
        """Fill a field with a column."""
        self.fields[name] = FieldGuess(expression, why)
        self.used.add(source.name)
