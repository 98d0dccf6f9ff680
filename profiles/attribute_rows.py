"""What every source row says about its customer, in one shape: the statement of ``profiles._attribute_rows``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlglot import exp

from profiles.field_values import NAMED
from profiles.sql_expressions import all_of, call, case, cast, column, equal, is_null, literal, parameter, union_all
from profiles.survivorship import Survivorship, contract_columns

OBSERVED: Final[Mapping[str, str]] = {
    "contacts": "observed_at",
    "purchases": "placed_at",
    "feedback": "submitted_at",
    "web_events": "occurred_at",
    "social_interactions": "occurred_at",
}
"""Kind → column of the moment at which its row's values were said."""

PLACE: Final = ("kind", "feed", "batch_on", "file", "row")
"""The columns that name a source row."""

_IDENTIFIERS: Final = ("email", "phone", "name")
_PHONE_TAIL: Final = 9
"""Two writings of one number agree in their last nine digits, whatever stands before: +44 7700 … and 07700 …"""


def attribute_rows(declared: Survivorship) -> exp.Select:
    """One row per staged row that says something about a customer: who, where, when, and every column as text."""
    asked = {
        kind
        for rule in declared.rules
        for kind in declared.rules[rule].sources
        if any(said(kind, name, "source") is not None for name in declared.columns_of(rule))
    }
    kinds = sorted(asked)  # a kind that can say nothing of it has no row here
    told = union_all([_told(declared, kind) for kind in kinds])
    kept = ("customer_id", "record_id", *PLACE, "observed_at", "is_email_verified", "is_phone_verified")
    values = (
        exp.alias_(_meant(declared, rule, name), name, quoted=True)
        for rule in declared.rules
        for name in declared.columns_of(rule)
    )
    is_customer = all_of(
        equal(column("customer_id", "told"), column("customer_id", "people")), column("is_customer", "people")
    )
    meant = (
        exp.select(*(column(name, "told") for name in kept), *values)
        .from_("told")
        .join(exp.alias_(exp.table_("_people", db="profiles"), "people", table=True), on=is_customer)
    )
    for name in NAMED:
        if name in declared.columns:
            meant = with_names(meant, name, column(name, "told"))
    says_something = exp.Not(this=is_null(call("coalesce", *(column(name) for name in declared.columns))))
    return exp.select("meant.*").from_("meant").where(says_something).with_("told", as_=told).with_("meant", as_=meant)


def one_word(declared: Survivorship, name: str, value: exp.Expr) -> exp.Expr:
    """One word for one thing: what the rules of the project say, then codes for names; see ``with_names``."""
    word = call("lower", value)
    if name in NAMED:
        value = call("coalesce", column("code", f"{name}_names"), value)
    if name in declared.synonyms:
        place = call("list_position", parameter(f"{name}_words"), word)
        value = call("coalesce", call("list_extract", parameter(f"{name}_meanings"), place), value)
    return value


def with_names(query: exp.Select, name: str, value: exp.Expr) -> exp.Select:
    """A query over the names of codes, too, where ``value`` is one."""
    names, codes = (call("unnest", parameter(f"{name}_{part}")) for part in ("names", "codes"))
    known = exp.select(exp.alias_(names, "name"), exp.alias_(codes, "code")).subquery(f"{name}_names")
    same = equal(column("name", f"{name}_names"), call("lower", call("trim", value)))
    return query.join(known, on=same, join_type="left")


def matched(name: str, value: exp.Expr) -> exp.Expr:
    """The form in which two values of a column are the same value."""
    if name == "phone":
        return call("right", call("regexp_replace", value, literal("[^0-9]"), literal(""), literal("g")), _PHONE_TAIL)
    return call("lower", call("trim", value))


def said(kind: str, name: str, alias: str) -> exp.Expr | None:
    """The text that a row of ``kind`` says for a column; None when the kind cannot say it."""
    types = contract_columns()[kind]
    if name == "language" and kind == "web_events":
        return _main_language(column("locale", alias))
    if name not in types:
        return None
    value = column(name, alias)
    if name == "language":
        return _main_language(value)
    if name == "full_name" and {"given_name", "family_name"} <= types.keys():
        return call("coalesce", _trimmed(value), _joined_name(alias))
    if types[name].endswith("[]"):
        filled = exp.GT(this=exp.ArraySize(this=value), expression=literal(0))
        return case((filled, cast(call("to_json", value), "VARCHAR")))
    return cast(value, "VARCHAR") if types[name] != "VARCHAR" else value


