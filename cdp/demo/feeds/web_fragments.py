"""Pieces of JSON text that many web events share, encoded once."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
import numpy as np
from mimesis import Internet

from cdp.demo.catalogue import Product
from cdp.demo.dice import Flags, Integers, chances, dice, scramble, uuids
from cdp.demo.phrases import phrases
from cdp.demo.visits import DEVICES, Visits
from cdp.demo.world import World

LANDING, IDENTIFY, SEARCH, PRODUCT_PAGE, VIEWED, ADDED, CHECKOUT, COMPLETED = range(8)
KINDS = 8
HOSTS = {"zh": "https://www.harbour-lantern.cn.example", "en": "https://www.harbour-lantern.example"}
_SOURCES = ("google", "baidu", "xiaohongshu", "weibo", "mastodon", "bing")
_ROBOTS = ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "python-requests/2.32")


@dataclass(frozen=True)
class Fragments:
    """``own``: type, name and properties; ``pages``: context.page. Both by kind of event, language and product."""

    own: list[str]
    pages: list[str]
    agents: tuple[tuple[str, ...], ...]
    speaks_chinese: Flags
    products: int

    def place(self, kind: Integers, thing: Integers, chinese: Flags) -> list[int]:
        """Where the pieces of each event stand in the tables."""
        return (((kind * 2 + chinese) * (self.products + 1)) + thing + 1).tolist()  # type: ignore[no-any-return]

    def is_chinese(self, visits: Visits) -> Flags:
        """Whether a visit is to the Chinese shop; robots visit both."""
        return np.where(visits.person >= 0, self.speaks_chinese[visits.person], visits.device // DEVICES % 2 == 0)

    def contexts(self, world: World, visits: Visits) -> list[str]:
        """What all events of a visit say about browser, place and campaign: JSON members without braces."""
        chinese = self.is_chinese(visits).tolist()
        addresses, luck = scramble(visits.device, 61).tolist(), chances(visits.start * 7 + visits.cookie, 62).tolist()
        names = scramble(visits.device, 63).tolist()
        return [
            self._context(world, *columns)
            for columns in zip(
                chinese,
                visits.device.tolist(),
                visits.campaign.tolist(),
                visits.person.tolist(),
                addresses,
                names,
                uuids(visits.device, 64),
                luck,
                strict=True,
            )
        ]

    def _context(
        self,
        world: World,
        chinese: bool,
        device: int,
        campaign: int,
        person: int,
        address: int,
        name: int,
        uuid: str,
        luck: float,
    ) -> str:
        kind = min(device % DEVICES, 2) if device % DEVICES != 3 else 1
        agents = self.agents[kind]
        agent = agents[name % len(agents)] if person >= 0 else _ROBOTS[device // DEVICES % 2]
        ip = f"{60 + address % 140}.{address >> 8 & 255}.{address >> 16 & 255}.{address >> 24 & 255}"
        locale, zone = ("zh-CN", "Asia/Shanghai") if chinese else ("en-GB", "Europe/London")
        context: dict[str, object] = {"ip": ip, "userAgent": agent, "locale": locale, "timezone": zone}
        context["library"] = {"name": "analytics.js", "version": "2.11.1"}
        if kind:
            context["device"] = {"id": uuid.upper(), "type": "ios" if name % 3 else "android"}
        if campaign >= 0:
            sent = world.messages.campaigns[campaign]
            context["campaign"] = {
                "name": sent.campaign_id,
                "source": "newsletter",
                "medium": "email",
                "content": sent.topic,
            }
        elif luck < 0.18:
            source = _SOURCES[int(luck * 1000) % len(_SOURCES)]
            medium = "cpc" if source in {"google", "baidu", "bing"} else "social"
            context["campaign"] = {"name": "always-on", "source": source, "medium": medium}
        return msgspec.json.encode(context)[1:-1].decode()


def build_fragments(world: World) -> Fragments:
    """Encode every piece for every product and both languages."""
    products = world.catalogue.products
    own, pages = [], []
    for kind in range(KINDS):
        for language in ("en", "zh"):
            for product in (None, *products):
                own.append(msgspec.json.encode(_own(kind, language, product))[1:-1].decode())
                pages.append(msgspec.json.encode(_page(kind, language, product)).decode())
    internet = Internet(seed=int(dice(world.seed, "agents").integers(2**31)))
    drawn = sorted({internet.user_agent() for _ in range(400)})
    phones = tuple(agent for agent in drawn if "Mobile" in agent or "Android" in agent or "iPhone" in agent)
    desktops = tuple(agent for agent in drawn if agent not in phones)
    chinese = np.array([person.language == "zh" for person in world.people], dtype=np.bool_)
    return Fragments(own, pages, (desktops, phones or desktops, phones or desktops), chinese, len(products))


def _own(kind: int, language: str, product: Product | None) -> dict[str, object]:
    shop = phrases()["shop"][language]
    if kind == LANDING:
        return {
            "type": "page",
            "name": "Home",
            "properties": {"title": shop, "url": f"{HOSTS[language]}/", "path": "/"},
        }
    if kind == SEARCH:
        query = phrases()["categories"]["teaware"][language][0]
        return {"type": "track", "event": "Products Searched", "properties": {"query": query}}
    if product is None:
        return {"type": "track", "event": "", "properties": {}}
    if kind == PRODUCT_PAGE:
        path = f"/products/{product.sku.lower()}"
        properties = {"title": f"{product.names[language]} | {shop}", "url": HOSTS[language] + path, "path": path}
        return {"type": "page", "category": product.category, "name": "Product", "properties": properties}
    event = "Product Viewed" if kind == VIEWED else "Product Added"
    return {"type": "track", "event": event, "properties": product_properties(product, language)}


def product_properties(product: Product, language: str) -> dict[str, object]:
    """A product as the e-commerce events carry it."""
    return {
        "product_id": product.product_id,
        "sku": product.sku,
        "category": product.category,
        "name": product.names[language],
        "brand": "Harbour & Lantern",
        "price": product.cents[language] / 100,
        "quantity": 1,
        "currency": "CNY" if language == "zh" else "GBP",
    }


def _page(kind: int, language: str, product: Product | None) -> dict[str, object]:
    shop = phrases()["shop"][language]
    path = {SEARCH: "/search", CHECKOUT: "/checkout", COMPLETED: "/checkout/thank-you", IDENTIFY: "/account"}.get(
        kind, "/"
    )
    title, referrer = shop, HOSTS[language] + "/"
    if product is not None:
        path, title = f"/products/{product.sku.lower()}", f"{product.names[language]} | {shop}"
    if kind == LANDING:
        referrer = ""
    return {"path": path, "referrer": referrer, "search": "", "title": title, "url": HOSTS[language] + path}
