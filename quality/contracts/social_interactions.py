"""Social interactions: what people and we ourselves say and do on social platforms."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from quality.contracts.contract import Contract
from quality.contracts.value_types import (
    Count,
    Flag,
    Id,
    JsonObject,
    Line,
    PersonalId,
    PersonalLine,
    PersonalText,
    Timestamp,
    Url,
)


class SocialInteraction(Contract):
    """One post, comment, share, follow or message on a social platform."""

    kind: ClassVar[str] = "social_interactions"
    key: ClassVar[tuple[str, ...]] = ("platform", "interaction_id")
    version_order: ClassVar[tuple[str, ...]] = ("updated_at",)
    occurred: ClassVar[str | None] = "occurred_at"

    interaction_id: Id = Field(description="The platform's id of the interaction.")
    platform: Line = Field(description="The platform, such as mastodon, weibo, x, instagram, wechat.")
    interaction_kind: Literal[
        "post", "mention", "comment", "reply", "like", "share", "follow", "message", "ad_click"
    ] = Field(description="What was done. mention: a post that names us. reply and comment answer something.")
    occurred_at: Timestamp = Field(description="When it happened, UTC.")
    updated_at: Timestamp | None = Field(default=None, description="When its author last changed it, UTC.")
    deleted_at: Timestamp | None = Field(
        default=None,
        description="When its author or the platform took it back, UTC; its text is not ours then.",
    )
    account_id: PersonalId | None = Field(
        default=None, description="The platform's id of the account that did it; unique within the platform."
    )
    handle: PersonalLine | None = Field(default=None, description="The account's name in links and mentions.")
    display_name: PersonalLine | None = Field(default=None, description="The name the account shows.")
    email: PersonalLine | None = Field(default=None, description="E-mail address given with it, as sent.")
    phone: PersonalLine | None = Field(default=None, description="Phone number given with it, as sent.")
    text: PersonalText | None = Field(
        default=None, description="What the person wrote, as plain text, without the words of others they pass on."
    )
    language: Line | None = Field(
        default=None, description="Language of the text as the platform states it; often wrong."
    )
    in_reply_to_id: Id | None = Field(default=None, description="The interaction this one answers or passes on.")
    by_us: Flag = Field(default=False, description="Whether one of our own accounts did it.")
    campaign_id: Id | None = Field(default=None, description="The campaign it belongs to.")
    url: Url | None = Field(default=None, description="Public address of the interaction.")
    followers_count: Count | None = Field(default=None, ge=0, description="Followers of the account at that time.")
    is_bot: Flag | None = Field(default=None, description="Whether the platform says that a program runs the account.")
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
