"""Lifecycle stages: where a customer stands between first contact and leaving.

`prospect` has never bought; `first_purchase`, `repeat` and `loyal` say how the latest order found the customer;
`at_risk` and `churned` are reached by silence; `won_back` has bought again after having churned, until the next order
or the next silence. Stages are judged on sales (orders that count as such), by local days.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files

from pydantic import Field, StrictInt

from warehouse.declaration import Declaration, Problems, parse_declaration, read_declaration
from warehouse.misfit import Misfit
from warehouse.project import Project

STAGES = ("prospect", "first_purchase", "repeat", "loyal", "at_risk", "churned", "won_back")


class Loyalty(Declaration):
    """From which order on a customer is loyal."""

    orders: StrictInt = Field(4, ge=2, description="Orders that make a customer loyal, the latest one included …")
    within_days: StrictInt = Field(365, ge=1, description="… within so many days up to and including the latest order.")


class Silence(Declaration):
    """A stage that is reached by not ordering."""

    after_days: StrictInt = Field(ge=1, le=36_500, description="Days since the latest order at which the stage begins.")


class LifecycleRules(Declaration):
    """`config/lifecycle.yml`: the thresholds between the stages."""

    loyal: Loyalty = Field(default_factory=Loyalty, description="When a customer who buys again counts as loyal.")
    at_risk: Silence = Field(Silence(after_days=90), description="When a buyer is about to be lost.")
    churned: Silence = Field(Silence(after_days=180), description="When a buyer counts as lost.")

    def misfits(self) -> Iterator[Misfit]:
        """Customers are at risk before they are lost."""
        if self.at_risk.after_days >= self.churned.after_days:
            yield Misfit(
                f"`at_risk.after_days` ({self.at_risk.after_days}) is not less than `churned.after_days` "
                f"({self.churned.after_days})",
                "Customers are at risk before they are lost: change one of them.",
                (("at_risk", "after_days"), ("churned", "after_days")),
            )

    def parameters(self) -> dict[str, object]:
        """The thresholds as the statements name them."""
        return {
            "loyal_orders": self.loyal.orders,
            "loyal_within_days": self.loyal.within_days,
            "at_risk_after_days": self.at_risk.after_days,
            "churned_after_days": self.churned.after_days,
        }


def load_lifecycle(project: Project, problems: Problems) -> LifecycleRules | None:
    """The project's thresholds, or the packaged ones where it declares none; None when they are wrong."""
    path = project.config / "lifecycle.yml"
    if path.is_file():
        return read_declaration(path, LifecycleRules, problems, shown_as="config/lifecycle.yml")
    text = (files("profiles") / "defaults" / "lifecycle.yml").read_text(encoding="utf-8")
    return parse_declaration(text, LifecycleRules, problems, shown_as="profiles/defaults/lifecycle.yml")
