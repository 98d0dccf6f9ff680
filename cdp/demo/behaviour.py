"""Who buys when: a BG/NBD process with a known rate and a known end for every buyer.

Source: Fader, Hardie and Lee (2005), "Counting Your Customers" the Easy Way. While alive a person buys at the rate λ
(gamma distributed over persons); after every purchase but the first, which begins the relation, the person leaves for
good with probability p (beta distributed). Seasons move visits, mailings and baskets, never these moments: so the
truth stays exact. The first 90 days after the calendar's end are drawn too and kept apart, as the future that a
forecast is measured against.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cdp.demo.calendar import DAY, Calendar
from cdp.demo.dice import Dice, Flags, Integers, Numbers

RATE_SHAPE, RATE_DAYS = 1.1, 52.0  # λ ~ Gamma(shape, 1 / days): mean 0.021 purchases a day
DROPOUT = (0.9, 3.6)  # p ~ Beta: mean 0.2
HORIZON_DAYS = 90
_MOST_PURCHASES = 4_000


@dataclass(frozen=True)
class Behaviour:
    """Buyers in the order of ``person`` (index into the people), purchases in the order of time.

    rate: λ per day. churned_at: moment of the last purchase of those who left, else -1. expected_90d: expected
    purchases in the 90 days after the end, given the true state: 0 for those who left, (1 - exp(-λp·90)) / p for the
    others. next_90d: how many there really were. purchase_person, purchase_at: one entry per purchase.
    """

    person: Integers
    rate: Numbers
    dropout: Numbers
    first_at: Integers
    churned_at: Integers
    expected_90d: Numbers
    next_90d: Integers
    purchase_person: Integers
    purchase_at: Integers


def simulate(buyers: Integers, calendar: Calendar, rolls: Dice) -> Behaviour:
    """Draw the life of every buyer, all buyers one purchase further at a time."""
    count = len(buyers)
    rate = np.maximum(rolls.gamma(RATE_SHAPE, 1.0 / RATE_DAYS, count), 1e-6)
    dropout = np.clip(rolls.beta(*DROPOUT, count), 1e-4, 1.0)
    first = calendar.start + np.sort(rolls.random(count)) * calendar.days * DAY
    first = rolls.permutation(first)
    horizon = calendar.end + HORIZON_DAYS * DAY
    churned = np.full(count, -1.0)
    alive, moment = np.arange(count), first.copy()
    whom, when = [], []
    for before in range(_MOST_PURCHASES):
        whom.append(alive)
        when.append(moment)
        leaves = (rolls.random(len(alive)) < dropout[alive]) & (before > 0)
        churned[alive[leaves]] = moment[leaves]
        alive, moment = alive[~leaves], moment[~leaves]
        moment = moment + rolls.exponential(1.0, len(alive)) / rate[alive] * DAY
        stays = moment < horizon
        alive, moment = alive[stays], moment[stays]
        if not len(alive):
            break
    return _summary(buyers, rate, dropout, first, churned, np.concatenate(whom), np.concatenate(when), calendar)


def _summary(
    buyers: Integers,
    rate: Numbers,
    dropout: Numbers,
    first: Numbers,
    churned: Numbers,
    whom: Integers,
    when: Numbers,
    calendar: Calendar,
) -> Behaviour:
    past: Flags = when < calendar.end
    future = np.bincount(whom[~past], minlength=len(buyers))
    whom, when = whom[past], when[past]
    in_time = np.lexsort((whom, when))
    left = (churned >= 0) & (churned < calendar.end)
    expected = np.where(left, 0.0, -np.expm1(-rate * dropout * HORIZON_DAYS) / dropout)
    return Behaviour(
        person=buyers,
        rate=rate,
        dropout=dropout,
        first_at=first.astype(np.int64),
        churned_at=np.where(left, churned, -1).astype(np.int64),
        expected_90d=expected,
        next_90d=future.astype(np.int64),
        purchase_person=buyers[whom[in_time]],
        purchase_at=when[in_time].astype(np.int64),
    )
