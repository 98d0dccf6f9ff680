"""All steps that make ``profiles.*``, in the order in which they must run."""

from __future__ import annotations

from profiles.derived_steps import derived_steps
from profiles.golden_steps import golden_steps
from warehouse.business import Business
from warehouse.project import Project
from warehouse.sql_model import in_order
from warehouse.step import Step


def profile_steps(project: Project, business: Business) -> tuple[Step, ...]:
    """Golden records and activities, then everything derived from them.

    Raises:
        DeclarationError: a trait, segment, lifecycle or survivorship declaration is wrong.
    """
    return in_order((*golden_steps(project, business), *derived_steps(project, business)))
