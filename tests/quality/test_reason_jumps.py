"""A reason stands out when it costs far more rows than it used to: not by chance, and not because it comes and goes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from quality.reason_jumps import JumpRule, Refused, reason_jumps

REASON = ("email", "bad_format")


def batches(*counts: tuple[int, int]) -> Sequence[Refused]:
    """Days in a row: rows read, and rows refused for the reason."""
    first = date(2026, 1, 1)
    return [
        Refused(first + timedelta(days=day), read, {REASON: refused} if refused else {})
        for day, (read, refused) in enumerate(counts)
    ]


@pytest.mark.parametrize(
    ("history", "newest", "stands_out"),
    [
        ([(1000, 0)] * 10, (1000, 5), True),  # a reason that was never there
        ([(1000, 0)] * 10, (1000, 4), False),  # too few rows to say so
        ([(1000, 10)] * 10, (1000, 40), True),
        ([(1000, 10)] * 10, (1000, 20), False),  # twice as many happens
        ([(1000, 10), (1000, 14), (1000, 6)] * 3, (1000, 60), True),
        ([(1000, 0)] * 6 + [(1000, 200)] + [(1000, 0)] * 6, (1000, 200), False),  # comes once a week
        ([(3, 1), (4, 0), (2, 1), (5, 1), (3, 0)], (4, 3), False),  # handfuls of rows
        ([(3, 0)] * 8, (5, 5), True),
        ([(1000, 0)] * 4, (1000, 500), False),  # no history yet
        ([(0, 0)] * 9, (1000, 500), False),
    ],
)
def test_a_jump_is_told_from_chance(history: list[tuple[int, int]], newest: tuple[int, int], stands_out: bool) -> None:
    found = batches(*history, newest)
    jumps = [jump for jump in reason_jumps(found, JumpRule()) if jump.batch_on == found[-1].batch_on]
    assert bool(jumps) is stands_out


def test_a_jump_says_how_much_and_how_much_is_usual() -> None:
    [jump] = reason_jumps(batches(*[(1000, 10)] * 10, (500, 50)), JumpRule())
    assert (jump.field, jump.code, jump.rows, jump.share_ratio, jump.usual_ratio) == (*REASON, 50, 0.1, 0.01)
    assert jump.told() == "2026-01-11: email bad_format in 50 rows, 10.0%; usual 1.0%"


def test_the_rule_is_declared() -> None:
    found = batches(*[(1000, 0)] * 10, (1000, 4))
    assert reason_jumps(found, JumpRule()) == ()
    assert len(reason_jumps(batches(*[(1000, 0)] * 10, (1000, 5)), JumpRule(at_least_rows=6))) == 0
    assert len(reason_jumps(batches(*[(1000, 0)] * 3, (1000, 9)), JumpRule(at_least_batches=3))) == 1
