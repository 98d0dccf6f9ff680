"""The step that normalises every distinct value of the records once, and keeps the results for the runs to come.

Tables (private): ``identity._texts`` (field, raw, value), ``identity._phones`` (raw, country, value, is_valid,
is_masked) and ``identity._names`` (full_name, given_name, family_name, given, family, han, name_key). A value that was
normalised by an earlier run is not normalised again, unless the code that does it, or a library that it uses, is
another now (``identity._normalised_by``). What no record says any more is left out, so that the tables are those of a
full rebuild, row by row.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Sequence
from importlib.metadata import version
from importlib.resources import files

import pyarrow as pa
from sqlglot import exp

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
from warehouse.database import Connection, MissingTableError
from warehouse.step import Run, Step


def _address_key_of(text: str) -> str | None:
    address = normalise_address(text)
    return address_key(address) if address else None


TEXT_FIELDS: dict[str, Callable[[str], str | None]] = {
    "email": normalise_email,
    "handle": normalise_handle,
    "address": normalise_address,
    "address_key": _address_key_of,
    "city": normalise_city,
    "postcode": normalise_postcode,
    "gender": normalise_gender,
}
"""How each field of ``identity._texts`` is made from what was sent."""

_SHAPES = {
    "_texts": {name: pa.string() for name in ("field", "raw", "value")},
    "_phones": {name: pa.string() for name in ("raw", "country", "value")}
    | {name: pa.bool_() for name in ("is_valid", "is_masked")},
    "_names": {
        name: pa.string() for name in ("full_name", "given_name", "family_name", "given", "family", "han", "name_key")
    },
}
_SAID = (
    """
    create or replace temp table _said_texts as
    select distinct field, raw
    from (
        select unnest(
            [
                {'field': 'email', 'raw': email},
                {'field': 'handle', 'raw': handle},
                {'field': 'address', 'raw': address_line},
                {'field': 'address_key', 'raw': address_line},
                {'field': 'city', 'raw': city},
                {'field': 'postcode', 'raw': postcode},
                {'field': 'gender', 'raw': gender}
            ],
            recursive := true
        )
        from identity.records
    )
    where raw is not null
    """,
    """
    create or replace temp table _said_phones as
    select distinct
        phone as raw,
        case when length(country) = 2 then upper(country) else feed_country end as country
    from identity.records
    where phone is not null
    """,
    """
    create or replace temp table _said_names as
    select distinct full_name, given_name, family_name
    from identity.records
    where coalesce(full_name, given_name, family_name) is not null
    """,
)
_TIDY = ("drop table _said_texts", "drop table _said_phones", "drop table _said_names")
_KEYS = {
    "_texts": ("field", "raw"),
    "_phones": ("raw", "country"),
    "_names": ("full_name", "given_name", "family_name"),
}
_CODE = ("addresses", "chinese", "names", "normalise", "normalised")
_LIBRARIES = ("phonenumbers", "pypinyin", "OpenCC")


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
        spec("_normalised_by", "The code that normalised the values that stand.", ("fingerprint",)),
    )
    return Step("identity.normalised", tables, frozenset({"identity.records"}), _execute)


def _execute(connection: Connection, run: Run) -> None:
    code = _code()
    if run.full_refresh or not _is_made_by(connection, code):
        for name, shape in _SHAPES.items():
            write_table(connection, f"identity.{name}", arrow({column: ([], kind) for column, kind in shape.items()}))
        write_table(connection, "identity._normalised_by", arrow({"fingerprint": ([code], pa.string())}))
    for statement in _SAID:
        connection.execute(statement)
    for name, normalise in (("_texts", _texts), ("_phones", _phones), ("_names", _names)):
        new = read_table(connection, _new_query(name))
        _keep(connection, name, normalise(*(new.column(key).to_pylist() for key in _KEYS[name])))
    for statement in _TIDY:
        connection.execute(statement)


def _code() -> str:
    """A digest of what decides how values are normalised: our modules and the versions of libraries."""
    digest = hashlib.sha256()
    for module in _CODE:
        digest.update((files("identity") / f"{module}.py").read_bytes())
    for library in _LIBRARIES:
        digest.update(f"{library} {version(library)}".encode())
    digest.update(f"unicode {unicodedata.unidata_version}".encode())
    return digest.hexdigest()[:16]


def _is_made_by(connection: Connection, code: str) -> bool:
    try:
        found = connection.execute("select fingerprint from identity._normalised_by").fetchall()
    except MissingTableError:
        return False
    return found == [(code,)]


def _new_query(name: str) -> str:
    """What records say and no run has normalised yet, in order."""
    keys = _KEYS[name]
    query = exp.select(*(exp.column(key, "said") for key in keys)).from_(exp.to_table(f"_said{name}").as_("said"))
    query = query.join(exp.to_table(f"identity.{name}").as_("kept"), on=_alike(keys, "said", "kept"), join_type="anti")
    return query.order_by(*keys).sql(dialect="duckdb")


def _keep(connection: Connection, name: str, new: pa.Table) -> None:
    """The results of earlier runs for what records still say, and the new ones."""
    keys = _KEYS[name]
    kept = exp.select("kept.*").from_(exp.to_table(f"identity.{name}").as_("kept"))
    kept = kept.join(exp.to_table(f"_said{name}").as_("said"), on=_alike(keys, "kept", "said"), join_type="semi")
    every = exp.union(kept, exp.select("*").from_("_new"), distinct=False)
    rows = exp.select("*").from_(every.subquery("every")).order_by(*keys)
    table = exp.to_table(f"identity.{name}")
    created = exp.Create(this=table, kind="TABLE", replace=True, expression=rows)
    connection.register("_new", new)
    try:
        connection.execute(created.sql(dialect="duckdb"))
    finally:
        connection.unregister("_new")


def _alike(keys: Sequence[str], one: str, other: str) -> exp.Condition:
    return exp.and_(*(exp.NullSafeEQ(this=exp.column(key, one), expression=exp.column(key, other)) for key in keys))


def _texts(fields: list[str], raws: list[str]) -> pa.Table:
    rows = [
        (field, raw, value)
        for field, raw in zip(fields, raws, strict=True)
        if (value := TEXT_FIELDS[field](raw)) is not None
    ]
    return arrow(
        {
            "field": ([row[0] for row in rows], pa.string()),
            "raw": ([row[1] for row in rows], pa.string()),
            "value": ([row[2] for row in rows], pa.string()),
        }
    )


def _phones(raws: list[str], countries: list[str]) -> pa.Table:
    found = zip(raws, countries, strict=True)
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


def _names(*columns: list[str | None]) -> pa.Table:
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
