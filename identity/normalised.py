"""The step that normalises every distinct value of the records once.

Tables (private): ``identity._texts`` (field, raw, value), ``identity._phones`` (raw, country, value, is_valid,
is_masked) and ``identity._names`` (full_name, given_name, family_name, given, family, han, name_key).
"""

from __future__ import annotations

from collections.abc import Callable

import pyarrow as pa

from identity.addresses import address_key
from identity.arrays import arrow, read_table, write_table
from identity.names import normalise_name
from identity.normalise import (
    normalise_address,
    normalise_city,
    normalise_email,
    normalise_gender,
    normalise_handle,
    normalise_phone,
    normalise_postcode,
)
from identity.specs import spec
from warehouse.database import Connection
from warehouse.step import Run, Step


def _address_key_of(text: str) -> str | None:
    address = normalise_address(text)
    return address_key(address) if address else None


TEXT_FIELDS: dict[str, tuple[str, Callable[[str], str | None]]] = {
    "email": ("email", normalise_email),
    "handle": ("handle", normalise_handle),
    "address": ("address_line", normalise_address),
    "address_key": ("address_line", _address_key_of),
    "city": ("city", normalise_city),
    "postcode": ("postcode", normalise_postcode),
    "gender": ("gender", normalise_gender),
}
"""Field of ``identity._texts`` → the column of the records it is made from, and its function."""

_DISTINCT = {
    "email": "select distinct email from identity.records where email is not null order by 1",
    "handle": "select distinct handle from identity.records where handle is not null order by 1",
    "address_line": "select distinct address_line from identity.records where address_line is not null order by 1",
    "city": "select distinct city from identity.records where city is not null order by 1",
    "postcode": "select distinct postcode from identity.records where postcode is not null order by 1",
    "gender": "select distinct gender from identity.records where gender is not null order by 1",
}
_DISTINCT_PHONES = """
    select distinct
        phone,
        case when length(country) = 2 then upper(country) else feed_country end as country
    from identity.records
    where phone is not null
    order by 1, 2
"""
_DISTINCT_NAMES = """
    select distinct full_name, given_name, family_name
    from identity.records
    where coalesce(full_name, given_name, family_name) is not null
    order by 1, 2, 3
"""


def normalised_step() -> Step:
    """Make the tables of normalised values from ``identity.records``."""
    tables = (
        spec("_texts", "A distinct text as sent, and the form in which it is compared.", ("field", "raw")),
        spec("_phones", "A distinct phone number as sent, and its international form.", ("raw", "country")),
        spec(
            "_names",
            "A distinct name as sent, and its parts as they are compared.",
            ("full_name", "given_name", "family_name"),
        ),
    )
    return Step("identity.normalised", tables, frozenset({"identity.records"}), _execute)


def _execute(connection: Connection, _: Run) -> None:
    write_table(connection, "identity._texts", _texts(connection))
    write_table(connection, "identity._phones", _phones(connection))
    write_table(connection, "identity._names", _names(connection))


def _texts(connection: Connection) -> pa.Table:
    rows: list[tuple[str, str, str]] = []
    for field, (column, normalise) in TEXT_FIELDS.items():
        for (raw,) in connection.execute(_DISTINCT[column]).fetchall():
            value = normalise(raw)
            if value is not None:
                rows.append((field, raw, value))
    return arrow(
        {
            "field": ([row[0] for row in rows], pa.string()),
            "raw": ([row[1] for row in rows], pa.string()),
            "value": ([row[2] for row in rows], pa.string()),
        }
    )


def _phones(connection: Connection) -> pa.Table:
    found = connection.execute(_DISTINCT_PHONES).fetchall()
    phones = [(raw, country, phone) for raw, country in found if (phone := normalise_phone(raw, country))]
    return arrow(
        {
            "raw": ([raw for raw, _, _ in phones], pa.string()),
            "country": ([country for _, country, _ in phones], pa.string()),
            "value": ([phone.value for _, _, phone in phones], pa.string()),
            "is_valid": ([phone.is_valid for _, _, phone in phones], pa.bool_()),
            "is_masked": ([phone.is_masked for _, _, phone in phones], pa.bool_()),
        }
    )


def _names(connection: Connection) -> pa.Table:
    sent = read_table(connection, _DISTINCT_NAMES)
    columns = [sent.column(name).to_pylist() for name in ("full_name", "given_name", "family_name")]
    pairs = [(raw, name) for raw in zip(*columns, strict=True) if (name := normalise_name(*raw))]
    return arrow(
        {
            "full_name": ([raw[0] for raw, _ in pairs], pa.string()),
            "given_name": ([raw[1] for raw, _ in pairs], pa.string()),
            "family_name": ([raw[2] for raw, _ in pairs], pa.string()),
            "given": ([name.given for _, name in pairs], pa.string()),
            "family": ([name.family for _, name in pairs], pa.string()),
            "han": ([name.han for _, name in pairs], pa.string()),
            "name_key": ([name.key for _, name in pairs], pa.string()),
        }
    )
