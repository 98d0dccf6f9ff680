"""The steps from staged rows to customers, in the order in which they are made."""

from __future__ import annotations

from identity.blocking import candidates_step
from identity.clusters import clusters_step
from identity.declaration import IdentityRules, load_identity
from identity.edges import edges_step
from identity.history import known_identifiers_step
from identity.identifiers import blocked_step, identifier_kinds_step
from identity.ledger import ledger_step
from identity.nodes import nodes_step
from identity.normalised import normalised_step
from identity.scorecard import scorecard_step
from warehouse.project import Project
from warehouse.sql_model import sql_step
from warehouse.step import Step


def identity_steps(project: Project) -> tuple[Step, ...]:
    """All steps of this floor for a project, makers before readers.

    Raises:
        DeclarationError: the project's config/identity.yml is wrong.
    """
    rules = load_identity(project)
    return (
        *record_steps(rules),
        *matching_steps(rules),
        scorecard_step(project.truth / "persons.csv"),
    )


def record_steps(rules: IdentityRules) -> tuple[Step, ...]:
    """From staged rows to records."""
    return (
        _model("_web_identified"),
        _model("_web_spans", days_before_first=rules.devices.days_before_first),
        _model("_claims"),
        _model("row_records"),
        _model("records"),
    )


def matching_steps(rules: IdentityRules) -> tuple[Step, ...]:
    """From records to customers."""
    return (
        normalised_step(),
        identifier_kinds_step(rules),
        _model("_identifier_values"),
        blocked_step(rules),
        _model("identifiers"),
        nodes_step(),
        _model("_features"),
        candidates_step(rules),
        edges_step(rules),
        clusters_step(rules),
        ledger_step(),
        known_identifiers_step(),
        _model("review_queue", link_at=rules.clusters.link_at, review_from=rules.clusters.review_from),
    )


def _model(name: str, **parameters: object) -> Step:
    return sql_step("identity", "identity", name, parameters=parameters)
