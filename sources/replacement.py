"""Puts accepted rows in place of what their files brought before, and keeps the counts of all files right.

Equal versions of one source id are stored once per physical row and counted as accepted in one place only: the first
by batch, file and row. When that place goes, the next one takes over, and the counts of its file with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final, NamedTuple

import pyarrow as pa
from sqlglot import exp

from sources.landing import LandingFile
from sources.mapped_feed import MappedFeed
from sources.operations.operation import call
from sources.row_places import are_among
from sources.row_tables import CONTENT, SOURCE_ROWS, content, kept_rank, row_types, rows_table, value_types
from sources.statement import column, everything, filled_in, named, select, temporary
from warehouse.arrow_view import shown_as
from warehouse.database import Connection

_PLACES: Final = "_places"
_OLD: Final = "_old_rows"
_TAKEN: Final = "_taken_rows"
_TOUCHED: Final = "_touched"
_GIVE_BACK: Final = (
    "delete from {rows} where _feed = $feed and list_contains($files, _file)",
    "insert into {rows} by name from _old_rows where _feed = $feed and list_contains($files, _file)",
    "delete from _old_rows where _feed = $feed and list_contains($files, _file)",
)
_TOUCH: Final = """
create or replace temp table _touched as
select _content from {rows} where _feed = $feed {among} group by _content having count(*) > 1
union
select _content from _old_rows
"""
_IS_TOUCHED: Final = "select exists (select 1 from _touched)"
_AMONG_NEW: Final = """
and _content in (select _content from {rows} where _feed = $feed and list_contains($files, _file))
"""
_HAS_OTHERS: Final = """
select exists (select 1 from {rows} where _feed = $feed and not list_contains($files, _file))
"""
_STORED: Final = """
select _file, sum(_source_rows)::bigint from {rows}
where _feed = $feed and list_contains($files, _file)
group by _file
"""
_REPEATED: Final = """
select _file, sum(_source_rows)::bigint from {rows}
where _feed = $feed and list_contains($files, _file) and _content in (select _content from _touched)
group by _file
"""
_TAKEN_PLACES: Final = """
select span.file_id as _file_id, stage._row
from {rows} as stage
inner join (select unnest($spans, recursive := true)) as span
    on stage._batch_on = span.batch_on and stage._file = span.file and stage._row between span.first and span.last
