"""Which value wins: the statements of ``profiles.attribute_values`` and ``profiles._golden_values``.

Rows of one feed that say the same to a customer's rule are one candidate. Candidates are numbered by the rule's
strategies, then by the newest observation, then by the place of their newest row, which is unique.
"""

from __future__ import annotations

from typing import Final

from sqlglot import exp

from profiles.attribute_rows import PLACE
from profiles.sql_expressions import all_of, call, case, cast, column, equal, is_null, literal
from profiles.survivorship import Survivorship, contract_columns

GOLDEN_COLUMNS: Final = (
    "full_name", "given_name", "family_name", "email", "phone", "gender", "birth_on", "address_line", "city",
    "region", "postcode", "country", "language", "company", "occupation", "income_band", "interests",
    "loyalty_tier", "lead_source", "handle",
)  # fmt: skip
"""What every golden record has, whether a project declares a rule for it or not; a declaration may add columns."""

_ONLY_VALUE: Final = "only_value"
_TIE_BREAK: Final = "tie_break"
_SUBJECT: Final = ("customer_id", "rule")


def attribute_values(declared: Survivorship) -> exp.Select:
    """Every value a customer's rows claim, with its source row, its rank, and the strategy that decided."""
    rules = [(rule, ", ".join(declared.rules[rule].prefer)) for rule in declared.rules]
    columns = [
        (rule, name, place) for rule in declared.rules for place, name in enumerate(declared.columns_of(rule), start=1)
    ]
    value = call("list_extract", column("told", "decided"), column("place", "targets"))
    listed = (
        exp.select(
            column("customer_id", "decided"),
            column("attribute", "targets"),
            exp.alias_(value, "value"),
            exp.alias_(equal(column("rank", "decided"), literal(1)), "is_golden"),
            *(column(name, "decided") for name in ("rank", "rule", "strategy", "decided_by", "occurrences")),
            *(column(name, "decided") for name in ("observed_at", *PLACE, "record_id")),
        )
        .from_("decided")
        .join(
            exp.values(columns, alias="targets", columns=["rule", "attribute", "place"]),
            on=equal(column("rule", "decided"), column("rule", "targets")),
        )
        .where(exp.Not(this=is_null(value)))
    )
    strategies = max(len(rule.prefer) for rule in declared.rules.values())
    for name, stage in (
        ("counted", _counted()),
        ("candidates", _candidates()),
        ("merits", _merits(declared, rules, strategies)),
        ("ranked", _ranked(strategies)),
        ("decided", _decided(strategies)),
    ):
        listed = listed.with_(name, as_=stage)
    return listed


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


def _winner(name: str) -> exp.Expr:
    return call("max", case((equal(column("attribute", "chosen"), literal(name)), column("value", "chosen"))))


def _counted() -> exp.Select:
    """Rows that say the same, from the newest to the oldest, with their number."""
    same = [column(name) for name in (*_SUBJECT, "kind", "feed", "told")]
    newest = [_descending(column(name)) for name in ("observed_at", "batch_on", "file", "row")]
    age = exp.Window(this=call("row_number"), partition_by=same, order=exp.Order(expressions=newest))
    number = exp.Window(this=_count(), partition_by=[part.copy() for part in same])
    claims = exp.alias_(exp.table_("_attribute_claims", db="profiles"), "claims", table=True)
    return exp.select("claims.*", exp.alias_(age, "age_rank"), exp.alias_(number, "occurrences")).from_(claims)


def _candidates() -> exp.Select:
    """The newest of the rows that say the same; its value is as frequent as all rows that say its first column."""
    first = call("list_extract", column("told"), 1)
    said_by = exp.Window(this=call("sum", column("occurrences")), partition_by=[*map(column, _SUBJECT), first])
    epoch = exp.cast(literal("1970-01-01 00:00:00"), exp.DataType.build("TIMESTAMP"))
    moment = call("date_diff", literal("microsecond"), epoch, column("observed_at"))
    return (
        exp.select(
            "counted.*",
            exp.alias_(cast(said_by, "BIGINT"), "by_most_frequent"),
            exp.alias_(moment, "by_most_recent"),
        )
        .from_("counted")
        .where(equal(column("age_rank"), literal(1)))
    )


def _merits(declared: Survivorship, rules: list[tuple[str, str]], strategies: int) -> exp.Select:
    """What the strategies of the candidate's rule compare, the first one first; the larger is the better."""
    select = exp.select("candidates.*", column("strategy", "rules")).from_("candidates")
    for place in range(strategies):
        compared = [
            (equal(column("rule", "candidates"), literal(name)), column(f"by_{rule.prefer[place]}", "candidates"))
            for name, rule in declared.rules.items()
            if place < len(rule.prefer)
        ]
        select = select.select(exp.alias_(case(*compared), f"merit_{place + 1}"))
    return select.join(
        exp.values(rules, alias="rules", columns=["rule", "strategy"]),
        on=equal(column("rule", "candidates"), column("rule", "rules")),
    )


def _ranked(strategies: int) -> exp.Select:
    order = [
        *(_descending(column(f"merit_{place}")) for place in range(1, strategies + 1)),
        _descending(column("observed_at")),
        *(exp.Ordered(this=column(name), desc=False, nulls_first=False) for name in PLACE),
    ]
    rank = exp.Window(
        this=call("row_number"), partition_by=[*map(column, _SUBJECT)], order=exp.Order(expressions=order)
    )
    return exp.select("merits.*", exp.alias_(rank, "rank", quoted=True)).from_("merits")


def _decided(strategies: int) -> exp.Select:
    """The strategy by which each candidate lost to the first one, or the first one won over the second."""
    is_first = equal(column("rank"), literal(1))

    def merit_of(rank: int, name: str) -> exp.Expr:
        found = call("max", case((equal(column("rank"), literal(rank)), column(name))))
        return exp.Window(this=found, partition_by=[*map(column, _SUBJECT)])

    branches: list[tuple[exp.Expr, exp.Expr]] = [
        (equal(exp.Window(this=_count(), partition_by=[*map(column, _SUBJECT)]), literal(1)), literal(_ONLY_VALUE))
    ]
    for place in range(1, strategies + 1):
        name = f"merit_{place}"
        rival = case((is_first, merit_of(2, name)), otherwise=column(name))
        differs = exp.NullSafeNEQ(this=merit_of(1, name), expression=rival)
        branches.append((differs, call("split_part", column("strategy"), literal(", "), place)))
    return exp.select("ranked.*", exp.alias_(case(*branches, otherwise=literal(_TIE_BREAK)), "decided_by")).from_(
        "ranked"
    )


def _typed(value: exp.Expr, sql_type: str) -> exp.Expr:
    if isinstance(value, exp.Null) or not sql_type.endswith("[]"):
        return cast(value, sql_type)
    return cast(cast(value, "JSON"), sql_type)


def _descending(value: exp.Expr) -> exp.Ordered:
    return exp.Ordered(this=value, desc=True, nulls_first=False)


def _count() -> exp.Count:
    return exp.Count(this=exp.Star(), big_int=True)
