"""Contacts: people as the CRM, the loyalty programme or WeCom knows them."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from quality.contracts.contract import Contract, ContractPart
from quality.contracts.value_types import (
    Amount,
    JsonObject,
    Line,
    PersonalDay,
    PersonalId,
    PersonalLine,
    Shape,
    Timestamp,
)


class Consent(ContractPart):
    """What a person allowed on one channel for one purpose. Silence is `unknown`, never a yes."""

    channel: Line = Field(description="email, sms, push, wechat, call or post.")
    purpose: Line = Field(default="marketing", description="What for: marketing, profiling or service.")
    state: Literal["in", "out", "pending", "unknown", "never"] = Field(
        description="in: agreed. out: refused or withdrawn. pending: not confirmed. unknown. never: must not be asked."
    )
    at: Timestamp | None = Field(default=None, description="When the person said so, UTC.")
    source: Line | None = Field(default=None, description="Where the person said so.")
    text_version: Line | None = Field(default=None, description="Which version of the consent text they saw.")


class Contact(Contract):
    """One person as a source keeps them, as they stood when the source last sent them."""

    kind: ClassVar[str] = "contacts"
    key: ClassVar[tuple[str, ...]] = ("contact_id",)
    version_order: ClassVar[tuple[str, ...]] = ("updated_at",)
    occurred: ClassVar[str | None] = "created_at"

    contact_id: PersonalId = Field(description="The source's id of the contact.")
    created_at: Timestamp | None = Field(default=None, description="When the source first knew them, UTC.")
    updated_at: Timestamp | None = Field(default=None, description="When the source last changed them, UTC.")
    deleted_at: Timestamp | None = Field(default=None, description="When the source deleted or archived them, UTC.")
    email: PersonalLine | None = Field(default=None, description="E-mail address, as sent.")
    phone: PersonalLine | None = Field(default=None, description="Phone number, as sent.")
    full_name: PersonalLine | None = Field(default=None, description="Whole name, as sent.")
    given_name: PersonalLine | None = Field(default=None, description="Given (first) name, as sent.")
    family_name: PersonalLine | None = Field(default=None, description="Family (last) name, as sent.")
    gender: Line | None = Field(default=None, description="Gender: female, male, other, or as sent.")
    birth_on: PersonalDay | None = Field(default=None, description="Day of birth.")
    income_band: Line | None = Field(default=None, description="Band of income, in the source's words.")
    occupation: Line | None = Field(default=None, description="Occupation or job title, as sent.")
    company: Line | None = Field(default=None, description="Company the person works for, as sent.")
    interests: tuple[Line, ...] | None = Field(default=None, description="Interests the person stated or staff noted.")
    address_line: PersonalLine | None = Field(default=None, description="Street and house, as sent.")
    city: Line | None = Field(default=None, description="City, as sent.")
    region: Line | None = Field(default=None, description="Province, state or county, as sent.")
    postcode: PersonalLine | None = Field(default=None, description="Postcode, as sent.")
    country: Line | None = Field(default=None, description="Country, as sent: ISO 3166 code or name.")
    language: Line | None = Field(default=None, description="Language the person wants to be addressed in.")
    national_id_hash: PersonalId | None = Field(
        default=None, description="Keyed hash of a national identity number. The number itself is never taken in."
    )
    wechat_unionid: PersonalId | None = Field(
        default=None, description="WeChat id of the person over all apps of one Open Platform account; case matters."
    )
    wechat_openid: PersonalId | None = Field(
        default=None, description="WeChat id of the person within one app, written appid:openid; case matters."
    )
    wecom_external_userid: PersonalId | None = Field(
        default=None, description="WeCom id of the person as our outside contact."
    )
    lead_source: Line | None = Field(default=None, description="Where the contact came from, in the source's words.")
    loyalty_tier: Line | None = Field(default=None, description="Tier in the loyalty programme.")
    points_balance: Amount | None = Field(default=None, description="Loyalty points the person holds; may be negative.")
    referred_by: PersonalId | None = Field(default=None, description="The contact or code that brought this person.")
    consents: Annotated[tuple[Consent, ...], Shape("json", "JSON")] | None = Field(
        default=None,
        description="What the person allowed: a list of channel, purpose, state, at, source, text_version.",
    )
    merged_ids: tuple[PersonalId, ...] | None = Field(
        default=None,
        description="Further ids of the same person at the source: records merged into this one, or the one it became.",
    )
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
