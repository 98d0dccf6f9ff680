"""The steps of what is derived from golden records, orders and activities: traits, RFM, lifecycle, segments."""

from __future__ import annotations

from dataclasses import replace

from profiles.field_values import code_parameters
from profiles.lifecycle import load_lifecycle
from profiles.predicate_meaning import Unsure
from profiles.segment_fields import segment_fields
from profiles.segment_steps import members_step, observations_step, segments_step
from profiles.segments import check_segments, read_segments
from profiles.survivorship import known_survivorship
from profiles.trait_sql import trait_step
from profiles.traits import load_traits
from quality.contracts.columns import columns
from quality.contracts.registry import CONTRACTS
from warehouse.declaration import Problems
from warehouse.project import Project
from warehouse.sql_model import sql_step
from warehouse.step import Step

_ACTIVITIES = {
    "_web_events": "web_events",
    "_social_interactions": "social_interactions",
    "_feedback": "feedback",
    "_service_cases": "feedback",
    "_messages": "messages",
}
"""Private tables of staged rows with their customers → the contract their columns come from."""

_LIFECYCLE = ("_sale_days", "lifecycle_history", "lifecycle", "lifecycle_flows")
_FIXED = ("days", "households", "rfm", "_segment_subjects", "_current_ids", "segment_history", "segment_sizes")


def derived_steps(project: Project) -> tuple[Step, ...]:
    """All steps of the traits, RFM, lifecycle and segments that the project declares.

    Raises:
        DeclarationError: a trait, threshold or segment is wrong; all problems at once.
    """
    problems = Problems()
    rules = load_lifecycle(project, problems)
    unsure = Unsure()
    traits = load_traits(project, problems, unsure)
    segments = read_segments(project, problems, unsure)
    # what is wrong with the rules of survivorship is told where the golden record is made of them
    catalogue = segment_fields(traits, known_survivorship(project))
    check_segments(segments, catalogue, problems, unsure)
    problems.raise_if_any()
    assert rules is not None, "a declaration that is not read leaves a problem"
    return (
        *(activity_step(name) for name in _ACTIVITIES),
        *(trait_step(table, declared) for table, declared in traits.items()),
        *(sql_step("profiles", "profiles", name, parameters=rules.parameters()) for name in _LIFECYCLE),
        *(sql_step("profiles", "profiles", name) for name in _FIXED),
        segments_step(segments),
        members_step(segments, catalogue),
        observations_step(),
    )


def activity_step(name: str) -> Step:
    """The step of a private table of staged rows; columns taken over from the contract are described there."""
    step = sql_step("profiles", "profiles", name, parameters=code_parameters())
    described = {column.name: column.description for column in columns(CONTRACTS[_ACTIVITIES[name]])}
    (spec,) = step.tables
    return replace(step, tables=(replace(spec, columns=described | dict(spec.columns)),))
