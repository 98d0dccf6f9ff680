"""Purchases: orders with their lines and refunds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar

from pydantic import Field
from pydantic_core import InitErrorDetails

from quality.contracts.contract import Child, Contract, ContractPart, contradiction
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
from warehouse.business import OrderStatus


class PurchaseLine(ContractPart):
    """One line of an order. Returns and gifts exist: quantity and price may be zero or negative."""

    order_id: Id | None = Field(default=None, description="The order the line belongs to.")
    line_id: Id = Field(description="The source's id of the line, unique within its order.")
    product_id: Id | None = Field(
        default=None, description="The source's product id; absent after a product was deleted."
    )
    product_name: Line | None = Field(default=None, description="Name of the product at the time of the order.")
    category: Line | None = Field(default=None, description="The source's product category.")
    quantity: Amount = Field(description="Pieces, or units of measure; negative where a line takes goods back.")
    unit_amount: Amount | None = Field(
        default=None, description="Price of one piece in the order's currency, before discount."
    )
    line_amount: Amount | None = Field(
        default=None, description="What the line adds to the order in its currency, after the line's own discounts."
    )
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source line, as JSON.")


class PurchaseRefund(ContractPart):
    """Money given back on an order."""

    order_id: Id | None = Field(default=None, description="The order that the money was paid for.")
    refund_id: Id = Field(description="The source's id of the refund, unique within its order.")
    refunded_at: Timestamp = Field(description="When the money was given back, UTC.")
    amount: Amount = Field(description="The money given back, positive, in the order's currency.")
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source refund, as JSON.")


class Purchase(Contract):
    """One order, as it stood when the source last sent it."""

    kind: ClassVar[str] = "purchases"
    key: ClassVar[tuple[str, ...]] = ("order_id",)
    version_order: ClassVar[tuple[str, ...]] = ("updated_at",)
    occurred: ClassVar[str | None] = "placed_at"
    children: ClassVar[Mapping[str, Child]] = MappingProxyType(
        {
            "purchase_lines": Child("lines", PurchaseLine, ("order_id", "line_id")),
            "purchase_refunds": Child("refunds", PurchaseRefund, ("order_id", "refund_id")),
        }
    )

    order_id: Id = Field(description="The source's id of the order.")
    placed_at: Timestamp = Field(description="When the order was placed, UTC.")
    updated_at: Timestamp | None = Field(default=None, description="When the source last changed the order, UTC.")
    fulfilled_at: Timestamp | None = Field(default=None, description="When the goods were handed to the carrier, UTC.")
    delivered_at: Timestamp | None = Field(default=None, description="When the goods reached the customer, UTC.")
    status: OrderStatus = Field(
        description="pending: not paid yet. paid. fulfilled: paid and sent. cancelled: will not be paid or sent. "
        "refunded: all money was given back."
    )
    is_test: Flag = Field(default=False, description="Whether the shop's staff placed the order to try something.")
    source_customer_id: PersonalId | None = Field(
        default=None, description="The source's id of the customer; absent for guests."
    )
    anonymous_id: Id | None = Field(default=None, description="The browser or app that placed the order, where known.")
    email: PersonalLine | None = Field(default=None, description="E-mail address of the order, as sent.")
    phone: PersonalLine | None = Field(default=None, description="Phone number of the order, as sent.")
    full_name: PersonalLine | None = Field(default=None, description="Name of the buyer, as sent.")
    given_name: PersonalLine | None = Field(default=None, description="Given (first) name of the buyer, as sent.")
    family_name: PersonalLine | None = Field(default=None, description="Family (last) name of the buyer, as sent.")
    address_line: PersonalLine | None = Field(default=None, description="Street and house of the delivery, as sent.")
    city: Line | None = Field(default=None, description="City of the delivery, as sent.")
    region: Line | None = Field(default=None, description="Province, state or county of the delivery, as sent.")
    postcode: PersonalLine | None = Field(default=None, description="Postcode of the delivery, as sent.")
    country: Line | None = Field(default=None, description="Country of the delivery, as sent: ISO 3166 code or name.")
    sales_channel: Line | None = Field(default=None, description="Where the order came in, such as web, app or pos.")
    store_id: Id | None = Field(default=None, description="The shop or site that sold.")
    currency: Currency = Field(description="ISO 4217 code of every amount of the order.")
    gross_amount: Amount | None = Field(
        default=None, description="What the customer owed: goods, tax and shipping less discounts, before any refund."
    )
    discount_amount: Amount | None = Field(default=None, description="Discounts taken off, positive.")
    tax_amount: Amount | None = Field(default=None, description="Tax contained in `gross_amount`.")
    shipping_amount: Amount | None = Field(default=None, description="Shipping contained in `gross_amount`.")
    coupon_code: Line | None = Field(
        default=None, description="The code the customer entered; several are joined by commas."
    )
    extra: JsonObject | None = Field(default=None, description="Declared leftovers of the source row, as JSON.")
    lines: tuple[PurchaseLine, ...] = Field(default=(), description="The lines of the order: table purchase_lines.")
    refunds: tuple[PurchaseRefund, ...] = Field(default=(), description="Its refunds: table purchase_refunds.")

    def contradictions(self) -> list[InitErrorDetails]:
        """A nested row belongs to this order, and its id appears in it once."""
        lines = ((line.order_id, line.line_id) for line in self.lines)
        refunds = ((refund.order_id, refund.refund_id) for refund in self.refunds)
        return [*self._nested("lines", "line_id", lines), *self._nested("refunds", "refund_id", refunds)]

    def _nested(self, field: str, id_name: str, rows: Iterable[tuple[str | None, str]]) -> Iterable[InitErrorDetails]:
        seen: set[str] = set()
        for position, (order_id, own_id) in enumerate(rows):
            if order_id not in {None, self.order_id}:
                yield contradiction("inconsistent", "the row belongs to another order", field, position, "order_id")
            if own_id in seen:
                yield contradiction("inconsistent", "the id appears twice in the order", field, position, id_name)
            seen.add(own_id)
