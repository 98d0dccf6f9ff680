"""Mailings: who got which message, and what became of it. Columns only; the e-mail feed and the visits read them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cdp.demo.calendar import DAY, Calendar
from cdp.demo.dice import Dice, Flags, Integers, Numbers
from cdp.demo.person import Person
from cdp.demo.phrases import phrases

_TOPICS = {
    (11, 4): "double11",
    (11, 10): "double11",
    (12, 3): "christmas",
    (12, 15): "christmas",
    (3, 20): "spring",
    (6, 12): "summer",
}
HOUR = 3_600


@dataclass(frozen=True)
class Campaign:
    """One mailing in one language."""

    campaign_id: str
    name: str
    topic: str
    language: str
    sent_at: int


@dataclass(frozen=True)
class Messages:
    """One entry per message, by time of sending; moments that never came are -1."""

    campaigns: tuple[Campaign, ...]
    campaign: Integers
    person: Integers
    sent_at: Integers
    bounced: Flags
    opened_at: Integers
    clicked_at: Integers
    unsubscribed_at: Integers
    complained_at: Integers


def send_campaigns(people: list[Person], known_from: Integers, calendar: Calendar, rolls: Dice) -> Messages:
    """A newsletter every other week to a fifth of the list, seasonal mailings to half of it.

    Args:
        people: everybody; those with a marketing address and consent are on the list.
        known_from: moment since when each person is known to the shop.
        calendar: the days.
        rolls: chance.
    """
    count = len(people)
    consents = np.array([bool(someone.marketing_email) for someone in people]) & (rolls.random(count) < 0.75)
    is_chinese = np.array([someone.language == "zh" for someone in people])
    eager = rolls.beta(1.6, 3.5, count)
    gone = np.zeros(count, dtype=np.bool_)
    campaigns: list[Campaign] = []
    batches: list[tuple[Integers, ...]] = []
    for day in range(calendar.days):
        on = calendar.date(day)
        topic = _TOPICS.get((on.month, on.day), "newsletter" if day % 14 == 5 else "")
        for language in ("zh", "en") if topic else ():
            sent_at = calendar.start + day * DAY + (9 if language == "zh" else 16) * HOUR
            speaks = is_chinese if language == "zh" else ~is_chinese
            share = 0.2 if topic == "newsletter" else 0.5
            on_list = consents & ~gone & speaks & (known_from < sent_at) & (rolls.random(count) < share)
            campaigns.append(
                Campaign(
                    f"cmp-{on:%Y%m%d}-{language}",
                    f"{phrases()['campaigns'][topic][language]} {on:%Y-%m}",
                    topic,
                    language,
                    sent_at,
                )
            )
            batches.append(_send(np.flatnonzero(on_list), len(campaigns) - 1, sent_at, eager, rolls))
            gone[batches[-1][1][batches[-1][6] >= 0]] = True
    columns = (
        [np.concatenate(column) for column in zip(*batches, strict=True)] if batches else [np.zeros(0, np.int64)] * 8
    )
    campaign, person, sent, bounced, opened, clicked, unsubscribed, complained = columns
    return Messages(tuple(campaigns), campaign, person, sent, bounced > 0, opened, clicked, unsubscribed, complained)


def _send(whom: Integers, campaign: int, sent_at: int, eager: Numbers, rolls: Dice) -> tuple[Integers, ...]:
    count = len(whom)
    sent = sent_at + rolls.integers(0, 1_800, count)
    bounced = rolls.random(count) < 0.015
    opens = ~bounced & (rolls.random(count) < eager[whom])
    opened = np.where(opens, sent + 60 + (rolls.exponential(9.0, count) * HOUR).astype(np.int64), -1)
    clicks = opens & (rolls.random(count) < 0.22)
    clicked = np.where(clicks, opened + rolls.integers(5, 300, count), -1)
    leaves = opens & ~clicks & (rolls.random(count) < 0.012)
    unsubscribed = np.where(leaves, opened + rolls.integers(20, 200, count), -1)
    complains = leaves & (rolls.random(count) < 0.1)
    complained = np.where(complains, unsubscribed + 30, -1)
    return np.full(count, campaign), whom, sent, bounced.astype(np.int64), opened, clicked, unsubscribed, complained
