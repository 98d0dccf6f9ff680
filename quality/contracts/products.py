"""Products: what we sell."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from quality.contracts.contract import Contract
from quality.contracts.value_types import Amount, Currency, Flag, Id, JsonObject, Line


class Product(Contract):
    """One product of the catalogue, as it stood when the source last sent it."""

    kind: ClassVar[str] = "products"
    key: ClassVar[tuple[str, ...]] = ("product_id",)

    product_id: Id = Field(description="The source's id of the product.")
    name: Line | None = Field(default=None, description="Name of the product.")
    category: Line | None = Field(default=None, description="Category; levels are separated by ` > `.")
    brand: Line | None = Field(default=None, description="Brand of the product.")
    price_amount: Amount | None = Field(default=None, description="List price of one piece, in `currency`.")
    cost_amount: Amount | None = Field(default=None, description="What one piece costs us, in `currency`.")
    currency: Currency | None = Field(default=None, description="ISO 4217 code of price and cost.")
    is_in_stock: Flag | None = Field(default=None, description="Whether it can be sold now.")
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
