"""When the share of rows that a feed loses for one reason jumps against that reason's own history.

The rule is robust against small numbers and against reasons that come and go: a batch stands out when

* at least ``at_least_rows`` rows were refused for the reason, and
* their share is at least ``times`` the mean share of the earlier batches, and
* they are more than chance and the reason's own ups and downs explain: more than four standard deviations, of the count
  and of the earlier shares together, above the mean.

Earlier batches are the last ``batches`` ones that held rows; with fewer than ``at_least_batches`` nothing is said.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import sqrt
from typing import Final

from pydantic import Field

from warehouse.declaration import Declaration

_DEVIATIONS: Final = 4


class JumpRule(Declaration):
    """``reason_jumps`` of ``config/quality.yml``."""

    batches: int = Field(28, ge=1, description="How many earlier batches a batch is compared with.")
    at_least_batches: int = Field(5, ge=1, description="With fewer earlier batches nothing is said.")
    at_least_rows: int = Field(5, ge=1, description="Fewer refused rows than these never stand out.")
    times: float = Field(3, gt=1, description="How many times the usual share a share must be.")


@dataclass(frozen=True)
class Refused:
    """One batch: rows read, and rows refused by (field, code)."""

    batch_on: date
    rows_read: int
    reasons: Mapping[tuple[str, str], int]


@dataclass(frozen=True)
class ReasonJump:
    """A batch in which more rows than usual were refused for a reason."""

    batch_on: date
    field: str
    code: str
    rows: int
    share_ratio: float
    usual_ratio: float

    def told(self) -> str:
        """In words."""
        blamed = f"{self.field} {self.code}" if self.field else self.code
        return f"{self.batch_on}: {blamed} in {self.rows:,} rows, {self.share_ratio:.1%}; usual {self.usual_ratio:.1%}"


def reason_jumps(batches: Sequence[Refused], rule: JumpRule) -> tuple[ReasonJump, ...]:
    """The jumps among the batches of one feed, oldest first."""
    held = sorted((batch for batch in batches if batch.rows_read), key=lambda batch: batch.batch_on)
    found: list[ReasonJump] = []
    for index, batch in enumerate(held):
        earlier = held[max(0, index - rule.batches) : index]
        if len(earlier) >= rule.at_least_batches:
            found += (jump for reason in sorted(batch.reasons) if (jump := _jump(batch, reason, earlier, rule)))
    return tuple(found)


def _jump(batch: Refused, reason: tuple[str, str], earlier: Sequence[Refused], rule: JumpRule) -> ReasonJump | None:
    rows, read = batch.reasons[reason], batch.rows_read
    total = sum(item.rows_read for item in earlier)
    usual = sum(item.reasons.get(reason, 0) for item in earlier) / total
    shares = ((item.rows_read, item.reasons.get(reason, 0) / item.rows_read) for item in earlier)
    spread = sum(weight * (share - usual) ** 2 for weight, share in shares) / total
    expected = read * usual
    most = expected + _DEVIATIONS * sqrt(1 + expected + read * read * spread)
    if rows < rule.at_least_rows or rows <= most or rows < rule.times * expected:
        return None
    return ReasonJump(batch.batch_on, *reason, rows, rows / read, usual)
