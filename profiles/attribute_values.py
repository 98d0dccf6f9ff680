"""Which value wins: the statements of ``profiles.attribute_values`` and its neighbours.

Per rule, the rows of a customer that say the same make one candidate; candidates are numbered by the rule's strategies,
then by the newest observation, then by the place of their newest row.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from profiles.attribute_rows import PLACE, matched, said
from profiles.sql_expressions import all_of, call, case, cast, column, equal, is_null, literal, parameter
from profiles.survivorship import Strategy, Survivorship, contract_columns

GOLDEN_COLUMNS: Final = (
    "full_name", "given_name", "family_name", "email", "phone", "gender", "birth_on", "address_line", "city",
    "region", "postcode", "country", "language", "company", "occupation", "income_band", "interests",
    "loyalty_tier", "lead_source", "handle",
)  # fmt: skip
"""What every golden record has, whether a project declares a rule for it or not; a declaration may add columns."""

_ONLY_VALUE = "only_value"
_TIE_BREAK = "tie_break"


def cleared_values(declared: Survivorship) -> exp.Query:
    """Values that an earlier version of a contact held and its present one has emptied, and when."""
    asked = [
        name
        for rule in declared.rules
        for name in declared.columns_of(rule)
        if "contacts" in declared.rules[rule].sources
    ]
    return _union([_cleared(name) for name in asked]) if asked else _cleared(GOLDEN_COLUMNS[0]).where(exp.false())


def attribute_values(declared: Survivorship) -> exp.Query:
    """Every value a customer has had a claim to, with its source row, its rank, and the strategy that decided."""
    statement = _union([_listed(declared, rule, name) for rule in declared.rules for name in declared.columns_of(rule)])
    for rule in declared.rules:
        statement = statement.with_(f"{rule}_rows", as_=_rows(declared, rule), copy=False)
        statement = statement.with_(f"{rule}_candidates", as_=_candidates(declared, rule), copy=False)
        statement = statement.with_(f"{rule}_ranked", as_=_ranked(declared, rule), copy=False)
    return statement


def golden_values(declared: Survivorship) -> exp.Select:
    """One row per customer: the golden values side by side, in the types of their contracts."""
    types = {name: kind for columns in reversed(tuple(contract_columns().values())) for name, kind in columns.items()}
    winners = (
        exp.alias_(_typed(_winner(name) if name in declared.columns else exp.null(), types[name]), name, quoted=True)
        for name in (*GOLDEN_COLUMNS, *(name for name in declared.columns if name not in GOLDEN_COLUMNS))
    )
    same_customer = equal(column("customer_id", "people"), column("customer_id", "chosen"))
    return (
        exp.select(column("customer_id", "people"), *winners)
        .from_(exp.alias_(exp.table_("_people", db="profiles"), "people", table=True))
        .join(
            exp.alias_(exp.table_("attribute_values", db="profiles"), "chosen", table=True),
            on=all_of(same_customer, column("is_golden", "chosen")),
            join_type="left",
        )
        .where(column("is_customer", "people"))
        .group_by(column("customer_id", "people"))
    )


def survivorship_parameters(declared: Survivorship) -> dict[str, object]:
    """What the declaration says, as the parameters that the statements name."""
    lists: dict[str, object] = {"verified_by": list(declared.verified_by), "placeholders": list(declared.placeholders)}
    for name, words in declared.synonyms.items():
        lists |= {f"{name}_words": list(words), f"{name}_meanings": list(words.values())}
    return lists | {f"{name}_priority": list(rule.priority) for name, rule in declared.rules.items() if rule.priority}


def _winner(name: str) -> exp.Expr:
    return call("max", case((equal(column("attribute", "chosen"), literal(name)), column("value", "chosen"))))


def _cleared(name: str) -> exp.Select:
    before, now = said("contacts", name, "versions"), said("contacts", name, "contacts")
    assert before is not None
    assert now is not None
    moment = call(
        "coalesce",
        column("updated_at", "versions"),
        column("created_at", "versions"),
        cast(column("_batch_on", "versions"), "TIMESTAMP"),
    )
    value = matched(name, before)
    return (
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


def _rows(declared: Survivorship, rule: str) -> exp.Select:
    """The rows that a rule asks, without the values that were cleared since."""
    names = declared.columns_of(rule)
    select = exp.select(
        *(column(name, "told") for name in ("customer_id", "record_id", *PLACE, "observed_at")),
        exp.alias_(_is_verified(declared, rule), "is_verified"),
    ).from_(exp.alias_(exp.table_("_attribute_rows", db="profiles"), "told", table=True))
    for name in names:
        cleared = f"cleared_{name}"
        select = select.select(
            exp.alias_(case((is_null(column("attribute", cleared)), column(name, "told"))), name, quoted=True)
        )
        select = select.join(
            exp.alias_(exp.table_("_cleared_values", db="profiles"), cleared, table=True),
            on=all_of(
                equal(column("attribute", cleared), literal(name)),
                equal(column("customer_id", "told"), column("customer_id", cleared)),
                equal(matched(name, column(name, "told")), column("cleared_value", cleared)),
                exp.LTE(this=column("observed_at", "told"), expression=column("cleared_at", cleared)),
            ),
            join_type="left",
        )
    return select.where(exp.Not(this=is_null(call("coalesce", *(column(name, "told") for name in names)))))


def _candidates(declared: Survivorship, rule: str) -> exp.Select:
    """Rows that say the same become one, which stands for the newest of them."""
    names = declared.columns_of(rule)
    same = [column(name) for name in ("customer_id", "kind", "feed", *names)]
    newest = [_descending(column(name)) for name in ("observed_at", "batch_on", "file", "row")]
    counted = (
        exp.select("*")
        .select(
            exp.alias_(
                exp.Window(this=call("row_number"), partition_by=same, order=exp.Order(expressions=newest)), "age_rank"
            ),
            exp.alias_(exp.Window(this=_count(), partition_by=[part.copy() for part in same]), "occurrences"),
        )
        .from_(f"{rule}_rows")
        .where(exp.Not(this=is_null(call("coalesce", *(column(name) for name in names)))))
    )
    same_value = [column("customer_id"), column(names[0])]
    frequency = exp.Window(this=call("sum", column("occurrences")), partition_by=same_value)
    return (
        exp.select("*", exp.alias_(frequency, "frequency"))
        .from_(counted.subquery("counted"))
        .where(equal(column("age_rank"), literal(1)))
    )


def _ranked(declared: Survivorship, rule: str) -> exp.Select:
    """Candidates with their rank, and the strategy by which each lost to the first (the first: won over the second)."""
    names = declared.columns_of(rule)
    prefer = declared.rules[rule].prefer
    keys = [exp.alias_(_merit(declared, rule, strategy), f"by_{strategy}") for strategy in prefer]
    order = [
        *(_descending(column(f"by_{strategy}")) for strategy in prefer),
        _descending(column("observed_at")),
        *(exp.Ordered(this=column(name), desc=False, nulls_first=False) for name in (*PLACE, *names)),
    ]
    place = exp.Window(
        this=call("row_number"), partition_by=[column("customer_id")], order=exp.Order(expressions=order)
    )
    merits = exp.select("*", *keys).from_(f"{rule}_candidates")
    placed = exp.select("*", exp.alias_(place, "rank")).from_(merits.subquery("merits"))
    is_first = equal(column("rank"), literal(1))
    is_second = equal(column("rank"), literal(2))

    def at(is_place: exp.Expr, name: str) -> exp.Expr:
        found = call("max", case((is_place, column(name))))
        return exp.Window(this=found, partition_by=[column("customer_id")])

    differs = [
        (
            exp.NullSafeNEQ(
                this=at(is_first, f"by_{s}"),
                expression=case((is_first, at(is_second, f"by_{s}")), otherwise=column(f"by_{s}")),
            ),
            literal(s),
        )
        for s in prefer
    ]
    alone = equal(exp.Window(this=_count(), partition_by=[column("customer_id")]), literal(1))
    decided = case((alone, literal(_ONLY_VALUE)), *differs, otherwise=literal(_TIE_BREAK))
    return exp.select("*", exp.alias_(decided, "decided_by")).from_(placed.subquery("placed"))


def _listed(declared: Survivorship, rule: str, name: str) -> exp.Select:
    """The ranked candidates of a rule as values of one of its columns."""
    return (
        exp.select(
            column("customer_id"),
            exp.alias_(literal(name), "attribute"),
            exp.alias_(column(name), "value"),
            exp.alias_(equal(column("rank"), literal(1)), "is_golden"),
            exp.alias_(column("rank"), "rank", quoted=True),
            exp.alias_(literal(rule), "rule"),
            exp.alias_(literal(", ".join(declared.rules[rule].prefer)), "strategy"),
            column("decided_by"),
            exp.alias_(cast(column("occurrences"), "BIGINT"), "occurrences"),
            column("observed_at"),
            *(column(part) for part in PLACE),
            column("record_id"),
        )
        .from_(f"{rule}_ranked")
        .where(exp.Not(this=is_null(column(name))))
    )


def _merit(declared: Survivorship, rule: str, strategy: Strategy) -> exp.Expr:
    """What a strategy compares; the larger is the better."""
    first = column(declared.columns_of(rule)[0])
    if strategy == "filled_first":
        return case((is_null(first), literal(0)), otherwise=literal(1))
    if strategy == "most_complete":
        merit = literal(0)
        for name in declared.columns_of(rule):
            merit = exp.Add(this=merit, expression=case((is_null(column(name)), literal(0)), otherwise=literal(1)))
        return merit
    if strategy == "verified_first":
        return case((column("is_verified"), literal(1)), otherwise=literal(0))
    if strategy == "most_recent":
        return column("observed_at")
    if strategy == "most_frequent":
        return column("frequency")
    if strategy == "longest":
        return call("length", first)
    places = (
        call("nullif", call("list_position", parameter(f"{rule}_priority"), column(name)), literal(0))
        for name in ("feed", "kind")
    )
    last = literal(len(declared.rules[rule].priority) + 1)
    return exp.Neg(this=call("coalesce", call("least", *places), last))


def _is_verified(declared: Survivorship, rule: str) -> exp.Expr:
    identifier = declared.rules[rule].identifier
    return column(f"is_{identifier}_verified", "told") if identifier in {"email", "phone"} else exp.false()


def _typed(value: exp.Expr, sql_type: str) -> exp.Expr:
    if isinstance(value, exp.Null) or not sql_type.endswith("[]"):
        return cast(value, sql_type)
    return cast(cast(value, "JSON"), sql_type)


def _descending(value: exp.Expr) -> exp.Ordered:
    return exp.Ordered(this=value, desc=True, nulls_first=False)


def _count() -> exp.Count:
    return exp.Count(this=exp.Star(), big_int=True)


def _union(selects: list[exp.Select]) -> exp.Query:
    union: exp.Query = selects[0]
    for select in selects[1:]:
        union = exp.union(union, select, distinct=False, copy=False)
    return union
