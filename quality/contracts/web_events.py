"""Web events: what people did on our sites and in our apps."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from quality.contracts.contract import Contract
from quality.contracts.value_types import (
    Amount,
    Currency,
    Id,
    JsonObject,
    Line,
    PersonalId,
    PersonalLine,
    Text,
    Timestamp,
    Url,
)


class WebEvent(Contract):
    """One event of a site or app: a page or screen seen, something done, or a person made known."""

    kind: ClassVar[str] = "web_events"
    key: ClassVar[tuple[str, ...]] = ("event_id",)
    version_order: ClassVar[tuple[str, ...]] = ("received_at",)
    occurred: ClassVar[str | None] = "occurred_at"
    settled: ClassVar[tuple[str, ...]] = ("currency",)  # the country is where a device was seen: nobody's to assume

    event_id: Id = Field(
        description="The source's id of the event, unique within the feed; a re-sent event repeats it."
    )
    event_kind: Literal["page", "screen", "track", "identify", "alias", "group"] = Field(
        description="page or screen: something was shown. track: something was done. identify: a person was made "
        "known. alias: two ids were declared one. group: a person was put into a company or account."
    )
    event_name: Line | None = Field(default=None, description="What was done or shown, in the source's words.")
    occurred_at: Timestamp = Field(
        description="When it happened, UTC, corrected for the device's clock where the source does so."
    )
    received_at: Timestamp | None = Field(default=None, description="When the source's collector received it, UTC.")
    anonymous_id: Id | None = Field(
        default=None, description="The source's id of a browser or app before anyone signs in (cookie or install id)."
    )
    source_user_id: PersonalId | None = Field(
        default=None, description="The business's own id of the signed-in person, as the tracker sent it."
    )
    previous_id: PersonalId | None = Field(
        default=None, description="Of an alias: the id used before, an anonymous id, user id or e-mail address."
    )
    device_id: Id | None = Field(
        default=None, description="The id of the physical device, where the tracker sends one."
    )
    session_id: Id | None = Field(default=None, description="The tracker's own id of the visit.")
    url: Url | None = Field(default=None, description="Full address of the page, with its query.")
    path: Url | None = Field(default=None, description="Path of the page's address, without host and query.")
    title: Line | None = Field(default=None, description="Title of the page, or name of the screen.")
    referrer: Url | None = Field(default=None, description="Address of the page that led here.")
    utm_source: Line | None = Field(
        default=None, description="Campaign source: the site or newsletter that sent the visitor."
    )
    utm_medium: Line | None = Field(default=None, description="Campaign medium, such as email, cpc or social.")
    utm_campaign: Line | None = Field(default=None, description="Campaign name.")
    utm_content: Line | None = Field(default=None, description="Which advertisement or link of the campaign.")
    utm_term: Line | None = Field(default=None, description="Paid search keywords of the campaign.")
    product_id: Id | None = Field(default=None, description="The product the event is about.")
    product_name: Line | None = Field(default=None, description="Name of that product.")
    category: Line | None = Field(default=None, description="Category of the product or page.")
    search_term: Line | None = Field(default=None, description="What was searched for on the site.")
    order_id: Id | None = Field(default=None, description="The order the event is about.")
    value_amount: Amount | None = Field(
        default=None, description="What the event was worth, in `currency`: of an order its total, else its revenue."
    )
    currency: Currency | None = Field(default=None, description="ISO 4217 code of `value_amount`.")
    email: PersonalLine | None = Field(default=None, description="E-mail address given with the event, as sent.")
    phone: PersonalLine | None = Field(default=None, description="Phone number given with the event, as sent.")
    full_name: PersonalLine | None = Field(default=None, description="Name given with the event, as sent.")
    given_name: PersonalLine | None = Field(default=None, description="Given (first) name, as sent.")
    family_name: PersonalLine | None = Field(default=None, description="Family (last) name, as sent.")
    ip: PersonalLine | None = Field(default=None, description="Network address of the device, as sent.")
    user_agent: Text | None = Field(default=None, description="What the browser says it is.")
    device_kind: Line | None = Field(default=None, description="Kind of device: desktop, mobile, tablet or as sent.")
    locale: Line | None = Field(default=None, description="Language and region of the device, such as zh-CN.")
    country: Line | None = Field(default=None, description="Country of the device, as sent.")
    city: Line | None = Field(default=None, description="City of the device, as sent.")
    consent: JsonObject | None = Field(
        default=None, description="The visitor's cookie choices at that moment: purpose or category → answer."
    )
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
