"""The steps from staged rows to customers, in the order in which they are made."""

from __future__ import annotations

from identity.blocking import candidates_step
from identity.clusters import clusters_step
from identity.declaration import IdentityRules, load_identity
from identity.doubts import doubts_step
from identity.edges import edges_step
from identity.features_step import features_step
from identity.history import known_identifiers_step
from identity.identifier_values import identifier_values_step, identifiers_step
from identity.identifiers import blocked_step, identifier_kinds_step
from identity.ledger import ledger_step
from identity.model import declaration_of
from identity.models import models_step
from identity.nodes import nodes_step
from identity.normalised import normalised_step
from identity.record_steps import claims_step, records_step, row_records_step
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
        scorecard_step(project.truth / "persons.csv", declaration_of(rules)),
    )


def record_steps(rules: IdentityRules) -> tuple[Step, ...]:
    """From staged rows to records."""
    return (
        _table("_web_identified"),
        _table("_web_spans", days_before_first=rules.devices.days_before_first),
        claims_step(),
        row_records_step(),
        records_step(),
    )


def matching_steps(rules: IdentityRules) -> tuple[Step, ...]:
    """From records to customers."""
    return (
        models_step(),
        *candidate_steps(rules),
        edges_step(rules),
        clusters_step(rules),
        ledger_step(),
        known_identifiers_step(),
        doubts_step(rules),
        _table("review_queue"),
    )


def candidate_steps(rules: IdentityRules) -> tuple[Step, ...]:
    """From records to the pairs that are compared."""
    return (
        normalised_step(),
        identifier_kinds_step(rules),
        _table("_mentions"),
        identifier_values_step(),
        blocked_step(rules),
        identifiers_step(rules),
        nodes_step(),
        features_step(),
        candidates_step(rules),
    )


def _table(name: str, **parameters: object) -> Step:
    return sql_step("identity", "identity", name, parameters=parameters)
