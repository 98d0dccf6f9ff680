"""Money in the base currency: by the rate of the day, and by nothing else."""

from __future__ import annotations

from typing import Final

MAX_RATE_AGE_DAYS: Final = 7
"""How long a quoted rate stands for the days after it. Markets close on weekends and holidays, the Chinese ones for the
week of 1 October; an older rate says nothing, and the amount is then empty."""


def currency_parameters() -> dict[str, object]:
    """What the statements that convert money name beside the parameters of the run."""
    return {"exchange_rate_max_age_days": MAX_RATE_AGE_DAYS}
