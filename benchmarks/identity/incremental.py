"""What one more percent of records costs the platform's own matching, step by step, and that nothing else comes out."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.identity.people import write_people
from identity.declaration import default_rules
from identity.pipeline import matching_steps, record_steps
from quality.contracts.table import all_tables, create_statement
from warehouse.business import Business
from warehouse.database import Connection, Warehouse, open_warehouse
from warehouse.step import Run, Step, materialise

_RUN = Run(
    "first",
    date(2026, 1, 31),
    datetime.fromisoformat("2026-02-01"),
    Business(name="A shop", base_currency="GBP", time_zone="Europe/London", default_country="GB"),
)
_ABSENT = (
    "source_customer_id anonymous_id device_id platform account_id handle full_name gender region country company "
    "national_id_hash wechat_unionid wechat_openid wecom_external_userid device_key"
)
_FEEDS = "create or replace table ops.feeds as select 'shop' as feed, 'shop' as id_space, 'GB' as country"
_PEOPLE = """
    create or replace temp table _people as
    select *
    from read_parquet($file)
    where cast(substr(record_id, 2) as bigint) >= $from and cast(substr(record_id, 2) as bigint) < $to
"""
_RECORDS = """
    select
        md5(record_id) as record_id, 'shop' as feed, 'purchases' as kind, 'order:' || record_id as person_key,
        'shop' as id_space, given as given_name, family as family_name, email, phone, street as address_line, city,
        postcode, try_cast(birth as date) as birth_on, 'GB' as feed_country, timestamp '2026-01-01' as first_seen_at,
        timestamp '2026-01-01' as last_seen_at, 1 as occurrences, md5(record_id || ':source') as source_key
    from _people
"""
_ROWS = """
    select
        'purchases' as kind, 'shop' as feed, current_date as batch_on, 'f' as file,
        cast(substr(record_id, 2) as bigint) as row, md5(record_id) as record_id, timestamp '2026-01-01' as seen_at
    from _people
"""
_ORDERS = """
    insert into staging.purchases by name
    select
        record_id as order_id, timestamp '2026-01-01' as placed_at, 'paid' as status, false as is_test,
        given as given_name, family as family_name, email, phone, street as address_line, city, postcode,
        'web' as sales_channel, 'GBP' as currency, 10 as gross_amount, 'shop' as _feed, current_date as _batch_on,
        'f' as _file, cast(substr(record_id, 2) as bigint) as _row
    from _people
"""
_CLUSTERS = "select count(*), bit_xor(md5_number(c::varchar)) from identity._clusters as c"
_STAGED_RECORDS = "select count(*), bit_xor(md5_number(r::varchar)) from identity.records as r"

Spent = dict[str, float]
_Load = Callable[[Warehouse, Path, int, int], None]
_SECOND = replace(_RUN, run_id="second", now=_RUN.now + timedelta(days=1))


def measure(records: int, folder: Path) -> dict[str, Spent]:
    """CPU seconds per step: of the first run, of one with a hundredth more, and of a rebuild with all of them.

    The steps up to records run over orders; those after them over records of the same people with birthdays, which
    orders do not tell.

    Raises:
        ValueError: the rebuild ends in other records or clusters.
    """
    file = folder / "people.parquet"
    write_people(file, records + records // 100)
    rules = default_rules()
    if rules is None:
        raise ValueError("the packaged rules cannot be read")
    staged = _measure(record_steps(rules), _stage, _STAGED_RECORDS, records, folder / "orders")
    matched = _measure(matching_steps(rules), _load, _CLUSTERS, records, folder / "records")
    return {which: of | matched[which] for which, of in staged.items()}


def told(spent: dict[str, Spent]) -> list[str]:
    """One line per step, the sum, and the memory of all three runs."""
    steps = [*spent["first"], "in all"]
    sums = {name: of | {"in all": sum(of.values())} for name, of in spent.items()}
    return [
        f"{'CPU seconds':32} {'first':>8} {'+1 %':>8} {'rebuilt':>8}",
        *(
            f"{step:32} {sums['first'][step]:8.2f} {sums['added'][step]:8.2f} {sums['rebuilt'][step]:8.2f}"
            for step in steps
        ),
        f"{'MB of memory at most':32} {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.0f}",
    ]


def _measure(steps: tuple[Step, ...], load: _Load, result: str, records: int, folder: Path) -> dict[str, Spent]:
    folder.mkdir()
    file = folder.parent / "people.parquet"
    more = records + records // 100
    spent: dict[str, Spent] = {}
    memory = os.environ.get("CDP_MEMORY_LIMIT")
    with open_warehouse(folder / "standing.duckdb", memory_limit=memory) as warehouse:
        for which, run, ends in (("first", _RUN, (0, records)), ("added", _SECOND, (records, more))):
            load(warehouse, file, *ends)
            spent[which] = _run(warehouse, steps, run)
        found = warehouse.cursor().execute(result).fetchall()
    with open_warehouse(folder / "anew.duckdb", memory_limit=memory) as warehouse:
        load(warehouse, file, 0, more)
        spent["rebuilt"] = _run(warehouse, steps, _RUN)
        if warehouse.cursor().execute(result).fetchall() != found:
            raise ValueError("the rebuild ends in other records or clusters")
    return spent


def _run(warehouse: Warehouse, steps: tuple[Step, ...], run: Run) -> Spent:
    spent: Spent = {}
    for step in steps:
        started = time.process_time()
        materialise(warehouse, step, run)
        spent[step.name] = time.process_time() - started
    started = time.process_time()
    warehouse.cursor().execute("checkpoint")
    spent[f"written into the file after {steps[-1].name}"] = time.process_time() - started
    return spent


def _stage(warehouse: Warehouse, file: Path, first: int, end: int) -> None:
    with warehouse.transaction() as connection:
        _prepare(connection, file, first, end)
        connection.execute("create or replace view staging._contacts_versions as from staging.contacts")
        connection.execute(_ORDERS)


def _load(warehouse: Warehouse, file: Path, first: int, end: int) -> None:
    with warehouse.transaction() as connection:
        _prepare(connection, file, first, end)
        for table, query in (("records", _RECORDS), ("row_records", _ROWS)):
            if first:
                connection.execute(f"insert into identity.{table} by name {query}")
            else:
                connection.execute(f"create table identity.{table} as {query}")
        for column in _ABSENT.split():
            connection.execute(f"alter table identity.records add column if not exists {column} varchar")


def _prepare(connection: Connection, file: Path, first: int, end: int) -> None:
    for table in all_tables():
        connection.execute(create_statement(table).sql(dialect="duckdb"))
    connection.execute(_FEEDS)
    connection.execute(_PEOPLE, {"file": str(file), "from": first, "to": end})
