"""What the rows of a customer claim, rule by rule: ``profiles._cleared_values`` and ``profiles._attribute_claims``."""

from __future__ import annotations

from sqlglot import exp

from profiles.attribute_rows import PLACE, matched, one_word, said, with_names
from profiles.field_values import NAMED
from profiles.sql_expressions import all_of, call, case, cast, column, equal, is_null, literal, parameter, union_all
from profiles.survivorship import Survivorship


def cleared_values(declared: Survivorship) -> exp.Query:
    """Values that an earlier version of a contact held and its present one has emptied, and when."""
    asked = [
        name
        for rule in declared.rules
        for name in declared.columns_of(rule)
        if "contacts" in declared.rules[rule].sources
    ]
    if not asked:
        return _cleared(declared, "email").where(exp.false())
    return union_all([_cleared(declared, name) for name in asked])


def attribute_claims(declared: Survivorship) -> exp.Query:
    """One row per rule and source row that the rule may choose: what it told for the rule's columns, and its merits.

    ``told`` lists the values in the order of the rule's columns; a value that was cleared since is left out.
    """
    return union_all([_claims(declared, rule) for rule in declared.rules])


def _cleared(declared: Survivorship, name: str) -> exp.Select:
    before, now = said("contacts", name, "versions"), said("contacts", name, "contacts")
    assert before is not None
    assert now is not None
    moment = call(
        "coalesce",
        column("updated_at", "versions"),
        column("created_at", "versions"),
        cast(column("_batch_on", "versions"), "TIMESTAMP"),
    )
    value = matched(name, one_word(declared, name, call("trim", before)))
    query = (
        exp.select(
            column("customer_id", "contacts"),
            exp.alias_(literal(name), "attribute"),
            exp.alias_(value, "cleared_value"),
            exp.alias_(call("max", column("observed_at", "contacts")), "cleared_at"),
        )
        .from_(exp.alias_(exp.table_("_contacts", db="profiles"), "contacts", table=True))
        .join(
            exp.alias_(exp.table_("_contacts_versions", db="staging"), "versions", table=True),
            on=all_of(*(equal(column(key, "contacts"), column(key, "versions")) for key in ("_feed", "contact_id"))),
        )
        .where(
            exp.Not(this=is_null(column("customer_id", "contacts"))),
            exp.Not(this=column("is_deleted", "contacts")),
            is_null(now),
            exp.Not(this=is_null(before)),
            exp.LT(this=moment, expression=column("observed_at", "contacts")),
        )
        .group_by(column("customer_id", "contacts"), value)
    )
    return with_names(query, name, before) if name in NAMED else query


def _claims(declared: Survivorship, rule: str) -> exp.Select:
    names = declared.columns_of(rule)
    values = {name: case((is_null(column("attribute", f"cleared_{name}")), column(name, "source"))) for name in names}
    filled: exp.Expr = literal(0)
    for value in values.values():
        filled = exp.Add(this=filled, expression=case((is_null(value), literal(0)), otherwise=literal(1)))
    first = values[names[0]]
    places = [
        (exp.Not(this=is_null(value)), literal(len(names) - place)) for place, value in enumerate(values.values())
    ]
    select = exp.select(
        exp.alias_(literal(rule), "rule"),
        *(column(name, "source") for name in ("customer_id", "record_id", *PLACE, "observed_at")),
        exp.alias_(exp.Array(expressions=[value.copy() for value in values.values()]), "told"),
        exp.alias_(case(*places), "by_filled_first"),
        exp.alias_(filled, "by_most_complete"),
        exp.alias_(_verified(declared, rule), "by_verified_first"),
        exp.alias_(_place_in_priority(declared, rule), "by_source_priority"),
        exp.alias_(call("length", first), "by_longest"),
    ).from_(exp.alias_(exp.table_("_attribute_rows", db="profiles"), "source", table=True))
    for name in names:
        cleared = f"cleared_{name}"
        select = select.join(
            exp.alias_(exp.table_("_cleared_values", db="profiles"), cleared, table=True),
            on=all_of(
                equal(column("attribute", cleared), literal(name)),
                equal(column("customer_id", "source"), column("customer_id", cleared)),
                equal(matched(name, column(name, "source")), column("cleared_value", cleared)),
                exp.LTE(this=column("observed_at", "source"), expression=column("cleared_at", cleared)),
            ),
            join_type="left",
        )
    return select.where(exp.Not(this=is_null(call("coalesce", *values.values()))))


def _verified(declared: Survivorship, rule: str) -> exp.Expr:
    identifier = declared.rules[rule].identifier
    if identifier not in {"email", "phone"}:
        return literal(0)
    return case((column(f"is_{identifier}_verified", "source"), literal(1)), otherwise=literal(0))


def _place_in_priority(declared: Survivorship, rule: str) -> exp.Expr:
    """Feeds and kinds that are named, counted down from -1; all others come after them."""
    priority = declared.rules[rule].priority
    if not priority:
        return literal(0)
    places = (
        call("nullif", call("list_position", parameter(f"{rule}_priority"), column(name, "source")), literal(0))
        for name in ("feed", "kind")
    )
    return exp.Neg(this=call("coalesce", call("least", *places), literal(len(priority) + 1)))
