"""Segment events: gzipped JSON lines, one file a day.

Ten million events fit into bounded memory because visits, not events, are planned ahead: about a hundred bytes each.
Days are taken in order, as many at a time as make ``VISITS_AT_ONCE`` visits, expanded to events as columns, written
as text, and forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import msgspec
import numpy as np
import polars as pl

from cdp.demo.delivery import Line, json_lines
from cdp.demo.dice import Dice, Flags, anonymous_ids, chances, coins, dice, scramble
from cdp.demo.feeds.web_events import Events, expand
from cdp.demo.feeds.web_fragments import (
    CHECKOUT,
    COMPLETED,
    IDENTIFY,
    Fragments,
    build_fragments,
)
from cdp.demo.feeds.web_traits import identify_call, order_event
from cdp.demo.noise import ABSENT, AGES_AHEAD, BELL, TOO_LONG, TORN, Damage
from cdp.demo.visits import AT_CHECKOUT, Visits
from cdp.demo.world import World

VISITS_AT_ONCE = 12_000
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


def web_days(world: World, visits_at_once: int = VISITS_AT_ONCE) -> Iterator[tuple[int, list[Line]]]:
    """(day, lines) of every day with traffic, in order."""
    visits, fragments = world.visits, build_fragments(world)
    by_day = np.searchsorted(visits.delivered_on, np.arange(world.calendar.days + 1))
    day = 0
    while day < world.calendar.days:
        until = int(np.searchsorted(by_day, by_day[day] + visits_at_once, side="right")) - 1
        until = min(max(until, day + 1), world.calendar.days)
        span = slice(int(by_day[day]), int(by_day[until]))
        chunk = visits.take(span)
        if len(chunk):
            yield from _days(world, fragments, chunk, int(by_day[day]), dice(world.seed, f"web {day}"))
        day = until


def _days(
    world: World, fragments: Fragments, visits: Visits, first: int, rolls: Dice
) -> Iterator[tuple[int, list[Line]]]:
    events = expand(visits, world.orders, world.catalogue, world.favourites, rolls, world.calendar.start)
    texts = _texts(world, fragments, visits, events, first)
    days = visits.delivered_on[events.visit]
    person, names = visits.person[events.visit].tolist(), world.person_ids
    lines = [Line(text.encode(), names[whose]) for text, whose in zip(texts, person, strict=True)]
    cuts = [0, *(np.flatnonzero(np.diff(days)) + 1).tolist(), len(lines)]
    for begin, end in pairwise(cuts):
        yield int(days[begin]), lines[begin:end]


def _texts(world: World, fragments: Fragments, visits: Visits, events: Events, first: int) -> list[str]:
    """The JSON text of every event, put together from fragments."""
    visit, kind = events.visit, events.kind
    chinese = fragments.is_chinese(visits)
    own = _own_parts(world, fragments, visits, events, chinese)
    page = [fragments.pages[at] for at in fragments.place(kind, events.thing, chinese[visit])]
    contexts = fragments.contexts(world, visits)
    signed = visits.is_signed_in[visit] & _is_after_identify(visits, events)
    users = [f'"{who}"' if who else "null" for who in world.customer_ids]
    user = [
        users[whose] if known else "null"
        for whose, known in zip(visits.person[visit].tolist(), signed.tolist(), strict=True)
    ]
    anonymous = anonymous_ids(visits.cookie)
    message = scramble((visit + first) * 128 + events.position * 2 + (kind == IDENTIFY), _SALT_MESSAGE).tolist()
    times = pl.DataFrame({"at": events.happened_ms, "sent": events.received_ms - 120, "received": events.received_ms})
    stamps = times.select(pl.all().cast(pl.Datetime("ms")).dt.strftime("%Y-%m-%dT%H:%M:%S.%3fZ"))
    return [
        f'{{{mine},"messageId":"ajs-{number:016x}","anonymousId":"{anonymous[which]}","userId":{whose},'
        f'"timestamp":"{at}","sentAt":"{sent}","receivedAt":"{received}","version":"1.1","channel":"browser",'
        f'"integrations":{{}},"context":{{{contexts[which]},"page":{shown}}}}}'
        for mine, number, which, whose, at, sent, received, shown in zip(
            own,
            message,
            visit.tolist(),
            user,
            *(stamps[name].to_list() for name in ("at", "sent", "received")),
            page,
            strict=True,
        )
    ]


def _is_after_identify(visits: Visits, events: Events) -> Flags:
    """Events before the identify call of a checkout are still anonymous."""
    at_checkout = visits.identify[events.visit] == AT_CHECKOUT
    return np.asarray(~at_checkout | (events.kind == COMPLETED) | (events.kind == IDENTIFY), dtype=np.bool_)


def _own_parts(world: World, fragments: Fragments, visits: Visits, events: Events, chinese: Flags) -> list[str]:
    """Type, name and properties of every event: from a table, or written for this one event."""
    own = [fragments.own[at] for at in fragments.place(events.kind, events.thing, chinese[events.visit])]
    bare = chances(visits.cookie * 3 + 1, 41) < world.difficulty.bare_identify
    draw = coins(world.seed, f"traits {int(visits.delivered_on[0])}")
    encode = msgspec.json.encode
    for at in np.flatnonzero(
        (events.kind == IDENTIFY) | (events.kind == COMPLETED) | (events.kind == CHECKOUT)
    ).tolist():
        which = int(events.visit[at])
        order, whose = int(visits.order[which]), int(visits.person[which])
        if events.kind[at] == IDENTIFY:
            part = identify_call(world.people[whose], int(visits.start[which]), bool(bare[which]), draw)
        else:
            part = order_event(world, order, bool(events.kind[at] == COMPLETED))
        own[at] = encode(part)[1:-1].decode()
    return own
