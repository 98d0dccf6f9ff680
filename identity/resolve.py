"""Whom a person means: a customer id, a former one, an e-mail, phone, order, account or device, or a record."""

from __future__ import annotations

from identity.normalise import normalise_email, normalise_handle, normalise_phone
from warehouse.database import Connection
from warehouse.errors import InputError

_CURRENT = "select 1 from identity.customer_links where customer_id = $who limit 1"
_ALIAS = "select customer_id from identity.customer_aliases where former_id = $who"
_BY_RECORD = "select customer_id, record_id from identity.customer_links where record_id = $who"
_BY_RECORD_START = """
    select customer_id, record_id
    from identity.customer_links
    where length($who) >= 8 and starts_with(record_id, $who)
    order by 1, 2
"""
_BY_IDENTIFIER = """
    select distinct links.customer_id, links.record_id
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
    order by 1, 2
"""
_BY_ORDER = """
    select distinct links.customer_id, links.record_id
    from staging.purchases as purchases
    inner join identity.row_records as rows_of
        on rows_of.kind = 'purchases'
        and purchases._feed = rows_of.feed
        and purchases._file = rows_of.file
        and purchases._row = rows_of.row
    inner join identity.customer_links as links on rows_of.record_id = links.record_id
    where purchases.order_id = $who
    order by 1, 2
"""
IDENTIFIER_KINDS = (
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

Bearers = tuple[tuple[str, str], ...]
"""Customers and those of their records that bear what was named."""


def resolve(connection: Connection, who: str, *, default_country: str = "") -> str:
    """The customer id that ``who`` stands for now.

    Raises:
        InputError: it names nobody, or several customers.
    """
    who = who.strip()
    known = customer_named(connection, who)
    if known is not None:
        return known
    customers = sorted({customer for customer, _ in bearers(connection, who, default_country=default_country)})
    if not customers:
        raise InputError(
            "No customer has this id, e-mail, phone, order or account.",
            "Check the spelling; phones best with country code; `cdp customer find TEXT` looks for names as well.",
        )
    if len(customers) > 1:
        raise InputError(
            f"This names {len(customers)} customers: {', '.join(customers[:10])}.", "Ask for one of these ids."
        )
    return customers[0]


def customer_named(connection: Connection, who: str) -> str | None:
    """The customer of which ``who`` is the id or a former id."""
    if connection.execute(_CURRENT, {"who": who}).fetchone():
        return who
    found = connection.execute(_ALIAS, {"who": who}).fetchone()
    return str(found[0]) if found else None


def bearers(connection: Connection, who: str, *, default_country: str = "") -> Bearers:
    """The records that ``who`` names: a record id or its beginning, or whatever bears an order or identifier."""
    who = who.strip()
    identifiers = {"kinds": list(IDENTIFIER_KINDS), "values": spellings(who, default_country)}
    for query, values in (
        (_BY_RECORD, {"who": who}),
        (_BY_ORDER, {"who": who}),
        (_BY_IDENTIFIER, identifiers),
        (_BY_RECORD_START, {"who": who}),
    ):
        found = connection.execute(query, values).fetchall()
        if found:
            return tuple((str(customer), str(record)) for customer, record in found)
    return ()


def spellings(who: str, country: str) -> list[str]:
    """The forms in which identity may hold what a person typed."""
    phone = normalise_phone(who, country) if country else normalise_phone(who, "ZZ")
    found = [who, normalise_email(who), normalise_handle(who), phone.value if phone else None]
    return sorted({text for text in found if text})
