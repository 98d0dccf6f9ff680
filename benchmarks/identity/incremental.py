"""What one more percent of records costs the platform's own matching, step by step, and that nothing else comes out."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

from benchmarks.identity.people import write_people
from identity.declaration import default_rules
from identity.pipeline import matching_steps
from quality.contracts.table import all_tables, create_statement
from warehouse.business import Business
from warehouse.database import Connection, Warehouse, open_warehouse
from warehouse.step import Run, materialise

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
_RECORDS = """
    create or replace table identity.records as
    select
        md5(record_id) as record_id, 'shop' as feed, 'purchases' as kind, 'order:' || record_id as person_key,
        'shop' as id_space, given as given_name, family as family_name, email, phone, street as address_line, city,
        postcode, try_cast(birth as date) as birth_on, 'GB' as feed_country, timestamp '2026-01-01' as first_seen_at,
        timestamp '2026-01-01' as last_seen_at, 1 as occurrences, md5(record_id || ':source') as source_key
    from read_parquet($file)
    where cast(substr(record_id, 2) as bigint) < $records
"""
_ROWS = """
    create or replace table identity.row_records as
    select
        kind, feed, current_date as batch_on, 'f' as file, row_number() over (order by record_id) as row, record_id,
        first_seen_at as seen_at
    from identity.records
"""
_CLUSTERS = "select count(*), bit_xor(md5_number(c::varchar)) from identity._clusters as c"

Spent = dict[str, float]


def measure(records: int, folder: Path) -> dict[str, Spent]:
    """CPU seconds per step: of the first run, of one with a hundredth more, and of a rebuild with all of them.

    Raises:
        ValueError: the rebuild ends in other clusters.
    """
    file = folder / "people.parquet"
    more = records + records // 100
    write_people(file, more)
    with open_warehouse(folder / "standing.duckdb") as warehouse:
        first = _run(warehouse, file, records, _RUN)
        added = _run(warehouse, file, more, replace(_RUN, run_id="second", now=_RUN.now + timedelta(days=1)))
        found = warehouse.cursor().execute(_CLUSTERS).fetchall()
    with open_warehouse(folder / "anew.duckdb") as warehouse:
        rebuilt = _run(warehouse, file, more, _RUN)
        if warehouse.cursor().execute(_CLUSTERS).fetchall() != found:
            raise ValueError("the rebuild ends in other clusters")
    return {"first": first, "added": added, "rebuilt": rebuilt}


def told(spent: dict[str, Spent]) -> list[str]:
    """One line per step, and the sum."""
    steps = [*spent["first"], "in all"]
    sums = {name: of | {"in all": sum(of.values())} for name, of in spent.items()}
    return [f"{'CPU seconds':32} {'first':>8} {'+1 %':>8} {'rebuilt':>8}"] + [
        f"{step:32} {sums['first'][step]:8.2f} {sums['added'][step]:8.2f} {sums['rebuilt'][step]:8.2f}"
        for step in steps
    ]


def _run(warehouse: Warehouse, file: Path, records: int, run: Run) -> Spent:
    rules = default_rules()
    if rules is None:
        raise ValueError("the packaged rules cannot be read")
    with warehouse.transaction() as connection:
        _load(connection, file, records)
    spent: Spent = {}
    for step in matching_steps(rules):
        started = time.process_time()
        materialise(warehouse, step, run)
        spent[step.name] = time.process_time() - started
    return spent


def _load(connection: Connection, file: Path, records: int) -> None:
    for table in all_tables():
        connection.execute(create_statement(table).sql(dialect="duckdb"))
    connection.execute(_FEEDS)
    connection.execute(_RECORDS, {"file": str(file), "records": records})
    for column in _ABSENT.split():
        connection.execute(f"alter table identity.records add column {column} varchar")
    connection.execute(_ROWS)
