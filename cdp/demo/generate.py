"""Write the sample business's feeds as its vendors' files, and the truth about them.

Bounded memory: what is planned ahead are persons and, as columns of numbers, purchases, mailings and visits. Events and
rows exist one batch at a time: each feed yields its days in order, a day is written and forgotten.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cdp.demo.delivery import Delivery, Format, Line
from cdp.demo.dice import coins
from cdp.demo.difficulty import Level
from cdp.demo.feeds.crm import CRM, crm_weeks
from cdp.demo.feeds.email import EMAIL, email_weeks
from cdp.demo.feeds.nps import NPS, nps_weeks
from cdp.demo.feeds.rates import RATES, rate_days
from cdp.demo.feeds.shop_orders import SHOP_ORDERS, shop_order_days
from cdp.demo.feeds.social import MASTODON, WEIBO, mastodon_weeks, weibo_weeks
from cdp.demo.feeds.tickets import TICKETS, ticket_weeks
from cdp.demo.feeds.web import WEB, web_days
from cdp.demo.truth import TruthFiles, write_behaviour
from cdp.demo.world import World, build_world

Progress = Callable[[int, int, str], None]
Batches = Callable[[World], Iterator[tuple[int, list[Line]]]]

FEEDS: tuple[tuple[Format, Batches], ...] = (
    (WEB, web_days),
    (SHOP_ORDERS, shop_order_days),
    (MASTODON, mastodon_weeks),
    (WEIBO, weibo_weeks),
    (TICKETS, ticket_weeks),
    (NPS, nps_weeks),
    (CRM, crm_weeks),
    (EMAIL, email_weeks),
    (RATES, rate_days),
)


@dataclass(frozen=True)
class FeedSummary:
    """What was written for one feed; ``damaged`` counts bad rows by quarantine code."""

    files: int
    rows: int
    bytes: int
    damaged: dict[str, int]


@dataclass(frozen=True)
class Summary:
    """What was written."""

    persons: int
    days: int
    feeds: dict[str, FeedSummary]

    @property
    def rows(self) -> int:
        """Rows of all feeds."""
        return sum(feed.rows for feed in self.feeds.values())


def generate(
    customers: int = 5_000,
    days: int = 400,
    seed: int = 1,
    out: Path = Path(),
    difficulty: Level = "normal",
    progress: Progress | None = None,
) -> Summary:
    """Write ``out/landing/<feed>/dt=…/…`` and ``out/truth/*.csv``; the same arguments give the same bytes.

    Args:
        customers: persons who can be known; a fifth more only visit the site and never say who they are.
        days: length of the period, which always ends on the same day.
        seed: of every choice.
        out: a project folder. Landing folders of the generated feeds and ``truth/`` in it are replaced.
        difficulty: easy, normal or hard, see ``cdp.demo.difficulty``.
        progress: called with (days done, days to do, name of the feed) while files are written.
    """
    report = progress or (lambda *_: None)
    report(0, days * len(FEEDS), "people")
    world = build_world(customers, days, seed, difficulty)
    truth_folder = out / "truth"
    shutil.rmtree(truth_folder, ignore_errors=True)
    feeds = {}
    with TruthFiles(truth_folder) as truth:
        for nth, (framed, batches) in enumerate(FEEDS):
            report(nth * days, days * len(FEEDS), framed.feed)
            shutil.rmtree(out / "landing" / framed.feed, ignore_errors=True)
            chance = coins(seed, f"delivery {framed.feed}")
            delivery = Delivery(framed, out / "landing", world.calendar, world.difficulty, chance, truth)
            for day, lines in batches(world):
                delivery.deliver(day, lines)
                report(nth * days + day + 1, days * len(FEEDS), framed.feed)
            feeds[framed.feed] = FeedSummary(
                delivery.files, delivery.rows, delivery.bytes, dict(sorted(delivery.damaged.items()))
            )
    write_behaviour(world, truth_folder)
    return Summary(len(world.people), days, feeds)
