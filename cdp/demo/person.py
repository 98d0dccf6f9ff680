"""What an invented person is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Kind = Literal["buyer", "lead", "visitor"]


@dataclass(frozen=True, slots=True)
class Address:
    """A place to live, in the script of its country."""

    street: str
    city: str
    region: str
    postcode: str
    country: str


@dataclass(frozen=True, slots=True)
class Names:
    """One way to write a person's name."""

    given: str
    family: str

    def full(self, language: str) -> str:
        """Family first without a space in Chinese characters, given first otherwise."""
        if language == "zh" and self.family and "\u4e00" <= self.family[0] <= "\u9fff":
            return f"{self.family}{self.given}"
        return f"{self.given} {self.family}".strip()


@dataclass(frozen=True, slots=True)
class Person:
    """One person: the truth, and how this person appears at each counter of the business.

    ``customer`` is the number of the shop account, 0 without one. ``*_shown`` say what an account or a contact gives
    away. Visitors never say who they are and have empty names.
    """

    number: int
    kind: Kind
    language: str
    country: str
    household: int
    gender: str
    birth_on: date
    names: Names
    email: str
    other_email: str
    phone: str
    later_phone: str
    phone_changes_at: int
    home: Address
    later_home: Address
    moves_at: int
    company: str
    occupation: str
    income_band: str
    interests: tuple[str, ...]
    mood: float
    customer: int
    shop_names: Names
    shop_email_shown: bool
    shop_phone_shown: bool
    in_crm: bool
    crm_names: Names
    crm_email: str
    crm_phone_shown: bool
    shares_email: bool
    shares_phone: bool

    @property
    def person_id(self) -> str:
        """The id in truth/."""
        return f"p{self.number:07d}"

    @property
    def customer_id(self) -> str:
        """The id of the shop account as text, empty without one."""
        return str(CUSTOMER_IDS_FROM + self.customer) if self.customer else ""

    def phone_at(self, moment: float) -> str:
        """The number in use at a moment (E.164)."""
        return self.later_phone if moment >= self.phone_changes_at else self.phone

    def home_at(self, moment: float) -> Address:
        """The home at a moment."""
        return self.later_home if moment >= self.moves_at else self.home

    @property
    def known_email(self) -> str:
        """A mailbox under which the shop or the CRM knows the person, or the usual one of those without an account."""
        if self.shop_email_shown or not self.customer:
            return self.crm_email if self.kind == "lead" else self.email
        return self.crm_email if self.in_crm else ""

    @property
    def shows_phone(self) -> bool:
        """Whether the shop or the CRM knows the phone; those without an account may have told it to anybody."""
        return not self.customer or self.shop_phone_shown or (self.in_crm and self.crm_phone_shown)

    @property
    def crm_meets_shop(self) -> bool:
        """Whether the CRM and the shop have a contact of this person in common."""
        if not self.customer:
            return self.crm_email == self.email
        by_email = self.shop_email_shown and self.crm_email == self.email
        return by_email or (self.shop_phone_shown and self.crm_phone_shown)

    @property
    def marketing_email(self) -> str:
        """Where newsletters go: the address the CRM knows, else the shop's, else nowhere."""
        if self.shares_email:
            return ""
        if self.in_crm:
            return self.crm_email
        return self.email if self.customer and self.shop_email_shown else ""


CUSTOMER_IDS_FROM = 7_104_000_000_000
