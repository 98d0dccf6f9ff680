"""Visits to the shop's site: which person, on which device, behind which cookie, signed in or not. Columns only.

A cookie starts anonymous and is signed in after a visit or two, or when its owner checks out. From then on it stays
signed in; another member of the household who borrows the device signs in first, and so does the owner afterwards.
Some visits are delivered days late (telephones that were offline), robots visit a lot and are nobody.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, fields
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from cdp.demo.calendar import DAY, Calendar
from cdp.demo.campaigns import Messages
from cdp.demo.dice import Dice, Flags, Integers, chances
from cdp.demo.difficulty import Difficulty
from cdp.demo.person import Person
from cdp.demo.purchases import MOBILE, POS, Orders

T = TypeVar("T", bound=np.generic)

NO_IDENTIFY, AT_START, AT_CHECKOUT = 0, 1, 2
DEVICES = 4  # numbers per person: desktop, telephone, tablet, and one that never signs in
UNCLAIMED = 3
_FIRST_SIGN_IN_WITHIN = 27 * DAY  # earlier visits of a cookie could not be known to anybody
_SALT_DEVICES, _SALT_ROTATES, _SALT_WHEN, _SALT_BORROWS = 11, 12, 13, 14


@dataclass(frozen=True)
class Visits:
    """One entry per visit, ordered by day of delivery and time. ``-1``: no person (robot), no order, no campaign."""

    person: Integers
    device: Integers
    cookie: Integers
    start: Integers
    views: Integers
    order: Integers
    campaign: Integers
    identify: Integers
    is_signed_in: Flags
    delivered_on: Integers

    def __len__(self) -> int:
        return len(self.person)

    def take(self, chosen: Integers | Flags | slice) -> Visits:
        """Some visits, in the order asked for."""
        return Visits(*(getattr(self, column.name)[chosen] for column in fields(self)))


@dataclass(frozen=True)
class Audience:
    """What the visits need to know of each person, as columns. ``active_from`` is -1 for those who never visit."""

    active_from: Integers
    active_until: Integers
    visits_expected: Integers
    devices: Integers
    mate: Integers
    has_account: Flags
    identifies: Flags


def audience(
    people: list[Person], known_from: Integers, left_at: Integers, calendar: Calendar, rolls: Dice
) -> Audience:
    """Who visits, how long and how often. Robots are no persons."""
    count = len(people)
    number = np.arange(count)
    kind = np.array([someone.kind for someone in people])
    has_account = np.array([someone.customer > 0 for someone in people], dtype=np.bool_)
    start = np.maximum(known_from - rolls.integers(1, 20, count) * DAY, calendar.start)
    until = np.where(left_at >= 0, left_at + rolls.integers(5, 60, count) * DAY, calendar.end)
    until = np.where(kind == "lead", start + rolls.integers(10, 200, count) * DAY, until)
    until = np.where(kind == "visitor", start + rolls.integers(1, 12, count) * DAY, until)
    until = np.minimum(np.maximum(until, start + DAY), calendar.end)
    span = (until - start) / DAY
    expected = np.where(kind == "buyer", 1.3 + span / 26.0, np.where(kind == "lead", 1.0 + span / 60.0, 1.2))
    luck = chances(number, _SALT_DEVICES)
    households: defaultdict[int, list[int]] = defaultdict(list)
    for someone in people:
        households[someone.household].append(someone.number - 1)
    mate = np.array([_mate(households[someone.household], someone.number - 1) for someone in people], dtype=np.int64)
    return Audience(
        active_from=np.where((kind == "lead") & (luck > 0.7), -1, start),
        active_until=until,
        visits_expected=rolls.poisson(expected),
        devices=np.where(has_account, 1 + (luck < 0.5) + (luck < 0.12), 1),
        mate=mate,
        has_account=has_account,
        identifies=kind != "visitor",
    )


def _mate(household: list[int], number: int) -> int:
    others = [other for other in household if other != number]
    return others[number % len(others)] if others else -1


def plan_visits(
    who: Audience, orders: Orders, messages: Messages, calendar: Calendar, difficulty: Difficulty, rolls: Dice
) -> Visits:
    """All visits: browsing, after a click in a mailing, to buy, and those of robots."""
    browsing = _browse(who, calendar, rolls)
    came = (messages.clicked_at >= 0) & (messages.clicked_at < calendar.end) & (who.active_from[messages.person] >= 0)
    clicked = np.flatnonzero(came)
    bought = np.flatnonzero((orders.channel != POS) & (orders.person >= 0))
    person = np.concatenate([browsing[0], messages.person[clicked], orders.person[bought]])
    start = np.concatenate([browsing[1], messages.clicked_at[clicked], orders.placed_at[bought]])
    nothing = np.full(len(person), -1)
    order, campaign = nothing.copy(), nothing.copy()
    order[len(person) - len(bought) :] = bought
    campaign[len(browsing[0]) : len(browsing[0]) + len(clicked)] = messages.campaign[clicked]
    device = _devices(who, person, order, orders, difficulty, rolls)
    rotates_at = np.where(
        (chances(device, _SALT_ROTATES) < 0.18) & who.has_account[person],
        calendar.start + chances(device, _SALT_WHEN) * calendar.days * DAY,
        calendar.end,
    )
    visits = Visits(
        person=person,
        device=device,
        cookie=device * 2 + (start > rotates_at),
        start=start,
        views=1 + rolls.geometric(0.45, len(person)),
        order=order,
        campaign=campaign,
        identify=np.zeros(len(person), dtype=np.int64),
        is_signed_in=np.zeros(len(person), dtype=np.bool_),
        delivered_on=_delivery(start, device, calendar, difficulty, rolls),
    )
    visits = _signed_in(visits, who, orders, rolls) if len(visits) else visits
    visits = _joined(visits, _robots(len(visits), len(who.devices), calendar, rolls))
    return visits.take(np.lexsort((visits.order, visits.cookie, visits.start, visits.delivered_on)))


def _browse(who: Audience, calendar: Calendar, rolls: Dice) -> tuple[Integers, Integers]:
    """(person, start) of visits without a purpose, more of them on busy days and in the evening."""
    counts = np.where(who.active_from >= 0, np.maximum(who.visits_expected, ~who.identifies), 0)
    person = np.repeat(np.arange(len(counts)), counts)
    bustle = np.concatenate([[0.0], np.cumsum(calendar.bustle())])
    edges = calendar.start + np.arange(calendar.days + 1) * DAY
    since = np.interp(who.active_from, edges, bustle)[person]
    until = np.interp(who.active_until, edges, bustle)[person]
    moment = np.interp(since + rolls.random(len(person)) * (until - since), bustle, edges)
    day = np.clip((moment - calendar.start) // DAY, 0, calendar.days - 1)
    clock = np.clip(rolls.normal(17.5, 4.0, len(person)) * 3_600, 600, DAY - 3_600)
    start = calendar.start + day * DAY + clock
    return person, np.clip(start, who.active_from[person], calendar.end - 3_600).astype(np.int64)


def _devices(
    who: Audience, person: Integers, order: Integers, orders: Orders, difficulty: Difficulty, rolls: Dice
) -> Integers:
    """Device of each visit: one's own, a borrowed one, or one that never signs in."""
    own = (rolls.random(len(person)) * who.devices[person]).astype(np.int64)
    by_phone = (order >= 0) & (_of_orders(orders.channel, order) == MOBILE) & (who.devices[person] > 1)
    own = np.where(by_phone, 1, own)
    stray = who.has_account[person] & (order < 0) & (chances(person, _SALT_DEVICES + 50) < difficulty.unclaimed_device)
    own = np.where(stray & (rolls.random(len(person)) < 0.3), UNCLAIMED, own)
    mate = who.mate[person]
    may_borrow = (mate >= 0) & who.has_account[person] & who.has_account[mate] & (who.active_from[mate] >= 0)
    borrows = (
        may_borrow & (chances(person, _SALT_BORROWS) < 0.3) & (rolls.random(len(person)) < 0.35) & (own != UNCLAIMED)
    )
    return np.where(borrows, mate * DEVICES, person * DEVICES + own)


