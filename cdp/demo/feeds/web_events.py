"""Visits become events: what happens in a visit, in which order and when. Columns only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from cdp.demo.calendar import DAY
from cdp.demo.catalogue import Catalogue
from cdp.demo.dice import Dice, Integers, scramble
from cdp.demo.feeds.web_fragments import (
    ADDED,
    CHECKOUT,
    COMPLETED,
    IDENTIFY,
    LANDING,
    PRODUCT_PAGE,
    SEARCH,
    VIEWED,
)
from cdp.demo.purchases import Orders
from cdp.demo.visits import AT_CHECKOUT, AT_START, Visits


@dataclass(frozen=True)
class Events:
    """One entry per event, by delivery: ``visit`` is an index into the visits at hand, ``thing`` a product or -1."""

    visit: Integers
    kind: Integers
    thing: Integers
    position: Integers
    happened_ms: Integers
    received_ms: Integers


def expand(
    visits: Visits, orders: Orders, catalogue: Catalogue, favourites: Integers, rolls: Dice, start: int
) -> Events:
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
    added = _added(add_of, order, orders, viewed, view_of)
    after_views = 2 + 2 * visits.views
    after_adds = after_views + adds
    parts: list[tuple[Integers, int, Integers | None, Integers]] = [
        (index, LANDING, None, np.zeros(count, dtype=np.int64)),
        (index[at_start], IDENTIFY, None, np.full(at_start.sum(), 1)),
        (index[searches], SEARCH, None, np.full(searches.sum(), 2)),
        (view_of, VIEWED, viewed, 4 + 2 * _rank(view_of)),
        (page_of, PRODUCT_PAGE, viewed[_nth(view_of, page_of)], 3 + 2 * _rank(page_of)),
        (add_of, ADDED, added, 3 + after_views[add_of] + _rank(add_of)),
        (index[buys], CHECKOUT, None, 3 + after_adds[buys]),
        (index[at_checkout], IDENTIFY, None, 4 + after_adds[at_checkout]),
        (index[buys], COMPLETED, None, 5 + after_adds[buys]),
    ]
    visit = np.concatenate([part[0] for part in parts])
    kind = np.concatenate([np.full(len(part[0]), part[1]) for part in parts])
    thing = np.concatenate([np.full(len(part[0]), -1) if part[2] is None else part[2] for part in parts])
    position = np.concatenate([part[3] for part in parts])
    pace = rolls.integers(5_000, 32_000, count)
    begins = visits.start * 1000 - np.where(buys, (5 + after_adds) * pace, 0)
    happened = (
        begins[visit] + position * pace[visit] + (scramble(visit * 64 + position, 5) % np.uint64(900)).astype(np.int64)
    )
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
    return np.asarray(np.arange(len(groups)) - np.flatnonzero(begins)[np.cumsum(begins) - 1], dtype=np.int64)


def _nth(view_of: Integers, page_of: Integers) -> Integers:
    """Index of the view that the nth product page of a visit shows."""
    return np.asarray(np.searchsorted(view_of, page_of) + _rank(page_of), dtype=np.int64)


def _viewed(view_of: Integers, visits: Visits, catalogue: Catalogue, favourites: Integers, rolls: Dice) -> Integers:
    """Half of the views are of the visitor's favourite category, the others follow demand."""
    anything = rolls.choice(len(catalogue.products), len(view_of), p=catalogue.weights)
    table = catalogue.by_category
    whose = visits.person[view_of]
    category = favourites[whose]
    liked = table[category, rolls.integers(0, table.shape[1], len(view_of))]
    return np.where((whose >= 0) & (rolls.random(len(view_of)) < 0.5), liked, anything)


def _added(
    add_of: Integers,
    order: Integers,
    orders: Orders,
    viewed: Integers,
    view_of: Integers,
) -> Integers:
    """What goes into the basket: the lines of the order, or the first thing looked at."""
    if not len(add_of):
        return add_of
    first_view = viewed[np.searchsorted(view_of, add_of)]
    if not len(orders.line_product):  # nobody has ordered yet
        return first_view
    line = orders.lines_from[np.maximum(order[add_of], 0)] + _rank(add_of)
    line = np.minimum(line, len(orders.line_product) - 1)
    return np.where(order[add_of] >= 0, orders.line_product[line], first_view)
