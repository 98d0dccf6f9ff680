"""Segment events: gzipped JSON lines, one file a day.

Ten million events fit into bounded memory because visits, not events, are planned ahead: about a hundred bytes each.
Days are taken in order, as many at a time as make ``_VISITS_AT_ONCE`` visits, expanded to events as columns, written
as text, and forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import numpy as np
import polars as pl

from cdp.demo.calendar import DAY
from cdp.demo.catalogue import Catalogue
from cdp.demo.delivery import Line, json_lines
from cdp.demo.dice import Dice, Integers, chances, coins, dice, scramble
from cdp.demo.feeds.web_fragments import (
    ADDED,
    CHECKOUT,
    COMPLETED,
    IDENTIFY,
    LANDING,
    PRODUCT_PAGE,
    SEARCH,
    VIEWED,
    Fragments,
    build_fragments,
)
from cdp.demo.feeds.web_traits import identify_call, order_event
from cdp.demo.noise import AGES_AHEAD, ABSENT, BELL, TOO_LONG, TORN, Damage
from cdp.demo.purchases import Orders
from cdp.demo.visits import AT_CHECKOUT, AT_START, Visits
from cdp.demo.world import World

_VISITS_AT_ONCE = 12_000
_SALT_MESSAGE = 31
WEB = json_lines(
    "web",
    "events.jsonl.gz",
    (
        TORN,
        Damage("missing", {"messageId": ABSENT}),
        Damage("wrong_type", {"userId": {"id": "17"}}),
        Damage("out_of_range", {"timestamp": AGES_AHEAD}),
        Damage("not_in_set", {"type": "purchase"}),
        Damage("bad_format", {"timestamp": "yesterday"}),
        Damage("too_long", {"messageId": TOO_LONG}),
        Damage("bad_format", {"messageId": BELL}),
        Damage("missing", {"timestamp": ABSENT, "originalTimestamp": ABSENT, "sentAt": ABSENT, "receivedAt": ABSENT}),
    ),
)


@dataclass(frozen=True)
class Events:
    """One entry per event, by delivery: ``visit`` is an index into the visits at hand, ``thing`` a product or -1."""

    visit: Integers
    kind: Integers
    thing: Integers
    position: Integers
    happened_ms: Integers
    received_ms: Integers


def web_days(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, lines) of every day with traffic, in order."""
    visits, fragments = world.visits, build_fragments(world)
    by_day = np.searchsorted(visits.delivered_on, np.arange(world.calendar.days + 1))
    day = 0
    while day < world.calendar.days:
        until = int(np.searchsorted(by_day, by_day[day] + _VISITS_AT_ONCE, side="right")) - 1
        until = min(max(until, day + 1), world.calendar.days)
        span = slice(int(by_day[day]), int(by_day[until]))
        chunk = visits.take(span)
        if len(chunk):
            yield from _days(world, fragments, chunk, int(by_day[day]), dice(world.seed, f"web {day}"))
        day = until


def _days(world: World, fragments: Fragments, visits: Visits, first: int, rolls: Dice) -> Iterator[tuple[int, list[Line]]]:
    events = _expand(visits, world.orders, world.catalogue, world.favourites, rolls, world.calendar.start)
    texts = _texts(world, fragments, visits, events, first)
    days = visits.delivered_on[events.visit]
    person = visits.person[events.visit].tolist()
    lines = [
        Line(text.encode(), world.people[whose].person_id if whose >= 0 else "")
        for text, whose in zip(texts, person, strict=True)
    ]
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(lines)]
    for begin, end in zip(cuts, cuts[1:], strict=False):
        yield int(days[begin]), lines[begin:end]


