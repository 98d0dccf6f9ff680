"""The web events that are written one by one: identify calls, checkouts and completed orders."""

from __future__ import annotations

import random

from cdp.demo.feeds.web_fragments import product_properties
from cdp.demo.person import Person
from cdp.demo.purchases import COUPONS, ORDER_IDS_FROM
from cdp.demo.world import World


def identify_call(person: Person, moment: int, is_bare: bool, draw: random.Random) -> dict[str, object]:
    """Type and traits: of account holders a part of what is known, or nothing; others must say who they are."""
    if not person.customer:
        return {"type": "identify", "traits": _contact_of_guest(person, moment, draw)}
    if is_bare:
        return {"type": "identify", "traits": {"language": person.language}}
    traits: dict[str, object] = {}
    if person.shop_email_shown:
        traits["email"] = person.email
    if person.shop_phone_shown:
        traits["phone"] = person.phone_at(moment)
    part = draw.random()
    if part < 0.7:
        traits |= {"firstName": person.shop_names.given, "lastName": person.shop_names.family}
    if part < 0.3:
        home = person.home_at(moment)
        traits["address"] = {"city": home.city, "country": home.country, "postalCode": home.postcode}
    return {"type": "identify", "traits": traits}


def _contact_of_guest(person: Person, moment: int, draw: random.Random) -> dict[str, object]:
    email = person.crm_email if person.in_crm else person.email
    traits: dict[str, object] = {"email": email}
    if person.shares_email or draw.random() < 0.5:
        traits |= {"firstName": person.shop_names.given, "lastName": person.shop_names.family}
    if draw.random() < 0.2:
        traits["phone"] = person.phone_at(moment)
    return traits


def order_event(world: World, order: int, is_completed: bool) -> dict[str, object]:
    """Checkout Started, or Order Completed with the id of the shop's order."""
    orders, products = world.orders, world.catalogue.products
    language = "zh" if orders.is_chinese[order] else "en"
    items = []
    for product, quantity in orders.lines(order):
        items.append(product_properties(products[product], language) | {"quantity": quantity})
    properties: dict[str, object] = {
        "checkout_id": f"chk-{order:09d}",
        "currency": "CNY" if language == "zh" else "GBP",
        "total": int(orders.total[order]) / 100,
        "discount": int(orders.discount[order]) / 100,
        "shipping": int(orders.shipping[order]) / 100,
        "coupon": COUPONS[int(orders.coupon[order])],
        "products": items,
    }
    if is_completed:
        properties |= {"order_id": str(ORDER_IDS_FROM + order), "revenue": int(orders.subtotal[order]) / 100}
    return {
        "type": "track",
        "event": "Order Completed" if is_completed else "Checkout Started",
        "properties": properties,
    }
