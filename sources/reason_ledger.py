"""``ops.quarantine_reasons``: per batch and reason, how many rows are refused for it, their share, and one of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from quality.masking import mask_raw
from quality.quarantine import on_kind
from quality.reason_jumps import JumpRule, ReasonJump, Refused, reason_jumps
from sources.file_ledger import insert_rows
from sources.ledger_tables import QUARANTINE_REASONS
from sources.mapped_feed import MappedFeed
from sources.personal_keys import personal_keys
from warehouse.database import Connection

_COUNT: Final = """
with refused as (
    select batch_on, file, row, quarantine_id, status, unnest(reasons) as reason
    from quarantine.kind
    where feed = $feed and status <> 'replayed' and list_contains($days, batch_on)
), counted as (
    select
        batch_on, reason.field as field, reason.code as code, count(distinct quarantine_id) as rows,
        count(distinct quarantine_id) filter (where status = 'open') as open_rows,
        min({'file': file, 'row': "row", 'id': quarantine_id}) as first_one
    from refused
    group by batch_on, reason.field, reason.code
), batches as (
    select batch_on, sum(rows_read) as rows_read from ops.files where feed = $feed group by batch_on
), samples as (
    select quarantine_id, raw from quarantine.kind where quarantine_id in (select first_one.id from counted)
)
select
    c.batch_on, c.field, c.code, c.rows, c.open_rows, b.rows_read, c.rows / greatest(b.rows_read, 1) as share_ratio,
    q.quarantine_id, q.raw
from counted as c
join batches as b using (batch_on)
join samples as q on q.quarantine_id = c.first_one.id
order by c.batch_on, c.rows desc, c.field, c.code
"""
_FOUND: Final = """
select feed, batch_on, field, code, rows, open_rows, share_ratio, sample_id, sample from ops.quarantine_reasons
where ($feed is null or feed = $feed) and ($code is null or code = $code)
order by feed, batch_on desc, rows desc, field, code
"""
_BATCHES: Final = """
select b.feed, b.batch_on, b.rows_read, r.field, r.code, r.rows
from ops.batches as b
left join ops.quarantine_reasons as r on r.feed = b.feed and r.batch_on = b.batch_on
order by b.feed, b.batch_on, r.field, r.code
"""
_LONGEST_SAMPLE: Final = 2_000


@dataclass(frozen=True)
class ReasonShare:
    """A row of ``ops.quarantine_reasons``; ``sample`` is masked."""

    feed: str
    batch_on: date
    field: str
    code: str
    rows: int
    open_rows: int
    share_ratio: float
    sample_id: str
    sample: str


def write_reasons(connection: Connection, mapped: MappedFeed, days: Collection[date]) -> None:
    """Count the reasons of some batches of a feed anew."""
    if not days:
        return
    feed = mapped.feed.name
    values = {"feed": feed, "days": sorted(days)}
    connection.execute(
        "delete from ops.quarantine_reasons where feed = $feed and list_contains($days, batch_on)", values
    )
    found = connection.execute(on_kind(mapped.kind, _COUNT), values).fetchall()
    if not found:
        return
    names = ("batch_on", "field", "code", "rows", "open_rows", "rows_read", "share_ratio", "sample_id", "sample")
    keys = personal_keys([mapped])
    rows = [dict(zip(names, row, strict=True)) | {"feed": feed} for row in found]
    for row in rows:
        row["sample"] = mask_raw(mapped.kind, row["sample"], keys)[:_LONGEST_SAMPLE]
    insert_rows(connection, QUARANTINE_REASONS, rows)


def found_reasons(connection: Connection, feed: str | None = None, code: str | None = None) -> tuple[ReasonShare, ...]:
    """The reasons of every batch, the newest first; nothing where nothing was loaded yet."""
    if not _is_kept(connection):
        return ()
    rows = connection.execute(_FOUND, {"feed": feed, "code": code}).fetchall()
    return tuple(ReasonShare(*row) for row in rows)


def found_jumps(
    connection: Connection, rule: JumpRule, *, last: int | None = None
) -> dict[str, tuple[ReasonJump, ...]]:
    """Feed → where the share of a reason jumped, oldest first; among its ``last`` batches, or all of them.

    Feeds without any are left out.
    """
    if not _is_kept(connection):
        return {}
    rows = connection.execute(_BATCHES).fetchall()
    found: dict[str, tuple[ReasonJump, ...]] = {}
    for name, of_feed in groupby(rows, key=lambda row: str(row[0])):
        batches = [
            Refused(batch_on, read, {(field, code): count for *_, field, code, count in group if code is not None})
            for (batch_on, read), group in groupby(of_feed, key=lambda row: (row[1], row[2]))
        ]
        recent = {batch.batch_on for batch in batches[-last:]} if last else {batch.batch_on for batch in batches}
        jumps = tuple(jump for jump in reason_jumps(batches, rule) if jump.batch_on in recent)
        if jumps:
            found[name] = jumps
    return found


def loaded_days(connection: Connection, run_id: str) -> dict[str, frozenset[date]]:
    """Feed → the batches of which a run loaded files."""
    rows = connection.execute(
        "select feed, list(distinct batch_on) from ops.files where run_id = $run_id group by feed", {"run_id": run_id}
    ).fetchall()
    return {feed: frozenset(days) for feed, days in rows}


def _is_kept(connection: Connection) -> bool:
    found = connection.execute(
        "select 1 from duckdb_tables() where schema_name = 'ops' and table_name = $name",
        {"name": QUARANTINE_REASONS.name},
    ).fetchone()
    return found is not None
