"""What every figure of a business rests on: ``config/business.yml``."""

from __future__ import annotations

from datetime import date
from typing import Literal

from pydantic import Field

from warehouse.codes import Country, Currency, Language, TimeZone
from warehouse.declaration import Declaration, Problems, Text, read_declaration
from warehouse.project import Project

OrderStatus = Literal["pending", "paid", "fulfilled", "cancelled", "refunded"]
"""pending: not paid yet. paid. fulfilled: paid and sent. cancelled: will not be paid or sent. refunded: all money was
given back."""
Weekday = Literal["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]


class Sale(Declaration):
    """Which orders count as sales."""

    statuses: tuple[OrderStatus, ...] = Field(
        ("paid", "fulfilled", "refunded"), description="Order statuses that are sales."
    )
    exclude_test: bool = Field(True, description="Leave out orders that the shop marks as tests.")


class Business(Declaration):
    """The business: its money, its clock, its calendar, and what it calls a sale."""

    name: Text = Field(description="Name of the business, as shown in reports.")
    base_currency: Currency = Field(description="ISO code; amounts stand also in this currency.")
    time_zone: TimeZone = Field(description="Days, months, sessions and hours are counted in this zone.")
    default_country: Country = Field(description="ISO code; the country of phone numbers and addresses without one.")
    languages: tuple[Language, ...] = Field(
        ("en",),
        min_length=1,
        description="ISO codes of what customers write, the main one first: it is that of pictures (zh or en). "
        "Names and texts are read in every language, whatever stands here.",
    )
    week_starts_on: Weekday = Field(
        "monday",
        description="First day of a week: rules `week` of the table profiles.days, by which days are summed up.",
    )
    sale: Sale = Field(default_factory=Sale, description="Which orders count as sales.")
    revenue: Literal["gross", "net"] = Field(
        "net", description="gross: as ordered. net: refunds are taken off on the day of the refund."
    )
    exchange_rate_max_age_days: int = Field(
        7, ge=0, description="A day without a rate takes the newest one at most this old; 0: only the day's own."
    )
    first_batch_on: date | None = Field(None, description="First day of the partitions; default: the oldest batch.")


def load_business(project: Project, problems: Problems | None = None) -> Business:
    """Read ``config/business.yml``.

    Raises:
        DeclarationError: the file is absent or wrong, together with the problems collected before.
    """
    problems = problems if problems is not None else Problems()
    business = read_declaration(project.config / "business.yml", Business, problems, shown_as="config/business.yml")
    if business is None:
        problems.raise_if_any()
        raise AssertionError("a declaration that is not read leaves a problem")
    return business
