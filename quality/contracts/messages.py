"""Messages: what marketing sent to people, and what became of it."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from quality.contracts.contract import Contract
from quality.contracts.value_types import (
    Amount,
    Currency,
    Flag,
    Id,
    JsonObject,
    Line,
    PersonalId,
    PersonalLine,
    Timestamp,
)


class Message(Contract):
    """One thing that happened to one message to one person: it was sent, delivered, opened, clicked …"""

    kind: ClassVar[str] = "messages"
    key: ClassVar[tuple[str, ...]] = ("message_id", "message_event", "occurred_at")
    occurred: ClassVar[str | None] = "occurred_at"

    message_id: Id = Field(description="The source's id of the message to one recipient; all its events share it.")
    campaign_id: Id | None = Field(default=None, description="The campaign the message belongs to.")
    campaign_name: Line | None = Field(default=None, description="Name of that campaign.")
    message_channel: Literal["email", "sms", "push", "wechat", "call", "search", "ad", "event"] = Field(
        description="How the message travelled."
    )
    message_event: Literal[
        "sent",
        "delivered",
        "opened",
        "clicked",
        "bounced",
        "unsubscribed",
        "complained",
        "dropped",
        "deferred",
        "other",
    ] = Field(
        description="What happened to the message. dropped: never given to the recipient's server. deferred: not yet. "
        "other: what the source tells besides; `extra` names it."
    )
    occurred_at: Timestamp = Field(description="When it happened, UTC.")
    email: PersonalLine | None = Field(default=None, description="E-mail address it went to, as sent.")
    phone: PersonalLine | None = Field(default=None, description="Phone number it went to, as sent.")
    source_customer_id: PersonalId | None = Field(default=None, description="The source's id of the recipient.")
    account_id: PersonalId | None = Field(
        default=None, description="The recipient's account on the channel's platform."
    )
    cost_amount: Amount | None = Field(default=None, description="What this event cost us, in `currency`.")
    currency: Currency | None = Field(default=None, description="ISO 4217 code of `cost_amount`.")
    is_bot: Flag | None = Field(
        default=None, description="Whether a program did it, not the recipient, as far as the source knows."
    )
    merged_ids: tuple[PersonalId, ...] | None = Field(
        default=None, description="Of an event that merges recipients: the ids that are now one with the recipient's."
    )
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
