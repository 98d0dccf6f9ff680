"""Zendesk tickets: a weekly JSON export of the tickets that were opened or changed."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import msgspec

from cdp.demo.calendar import DAY, iso
from cdp.demo.delivery import Line, json_array
from cdp.demo.noise import ABSENT, AGES_AHEAD, BELL, TOO_LONG, Damage
from cdp.demo.person import Person
from cdp.demo.phrases import opinion, phrases
from cdp.demo.purchases import ORDER_IDS_FROM
from cdp.demo.scribe import Scribe
from cdp.demo.world import World

HOUR = 3_600
TICKETS = json_array(
    "tickets",
    "tickets.json",
    (
        Damage("missing", {"id": ABSENT}),
        Damage("out_of_range", {"created_at": AGES_AHEAD}),
        Damage("not_in_set", {"status": "lost"}),
        Damage("bad_format", {"created_at": "yesterday"}),
        Damage("too_long", {"id": TOO_LONG}),
        Damage("wrong_type", {"external_id": ["17"]}),
        Damage("bad_format", {"id": BELL}),
    ),
    envelope="tickets",
)
_BUSY_MONTHS = {(2026, 3), (2026, 8)}  # when the team was short of people and customers waited


def ticket_weeks(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, tickets) of every week: as they stood at its end; a ticket comes again when it was solved or reopened."""
    scribe, calendar = world.scribe("tickets"), world.calendar
    weeks: defaultdict[int, list[Line]] = defaultdict(list)
    for number, (person, moment, order, cause) in enumerate(_questions(world, scribe)):
        ticket = _ticket(world, number, person, moment, order, cause, scribe)
        opened_in, solved_in = (
            calendar.week_end(calendar.day(at))
            for at in (moment, ticket["_solved"] if ticket["_solved"] < calendar.end else calendar.end - 1)
        )
        solved = ticket.pop("_solved")
        states = sorted({opened_in, solved_in})
        for week in states:
            closes = calendar.start + (week + 1) * DAY
            is_solved = solved < closes and solved < calendar.end
            weeks[week].append(Line(msgspec.json.encode(_as_of(ticket, solved, is_solved)), person.person_id))
    yield from sorted(weeks.items())


def _questions(world: World, scribe: Scribe) -> Iterator[tuple[Person, int, int, str]]:
    """(person, moment, order or -1, cause), by order and then of people who only ask."""
    draw, orders, end = scribe.coins, world.orders, world.calendar.end
    for order in range(len(orders)):
        whose = int(orders.person[order])
        if whose >= 0 and draw.random() < 0.13:
            cause = draw.choices(("delivery", "damage", "return", "payment"), (5, 2, 2, 1))[0]
            moment = int(orders.placed_at[order]) + draw.randrange(2 * HOUR, 12 * DAY)
            if moment < end - HOUR:
                yield world.people[whose], moment, order, cause
    for number, person in enumerate(world.people):
        if person.kind != "visitor" and draw.random() < 0.06:
            moment = int(world.known_from[number]) + draw.randrange(HOUR, 40 * DAY)
            if moment < end - HOUR:
                yield person, moment, -1, "advice"


def _ticket(
    world: World, number: int, person: Person, moment: int, order: int, cause: str, scribe: Scribe
) -> dict[str, Any]:
    draw, language = scribe.coins, person.language
    product = draw.choice(world.catalogue.products).names[language]
    if order >= 0:
        product = world.catalogue.products[world.orders.lines(order)[0][0]].names[language]
    on = world.calendar.date(world.calendar.day(moment))
    slow = 4.0 if (on.year, on.month) in _BUSY_MONTHS else 1.0
    replied = moment + int(draw.lognormvariate(0.4, 0.9) * slow * HOUR) + 60
    solved = replied + int(draw.lognormvariate(2.4, 0.9) * slow * HOUR) + 300
    feeling = person.mood - 0.02 * (solved - moment) / HOUR - (0.6 if cause == "damage" else 0.0) + draw.gauss(0.6, 0.5)
    text = phrases()["requests"][cause][language].replace("{product}", product)
    if draw.random() < 0.4:
        text += " " + opinion(feeling, language, product, draw)
    channel, source = _channel(person, moment, scribe)
    reopens = 1 if feeling < -0.6 and draw.random() < 0.4 else 0
    return {
        "_solved": solved + reopens * draw.randrange(DAY, 4 * DAY),
        "id": 40_000 + number,
        "url": f"https://harbour-lantern.zendesk.example/api/v2/tickets/{40_000 + number}.json",
        "external_id": person.customer_id if person.customer and _knows_account(channel, scribe) else None,
        "type": "question" if cause == "advice" else "problem",
        "subject": phrases()["causes"][cause][language],
        "description": text,
        "priority": draw.choices(("low", "normal", "high", "urgent"), (2, 6, 2, 1))[0],
        "status": "open",
        "requester_id": 380_000_000 + person.number,
        "submitter_id": 380_000_000 + person.number,
        "assignee_id": 235_300 + draw.randrange(8),
        "tags": [cause, language],
        "via": {"channel": channel, "source": {"from": source, "to": {}, "rel": None}},
        "satisfaction_rating": _rating(feeling, number, draw),
        "custom_fields": [],
        "created_at": iso(moment),
        "updated_at": iso(replied),
        "is_public": True,
        "service_stage": phrases()["causes"][cause]["stage"],
        "cause": cause,
        "resolution": draw.choice(phrases()["resolutions"]),
        "order_number_id": str(ORDER_IDS_FROM + order) if order >= 0 else None,
        "language": language,
        "metric_set": {
            "created_at": iso(moment),
            "initially_replied_at": iso(replied),
            "solved_at": iso(solved),
            "reopens": reopens,
        },
    }


def _knows_account(channel: str, scribe: Scribe) -> bool:
    return channel in {"web", "chat"} or scribe.happens(0.45)


def _channel(person: Person, moment: int, scribe: Scribe) -> tuple[str, dict[str, str]]:
    """(channel, who writes): only the signed-in channels may leave out how to reach somebody."""
    channels = ("voice", "chat", "web", "email") if person.language == "zh" else ("email", "web", "chat", "voice")
    channel = scribe.coins.choices(channels, (5, 3, 2, 1))[0]
    name = scribe.names(person.names).full(person.language)
    email = person.crm_email if person.in_crm and scribe.happens(0.3) else person.known_email
    if channel == "voice" and person.shows_phone:
        return "voice", {"name": name, "phone": person.phone_at(moment), "formatted_phone": person.phone_at(moment)}
    if email and (channel == "email" or not person.customer):
        return "email", {"name": name, "address": email}
    return (channel, {}) if channel == "web" else ("chat", {"name": name})


def _rating(feeling: float, number: int, draw: random.Random) -> dict[str, Any]:
    if draw.random() < 0.35:
        return {"id": 900_000 + number, "score": "good" if feeling > -0.5 else "bad", "comment": None}
    return {"score": draw.choice(("offered", "unoffered"))}


def _as_of(ticket: dict[str, Any], solved: int, is_solved: bool) -> dict[str, Any]:
    """The ticket before and after it was solved."""
    metrics = ticket["metric_set"]
    if is_solved:
        return ticket | {
            "status": "solved",
            "updated_at": iso(solved),
            "metric_set": metrics | {"solved_at": iso(solved)},
        }
    return ticket | {
        "resolution": None,
        "satisfaction_rating": {"score": "unoffered"},
        "metric_set": metrics | {"solved_at": None, "reopens": 0},
    }