def _of_orders(values: NDArray[T], order: Integers) -> NDArray[T]:
    """The values of the orders of visits; of a visit without one, any: a short period may have no order at all."""
    return values[np.maximum(order, 0)] if len(values) else np.zeros(len(order), values.dtype)


def _delivery(start: Integers, device: Integers, calendar: Calendar, difficulty: Difficulty, rolls: Dice) -> Integers:
    offline = (device % DEVICES > 0) & (rolls.random(len(start)) < 2 * difficulty.late)
    lag = np.where(offline, rolls.integers(1, 7, len(start)), 0)
    return np.minimum(calendar.day_of(start) + lag, calendar.days - 1)


def _signed_in(visits: Visits, who: Audience, orders: Orders, rolls: Dice) -> Visits:
    """Decide for each cookie when it is first signed in, and where an identify call stands."""
    visits = visits.take(np.lexsort((visits.order, visits.start, visits.cookie)))
    cookie, person = visits.cookie, visits.person
    owner = visits.device // DEVICES
    begins = np.concatenate([[True], cookie[1:] != cookie[:-1]])
    first = np.flatnonzero(begins)
    group = np.cumsum(begins) - 1
    rank = np.arange(len(visits)) - first[group]
    sizes = np.diff(np.concatenate([first, [len(visits)]]))
    patience = np.minimum(rolls.geometric(0.5, len(first)) - 1, sizes - 1)
    with_account = (visits.order >= 0) & who.has_account[person] & ~_of_orders(orders.is_guest, visits.order)
    must = with_account | (person != owner)
    claims = who.identifies[owner] & (visits.device % DEVICES != UNCLAIMED)
    guest_only = claims & ~who.has_account[owner]
    must |= guest_only & (visits.order >= 0)
    ordered = np.maximum.reduceat(visits.order, first) >= 0
    patience = np.where(guest_only[first] & ordered, sizes, patience)
    at_most = np.minimum.reduceat(np.where(must, rank, sizes[group]), first)
    signs_at = np.where(claims[first] | (at_most < sizes), np.minimum(patience, at_most), sizes)
    signed = rank >= signs_at[group]
    previous = np.concatenate([[-1], person[:-1]])
    news = signed & ((rank == signs_at[group]) | (previous != person))
    late_choice = (
        (visits.order >= 0) & (rank == signs_at[group]) & (person == owner) & (rolls.random(len(visits)) < 0.6)
    )
    again = signed & (rolls.random(len(visits)) < 0.12)
    identify = np.where(news | again, np.where(late_choice & news, AT_CHECKOUT, AT_START), NO_IDENTIFY)
    first_signed = np.minimum(first + signs_at, len(visits) - 1)
    in_reach = (
        signed
        | (signs_at == sizes)[group]
        | (visits.start >= visits.start[first_signed][group] - _FIRST_SIGN_IN_WITHIN)
    )
    changed = {column.name: getattr(visits, column.name) for column in fields(visits)}
    return Visits(**changed | {"identify": identify, "is_signed_in": signed}).take(in_reach)


def _robots(humans: int, people: int, calendar: Calendar, rolls: Dice) -> Visits:
    """A dozen crawlers and price watchers, with long visits from ever the same cookies."""
    count = humans // 150
    robot = rolls.integers(0, 12, count)
    start = calendar.start + (rolls.random(count) * (calendar.days * DAY - 7_200)).astype(np.int64)
    device = (people + robot) * DEVICES
    nothing = np.full(count, -1)
    return Visits(
        nothing, device, device * 2, start, rolls.integers(10, 30, count), nothing, nothing,
        np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.bool_), calendar.day_of(start),
    )  # fmt: skip


def _joined(one: Visits, other: Visits) -> Visits:
    columns = ((getattr(one, column.name), getattr(other, column.name)) for column in fields(one))
    return Visits(*(np.concatenate(pair) for pair in columns))
