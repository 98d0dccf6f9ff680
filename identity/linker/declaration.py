"""The linker's rules for one table: which columns make which field. ``cdp identity suggest`` writes a first version."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from pydantic import Field

from identity.linker.roles import Role
from warehouse.declaration import Declaration, Text
from warehouse.misfit import Misfit, twice

DATE_PARTS: Final = 3


class FieldRule(Declaration):
    """One field: what it means and the columns that hold it."""

    role: Role = Field(description="What the columns mean.")
    columns: tuple[str, ...] = Field(min_length=1, description="One column; for birth_on also year, month, day.")
    reason: Text = Field("", validate_default=False, description="Why, for the reader; nothing goes by it.")

    def misfits(self) -> Iterator[Misfit]:
        """It has one column, or those of a date."""
        if len(self.columns) != 1 and not (self.role is Role.BIRTH and len(self.columns) == DATE_PARTS):
            yield Misfit(
                "a field has one column, or for birth_on three",
                "Write one column, or the columns of year, month and day.",
                (("columns",), ("role",)),
                (("role",),) if len(self.columns) == DATE_PARTS else (),
            )

    @property
    def name(self) -> str:
        """What the field is called in evidence: its columns."""
        return "+".join(self.columns)


class IgnoredColumn(Declaration):
    """A column that is not looked at, and why."""

    column: Text = Field(description="Name of the column.")
    reason: Text = Field("", validate_default=False, description="Why, for the reader; nothing goes by it.")


class LinkRules(Declaration):
    """How the records of one table are linked."""

    record_id: str | None = Field(default=None, description="The column that names a record; default: its place.")
    source: str | None = Field(default=None, description="The column that says where a record comes from.")
    fields: tuple[FieldRule, ...] = Field(min_length=1, description="What is compared, and which columns hold it.")
    ignored: tuple[IgnoredColumn, ...] = Field((), description="Columns that are not looked at.")
    link_at: float = Field(
        default=0.0, description="Log2 odds from which a pair speaks for one person; 0 is even odds."
    )

    def misfits(self) -> Iterator[Misfit]:
        """No column stands in two fields."""
        names = [column for rule in self.fields for column in rule.columns]
        places = [
            ("fields", place, "columns", index)
            for place, rule in enumerate(self.fields)
            for index, _ in enumerate(rule.columns)
        ]
        for place, first in twice(names):
            about = (places[place], places[first])
            yield Misfit(f"the column `{names[place]}` stands in two fields", "Leave it in one of them.", about)
