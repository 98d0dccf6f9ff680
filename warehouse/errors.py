"""Errors that a user can do something about, each with its reason, its remedy and its exit code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from warehouse.personal_text import mask_certain


class CdpError(Exception):
    """Something the user can mend. ``reason`` says what is wrong, ``fix`` what to do about it.

    Neither may hold a customer's data: both reach logs, the Dagster UI and the terminal. Files and columns that are
    named after persons are named in errors too, so what can be told to be a personal value is masked here, last of all.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, reason: str, fix: str = "") -> None:
        reason, fix = mask_certain(reason), mask_certain(fix)
        super().__init__(reason if not fix else f"{reason} {fix}")
        self.reason = reason
        self.fix = fix


@dataclass(frozen=True, order=True)
class Problem:
    """One thing wrong in a declaration: where, what, and what to do."""

    file: str
    line: int
    what: str
    fix: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what} {self.fix}".rstrip()


class UsageError(CdpError):
    """Something was asked for that does not exist."""

    exit_code = 2


class DeclarationError(CdpError):
    """The project's declarations are wrong; all their problems at once."""

    exit_code = 10

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        self.problems = tuple(sorted(set(problems)))
        lines = "\n".join(str(problem) for problem in self.problems)
        count = len(self.problems)
        of_project = all(problem.file.startswith("config/") for problem in self.problems)
        super().__init__(
            f"{count} problem{'s' if count != 1 else ''} in the declarations:\n{lines}",
            f"Mend the lines named above, then run {'`cdp feeds check`' if of_project else 'the command again'}.",
        )


class InputError(CdpError):
    """A file, batch or record that arrived cannot be used as it is."""

    exit_code = 11


class QualityGateError(CdpError):
    """An expectation of severity `error` does not hold."""

    exit_code = 12


class WarehouseError(CdpError):
    """The database is missing, locked, full, or a statement broke a rule of the warehouse."""

    exit_code = 13


class WarehouseBusyError(WarehouseError):
    """Another process holds the warehouse for longer than one wanted to wait; later it may be free."""


class IdentityConflictError(CdpError):
    """Decisions about who is who contradict each other."""

    exit_code = 14


class StoppedError(KeyboardInterrupt):
    """The user interrupted the run: no piece of work begins any more. Nobody who handles errors handles this."""
