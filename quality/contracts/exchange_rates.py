"""Exchange rates: what a currency was worth on a day."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from quality.contracts.contract import Contract
from quality.contracts.value_types import Currency, Day, JsonObject, Rate


class ExchangeRate(Contract):
    """The rate of one currency in another on one day."""

    kind: ClassVar[str] = "exchange_rates"
    key: ClassVar[tuple[str, ...]] = ("on", "currency", "base_currency")
    occurred: ClassVar[str | None] = "on"
    settled: ClassVar[tuple[str, ...]] = ()  # a rate of no named currency is none

    on: Day = Field(description="The day the rate holds for.")
    currency: Currency = Field(description="ISO 4217 code of the currency that is valued.")
    base_currency: Currency = Field(description="ISO 4217 code of the currency it is valued in.")
    rate: Rate = Field(description="How many units of `base_currency` one unit of `currency` is worth.")
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
