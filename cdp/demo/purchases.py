"""Baskets of the purchases: what every order contains, costs, and becomes. Columns only, written by the feeds."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cdp.demo.behaviour import Behaviour
from cdp.demo.calendar import Calendar
from cdp.demo.catalogue import Catalogue
from cdp.demo.dice import Dice, Flags, Integers
from cdp.demo.difficulty import Difficulty
from cdp.demo.person import Person

ORDER_IDS_FROM = 5_601_000_000_000
WEB, MOBILE, POS = 0, 1, 2
PAID, REFUNDED, PARTLY_REFUNDED, VOIDED, TEST, PENDING = range(6)
COUPONS = ("", "WELCOME10", "LANTERN15", "DOUBLE11")


@dataclass(frozen=True)
class Orders:
    """One entry per order, in the order of time; ``-1`` as person is a sale over the counter to nobody known.

    Amounts in hundredths of the currency (CNY for zh, GBP for en). ``lines_from`` has one entry more than there are
    orders: the lines of order i are ``lines_from[i]`` up to ``lines_from[i + 1]``.
    """

    person: Integers
    placed_at: Integers
    is_chinese: Flags
    channel: Integers
    is_guest: Flags
    fate: Integers
    coupon: Integers
    subtotal: Integers
    discount: Integers
    shipping: Integers
    lines_from: Integers
    line_product: Integers
    line_quantity: Integers

    def __len__(self) -> int:
        return len(self.person)

    @cached_property
    def total(self) -> Integers:
        """What the customer pays."""
        return self.subtotal - self.discount + self.shipping

    def lines(self, order: int) -> list[tuple[int, int]]:
        """(product, quantity) of an order."""
        span = slice(int(self.lines_from[order]), int(self.lines_from[order + 1]))
        return list(zip(self.line_product[span].tolist(), self.line_quantity[span].tolist(), strict=True))


def fill_baskets(
    behaviour: Behaviour,
    people: list[Person],
    calendar: Calendar,
    catalogue: Catalogue,
    difficulty: Difficulty,
    rolls: Dice,
) -> Orders:
    """Turn purchases into orders, and add the orders that are no purchases: voided, test, pending, and walk-ins."""
    person, placed, fate = _with_other_orders(behaviour, calendar, rolls)
    count = len(person)
    speaks_chinese = np.array([someone.language == "zh" for someone in people] + [True])
    has_account = np.array([someone.customer > 0 for someone in people] + [False])
    is_chinese, walk_in = speaks_chinese[person], person < 0
    channel = np.where(walk_in, POS, rolls.choice([WEB, MOBILE, POS], count, p=[0.5, 0.38, 0.12]))
    busy = calendar.bustle()[calendar.day_of(placed)] > 1.45
    lines = 1 + rolls.poisson(0.8 + 0.6 * busy)
    lines_from = np.concatenate([[0], np.cumsum(lines)])
    product = rolls.choice(len(catalogue.products), lines_from[-1], p=catalogue.weights)
    quantity = 1 + rolls.poisson(0.25, lines_from[-1])
    cents = np.where(np.repeat(is_chinese, lines), catalogue.cents["zh"][product], catalogue.cents["en"][product])
    subtotal = np.add.reduceat(cents * quantity, lines_from[:-1]).astype(np.int64) if count else np.zeros(0, np.int64)
    coupon = np.where(rolls.random(count) < 0.12, rolls.integers(1, 3, count), 0)
    coupon = np.where(busy & (rolls.random(count) < 0.6), 3, coupon)
    discount = (subtotal * np.array([0.0, 0.10, 0.15, 0.25])[coupon]).astype(np.int64)
    free = (channel == POS) | (subtotal > np.where(is_chinese, 30_000, 4_000))
    return Orders(
        person=person,
        placed_at=placed,
        is_chinese=is_chinese,
        channel=channel,
        is_guest=~has_account[person] | (rolls.random(count) < difficulty.guest),
        fate=fate,
        coupon=coupon,
        subtotal=subtotal,
        discount=discount,
        shipping=np.where(free, 0, np.where(is_chinese, 1_200, 395)),
        lines_from=lines_from,
        line_product=product,
        line_quantity=quantity,
    )


def _with_other_orders(behaviour: Behaviour, calendar: Calendar, rolls: Dice) -> tuple[Integers, Integers, Integers]:
    """(person, placed_at, fate) of all orders by time; about 3 % beside the purchases."""
    bought = len(behaviour.purchase_at)
    fate = rolls.choice([PAID, REFUNDED, PARTLY_REFUNDED], bought, p=[0.945, 0.03, 0.025])
    spoilt = rolls.integers(0, max(bought, 1), bought // 40)
    walk_ins = bought // 80
    person = np.concatenate([behaviour.purchase_person, behaviour.purchase_person[spoilt], np.full(walk_ins, -1)])
    placed = np.concatenate(
        [
            behaviour.purchase_at,
            np.maximum(behaviour.purchase_at[spoilt] - rolls.integers(120, 900, len(spoilt)), calendar.start),
            calendar.start + (rolls.random(walk_ins) * (calendar.end - calendar.start)).astype(np.int64),
        ]
    )
    others = rolls.choice([VOIDED, TEST, PENDING], len(spoilt), p=[0.6, 0.2, 0.2])
    fate = np.concatenate([fate, others, np.full(walk_ins, PAID)])
    in_time = np.lexsort((fate, person, placed))
    return person[in_time], placed[in_time], fate[in_time]
