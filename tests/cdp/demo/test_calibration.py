from __future__ import annotations

from pathlib import Path

import pytest

from cdp.demo.calibration import Calibration, calibrate
from cdp.demo.difficulty import Level
from cdp.demo.generate import generate

from .conftest import Generated


@pytest.fixture(scope="module")
def measured(shop: Generated) -> Calibration:
    return calibrate(shop.folder)


def test_exact_contacts_alone_find_three_quarters_at_most_and_confuse_persons(measured: Calibration) -> None:
    assert measured.join_recall <= 0.75
    assert measured.closure_recall <= 0.75
    assert measured.closure_precision <= 0.90
    assert measured.closure_precision_without_placeholders <= 0.90


def test_nothing_impossible_is_asked_of_a_good_matcher(measured: Calibration) -> None:
    assert measured.reachable_recall >= 0.97


def test_harder_is_harder(tmp_path: Path) -> None:
    def measure(level: Level) -> Calibration:
        generate(customers=300, days=150, seed=5, out=tmp_path / level, difficulty=level)
        return calibrate(tmp_path / level)

    easy, hard = measure("easy"), measure("hard")
    assert easy.closure_recall > hard.closure_recall
    assert easy.closure_precision > hard.closure_precision
    assert easy.join_recall == pytest.approx(0.7, abs=0.2)
