from __future__ import annotations

import math

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


def log_likelihoods(
    repeats: np.ndarray, last: np.ndarray, observed: np.ndarray, r: float, alpha: float, a: float, b: float
) -> np.ndarray:
    """Of every buyer: repeat purchases, days from the first to the last and to the end. Fader et al. (2005), eq. 6."""
    gammaln = np.vectorize(math.lgamma, otypes=[float])
    some = repeats > 0
    common = gammaln(r + repeats) - math.lgamma(r) + r * math.log(alpha)
    begins = math.lgamma(a + b) - math.lgamma(b)
    stays = begins + gammaln(b + repeats) - gammaln(a + b + repeats) - (r + repeats) * np.log(alpha + observed)
    leaves = (
        math.log(a) + begins + gammaln(b + np.maximum(repeats, 1) - 1) - gammaln(a + b + repeats)
        - (r + repeats) * np.log(alpha + last)
    )  # fmt: skip
    return common + np.where(some, np.logaddexp(stays, np.where(some, leaves, 0.0)), stays)


@pytest.mark.parametrize("days", [200, 400])
def test_a_fit_of_the_model_finds_the_numbers_that_were_drawn_from(days: int) -> None:
    """At the true parameters the likelihood is flat: the mean slope is nought within four standard errors."""
    calendar = Calendar(days)
    lives = simulate(np.arange(60_000), calendar, dice(11, "lives"))
    repeats = np.bincount(lives.purchase_person, minlength=len(lives.person)) - 1
    last_at = np.zeros(len(lives.person), dtype=np.int64)
    np.maximum.at(last_at, lives.purchase_person, lives.purchase_at)
    last, observed = (last_at - lives.first_at) / DAY, (calendar.end - lives.first_at) / DAY
    true = np.array([RATE_SHAPE, RATE_DAYS, *DROPOUT])

    def slopes(at: np.ndarray, number: int) -> np.ndarray:
        step = at * 1e-4 * (np.arange(len(at)) == number)
        up, down = (log_likelihoods(repeats, last, observed, *moved) for moved in (at + step, at - step))
        return (up - down) / (2 * step[number])

    for number in range(len(true)):
        found = slopes(true, number)
        error = found.std() / math.sqrt(len(found))
        assert abs(found.mean()) < 4 * error
        elsewhere = true * np.where(np.arange(len(true)) == number, 1.3, 1.0)
        assert abs(slopes(elsewhere, number).mean()) > 4 * error


def test_the_truth_file_tells_the_same_story(shop: Generated) -> None:
    buyers = shop.behaviour.filter(kind="buyer")
    assert (buyers["purchases"] >= 1).all()
    assert (buyers["first_purchase_on"] <= buyers["last_purchase_on"]).all()
    left = buyers.filter(~buyers["is_alive"])
    assert (left["churned_on"] == left["last_purchase_on"]).all()
    assert left["expected_orders_90d"].sum() == 0
    assert buyers["expected_orders_90d"].max() <= HORIZON_DAYS * buyers["purchase_rate_per_day"].max()
    assert shop.behaviour.filter(kind="visitor")["purchases"].sum() == 0