def _told(declared: Survivorship, kind: str) -> exp.Select:
    """The rows of a kind with what they say, letter for letter, and what identity makes of their identifiers."""
    texts = {
        name: said(kind, name, "source") if kind in declared.rules[rule].sources else None
        for rule in declared.rules
        for name in declared.columns_of(rule)
    }
    moment = column(OBSERVED[kind], "source")
    present = [exp.Not(this=is_null(text)) for text in texts.values() if text is not None]
    owner = "source" if kind == "contacts" else "owners"
    return (
        _from(kind)
        .select(
            column("customer_id", owner),
            column("record_id", owner),
            exp.alias_(literal(kind), "kind"),
            *(exp.alias_(column(f"_{name}", "source"), name, quoted=True) for name in PLACE[1:]),
            exp.alias_(moment, "observed_at"),
            exp.alias_(call("coalesce", column("is_verified", "email_point"), exp.false()), "is_email_verified"),
            exp.alias_(call("coalesce", column("is_verified", "phone_point"), exp.false()), "is_phone_verified"),
            exp.alias_(column("value", "email_point"), "compared_email"),
            exp.alias_(column("value", "phone_point"), "compared_phone"),
            exp.alias_(
                all_of(
                    exp.Not(this=is_null(column("record_id", "name_point"))), is_null(column("value", "name_point"))
                ),
                "is_name_blocked",
            ),
            *(exp.alias_(text or cast(exp.null(), "VARCHAR"), name, quoted=True) for name, text in texts.items()),
        )
        .where(exp.LT(this=moment, expression=parameter("as_of_end")), exp.or_(*present))
    )


def _from(kind: str) -> exp.Select:
    """The staged rows with their owners; contacts come in their version of the as-of date and know their customer."""
    if kind == "contacts":
        source = exp.select().from_(exp.alias_(exp.table_("_contacts", db="profiles"), "source", table=True))
        is_known = exp.Not(this=is_null(column("customer_id", "source")))
        source, owner = source.where(exp.Not(this=column("is_deleted", "source")), is_known), "source"
    else:
        same_row = (equal(column(f"_{name}", "source"), column(name, "owners")) for name in PLACE[1:])
        source, owner = (
            (
                exp.select()
                .from_(exp.alias_(exp.table_(kind, db="staging"), "source", table=True))
                .join(
                    exp.alias_(exp.table_("_row_customers", db="profiles"), "owners", table=True),
                    on=all_of(equal(column("kind", "owners"), literal(kind)), *same_row),
                )
            ),
            "owners",
        )
    for identifier in _IDENTIFIERS:
        point = f"{identifier}_point"
        same_record = equal(column("record_id", owner), column("record_id", point))
        source = source.join(
            exp.alias_(exp.table_("_contact_points", db="profiles"), point, table=True),
            on=all_of(same_record, equal(column("identifier_kind", point), literal(identifier))),
            join_type="left",
        )
    return source


def _meant(declared: Survivorship, rule: str, name: str) -> exp.Expr:
    """A told text as a value: no placeholder, one word for one thing, no identifier that names nobody."""
    value = _trimmed(column(name, "told"))
    word = call("lower", value)
    conditions: list[exp.Expr] = []
    if declared.placeholders:
        conditions.append(exp.Not(this=call("list_contains", parameter("placeholders"), word)))
    identifier = declared.rules[rule].identifier
    value = one_word(declared, name, value)
    if identifier == "email":
        conditions.append(exp.Not(this=is_null(column("compared_email", "told"))))
        value = word
    elif identifier == "phone":
        # A number with hidden digits, or one that is none, has no E.164 form.
        compared = column("compared_phone", "told")
        conditions.append(exp.Like(this=compared, expression=literal("+%")))
        conditions.append(equal(matched("phone", compared), matched("phone", value)))
        value = compared
    elif identifier == "name":
        conditions.append(exp.Not(this=column("is_name_blocked", "told")))
    return case((all_of(*conditions), value)) if conditions else value


def _trimmed(value: exp.Expr) -> exp.Expr:
    return call("nullif", call("trim", value), literal(""))


def _main_language(value: exp.Expr) -> exp.Expr:
    """``zh-CN`` and ``zh_Hans`` are ``zh``."""
    return call("lower", call("split_part", call("replace", value, literal("_"), literal("-")), literal("-"), 1))


def _joined_name(alias: str) -> exp.Expr:
    """Given name first, but a Chinese name is written family name first and without a space."""
    given = call("coalesce", column("given_name", alias), literal(""))
    family = call("coalesce", column("family_name", alias), literal(""))
    chinese = exp.DPipe(this=family, expression=given)
    western = exp.DPipe(this=exp.DPipe(this=given.copy(), expression=literal(" ")), expression=family.copy())
    is_chinese = call("regexp_matches", chinese, literal("[\u3400-\u9fff]"))
    return _trimmed(case((is_chinese, chinese), otherwise=western))
