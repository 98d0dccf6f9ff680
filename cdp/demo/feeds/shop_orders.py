"""Shopify orders: one JSON file a day with the orders placed on it and the ones that changed on it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from cdp.demo.calendar import DAY, SHANGHAI
from cdp.demo.delivery import Line, json_array
from cdp.demo.dice import anonymous_id
from cdp.demo.noise import ABSENT, AGES_AHEAD, BELL, TOO_LONG, Damage
from cdp.demo.person import Address, Names, Person
from cdp.demo.purchases import (
    COUPONS,
    ORDER_IDS_FROM,
    PAID,
    PARTLY_REFUNDED,
    PENDING,
    POS,
    REFUNDED,
    TEST,
    VOIDED,
)
from cdp.demo.scribe import Scribe
from cdp.demo.world import World

_UNKNOWN_STATUS: dict[str, object] = {
    "financial_status": "maybe",
    "fulfillment_status": None,
    "cancelled_at": None,
    "refunds": [],
}
SHOP_ORDERS = json_array(
    "shop_orders",
    "orders.json",
    (
        Damage("missing", {"id": ABSENT}),
        Damage("wrong_type", {"email": {"address": "someone"}}),
        Damage("out_of_range", {"created_at": AGES_AHEAD, "processed_at": AGES_AHEAD}),
        Damage("not_in_set", _UNKNOWN_STATUS),
        Damage("bad_format", {"created_at": "yesterday", "processed_at": "yesterday"}),
        Damage("too_long", {"id": TOO_LONG}),
        Damage("wrong_type", {"line_items.0.quantity": "two"}),
        Damage("inconsistent", {"line_items.0": None}),
        Damage("bad_format", {"currency": "pounds"}),
        Damage("wrong_type", {"total_price": "lots"}),
        Damage("bad_format", {"id": BELL}),
    ),
    envelope="orders",
)
_STATUS = {PAID: "paid", REFUNDED: "paid", PARTLY_REFUNDED: "paid", VOIDED: "voided", TEST: "paid", PENDING: "pending"}
_COUNTRIES = {"CN": "China", "GB": "United Kingdom"}


def shop_order_days(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, orders) of every day: new orders, then later versions (sent, refunded) of earlier ones."""
    scribe, orders, calendar = world.scribe("orders"), world.orders, world.calendar
    later: defaultdict[int, list[Line]] = defaultdict(list)
    days, placed_on = calendar.days, calendar.day_of(orders.placed_at).tolist()
    nth = 0
    for day in range(days):
        lines: list[Line] = []
        while nth < len(orders) and placed_on[nth] == day:
            is_late = scribe.happens(world.difficulty.late) and orders.channel[nth] == POS
            for sent_on, line in _versions(world, nth, day, scribe):
                due = sent_on + (scribe.coins.randrange(1, 5) if is_late else 0)
                if due <= day:
                    lines.append(line)
                elif due < days:
                    later[due].append(line)
            nth += 1
        if lines or later.get(day):
            yield day, lines + later.pop(day, [])


def _versions(world: World, order: int, day: int, scribe: Scribe) -> Iterator[tuple[int, Line]]:
    """(day, order as it stood then): as placed, when sent a few days later, when money was given back."""
    whose = int(world.orders.person[order])
    person = world.people[whose] if whose >= 0 else None
    body = _order(world, order, person, scribe)
    person_id = person.person_id if person else ""
    fate, placed = int(world.orders.fate[order]), int(world.orders.placed_at[order])
    moment = placed
    if fate in {PAID, REFUNDED, PARTLY_REFUNDED} and body["fulfillment_status"] is None:
        yield day, Line(msgspec.json.encode(body), person_id)
        moment = placed + scribe.coins.randrange(DAY, 4 * DAY)
        _fulfil(body, moment)
        day = world.calendar.day(moment)
    yield day, Line(msgspec.json.encode(body), person_id)
    if fate == PAID and scribe.happens(0.3):
        moment = max(moment, placed) + scribe.coins.randrange(DAY, 5 * DAY)
        if moment < world.calendar.end:
            body["updated_at"] = _shop_time(moment)
            body["fulfillments"][0] |= {"shipment_status": "delivered", "updated_at": _shop_time(moment)}
            yield world.calendar.day(moment), Line(msgspec.json.encode(body), person_id)
    if fate in {REFUNDED, PARTLY_REFUNDED}:
        moment = placed + scribe.coins.randrange(5 * DAY, 21 * DAY)
        if moment < world.calendar.end:
            _refund(body, order, fate, int(world.orders.total[order]), moment)
            yield world.calendar.day(moment), Line(msgspec.json.encode(body), person_id)


