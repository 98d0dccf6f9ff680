"""Everything that is decided before the first file is written: persons, purchases, mailings and visits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from cdp.demo.behaviour import Behaviour, simulate
from cdp.demo.calendar import DAY, Calendar
from cdp.demo.campaigns import Messages, send_campaigns
from cdp.demo.catalogue import Catalogue, build_catalogue
from cdp.demo.dice import Integers, coins, dice
from cdp.demo.difficulty import LEVELS, Difficulty, Level
from cdp.demo.people import build_people, homophones_of
from cdp.demo.person import Person
from cdp.demo.purchases import Orders, fill_baskets
from cdp.demo.scribe import Scribe
from cdp.demo.visits import Visits, audience, plan_visits
from cdp.demo.vocabulary import Vocabulary, build_vocabulary


@dataclass(frozen=True)
class World:
    """The truth. Columns about persons stand in the order of ``people``.

    known_from: moment since when the business can know a person. left_at: when a buyer dropped out, -1 for the others.
    """

    seed: int
    calendar: Calendar
    difficulty: Difficulty
    vocabularies: dict[str, Vocabulary]
    catalogue: Catalogue
    people: list[Person]
    behaviour: Behaviour
    known_from: Integers
    left_at: Integers
    orders: Orders
    messages: Messages
    visits: Visits

    @cached_property
    def customer_ids(self) -> list[str]:
        """Shop account of each person as text, empty without one."""
        return [someone.customer_id for someone in self.people]

    @cached_property
    def person_ids(self) -> list[str]:
        """Id in the truth of each person; the last entry stands for nobody, whose number is -1."""
        return [*(someone.person_id for someone in self.people), ""]

    @cached_property
    def favourites(self) -> Integers:
        """Favourite category of each person, as a row of the catalogue's ``by_category``."""
        categories = self.catalogue.categories
        chosen = [
            categories.index(someone.interests[0])
            if someone.interests[0] in categories
            else someone.number % len(categories)
            for someone in self.people
        ]
        return np.array(chosen, dtype=np.int64)

    @cached_property
    def cookie_of_order(self) -> dict[int, int]:
        """Cookie of the visit in which an order was placed."""
        placed = self.visits.order >= 0
        return dict(zip(self.visits.order[placed].tolist(), self.visits.cookie[placed].tolist(), strict=True))

    def scribe(self, purpose: str) -> Scribe:
        """A writing hand with a stream of chance of its own."""
        return Scribe(self.difficulty, coins(self.seed, purpose), homophones_of(self.vocabularies["zh"]))


def build_world(customers: int, days: int, seed: int, level: Level) -> World:
    """Invent ``customers`` persons who can be known, a fifth more who never say who they are, and all they do."""
    calendar, difficulty = Calendar(days), LEVELS[level]
    vocabularies = {language: build_vocabulary(language, dice(seed, f"words {language}")) for language in ("zh", "en")}
    catalogue = build_catalogue(vocabularies, coins(seed, "catalogue"))
    people = build_people(customers, customers // 5, vocabularies, calendar, difficulty, seed)
    buyers = np.array([at for at, someone in enumerate(people) if someone.kind == "buyer"], dtype=np.int64)
    behaviour = simulate(buyers, calendar, dice(seed, "behaviour"))
    known_from, left_at = _life(people, behaviour, calendar, seed)
    orders = fill_baskets(behaviour, people, calendar, catalogue, difficulty, dice(seed, "baskets"))
    messages = send_campaigns(people, known_from, calendar, dice(seed, "campaigns"))
    rolls = dice(seed, "visits")
    who = audience(people, known_from, left_at, calendar, rolls)
    visits = plan_visits(who, orders, messages, calendar, difficulty, rolls)
    return World(
        seed=seed,
        calendar=calendar,
        difficulty=difficulty,
        vocabularies=vocabularies,
        catalogue=catalogue,
        people=people,
        behaviour=behaviour,
        known_from=known_from,
        left_at=left_at,
        orders=orders,
        messages=messages,
        visits=visits,
    )


def _life(people: list[Person], behaviour: Behaviour, calendar: Calendar, seed: int) -> tuple[Integers, Integers]:
    rolls = dice(seed, "life")
    known_from = calendar.start + rolls.integers(0, calendar.days * DAY, len(people))
    known_from[behaviour.person] = behaviour.first_at - rolls.integers(0, 12 * DAY, len(behaviour.person))
    left_at = np.full(len(people), -1, dtype=np.int64)
    left_at[behaviour.person] = behaviour.churned_at
    return np.maximum(known_from, calendar.start), left_at
