"""All steps that make ``profiles.*``, in the order in which they must run."""

from __future__ import annotations

from profiles.derived_steps import derived_steps
from profiles.golden_steps import golden_steps
from warehouse.declaration import Problems
from warehouse.project import Project
from warehouse.sql_model import in_order
from warehouse.step import Step


def profile_steps(project: Project) -> tuple[Step, ...]:
    """Golden records and activities, then everything derived from them.

    Raises:
        DeclarationError: trait, segment, lifecycle or survivorship declarations are wrong; all problems at once.
    """
    problems = Problems()
    golden = problems.of(lambda: golden_steps(project))
    derived = problems.of(lambda: derived_steps(project))
    problems.raise_if_any()
    return in_order((*(golden or ()), *(derived or ())))