def _order(world: World, order: int, person: Person | None, scribe: Scribe) -> dict[str, Any]:
    orders = world.orders
    placed, fate = int(orders.placed_at[order]), int(orders.fate[order])
    at = _shop_time(placed)
    is_guest = bool(orders.is_guest[order])
    contact = _contact(person, is_guest, placed, scribe, int(orders.channel[order]) == POS)
    body: dict[str, Any] = {
        "id": ORDER_IDS_FROM + order,
        "name": f"#{1000 + order}",
        "order_number": 1000 + order,
        "email": contact["email"],
        "phone": contact["phone"],
        "created_at": at,
        "processed_at": at,
        "updated_at": at,
        "cancelled_at": _shop_time(placed + 7_200) if fate == VOIDED else None,
        "cancel_reason": "customer" if fate == VOIDED else None,
        "financial_status": _STATUS[fate],
        "fulfillment_status": None,
        "test": fate == TEST,
        "source_name": ("web", "mobile", "pos")[int(orders.channel[order])],
        "tags": "",
        "note_attributes": _note(world, order) if is_guest and scribe.happens(0.4) else [],
    }
    body |= _money(world, order) | {"customer": _customer(person, placed) if person and not is_guest else None}
    body |= {
        "billing_address": contact["address"],
        "shipping_address": contact["address"],
        "refunds": [],
        "fulfillments": [],
    }
    if orders.channel[order] == POS or (fate == PAID and scribe.happens(0.5)):
        _fulfil(body, placed + 3_600)
    return body


def _note(world: World, order: int) -> list[dict[str, str]]:
    """The cookie that the checkout page of the site leaves on an order."""
    cookie = world.cookie_of_order.get(order)
    return [] if cookie is None else [{"name": "segment_anonymous_id", "value": anonymous_id(cookie)}]


