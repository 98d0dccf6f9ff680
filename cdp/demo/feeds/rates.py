"""Exchange rates: a CSV a day with the pound in yuan, a calm random walk."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from cdp.demo.delivery import Line, csv_table
from cdp.demo.dice import dice
from cdp.demo.noise import csv_line
from cdp.demo.world import World

COLUMNS = ("date", "currency", "base", "rate")
RATES = csv_table("rates", "rates.csv", (), COLUMNS)


def rate_days(world: World) -> Iterator[tuple[int, list[Line]]]:
    """(day, the one row of that day)."""
    steps = dice(world.seed, "rates").normal(0.0, 0.0035, world.calendar.days)
    rates = 9.2 * np.exp(np.cumsum(steps) - 0.02 * np.cumsum(np.cumsum(steps)) / np.arange(1, len(steps) + 1))
    for day, rate in enumerate(rates.tolist()):
        yield day, [Line(csv_line((world.calendar.date(day).isoformat(), "GBP", "CNY", f"{rate:.4f}")), "")]
