"""Delighted NPS: a weekly CSV export of answers to the question that follows some purchases."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from cdp.demo.calendar import DAY, shanghai
from cdp.demo.delivery import Line, csv_table
from cdp.demo.noise import ABSENT, BELL, TOO_LONG, Damage, csv_line
from cdp.demo.person import Person
from cdp.demo.phrases import opinion
from cdp.demo.purchases import ORDER_IDS_FROM, PAID, PARTLY_REFUNDED, REFUNDED
from cdp.demo.scribe import Scribe
from cdp.demo.world import World

COLUMNS = (
    "ID", "Survey Type", "Name", "Email", "Phone Number", "Score", "Comment", "Created At", "Updated At", "Locale",
    "order_id",
)  # fmt: skip
NPS = csv_table(
    "nps",
    "nps.csv",
    (
        Damage("missing", {"Created At": ABSENT}),
        Damage("out_of_range", {"Score": "14"}),
        Damage("wrong_type", {"Score": "eleven"}),
        Damage("bad_format", {"Created At": "yesterday"}),
        Damage("too_long", {"ID": TOO_LONG}),
        Damage("out_of_range", {"Created At": "2199-01-01 00:00:00"}),
        Damage("bad_format", {"ID": BELL}),
    ),
    COLUMNS,
)
_STAMP = "%Y-%m-%d %H:%M:%S"


def nps_weeks(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, answers) of every week; an answer that was edited later comes again."""
    scribe, orders, calendar = world.scribe("nps"), world.orders, world.calendar
    weeks: defaultdict[int, list[Line]] = defaultdict(list)
    for order in range(len(orders)):
        whose = int(orders.person[order])
        if whose < 0 or orders.fate[order] not in {PAID, REFUNDED, PARTLY_REFUNDED} or not scribe.happens(0.16):
            continue
        moment = int(orders.placed_at[order]) + scribe.coins.randrange(6 * DAY, 16 * DAY)
        for version_at, line in _versions(world, order, world.people[whose], moment, scribe):
            if version_at < calendar.end:
                weeks[calendar.week_end(calendar.day(version_at))].append(line)
    yield from sorted(weeks.items())


def _versions(world: World, order: int, person: Person, moment: int, scribe: Scribe) -> Iterator[tuple[int, Line]]:
    draw = scribe.coins
    mood = person.mood + draw.gauss(0.0, 0.5) - (1.2 if world.orders.fate[order] != PAID else 0.0)
    product = world.catalogue.products[world.orders.lines(order)[0][0]].names[person.language]
    comment = opinion(mood, person.language, product, draw) if draw.random() < 0.6 else ""
    score = min(max(round(7.6 + 1.7 * mood), 0), 10)
    email = person.crm_email if person.in_crm and draw.random() < 0.3 else person.known_email
    by_phone = not email or (person.shows_phone and draw.random() < (0.6 if person.language == "zh" else 0.08))
    cells = {
        "ID": 610_000_000 + order,
        "Survey Type": "nps",
        "Name": scribe.names(person.names).full(person.language),
        "Email": "" if by_phone else email,
        "Phone Number": person.phone_at(moment) if by_phone else "",
        "Score": score,
        "Comment": comment,
        "Created At": shanghai(moment, _STAMP),
        "Updated At": shanghai(moment, _STAMP),
        "Locale": person.language,
        "order_id": ORDER_IDS_FROM + order,
    }
    yield moment, Line(csv_line(cells[column] for column in COLUMNS), person.person_id)
    if draw.random() < 0.06:
        later = moment + draw.randrange(3_600, 9 * DAY)
        cells |= {"Score": max(score - 1, 0), "Updated At": shanghai(later, _STAMP)}
        yield later, Line(csv_line(cells[column] for column in COLUMNS), person.person_id)
