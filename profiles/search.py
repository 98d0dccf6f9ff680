"""Customers found by what a person knows of them: a name, an e-mail, a phone in any notation, an id of a source.

A Chinese name is found however it is written: in simplified or traditional characters, or in pinyin.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from identity.masked import masked_value
from identity.names import sought_name
from identity.resolve import bearers, customer_named
from warehouse.database import Connection
from warehouse.errors import InputError

_WIDE: Final = "".join(map(chr, range(0xFF01, 0xFF5F))) + "\u3000"
_NARROW: Final = "".join(map(chr, range(0x21, 0x7F))) + " "
_LONGEST: Final = 200

_BY_NAME = """
    with names as (
        select links.customer_id, identifiers.raw_value as name
        from identity.identifiers as identifiers
        inner join identity.customer_links as links on identifiers.record_id = links.record_id
        where identifiers.identifier_kind = 'name' and links.valid_to is null
        union all
        select customer_id, unnest([full_name, company, handle]) as name from profiles.customers
    ),
    folded as (
        select customer_id, lower(strip_accents(nfc_normalize(translate(name, $wide, $narrow)))) as name
        from names
        where name is not null
    )
    select distinct customer_id
    from folded
    where
        list_bool_or(
            list_transform(
                $wordings, words -> list_bool_and(list_transform(words, word -> contains(name, word)))
            )
        )
"""
_BY_CHINESE_NAME = """
    with alike as (
        select full_name, given_name, family_name
        from identity._names
        where
            ($han <> '' and contains(han, $han))
            or (
                -- Characters that sound alike are another name; pinyin is the same one.
                ($han = '' or not regexp_matches(concat_ws(' ', full_name, given_name, family_name), '\\p{Han}'))
                and list_has_any([family || given, given || family, family, given], $sounds)
            )
    )
    select distinct links.customer_id
    from alike
    inner join identity.records as records
        on
            coalesce(alike.full_name, '') = coalesce(records.full_name, '')
            and coalesce(alike.given_name, '') = coalesce(records.given_name, '')
            and coalesce(alike.family_name, '') = coalesce(records.family_name, '')
    inner join identity.customer_links as links on records.record_id = links.record_id
    where links.valid_to is null
"""
"""By the parts of names as identity compares them: simplified characters, and pinyin without spaces."""
_SHOWN = """
    with members as (
        select customer_id, count(*) as record_count
        from identity.customer_links
        where list_contains($customers, customer_id) and valid_to is null
        group by customer_id
    )
    select
        members.customer_id, customers.full_name, customers.email, customers.phone, customers.city, customers.country,
        members.record_count, customers.last_seen_at
    from members
    left join profiles.customers as customers on members.customer_id = customers.customer_id
    order by customers.last_seen_at desc nulls last, members.customer_id
"""


@dataclass(frozen=True)
class FoundCustomer:
    """A customer as it is listed: enough to tell who is meant, personal values masked."""

    customer_id: str
    name: str | None
    email: str | None
    phone: str | None
    city: str | None
    country: str | None
    record_count: int
    last_seen_at: datetime | None


def find(connection: Connection, text: str, *, default_country: str = "") -> tuple[FoundCustomer, ...]:
    """The customers of whom a record bears what is written, or a name with all of its words; the newest first.

    Raises:
        InputError: there is none.
    """
    text = text.strip()[:_LONGEST]
    named = customer_named(connection, text) if text else None
    customers = {named} if named is not None else _bearing(connection, text, default_country)
    found = connection.execute(_SHOWN, {"customers": sorted(customers)}).fetchall() if customers else []
    if not found:
        raise InputError(
            "No customer has such a name, e-mail, phone, order or account.",
            "Write less of the name, such as the family name alone; a phone with its country code.",
        )
    return tuple(_masked(row) for row in found)


def _bearing(connection: Connection, text: str, default_country: str) -> set[str]:
    words = _words(text)
    if not words:
        return set()
    sought = sought_name(text)
    wordings = [words, [sought.han]] if sought is not None and sought.han else [words]
    named = connection.execute(_BY_NAME, {"wordings": wordings, "wide": _WIDE, "narrow": _NARROW}).fetchall()
    if sought is not None:
        named += connection.execute(_BY_CHINESE_NAME, {"han": sought.han, "sounds": list(sought.sounds)}).fetchall()
    borne = bearers(connection, text, default_country=default_country)
    return {str(customer) for (customer,) in named} | {customer for customer, _ in borne}


def _words(text: str) -> list[str]:
    """As names are folded by the statement: case, width and accents do not count."""
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).lower())
    bare = "".join(letter for letter in plain if not unicodedata.combining(letter))
    return re.split(r"\s+", unicodedata.normalize("NFC", bare).strip()) if bare.strip() else []


def _masked(row: Sequence[object]) -> FoundCustomer:
    customer_id, name, email, phone, city, country, records, last_seen_at = row
    hidden = {
        field: None if value is None else masked_value(field, value)
        for field, value in (("name", name), ("email", email), ("phone", phone))
    }
    return FoundCustomer(
        str(customer_id),
        **hidden,
        city=city,  # type: ignore[arg-type]
        country=country,  # type: ignore[arg-type]
        record_count=int(str(records)),
        last_seen_at=last_seen_at,  # type: ignore[arg-type]
    )
