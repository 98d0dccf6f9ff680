"""The linker's rules for one table: which columns make which field. ``cdp identity suggest`` writes a first version."""

from __future__ import annotations

from typing import Final

from pydantic import Field, model_validator

from identity.linker.roles import Role
from warehouse.declaration import Declaration

DATE_PARTS: Final = 3


class FieldRule(Declaration):
    """One field: what it means and the columns that hold it."""

    role: Role
    columns: tuple[str, ...] = Field(min_length=1, description="One column; for birth_on also year, month, day.")
    reason: str = ""

    @model_validator(mode="after")
    def _fit(self) -> FieldRule:
        if len(self.columns) != 1 and not (self.role is Role.BIRTH and len(self.columns) == DATE_PARTS):
            raise ValueError("a field has one column, or for birth_on three: year, month, day")
        return self

    @property
    def name(self) -> str:
        """What the field is called in evidence: its columns."""
        return "+".join(self.columns)


class IgnoredColumn(Declaration):
    """A column that is not looked at, and why."""

    column: str
    reason: str = ""


class LinkRules(Declaration):
    """How the records of one table are linked."""

    record_id: str | None = Field(default=None, description="The column that names a record; default: its place.")
    source: str | None = Field(default=None, description="The column that says where a record comes from.")
    fields: tuple[FieldRule, ...] = Field(min_length=1)
    ignored: tuple[IgnoredColumn, ...] = ()
    link_at: float = Field(
        default=0.0, description="Log2 odds from which a pair speaks for one person; 0 is even odds."
    )

    @model_validator(mode="after")
    def _once(self) -> LinkRules:
        names = [column for rule in self.fields for column in rule.columns]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"the column `{twice[0]}` stands in two fields")
        return self
