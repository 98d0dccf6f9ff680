"""Puts accepted rows in place of what their files brought before, and keeps the counts of all files right.

Equal versions of one source id are stored once per physical row and counted as accepted in one place only: the first
by batch, file and row. When that place goes, the next one takes over, and the counts of its file with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import pyarrow as pa
from sqlglot import exp

from quality.contracts.table import LINEAGE
from sources.block_check import INCOMING
from sources.landing import LandingFile
from sources.mapped_feed import MappedFeed
from sources.row_statement import column, named
from sources.row_tables import CONTENT, SOURCE_ROWS, kept_rank, row_types, rows_table, value_types
from warehouse.database import Connection

_NEW: Final = "_new_rows"
_TOUCHED: Final = "_touched"


def replace_rows(
    connection: Connection, mapped: MappedFeed, places: Sequence[tuple[int, LandingFile]], files: Sequence[str]
) -> dict[str, int]:
    """Replace the rows of ``files`` by those in ``_incoming``; how many source rows of each are accepted there."""
    feed = mapped.feed.name
    _register_places(connection, feed, places)
    connection.execute(f"create or replace temp table {_NEW} as {_new_rows(mapped).sql(dialect='duckdb')}")
    table = rows_table(mapped.kind).sql(dialect="duckdb")
    own = {"feed": feed, "files": list(files)}
    connection.execute(
        f"create or replace temp table {_TOUCHED} as select distinct {CONTENT} from {_NEW} "  # noqa: S608 - our own names
        f"union select distinct {CONTENT} from {table} where _feed = $feed and list_contains($files, _file)",
        own,
    )
    before = _accepted(connection, mapped, feed)
    connection.execute(f"delete from {table} where _feed = $feed and list_contains($files, _file)", own)  # noqa: S608 - our own name
    connection.execute(f"insert into {table} by name select * from {_NEW}")  # noqa: S608 - our own names
    after = _accepted(connection, mapped, feed)
    connection.execute("drop view if exists _places")
    others = (before.keys() | after.keys()) - set(files)
    for file in sorted(others):
        _shift(connection, feed, file, after.get(file, 0) - before.get(file, 0))
    return {file: after.get(file, 0) for file in files}


def _register_places(connection: Connection, feed: str, places: Sequence[tuple[int, LandingFile]]) -> None:
    table = pa.table(
        {
            "_file_id": pa.array([file_id for file_id, _ in places], pa.int32()),
            "_feed": pa.array([feed] * len(places), pa.string()),
            "_batch_on": pa.array([file.batch_on for _, file in places], pa.date32()),
            "_file": pa.array([file.file for _, file in places], pa.string()),
        }
    )
    connection.register("_places", table)


def _new_rows(mapped: MappedFeed) -> exp.Select:
    """``_incoming`` with lineage and the hash of its content."""
    types = value_types(mapped.contract)
    hashed = [name for name in types if not name.startswith("_")]
    pairs = [exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=column(name)) for name in hashed]
    text = exp.Anonymous(this="to_json", expressions=[exp.Struct(expressions=pairs)])
    content = exp.Anonymous(this="md5", expressions=[exp.cast(text, "VARCHAR")])
    computed = {CONTENT: named(content, CONTENT), SOURCE_ROWS: column(SOURCE_ROWS)}
    lineage = {item.name for item in LINEAGE if item.name != "_row"}
    items = [
        computed.get(name) or column(name, "_places" if name in lineage else INCOMING)
        for name in row_types(mapped.contract)
    ]
    return exp.select(*items).from_(INCOMING).join("_places", using=["_file_id"])


def _accepted(connection: Connection, mapped: MappedFeed, feed: str) -> dict[str, int]:
    """Per file, the source rows that stand for their equals, among the contents that this load touches."""
    touched = exp.select("1").from_(_TOUCHED).where(f"{_TOUCHED}.{CONTENT} = r.{CONTENT}")
    among = (
        exp.select("r.*", named(kept_rank(), "_rank"))
        .from_(rows_table(mapped.kind).as_("r"))
        .where(exp.EQ(this=column("_feed", "r"), expression=exp.Placeholder(this="feed")))
        .where(exp.Exists(this=touched))
    )
    query = (
        exp.select("_file", f"cast(sum({SOURCE_ROWS}) as bigint)")
        .from_(among.subquery("among"))
        .where("_rank = 1")
        .group_by("_file")
    )
    return dict(connection.execute(query.sql(dialect="duckdb"), {"feed": feed}).fetchall())


def _shift(connection: Connection, feed: str, file: str, rows: int) -> None:
    """Another file's rows became the ones that count, or stopped being them."""
    if rows:
        connection.execute(
            "update ops.files set rows_accepted = rows_accepted + $rows, rows_duplicate = rows_duplicate - $rows "
            "where feed = $feed and file = $file",
            {"feed": feed, "file": file, "rows": rows},
        )