where stage._feed = $feed and stage._row between $first and $last
"""
_TAKEN_OF_FILE: Final = """
select $id::integer as _file_id, _row from {rows}
where _feed = $feed and _batch_on = $batch_on and _file = $file and _row between $first and $last
"""


class Counted(NamedTuple):
    """Source rows of a file among the accepted rows: those that count there, and those that repeat another row."""

    kept: int
    repeated: int


class _Span(NamedTuple):
    """A part of a file: from which row to which."""

    file_id: int
    batch_on: date
    file: str
    first: int
    last: int


@dataclass
class Replacement:
    """The rows of some files of a feed, while they are being replaced inside a transaction."""

    connection: Connection
    mapped: MappedFeed
    files: Sequence[LandingFile]
    taken: Counter[int] = field(default_factory=Counter)
    """``_file_id`` → source rows of the accepted rows that were taken."""
    _inserts: dict[tuple[str, bool], str] = field(default_factory=dict, init=False)

    def begin(self) -> None:
        """Put aside what the files brought before. The position of a file in ``files`` is its ``_file_id``."""
        self._register_places()
        table = rows_table(self.mapped.kind)
        own = exp.and_(self._is_feed(), call("list_contains", exp.Placeholder(this="files"), column("_file")))
        values = {"feed": self.mapped.feed.name, "files": [file.file for file in self.files]}
        old = everything(_name(table)).where(own, copy=False)
        self.connection.execute(temporary(_OLD, old), values)
        self.connection.execute(exp.Delete(this=table, where=exp.Where(this=own.copy())).sql("duckdb"), values)

    def take(self, rows: pa.Table) -> None:
        """Add accepted rows: ``_file_id``, ``_row``, ``_source_rows`` and the columns of the contract's values."""
        if not rows.num_rows:
            return
        self._count(rows)
        with shown_as(self.connection, _TAKEN, rows):
            self.connection.execute(self._insert(_TAKEN, is_checked=False), self._lineage)

    def take_sure(self, checked: str) -> int:
        """Add the rows of a table or view that are sure; how many they are."""
        [(count,)] = self.connection.execute(self._insert(checked, is_checked=True), self._lineage).fetchall()
        return int(count)

    def note_taken(self, count: int, block: pa.Table) -> pa.Table | None:
        """Count so many rows of a block, which were added. Their places; None when it is all of them."""
        ids = block.column("_file_id")
        if count == block.num_rows:
            self._count(pa.table({"_file_id": ids, SOURCE_ROWS: pa.repeat(pa.scalar(1, pa.int64()), len(ids))}))
            return None
        places = self._taken_among(self._spans(block))
        if places.num_rows != count:  # rows that were rescued one by one stand among those of earlier blocks
            places = places.filter(are_among(places, block))
        self._count(places.append_column(SOURCE_ROWS, pa.repeat(pa.scalar(1, pa.int64()), places.num_rows)))
        return places

    def _taken_among(self, spans: Sequence[_Span]) -> pa.Table:
        """The places of the rows that stand there. The database leaves out at once what lies outside of all rows."""
        values: dict[str, Any] = {
            "feed": self.mapped.feed.name,
            "first": min(span.first for span in spans),
            "last": max(span.last for span in spans),
        }
        if len(spans) == 1:  # a join costs three times as much
            [span] = spans
            statement, more = _TAKEN_OF_FILE, {"id": span.file_id, "batch_on": span.batch_on, "file": span.file}
        else:
            statement, more = _TAKEN_PLACES, {"spans": [span._asdict() for span in spans]}
        return self.connection.execute(filled_in(statement, rows=self._rows), values | more).to_arrow_table()

    def _spans(self, block: pa.Table) -> list[_Span]:
        """From which row to which a block holds rows of its files."""
        found = block.group_by("_file_id").aggregate([("_row", "min"), ("_row", "max")])
        return [
            _Span(file_id, self.files[file_id].batch_on, self.files[file_id].file, first, last)
            for file_id, first, last in zip(*(column.to_pylist() for column in found.columns), strict=True)
        ]

    @property
    def _rows(self) -> str:
        return rows_table(self.mapped.kind).sql(dialect="duckdb")

    def _insert(self, source: str, *, is_checked: bool) -> str:
        """The statement that adds the rows of a table or view; of what was checked, those that are sure."""
        made = self._inserts.get((source, is_checked))
        if made is None:
            made = self._inserts[source, is_checked] = self._insertion(source, is_checked=is_checked)
        return made

    def _insertion(self, source: str, *, is_checked: bool) -> str:
        types = value_types(self.mapped.contract)
        typed = [
            named(exp.Cast(this=column(name), to=exp.DataType.build(kind, dialect="duckdb")), name)
            for name, kind in types.items()
        ]
        places = [column(name) for name in ("_file_id", "_row", SOURCE_ROWS)]
        taken = select([*places, *typed], source)
        if is_checked:
            taken = taken.where(column("_sure"), copy=False)
        place = exp.Add(this=column("_file_id", "stage"), expression=exp.Literal.number(1))
        computed = {
            CONTENT: content(self.mapped.kind),
            "_feed": named(exp.Placeholder(this="feed"), "_feed"),
            "_batch_on": named(call("list_extract", exp.Placeholder(this="days"), place), "_batch_on"),
            "_file": named(call("list_extract", exp.Placeholder(this="files"), place), "_file"),
        }
        query = select([computed.get(name) or column(name) for name in row_types(self.mapped.contract)], taken)
        return f"insert into {self._rows} by name {query.sql(dialect='duckdb')}"

    @property
    def _lineage(self) -> dict[str, object]:
        """Where rows come from, by ``_file_id``: looked up, since a join would copy every column of every row."""
        days, files = [file.batch_on for file in self.files], [file.file for file in self.files]
        return {"feed": self.mapped.feed.name, "days": days, "files": files}

    def _count(self, rows: pa.Table) -> None:
        sums = rows.select(["_file_id", SOURCE_ROWS]).group_by("_file_id").aggregate([(SOURCE_ROWS, "sum")])
        self.taken.update(dict(zip(*(sums.column(name).to_pylist() for name in sums.column_names), strict=True)))

    def undo(self, files: Collection[str]) -> dict[str, Counted]:
        """Give back what these files brought before. What was taken of each now, counted by itself alone."""
        if not files:
            return {}
        values: dict[str, object] = {"feed": self.mapped.feed.name, "files": sorted(files)}
        taken = self.connection.execute(self._taken_alone(), values).fetchall()
        for statement in _GIVE_BACK:
            self.connection.execute(filled_in(statement, rows=self._rows), values)
        found = {file: Counted(kept, stored - kept) for file, stored, kept in taken}
        return {file: found.get(file, Counted(0, 0)) for file in files}

    def _taken_alone(self) -> str:
        own = exp.and_(self._is_feed(), call("list_contains", exp.Placeholder(this="files"), column("_file")))
        rank = named(kept_rank(self.mapped.contract, "_file"), "_rank")
        ranked = select([column("_file"), column(SOURCE_ROWS), rank], _name(rows_table(self.mapped.kind)))
        total = exp.Sum(this=column(SOURCE_ROWS))
        first = exp.Filter(this=total.copy(), expression=exp.Where(this=exp.condition("_rank = 1")))
        sums = [exp.cast(item, "BIGINT") for item in (total, first)]
        return select([column("_file"), *sums], ranked.where(own, copy=False)).group_by("_file").sql(dialect="duckdb")

    def finish(self, files: Sequence[str]) -> dict[str, Counted]:
        """The source rows of each of ``files``, and how many of them count there; the counts of other files follow.

        Only contents that stand in more than one row, or were put aside, can count anywhere else than where they stand.
        """
        values: dict[str, object] = {"feed": self.mapped.feed.name, "files": list(files)}
        [(has_others,)] = self.connection.execute(filled_in(_HAS_OTHERS, rows=self._rows), values).fetchall()
        among = filled_in(_AMONG_NEW, rows=self._rows) if has_others else ""
        touch = values if has_others else {"feed": self.mapped.feed.name}
        self.connection.execute(filled_in(_TOUCH, rows=self._rows, among=among), touch)
        stored = dict(self.connection.execute(filled_in(_STORED, rows=self._rows), values).fetchall())
        [(is_touched,)] = self.connection.execute(_IS_TOUCHED).fetchall()
        if not is_touched:
            self.connection.unregister(_PLACES)
            return {file: Counted(stored.get(file, 0), 0) for file in files}
        others = everything(_name(rows_table(self.mapped.kind))).where(
            exp.Not(this=call("list_contains", exp.Placeholder(this="files"), column("_file"))), copy=False
        )
        before = self._accepted(exp.union(others, everything(_OLD), distinct=False), values)
        after = self._accepted(everything(_name(rows_table(self.mapped.kind))), {"feed": self.mapped.feed.name})
        repeated = dict(self.connection.execute(filled_in(_REPEATED, rows=self._rows), values).fetchall())
        self.connection.unregister(_PLACES)
        for file in sorted((before.keys() | after.keys()) - set(files)):
            self._shift(file, after.get(file, 0) - before.get(file, 0))
        kept = {file: stored.get(file, 0) - repeated.get(file, 0) + after.get(file, 0) for file in files}
        return {file: Counted(kept[file], stored.get(file, 0) - kept[file]) for file in files}

    def _register_places(self) -> None:
        table = pa.table(
            {
                "_file_id": pa.array(range(len(self.files)), pa.int32()),
                "_feed": pa.array([self.mapped.feed.name] * len(self.files), pa.string()),
                "_batch_on": pa.array([file.batch_on for file in self.files], pa.date32()),
                "_file": pa.array([file.file for file in self.files], pa.string()),
            }
        )
        self.connection.register(_PLACES, table)

    def _accepted(self, rows: exp.Query, values: dict[str, object]) -> dict[str, int]:
        """Per file, the source rows that stand for their equals, among the contents that this load touches."""
        touched = exp.select("1").from_(_TOUCHED).where(f"{_TOUCHED}.{CONTENT} = stage.{CONTENT}")
        narrow = [column(name, "stage") for name in ("_batch_on", "_file", "_row", SOURCE_ROWS)]
        ranked = select([*narrow, named(kept_rank(self.mapped.contract), "_rank")], rows)
        among = ranked.where(self._is_feed(), exp.Exists(this=touched), copy=False)
        total = exp.cast(exp.Sum(this=column(SOURCE_ROWS)), "BIGINT")
        query = select([column("_file"), total], among).where("_rank = 1").group_by("_file")
        return dict(self.connection.execute(query.sql(dialect="duckdb"), values).fetchall())

    def _is_feed(self) -> exp.Expr:
        return exp.EQ(this=column("_feed"), expression=exp.Placeholder(this="feed"))

    def _shift(self, file: str, rows: int) -> None:
        """Another file's rows became the ones that count, or are that no more. Of a file that was held back, other
        rows are told than those in staging."""
        if rows:
            self.connection.execute(
                "update ops.files set rows_accepted = rows_accepted + $rows, rows_duplicate = rows_duplicate - $rows "
                "where feed = $feed and file = $file and status in ('loaded', 'vanished')",
                {"feed": self.mapped.feed.name, "file": file, "rows": rows},
            )


def _name(table: exp.Table) -> exp.Select:
    return exp.select("*").from_(table)
