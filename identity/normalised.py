"""The step that finds which records changed, and normalises every distinct value of theirs once.

Tables (private): ``identity._texts`` (field, raw, value), ``identity._phones`` (raw, country, value, is_valid,
is_masked) and ``identity._names`` (full_name, given_name, family_name, given, family, han, name_key). A value that was
normalised by an earlier run is not normalised again. What no record says any more is left out, so that the tables are
those of a full rebuild. ``identity._standing`` holds the records as they were then: what differs now has changed, and
steps that come after make anew only what follows from it (``identity.kept``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import pyarrow as pa

from identity.addresses import address_key
from identity.arrays import add_rows, arrow, read_table
from identity.kept import Keeper, is_filled, make, tell, tell_everything
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

_EMPTY = (
    "create or replace table identity._texts (field varchar, raw varchar, value varchar)",
    """
    create or replace table identity._phones (
        raw varchar, country varchar, value varchar, is_valid boolean, is_masked boolean
    )
    """,
    """
    create or replace table identity._names (
        full_name varchar, given_name varchar, family_name varchar, given varchar, family varchar, han varchar,
        name_key varchar
    )
    """,
    """
    create or replace table identity._standing (
        record_id varchar, content ubigint, email varchar, handle varchar, address_line varchar, city varchar,
        postcode varchar, gender varchar, phone varchar, country varchar, feed_country varchar, full_name varchar,
        given_name varchar, family_name varchar
    )
    """,
)
_COLUMNS = {"address": "address_line", "address_key": "address_line"}
"""Where a field is not called like the column that sends it."""
_TEXTS_SAID = tuple(
    " ".join((f"select '{field}' as field,", column, "as raw from identity.records where", column, "is not null"))
    for field, column in ((field, _COLUMNS.get(field, field)) for field in TEXT_FIELDS)
)
_SAID = {
    "_texts": " ".join(("select distinct field, raw from (", " union all ".join(_TEXTS_SAID), ")")),
    "_phones": """
        select distinct
            phone as raw,
            case when length(country) = 2 then upper(country) else feed_country end as country
        from identity.records
        where phone is not null
    """,
    "_names": """
        select distinct full_name, given_name, family_name
        from identity.records
        where coalesce(full_name, given_name, family_name) is not null
    """,
}
_KEYS = {
    "_texts": ("field", "raw"),
    "_phones": ("raw", "country"),
    "_names": ("full_name", "given_name", "family_name"),
}
_FRESH = """
    create or replace temp table _fresh as
    select
        rowid as place,
        hash(
            record_id, email, handle, address_line, city, postcode, gender, phone, country, feed_country, full_name,
            given_name, family_name, feed, kind, person_key, id_space, source_customer_id, anonymous_id, device_id,
            platform, account_id, region, company, birth_on, national_id_hash, wechat_unionid, wechat_openid,
            wecom_external_userid, source_key, device_key
        ) as content
    from identity.records
"""
_DIFFERING = (
    """
    create or replace temp table _places as
    select fresh.place as place_now, fresh.content, standing.rowid as place_before
    from _fresh as fresh
    full join identity._standing as standing on fresh.content = standing.content
    where fresh.content is null or standing.content is null
    """,
    """
    create or replace temp table _said_now as
    select records.*, places.content
    from identity.records as records
    inner join _places as places on records.rowid = places.place_now
    """,
    """
    create or replace temp table _said_before as
    select standing.*
    from identity._standing as standing
    semi join _places as places on standing.rowid = places.place_before
    """,
    """
    create or replace temp table _touched as
    select record_id from _said_before
    union
    select record_id from _said_now
    """,
)
_KEEP_STANDING = (
    "delete from identity._standing where record_id in (select record_id from _said_before)",
    """
    insert into identity._standing
    select
        said.record_id, said.content, said.email, said.handle, said.address_line, said.city, said.postcode,
        said.gender, said.phone, said.country, said.feed_country, said.full_name, said.given_name, said.family_name
    from _said_now as said
    """,
)
_TOLD = """
    select record_id as key, cast(record_id in (select record_id from _said_before) as bigint) as one, null as other
    from _touched
"""
"""Which records changed; ``one`` is 0 for those that are new."""

_KEEPER = Keeper("identity.normalised", ())


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
        spec("_standing", "A record as it was when it was last matched, and a digest of all it said.", ("record_id",)),
    )
    return Step("identity.normalised", tables, frozenset({"identity.records"}), _execute, keeps_grain=True)


def _execute(connection: Connection, run: Run) -> None:
    stands = _KEEPER.stands(connection, run)
    if not stands:
        for statement in _EMPTY:
            connection.execute(statement)
    for statement in (_FRESH, *_DIFFERING):
        connection.execute(statement)
    for name, normalise in (("_texts", _texts), ("_phones", _phones), ("_names", _names)):
        new = read_table(connection, _new_query(name))
        add_rows(connection, f"identity.{name}", normalise(*(new.column(key).to_pylist() for key in _KEYS[name])))
        _drop_gone(connection, name)
    for statement in _KEEP_STANDING:
        connection.execute(statement)
    if stands:
        tell(connection, "records", _TOLD)
    else:
        tell_everything(connection, "records")
    _KEEPER.done(connection)


def _new_query(name: str) -> str:
    """What touched records say and no run has normalised yet, in order."""
    keys = _KEYS[name]
    said = ("from (", _said(name, "_said_now"), ") as said")
    return " ".join((*said, "anti join", f"identity.{name} as kept on", _same(keys, "said", "kept"), "order by all"))


def _said(name: str, records: str) -> str:
    """The distinct values of some records."""
    return _SAID[name].replace("identity.records", records)


def _drop_gone(connection: Connection, name: str) -> None:
    """Leave out what touched records said and no record says any more."""
    if not is_filled(connection, "_said_before"):
        return
    make(connection, "_gone", _said(name, "_said_before"))
    same = _same(_KEYS[name], "gone", "said")
    for now in _now_queries(name):
        connection.execute(" ".join(("delete from _gone as gone using (", now, ") as said where", same)))
    same = _same(_KEYS[name], "kept", "_gone")
    connection.execute(" ".join(("delete from", f"identity.{name} as kept using _gone where", same)))


def _now_queries(name: str) -> Iterable[str]:
    """What all records say, in pieces of which the engine need not make one list."""
    if name != "_texts":
        return (_SAID[name].replace("select distinct", "select"),)
    return _TEXTS_SAID


def _same(keys: Sequence[str], one: str, other: str) -> str:
    return " and ".join(f"{one}.{key} is not distinct from {other}.{key}" for key in keys)


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
