"""The steps from staged rows to records: ``identity._claims``, ``identity.row_records`` and ``identity.records``.

All three are what their ``.sql`` file says. Staging is made anew by every run, so what changed is found by comparing:
one number stands for all that a staged row says (``identity._claimed``: kind, feed, file, row, content). Rows whose
number is new or gone are made anew, and with them the records that they belong to or belonged to.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cache, partial

import sqlglot
from sqlglot import exp

from identity.kept import Keeper, add, make, narrowed, part, tell, tell_everything
from warehouse.database import Connection
from warehouse.sql_model import sql_step
from warehouse.step import Run, Step

_PLACE = ("kind", "feed", "file", "row")
_FEEDS = "select feed, id_space, country from ops.feeds order by all"
_DIFFERING_CLAIMS = """
    create or replace temp table _differing_claims as
    select
        fresh.content is not null as is_new,
        coalesce(fresh.kind, claimed.kind) as kind,
        coalesce(fresh.feed, claimed.feed) as feed,
        coalesce(fresh.file, claimed.file) as file,
        coalesce(fresh.row, claimed.row) as row,
        coalesce(fresh.content, claimed.content) as content
    from _fresh_claims as fresh
    full join identity._claimed as claimed on fresh.content = claimed.content
    where fresh.content is null or claimed.content is null
"""
_TOUCHED_ROWS = """
    create or replace temp table _touched_rows as
    with spans_moved as (
        select device_key
        from ((from identity._web_spans except from identity._spans_before)
            union all
            (from identity._spans_before except from identity._web_spans))
    )

    select kind, feed, file, row from _differing_claims
    union
    select claims.kind, claims.feed, claims.file, claims.row
    from identity._claims as claims
    where claims.anonymous_id is not null and 'cookie:' || claims.anonymous_id in (from spans_moved)
"""
_PART_OF_KIND = """
    select staged.*
    from {table} as staged
    semi join (select feed, file, row from _touched_rows where kind = $kind) as touched
        on staged._feed = touched.feed and staged._file = touched.file and staged._row = touched.row
"""
_DROP_ROWS = """
    delete from {table} as old using _touched_rows as touched
    where old.kind = touched.kind and old.feed = touched.feed and old.file = touched.file and old.row = touched.row
"""
_KEEP_CLAIMED = (
    "delete from identity._claimed where content in (select content from _differing_claims where not is_new)",
    "insert into identity._claimed select * exclude (is_new) from _differing_claims where is_new",
)
_KEEP_SPANS = "create or replace table identity._spans_before as from identity._web_spans"
_CLAIMS_TOLD = """
    select concat_ws(chr(31), kind, feed, file, row) as key, null as one, null as other from _touched_rows
"""
_HEARD_ROWS = """
    create or replace temp table _touched_rows as
    select distinct
        split_part(key, chr(31), 1) as kind,
        split_part(key, chr(31), 2) as feed,
        split_part(key, chr(31), 3) as file,
        cast(split_part(key, chr(31), 4) as bigint) as row
    from _heard
"""
_PART_CLAIMS = """
    create or replace temp table _part_claims as
    select claims.*
    from identity._claims as claims
    semi join _touched_rows as touched
        on
            claims.kind = touched.kind
            and claims.feed = touched.feed
            and claims.file = touched.file
            and claims.row = touched.row
"""
_ROWS_DIFFERING = (
    """
    create or replace temp table _web_before as
    select rowid as place, hash(feed, batch_on, file, row, record_id, seen_at) as content
    from identity.row_records
    where kind = 'web_events'
    """,
    """
    create or replace temp table _rows_now as
    with hashed as (
        -- Rows of other kinds have no number, which equals none: as a condition beside the other one it costs a loop.
        select *, case when kind = 'web_events' then hash(feed, batch_on, file, row, record_id, seen_at) end as content
        from _rows_fresh
    )

    select hashed.* exclude (content)
    from hashed
    anti join _web_before as before on hashed.content = before.content
    """,
    """
    create or replace temp table _places_before as
    select before.place
    from _web_before as before
    anti join (
        select hash(feed, batch_on, file, row, record_id, seen_at) as content from _rows_fresh where kind = 'web_events'
    ) as fresh on before.content = fresh.content
    union all
    select rows_of.rowid
    from identity.row_records as rows_of
    semi join _touched_rows as touched
        on
            rows_of.kind = touched.kind
            and rows_of.feed = touched.feed
            and rows_of.file = touched.file
            and rows_of.row = touched.row
    """,
    """
    create or replace temp table _rows_before as
    select rows_of.*
    from identity.row_records as rows_of
    semi join _places_before as places on rows_of.rowid = places.place
    """,
    "delete from identity.row_records where rowid in (select place from _places_before)",
    "insert into identity.row_records by name from _rows_now",
)
_ROWS_TOLD = """
    select distinct record_id as key, null as one, null as other
    from (from _rows_now union all by name from _rows_before)
    where record_id is not null
