"""Activities logged: calls, visits, notes and chats by our own people."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from quality.contracts.contract import Contract
from quality.contracts.value_types import Count, Id, JsonObject, Line, PersonalId, PersonalText, Timestamp


class ActivityLogged(Contract):
    """One contact between one of our people and a customer, as our people wrote it down."""

    kind: ClassVar[str] = "activities_logged"
    key: ClassVar[tuple[str, ...]] = ("activity_id",)
    occurred: ClassVar[str | None] = "occurred_at"

    activity_id: Id = Field(description="The source's id of the activity.")
    activity_kind: Literal["call", "visit", "meeting", "note", "chat", "email", "task"] = Field(
        description="What our person did."
    )
    occurred_at: Timestamp = Field(description="When it happened, UTC.")
    owner_id: Id | None = Field(default=None, description="The person of ours who did it.")
    contact_id: PersonalId | None = Field(default=None, description="The contact it was with.")
    direction: Literal["inbound", "outbound"] | None = Field(
        default=None, description="inbound: the customer came to us. outbound: we went to them."
    )
    duration_seconds: Count | None = Field(default=None, ge=0, description="How long it took, in seconds.")
    outcome: Line | None = Field(default=None, description="What came of it, in the source's words.")
    text: PersonalText | None = Field(
        default=None, description="What our person noted; never taken for the customer's words."
    )
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