def _money(world: World, order: int) -> dict[str, Any]:
    orders, products = world.orders, world.catalogue.products
    language = "zh" if orders.is_chinese[order] else "en"
    total, discount, coupon = int(orders.total[order]), int(orders.discount[order]), COUPONS[int(orders.coupon[order])]
    lines = []
    for place, (number, quantity) in enumerate(orders.lines(order)):
        product = products[number]
        lines.append(
            {
                "id": (ORDER_IDS_FROM + order) * 100 + place,
                "product_id": int(product.product_id),
                "sku": product.sku,
                "title": product.names[language],
                "vendor": "Harbour & Lantern",
                "product_type": product.category,
                "quantity": quantity,
                "price": _amount(product.cents[language]),
                "total_discount": "0.00",
                "properties": [],
            }
        )
    return {
        "currency": "CNY" if language == "zh" else "GBP",
        "subtotal_price": _amount(int(orders.subtotal[order]) - discount),
        "total_discounts": _amount(discount),
        "total_tax": _amount(total * 13 // 113 if language == "zh" else total // 6),
        "taxes_included": True,
        "total_price": _amount(total),
        "current_total_price": _amount(total),
        "total_shipping_price_set": {
            "shop_money": {
                "amount": _amount(int(orders.shipping[order])),
                "currency_code": "CNY" if language == "zh" else "GBP",
            }
        },
        "shipping_lines": [{"title": "Standard", "price": _amount(int(orders.shipping[order]))}],
        "discount_codes": [{"code": coupon, "amount": _amount(discount), "type": "percentage"}] if coupon else [],
        "line_items": lines,
    }


def _contact(
    person: Person | None, is_guest: bool, moment: int, scribe: Scribe, over_the_counter: bool
) -> dict[str, Any]:
    """E-mail, phone and address as they stand on this order."""
    if person is None:
        return {"email": "", "phone": None, "address": None}
    if is_guest:
        names, email, phone = _guest(person, moment, scribe)
    else:
        names = person.shop_names
        email = scribe.email(person.email) if person.shop_email_shown else ""
        phone = scribe.phone(person.phone_at(moment)) if person.shop_phone_shown else ""
    if scribe.happens(scribe.difficulty.placeholder * (3 if over_the_counter else 1)):
        made_up_email, made_up_phone = scribe.placeholder()
        email, phone = made_up_email or email, made_up_phone or phone
    return {"email": email, "phone": phone or None, "address": _address(names, person, moment, scribe)}


def _guest(person: Person, moment: int, scribe: Scribe) -> tuple[Names, str, str]:
    """Guests type everything again: one contact, sometimes both, and not always the usual mailbox."""
    email = person.other_email if scribe.happens(scribe.difficulty.other_email) else person.email
    prefers_phone = scribe.happens(0.65 if person.language == "zh" else 0.1)
    phone = scribe.phone(person.phone_at(moment)) if prefers_phone or scribe.happens(0.25) else ""
    return scribe.names(person.names), "" if prefers_phone and scribe.happens(0.75) else scribe.email(email), phone


def _address(names: Names, person: Person, moment: int, scribe: Scribe) -> dict[str, Any]:
    home: Address = person.home_at(moment)
    return {
        "first_name": names.given,
        "last_name": names.family,
        "name": names.full(person.language),
        "address1": scribe.street(home),
        "address2": None,
        "city": home.city,
        "province": home.region or None,
        "zip": home.postcode,
        "country": _COUNTRIES[home.country],
        "country_code": home.country,
        "phone": None,
        "company": None,
    }


def _customer(person: Person, moment: int) -> dict[str, Any]:
    return {
        "id": int(person.customer_id),
        "email": person.email if person.shop_email_shown else None,
        "phone": person.phone_at(moment) if person.shop_phone_shown else None,
        "first_name": person.shop_names.given,
        "last_name": person.shop_names.family,
        "state": "enabled",
        "verified_email": person.shop_email_shown,
        "tags": "",
        "note": None,
    }


def _fulfil(body: dict[str, Any], moment: int) -> None:
    sent = {"id": body["id"] * 10 + 1, "status": "success", "created_at": _shop_time(moment), "shipment_status": None}
    body |= {"fulfillment_status": "fulfilled", "updated_at": _shop_time(moment), "fulfillments": [sent]}


def _refund(body: dict[str, Any], order: int, fate: int, total: int, moment: int) -> None:
    cents = total if fate == REFUNDED else max(total * (1 + order % 6) // 10, 1)
    at = _shop_time(moment)
    paid = {
        "id": body["id"] * 10 + 3,
        "kind": "refund",
        "status": "success",
        "amount": _amount(cents),
        "created_at": at,
    }
    refund = {"id": body["id"] * 10 + 2, "order_id": body["id"], "created_at": at, "transactions": [paid]}
    refund |= {"note": None, "refund_line_items": [], "order_adjustments": []}
    body["financial_status"] = "refunded" if fate == REFUNDED else "partially_refunded"
    body |= {"updated_at": at, "refunds": [refund], "current_total_price": _amount(total - cents)}


def _amount(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


def _shop_time(moment: int) -> str:
    return datetime.fromtimestamp(moment, SHANGHAI).isoformat()
