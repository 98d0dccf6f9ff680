"""What every contract shares: it is frozen, forbids fields it does not know, and reads blank as absent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError


class ContractPart(BaseModel):
    """A row inside a contract row: an order line, an answer."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _leave_out_blank(cls, row: object) -> object:
        """Null and blank text mean that the source says nothing: a required field is then missing."""
        if not isinstance(row, dict):
            return row
        return {name: value for name, value in row.items() if value is not None and not is_blank(value)}


@dataclass(frozen=True)
class Child:
    """The table of the rows nested in ``field``. Its key begins with the parent's."""

    field: str
    model: type[ContractPart]
    key: tuple[str, ...]


class Contract(ContractPart):
    """One kind of rows. Subclasses say what a row is in their docstring and describe every field.

    ``key`` holds the columns of the source's own id, unique within a feed; ``version_order`` the columns that say which
    of several rows of one id is newer; ``occurred`` the column of the event time; ``children`` the tables of nested
    rows. ``settled`` names the fields that mean the feed's own country and currency in a row that names none.
    """

    kind: ClassVar[str]
    key: ClassVar[tuple[str, ...]]
    version_order: ClassVar[tuple[str, ...]] = ()
    occurred: ClassVar[str | None] = None
    children: ClassVar[Mapping[str, Child]] = MappingProxyType({})
    settled: ClassVar[tuple[str, ...]] = ("country", "currency")

    @model_validator(mode="after")
    def _hold_together(self) -> Contract:
        problems = self.contradictions()
        if problems:
            raise ValidationError.from_exception_data(type(self).__name__, problems)
        return self

    def contradictions(self) -> list[InitErrorDetails]:
        """What is wrong between fields that are each right. Few things are: real data is messy."""
        return []


def is_blank(value: object) -> bool:
    """Whether a source value says nothing."""
    return value is None or (isinstance(value, str) and (not value or value.isspace()))


def contradiction(code: str, message: str, *place: str | int) -> InitErrorDetails:
    """One entry of ``contradictions``: a quarantine code, and the path of the field to blame."""
    kind = PydanticCustomError(code, message)
    return InitErrorDetails(type=kind, loc=place, input=None)
