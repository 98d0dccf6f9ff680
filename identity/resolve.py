"""Whom a person means: a customer id, a former one, an e-mail, phone, order, account or device."""

from __future__ import annotations

from identity.normalise import normalise_email, normalise_handle, normalise_phone
from warehouse.database import Connection
from warehouse.errors import InputError

_CURRENT = "select 1 from identity.customer_links where customer_id = $who limit 1"
_ALIAS = "select customer_id from identity.customer_aliases where former_id = $who"
_BY_RECORD = "select customer_id from identity.customer_links where record_id = $who"
_BY_IDENTIFIER = """
    select distinct links.customer_id
    from identity.identifiers as identifiers
    inner join identity.customer_links as links on identifiers.record_id = links.record_id
    where
        list_contains($kinds, identifiers.identifier_kind)
        and (
            list_contains($values, identifiers.value)
            or list_contains($values, identifiers.raw_value)
            or (
                identifiers.identifier_kind = 'handle'
                and list_contains($values, split_part(identifiers.value, ':', 2))
            )
        )
    order by 1
"""
_BY_ORDER = """
    select distinct links.customer_id
    from staging.purchases as purchases
    inner join identity.row_records as rows_of
        on rows_of.kind = 'purchases'
        and purchases._feed = rows_of.feed
        and purchases._file = rows_of.file
        and purchases._row = rows_of.row
    inner join identity.customer_links as links on rows_of.record_id = links.record_id
    where purchases.order_id = $who
    order by 1
"""
_IDENTIFIER_KINDS = (
    "email",
    "phone",
    "source_id",
    "social_account",
    "handle",
    "wechat_unionid",
    "wechat_openid",
    "wecom_external_userid",
    "order",
    "cookie",
    "device",
)


def resolve(connection: Connection, who: str, *, default_country: str = "") -> str:
    """The customer id that ``who`` stands for now.

    Raises:
        InputError: it names nobody, or several customers.
    """
    who = who.strip()
    if connection.execute(_CURRENT, {"who": who}).fetchone():
        return who
    for query in (_ALIAS, _BY_RECORD):
        found = connection.execute(query, {"who": who}).fetchall()
        if found:
            return str(found[0][0])
    customers = {str(row[0]) for row in connection.execute(_BY_ORDER, {"who": who}).fetchall()}
    if not customers:
        values = {"kinds": list(_IDENTIFIER_KINDS), "values": _spellings(who, default_country)}
        customers = {str(row[0]) for row in connection.execute(_BY_IDENTIFIER, values).fetchall()}
    if not customers:
        raise InputError(
            "No customer has this id, e-mail, phone, order or account.",
            "Check the spelling; phones best with country code.",
        )
    if len(customers) > 1:
        named = ", ".join(sorted(customers)[:10])
        raise InputError(f"This names {len(customers)} customers: {named}.", "Ask for one of these ids.")
    return customers.pop()


def _spellings(who: str, country: str) -> list[str]:
    phone = normalise_phone(who, country) if country else normalise_phone(who, "ZZ")
    found = [who, normalise_email(who), normalise_handle(who), phone.value if phone else None]
    return sorted({text for text in found if text})