def _expand(visits: Visits, orders: Orders, catalogue: Catalogue, favourites: Integers, rolls: Dice, start: int) -> Events:
    """Every visit becomes a landing page, perhaps a search, product views, and what a purchase needs."""
    count = len(visits)
    index, order = np.arange(count), visits.order
    buys = order >= 0
    bought = np.where(buys, orders.lines_from[order + 1] - orders.lines_from[order], 0)
    searches = rolls.random(count) < 0.3
    pages = visits.views // 2
    adds = np.where(buys, bought, rolls.random(count) < 0.18)
    at_start, at_checkout = visits.identify == AT_START, visits.identify == AT_CHECKOUT
    view_of, add_of, page_of = np.repeat(index, visits.views), np.repeat(index, adds), np.repeat(index, pages)
    viewed = _viewed(view_of, visits, catalogue, favourites, rolls)
    added = _added(add_of, order, orders, viewed, view_of, catalogue, rolls)
    after_views = 2 + 2 * visits.views
    after_adds = after_views + adds
    parts = [
        (index, LANDING, -1, np.zeros(count, dtype=np.int64)),
        (index[at_start], IDENTIFY, -1, np.full(at_start.sum(), 1)),
        (index[searches], SEARCH, -1, np.full(searches.sum(), 2)),
        (view_of, VIEWED, viewed, 4 + 2 * _rank(view_of)),
        (page_of, PRODUCT_PAGE, viewed[_nth(view_of, page_of)], 3 + 2 * _rank(page_of)),
        (add_of, ADDED, added, 3 + after_views[add_of] + _rank(add_of)),
        (index[buys], CHECKOUT, -1, 3 + after_adds[buys]),
        (index[at_checkout], IDENTIFY, -1, 4 + after_adds[at_checkout]),
        (index[buys], COMPLETED, -1, 5 + after_adds[buys]),
    ]
    visit = np.concatenate([part[0] for part in parts])
    kind = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    thing = np.concatenate([np.broadcast_to(part[2], len(part[0])) for part in parts])
    position = np.concatenate([part[3] for part in parts])
    pace = rolls.integers(5_000, 32_000, count)
    begins = visits.start * 1000 - np.where(buys, (5 + after_adds) * pace, 0)
    happened = begins[visit] + position * pace[visit] + (scramble(visit * 64 + position, 5) % np.uint64(900)).astype(np.int64)
    happened = np.where(kind == COMPLETED, visits.start[visit] * 1000, happened)
    due = start + visits.delivered_on * DAY  # what was offline is sent in the morning of the day of delivery
    waits = np.where(visits.delivered_on > (visits.start - start) // DAY, (due - visits.start) * 1000 + 25_200_000, 0)
    received = happened + waits[visit] + 200 + (scramble(position * 7 + visit, 6) % np.uint64(2_500)).astype(np.int64)
    by = np.lexsort((position, visit, received, visits.delivered_on[visit]))
    return Events(visit[by], kind[by], thing[by], position[by], happened[by], received[by])


def _rank(groups: Integers) -> Integers:
    """0, 1, 2 … within each run of equal values."""
    if not len(groups):
        return groups
    begins = np.concatenate([[True], groups[1:] != groups[:-1]])
    return np.arange(len(groups)) - np.flatnonzero(begins)[np.cumsum(begins) - 1]


def _nth(view_of: Integers, page_of: Integers) -> Integers:
    """Index of the view that the nth product page of a visit shows."""
    return np.searchsorted(view_of, page_of) + _rank(page_of)


def _viewed(view_of: Integers, visits: Visits, catalogue: Catalogue, favourites: Integers, rolls: Dice) -> Integers:
    """Half of the views are of the visitor's favourite category, the others follow demand."""
    anything = rolls.choice(len(catalogue.products), len(view_of), p=catalogue.weights)
    table = catalogue.by_category
    whose = visits.person[view_of]
    category = favourites[whose]
    liked = table[category, rolls.integers(0, table.shape[1], len(view_of))]
    return np.where((whose >= 0) & (rolls.random(len(view_of)) < 0.5), liked, anything)


def _added(
    add_of: Integers, order: Integers, orders: Orders, viewed: Integers, view_of: Integers, catalogue: Catalogue, rolls: Dice
) -> Integers:
    """What goes into the basket: the lines of the order, or the first thing looked at."""
    if not len(add_of):
        return add_of
    line = orders.lines_from[np.maximum(order[add_of], 0)] + _rank(add_of)
    line = np.minimum(line, len(orders.line_product) - 1)
    first_view = viewed[np.searchsorted(view_of, add_of)]
    return np.where(order[add_of] >= 0, orders.line_product[line], first_view)


def _texts(world: World, fragments: Fragments, visits: Visits, events: Events, first: int) -> list[str]:
    """The JSON text of every event, put together from fragments."""
    visit, kind = events.visit, events.kind
    chinese = fragments.is_chinese(visits)
    own = _own_parts(world, fragments, visits, events, chinese)
    page = [fragments.pages[at] for at in fragments.place(kind, events.thing, chinese[visit])]
    contexts = fragments.contexts(world, visits)
    signed = visits.is_signed_in[visit] & _is_after_identify(visits, events)
    users = [f'"{who}"' if who else "null" for who in world.customer_ids]
    user = [users[whose] if known else "null" for whose, known in zip(visits.person[visit].tolist(), signed.tolist(), strict=True)]
    anonymous = [f"{value:016x}" for value in scramble(visits.cookie, 21).tolist()]
    message = scramble((visit + first) * 128 + events.position * 2 + (kind == IDENTIFY), _SALT_MESSAGE).tolist()
    times = pl.DataFrame({"at": events.happened_ms, "sent": events.received_ms - 120, "received": events.received_ms})
    stamps = times.select(pl.all().cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    return [
        f'{{{mine},"messageId":"ajs-{number:016x}","anonymousId":"{anonymous[which]}","userId":{whose},'
        f'"timestamp":"{at}","sentAt":"{sent}","receivedAt":"{received}","version":"1.1","channel":"browser",'
        f'"integrations":{{}},"context":{{{contexts[which]},"page":{shown}}}}}'
        for mine, number, which, whose, at, sent, received, shown in zip(
            own, message, visit.tolist(), user, *(stamps[name].to_list() for name in ("at", "sent", "received")), page, strict=True
        )
    ]


def _is_after_identify(visits: Visits, events: Events) -> Integers:
    """Events before the identify call of a checkout are still anonymous."""
    at_checkout = visits.identify[events.visit] == AT_CHECKOUT
    return ~at_checkout | (events.kind == COMPLETED) | (events.kind == IDENTIFY)


def _own_parts(world: World, fragments: Fragments, visits: Visits, events: Events, chinese: Integers) -> list[str]:
    """Type, name and properties of every event: from a table, or written for this one event."""
    own = [fragments.own[at] for at in fragments.place(events.kind, events.thing, chinese[events.visit])]
    bare = chances(visits.cookie * 3 + 1, 41) < world.difficulty.bare_identify
    draw = coins(world.seed, f"traits {int(visits.delivered_on[0])}")
    encode = msgspec.json.encode
    for at in np.flatnonzero((events.kind == IDENTIFY) | (events.kind == COMPLETED) | (events.kind == CHECKOUT)).tolist():
        which = int(events.visit[at])
        order, whose = int(visits.order[which]), int(visits.person[which])
        if events.kind[at] == IDENTIFY:
            part = identify_call(world.people[whose], int(visits.start[which]), bool(bare[which]), draw)
        else:
            part = order_event(world, order, bool(events.kind[at] == COMPLETED))
        own[at] = encode(part)[1:-1].decode()
    return own
