"""Deals: sales opportunities and the stage each is in."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from quality.contracts.contract import Contract
from quality.contracts.value_types import Amount, Currency, Id, JsonObject, Line, PersonalId, Timestamp


class Deal(Contract):
    """One sales opportunity, as it stood when the source last sent it; its versions are its stage history."""

    kind: ClassVar[str] = "deals"
    key: ClassVar[tuple[str, ...]] = ("deal_id",)
    version_order: ClassVar[tuple[str, ...]] = ("updated_at",)
    occurred: ClassVar[str | None] = "created_at"

    deal_id: Id = Field(description="The source's id of the deal.")
    updated_at: Timestamp | None = Field(default=None, description="When the source last changed the deal, UTC.")
    stage: Line | None = Field(default=None, description="Stage of the deal, in the source's words.")
    amount: Amount | None = Field(default=None, description="What the deal is worth, in `currency`.")
    currency: Currency | None = Field(default=None, description="ISO 4217 code of `amount`.")
    owner_id: Id | None = Field(default=None, description="The person of ours who is in charge.")
    lead_source: Line | None = Field(default=None, description="Where the deal came from, in the source's words.")
    created_at: Timestamp | None = Field(default=None, description="When the deal was opened, UTC.")
    won_at: Timestamp | None = Field(default=None, description="When it was won, UTC.")
    lost_at: Timestamp | None = Field(default=None, description="When it was lost, UTC.")
    lost_reason: Line | None = Field(default=None, description="Why it was lost, in the source's words.")
    contact_id: PersonalId | None = Field(default=None, description="The contact the deal is with.")
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
