"""E-mail messages: a weekly CSV of what was sent and what became of it, one row an event."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from cdp.demo.calendar import iso
from cdp.demo.delivery import Line, csv_table
from cdp.demo.dice import chances
from cdp.demo.noise import ABSENT, AGES_AHEAD, BELL, TOO_LONG, Damage, csv_line
from cdp.demo.world import World

COLUMNS = (
    "message_id", "campaign_id", "campaign_name", "event", "occurred_at", "email", "customer_id", "cost", "currency",
    "subject", "language",
)  # fmt: skip
EMAIL = csv_table(
    "email",
    "messages.csv",
    (
        Damage("missing", {"message_id": ABSENT}),
        Damage("not_in_set", {"event": "teleported"}),
        Damage("out_of_range", {"occurred_at": AGES_AHEAD}),
        Damage("bad_format", {"occurred_at": "2026-13-45T99:00:00Z"}),
        Damage("wrong_type", {"cost": "cheap"}),
        Damage("too_long", {"message_id": TOO_LONG}),
        Damage("bad_format", {"message_id": BELL}),
        Damage("missing", {"occurred_at": ABSENT}),
    ),
    COLUMNS,
)
_KINDS = ("sent", "delivered", "bounced", "opened", "clicked", "unsubscribed", "complained")


def email_weeks(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, events of messages) of every week with mailings or reactions to them."""
    sent = world.messages
    moments = (
        sent.sent_at,
        np.where(sent.bounced, -1, sent.sent_at + 20),
        np.where(sent.bounced, sent.sent_at + 25, -1),
        sent.opened_at,
        sent.clicked_at,
        sent.unsubscribed_at,
        sent.complained_at,
    )
    message = np.concatenate([np.arange(len(sent.person))] * len(_KINDS))
    kind = np.repeat(np.arange(len(_KINDS)), len(sent.person))
    moment = np.concatenate(moments)
    happened = (moment >= 0) & (moment < world.calendar.end)
    message, kind, moment = message[happened], kind[happened], moment[happened]
    day = world.calendar.day_of(moment)
    week = day + (world.calendar.days - 1 - day) % 7
    order = np.lexsort((kind, message, moment, week))
    message, kind, moment, week = message[order], kind[order], moment[order], week[order]
    knows_account = (chances(np.arange(len(world.people)), 71) < 0.6).tolist()
    cuts = [0, *(np.flatnonzero(np.diff(week)) + 1).tolist(), len(week)]
    for begin, end in pairwise(cuts):
        if begin < end:
            rows = zip(message[begin:end].tolist(), kind[begin:end].tolist(), moment[begin:end].tolist(), strict=True)
            yield int(week[begin]), [_line(world, *row, knows_account) for row in rows]


def _line(world: World, message: int, kind: int, moment: int, knows_account: list[bool]) -> Line:
    sent = world.messages
    number = int(sent.person[message])
    person = world.people[number]
    campaign = sent.campaigns[int(sent.campaign[message])]
    cells = (
        f"msg-{message:09d}",
        campaign.campaign_id,
        campaign.name,
        _KINDS[kind],
        iso(moment),
        person.marketing_email,
        person.customer_id if knows_account[number] else "",
        "0.0120" if kind == 0 else "",
        "CNY" if person.language == "zh" else "GBP",
        campaign.name,
        person.language,
    )
    return Line(csv_line(cells), person.person_id)
