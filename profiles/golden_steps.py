"""The steps from staged rows and identity to orders, activities, the golden record and visitors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from profiles.attribute_claims import attribute_claims, cleared_values
from profiles.attribute_rows import attribute_rows
from profiles.attribute_values import attribute_values, golden_values
from profiles.field_values import code_parameters
from profiles.survivorship import load_survivorship
from quality.contracts.registry import CONTRACTS
from quality.contracts.table import tables
from warehouse.columns import descriptions_for
from warehouse.project import Project
from warehouse.sql_model import generated_step, in_order, sql_step
from warehouse.step import Step

_CONTRACT_OF = {
    "_contacts": "contacts",
    "_orders": "purchases",
    "orders": "purchases",
    "order_lines": "purchase_lines",
    "order_refunds": "purchase_refunds",
}
"""Tables that take columns over from the table of a contract, which describes them."""

_FIXED = (
    "_row_customers",
    "_exchange_rates",
    "_orders",
    "order_refunds",
    "orders",
    "order_lines",
    "activities",
    "_people",
    "_contacts",
    "_contact_points",
    "_consents",
    "_golden",
    "visitors",
    "customers",
)


def golden_steps(project: Project) -> tuple[Step, ...]:
    """Orders, lines, refunds, activities, the golden record, visitors and the wide table of customers, in order.

    ``profiles.customers`` comes last of all: it reads traits, lifecycle and RFM, which are made from the golden record.

    Raises:
        DeclarationError: ``config/survivorship.yml`` is wrong.
    """
    declared = load_survivorship(project)
    parameters = declared.parameters() | code_parameters()
    fixed = tuple(_described(sql_step("profiles", "profiles", name, parameters=parameters)) for name in _FIXED)
    generated = (
        _generated(
            "_attribute_rows",
            "What every source row says about its customer: one column per attribute, placeholders left out.",
            ("kind", "feed", "batch_on", "file", "row"),
            attribute_rows(declared),
            parameters,
        ),
        _generated(
            "_cleared_values",
            "Values that a contact's source has emptied, and when: feeds that told them before no longer count.",
            ("customer_id", "attribute", "cleared_value"),
            cleared_values(declared),
            parameters,
        ),
        _generated(
            "_attribute_claims",
            "What each source row claims under each rule, without what was cleared since, and its merits.",
            ("rule", "kind", "feed", "batch_on", "file", "row"),
            attribute_claims(declared),
            parameters,
        ),
        _generated(
            "attribute_values",
            "Where every golden value comes from: each value that a customer's sources told, its newest row, its "
            "rank under the rules of survivorship, and the strategy that decided.",
            ("customer_id", "attribute", "rank"),
            attribute_values(declared),
            parameters,
        ),
        _generated(
            "_golden_values",
            "The chosen values side by side: one row per customer.",
            ("customer_id",),
            golden_values(declared),
            parameters,
        ),
    )
    return in_order((*fixed, *generated))


def _generated(
    name: str, description: str, grain: tuple[str, ...], query: exp.Expr, parameters: Mapping[str, object]
) -> Step:
    return generated_step("profiles", name, description, grain, descriptions_for("profiles", name), query, parameters)


def _described(step: Step) -> Step:
    """The step with the contract's descriptions of the columns that are not described in this package."""
    (spec,) = step.tables
    if spec.name not in _CONTRACT_OF:
        return step
    [kind] = {kind for kind in CONTRACTS if _CONTRACT_OF[spec.name] in {table.name for table in tables(kind)}}
    taken_over = {
        column.name: column.description
        for table in sorted(tables(kind), key=lambda table: table.name == _CONTRACT_OF[spec.name])
        for column in table.all_columns
    }
    return replace(step, tables=(replace(spec, columns=taken_over | dict(spec.columns)),))
