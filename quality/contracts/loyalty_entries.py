"""Loyalty entries: every movement of points."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from quality.contracts.contract import Contract
from quality.contracts.value_types import Amount, Id, JsonObject, PersonalId, Timestamp


class LoyaltyEntry(Contract):
    """One movement of a member's points. The sum of a member's entries is their balance."""

    kind: ClassVar[str] = "loyalty_entries"
    key: ClassVar[tuple[str, ...]] = ("entry_id",)
    occurred: ClassVar[str | None] = "occurred_at"

    entry_id: Id = Field(description="The source's id of the movement.")
    member_id: PersonalId = Field(description="The source's id of the member.")
    occurred_at: Timestamp = Field(description="When the points moved, UTC.")
    entry_kind: Literal["earn", "burn", "expire", "adjust"] = Field(
        description="earn: for a purchase or action. burn: spent. expire: lapsed. adjust: corrected by staff."
    )
    points: Amount = Field(description="The change of the balance: negative for points that were spent or lapsed.")
    order_id: Id | None = Field(default=None, description="The order the points were earned or spent on.")
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
