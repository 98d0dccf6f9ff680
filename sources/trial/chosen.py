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
    """Contract field → what fills it; the columns that are used for it, and how sure that is, 0 to 1 for each."""

    fields: dict[str, FieldGuess] = field(default_factory=dict)
    used: set[str] = field(default_factory=set)
    surety: float = 0.0

    def take(self, name: str, source: Observed, expression: object, why: str, surety: float) -> None:
        """Fill a field with a column."""
        self.fields[name] = FieldGuess(expression, why)
        self.used.add(source.name)
        self.surety += surety
