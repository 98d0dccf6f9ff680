from __future__ import annotations

import numpy as np
import pytest

from cdp.demo.behaviour import DROPOUT, HORIZON_DAYS, RATE_DAYS, RATE_SHAPE, Behaviour, simulate
from cdp.demo.calendar import DAY, Calendar
from cdp.demo.dice import dice

from .conftest import Generated


@pytest.fixture(scope="module")
def lives() -> Behaviour:
    return simulate(np.arange(60_000), Calendar(400), dice(11, "lives"))


def test_rates_and_dropout_follow_their_distributions(lives: Behaviour) -> None:
    assert lives.rate.mean() == pytest.approx(RATE_SHAPE / RATE_DAYS, rel=0.03)
    assert lives.dropout.mean() == pytest.approx(DROPOUT[0] / sum(DROPOUT), rel=0.03)


def test_expected_orders_of_the_next_90_days_are_what_happens_on_average(lives: Behaviour) -> None:
    assert lives.next_90d.sum() == pytest.approx(lives.expected_90d.sum(), rel=0.03)
    for quarter in np.array_split(np.argsort(lives.expected_90d), 4)[1:]:
        assert lives.next_90d[quarter].sum() == pytest.approx(lives.expected_90d[quarter].sum(), rel=0.06, abs=60)


def test_who_left_buys_no_more_and_left_with_a_purchase(lives: Behaviour) -> None:
    left = lives.churned_at >= 0
    assert (lives.next_90d[left] == 0).all()
    assert (lives.expected_90d[left] == 0).all()
    last = np.zeros(len(lives.person), dtype=np.int64)
    np.maximum.at(last, lives.purchase_person, lives.purchase_at)
    assert (last[left] == lives.churned_at[left]).all()


def test_repeat_purchases_of_the_alive_follow_their_rate(lives: Behaviour) -> None:
    """After n purchases a share p has left: the geometric law of BG/NBD, seen on those who had time enough."""
    counts = np.bincount(lives.purchase_person, minlength=len(lives.person))
    early = (lives.first_at < Calendar(400).start + 30 * DAY) & (lives.rate > 0.04)
    assert (counts[early] == 1).mean() == pytest.approx(lives.dropout[early].mean(), rel=0.06)


def test_the_truth_file_tells_the_same_story(shop: Generated) -> None:
    buyers = shop.behaviour.filter(kind="buyer")
    assert (buyers["purchases"] >= 1).all()
    assert (buyers["first_purchase_on"] <= buyers["last_purchase_on"]).all()
    left = buyers.filter(~buyers["is_alive"])
    assert (left["churned_on"] == left["last_purchase_on"]).all()
    assert left["expected_orders_90d"].sum() == 0
    assert buyers["expected_orders_90d"].max() <= HORIZON_DAYS * buyers["purchase_rate_per_day"].max()
    assert shop.behaviour.filter(kind="visitor")["purchases"].sum() == 0
