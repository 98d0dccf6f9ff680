from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from cdp.demo.feeds.web import web_days
from cdp.demo.visits import AT_CHECKOUT, DEVICES, NO_IDENTIFY, UNCLAIMED
from cdp.demo.world import World, build_world


@pytest.fixture(scope="module")
def world() -> World:
    return build_world(700, 200, 2, "normal")


def test_a_cookie_is_browsed_anonymously_before_it_is_signed_in(world: World) -> None:
    visits = world.visits
    first_signed = {}
    anonymous_before = 0
    for cookie, start, signed in sorted(
        zip(visits.cookie.tolist(), visits.start.tolist(), visits.is_signed_in.tolist(), strict=True)
    ):
        if signed:
            first_signed.setdefault(cookie, start)
        else:
            assert cookie not in first_signed  # once signed in, it stays so
            anonymous_before += 1
    assert anonymous_before > 100


def test_a_borrowed_device_is_signed_in_by_whoever_uses_it(world: World) -> None:
    visits = world.visits
    borrowed = (visits.person >= 0) & (visits.device // DEVICES != visits.person)
    assert borrowed.sum() > 10
    assert visits.is_signed_in[borrowed].all()
    by_time = np.lexsort((visits.order, visits.start, visits.cookie))
    cookie, person, identify = visits.cookie[by_time], visits.person[by_time], visits.identify[by_time]
    changes = (cookie[1:] == cookie[:-1]) & (person[1:] != person[:-1])
    assert (identify[1:][changes] != NO_IDENTIFY).all()


def test_robots_and_unclaimed_devices_never_sign_in(world: World) -> None:
    visits = world.visits
    silent = (visits.person < 0) | (visits.device % DEVICES == UNCLAIMED)
    assert (visits.person < 0).any()
    assert (visits.identify[silent] == NO_IDENTIFY).all()
    assert not visits.is_signed_in[silent].any()


def test_persons_use_several_devices_and_cookies(world: World) -> None:
    visits = world.visits
    pairs = np.unique(np.stack([visits.person, visits.cookie]), axis=1)[0]
    assert (np.bincount(pairs[pairs >= 0]) > 1).sum() > 100


def test_orders_on_the_site_have_a_visit_that_ends_with_them(world: World) -> None:
    visits, orders = world.visits, world.orders
    with_order = visits.order >= 0
    assert (visits.person[with_order] == orders.person[visits.order[with_order]]).all()
    assert (visits.start[with_order] == orders.placed_at[visits.order[with_order]]).all()
    assert (visits.identify[~with_order] != AT_CHECKOUT).all()


def test_memory_follows_the_visits_taken_at_once_not_the_length_of_the_period() -> None:
    world = build_world(150, 60, 2, "normal")

    def peak_and_rows(visits_at_once: int) -> tuple[int, int]:
        tracemalloc.start()
        rows = sum(len(lines) for _, lines in web_days(world, visits_at_once))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return peak, rows

    small, rows = peak_and_rows(20)
    large, as_many = peak_and_rows(100_000)
    assert rows == pytest.approx(as_many, rel=0.1)
    assert small < large / 3


def test_days_come_in_order_and_every_line_belongs_to_its_day(world: World) -> None:
    days = [day for day, _ in web_days(world)]
    assert days == sorted(set(days))
    assert days[-1] == world.calendar.days - 1