"""
_RECORDS_TOUCHED = "create or replace temp table _touched as select distinct key as record_id from _heard"
_RECORD_PARTS = ("row_records", "_claims", "_web_identified")


def claims_step() -> Step:
    """Make ``identity._claims``: what each staged row outside the web feeds says about the person behind it."""
    made = sql_step("identity", "identity", "_claims")
    return replace(made, execute=partial(_make_claims, made), keeps_grain=True)


def row_records_step() -> Step:
    """Make ``identity.row_records``: which record each staged row belongs to."""
    made = sql_step("identity", "identity", "row_records")
    return replace(made, execute=partial(_make_rows, made), keeps_grain=True)


def records_step() -> Step:
    """Make ``identity.records``: a person as one source saw them."""
    made = sql_step("identity", "identity", "records")
    return replace(made, execute=partial(_make_records, made), keeps_grain=True)


def _make_claims(made: Step, connection: Connection, run: Run) -> None:
    keeper = Keeper(made.name, ())
    stands = keeper.stands(connection, run)
    statement, country = made.statement or "", {"default_country": run.business.default_country}
    make(connection, "_fresh_claims", _contents_query(statement), country)
    if not stands:
        made.execute(connection, run)
        connection.execute("create or replace table identity._claimed as from _fresh_claims")
        tell_everything(connection, "claims")
    else:
        for finding in (_DIFFERING_CLAIMS, _TOUCHED_ROWS):
            connection.execute(finding)
        parts = {f"staging.{table}": f"_part_{kind}" for table, kind in _staged(statement).items()}
        for table, kind in _staged(statement).items():
            make(connection, f"_part_{kind}", _PART_OF_KIND.format(table=f"staging.{table}"), {"kind": kind})
        connection.execute(_DROP_ROWS.format(table=made.name))
        add(connection, made.name, narrowed(statement, parts), country)
        for keeping in _KEEP_CLAIMED:
            connection.execute(keeping)
        tell(connection, "claims", _CLAIMS_TOLD)
    connection.execute(_KEEP_SPANS)
    keeper.done(connection)


def _make_rows(made: Step, connection: Connection, run: Run) -> None:
    keeper = Keeper(made.name, ("claims",))
    if not keeper.stands(connection, run):
        made.execute(connection, run)
        tell_everything(connection, "rows")
    else:
        for statement in (_HEARD_ROWS, _PART_CLAIMS):
            connection.execute(statement)
        make(connection, "_rows_fresh", narrowed(made.statement or "", {"identity._claims": "_part_claims"}))
        for statement in _ROWS_DIFFERING:
            connection.execute(statement)
        tell(connection, "rows", _ROWS_TOLD)
    keeper.done(connection)


def _make_records(made: Step, connection: Connection, run: Run) -> None:
    country = {"default_country": run.business.default_country}
    feeds = connection.execute(_FEEDS).fetchall()
    keeper = Keeper(made.name, ("rows",), (*country.values(), repr(feeds)))
    if not keeper.stands(connection, run):
        made.execute(connection, run)
    else:
        connection.execute(_RECORDS_TOUCHED)
        for table in _RECORD_PARTS:
            part(connection, f"_part_of_{table}", f"identity.{table}", "_touched", "record_id")
        connection.execute("delete from identity.records where record_id in (from _touched)")
        parts = {f"identity.{table}": f"_part_of_{table}" for table in _RECORD_PARTS}
        add(connection, made.name, narrowed(made.statement or "", parts), country)
    keeper.done(connection)


@cache
def _staged(statement: str) -> dict[str, str]:
    """Tables of staging that a statement reads, and the kind of each."""
    tables = sqlglot.parse_one(statement, read="duckdb").find_all(exp.Table)
    names = sorted({table.name for table in tables if table.db == "staging"})
    return {name: name.removeprefix("_").removesuffix("_versions") for name in names}


@cache
def _contents_query(statement: str) -> str:
    """Of every staged row its place, and one number for what it says and where its feed's ids hold.

    That is what the statement makes in its steps ``said`` and ``placed``, before devices have a say.
    """
    steps = {step.alias: step.this for step in sqlglot.parse_one(statement, read="duckdb").find_all(exp.CTE)}
    columns = [*steps["said"].named_selects, "id_space", "feed_country"]
    content = exp.func("hash", *(exp.column(name) for name in columns)).as_("content")
    query = exp.select(*(exp.column(name) for name in _PLACE), content).from_("placed")
    for name in ("said", "placed"):
        query = query.with_(name, as_=steps[name])
    return query.sql(dialect="duckdb")
