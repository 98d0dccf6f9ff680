"""Checks a block of source rows, possibly of many files: sets through one program of SQL, doubtful rows through Python.

Accepted rows go into ``_incoming``, a table of the connection's own, refused ones are handed back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby, islice
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from quality.contracts.check import Accepted, Reason, Rejected
from sources.evaluation import RowScope
from sources.filled_fields import count_filled, countable
from sources.flat_rows import flat_row, flat_texts
from sources.gate import Gate
from sources.judgement import Judge
from sources.mapped_feed import MappedFeed
from sources.moment_scan import moment_column, with_moments
from sources.nested_rows import stored_columns
from sources.operations.operation import Value
from sources.plain_text import PLAIN, filled_column, is_bytes, is_text, with_filled, with_plain
from sources.program import GROUP, PlainRows, Program, flat_program, json_program, moment_texts
from sources.readers.json_reader import parse_row
from sources.replacement import Replacement
from sources.row_places import are_among
from sources.row_tables import arrow_type, value_types
from sources.source_rows import Header
from sources.statement import PLACE, SOURCE, column, filled_in, named, select, temporary
from warehouse.arrow_view import ArrowView, shown_as
from warehouse.database import Connection

_BLOCK: Final = "_source_block"
_WORTH_QUICK: Final = 10_000
"""Plain rows of a block from which on they are worth statements of their own, which have to be planned."""
_WORTH_PLANNING: Final = 1_500
"""Rows that Python judges in the time that planning a statement for them takes."""
_DOUBT: Final = "create or replace temp view _doubted as select * replace (false as _sure) from _checked"
_HELD: Final = """
select table_name, 'table' from duckdb_tables() where temporary and list_contains($names, table_name)
union all select view_name, 'view' from duckdb_views() where temporary and list_contains($names, view_name)
"""
_DROP_COPIES: Final = "delete from source_rows where (_file_id, _row) in (select (_file_id, _row) from _copies)"
_DOUBTFUL: Final = "select _file_id, _row from {checked} where not _sure"
_AS_JSON: Final = json.JSONEncoder(ensure_ascii=False)
_DEPTH: Final = Reason("", "unreadable", "the row is nested too deeply")
_NO_JSON: Final = Reason("", "unreadable", "the row is not a JSON object")


_AT_ONCE: Final = 256
"""Rows that Python judges at once: as many as stay near the processor."""


@dataclass(frozen=True)
class RefusedRow:
    """A source row that is not accepted, with its reasons."""

    file_id: int
    row: int
    raw: str
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class _Doubt:
    """Source rows that make one contract row, by number and as text. ``refusal``: they are no rows at all."""

    file_id: int
    rows: list[tuple[int, str]]
    scopes: Sequence[RowScope] = ()
    extra: Mapping[str, Value] = field(default_factory=dict)
    refusal: Rejected | None = None


@dataclass(frozen=True)
class BlockResult:
    """What became of a block; by file: repeated rows that were dropped, and rows in which each source field holds
    something."""

    refused: list[RefusedRow]
    collapsed: dict[int, int]
    filled: dict[int, dict[str, int]]


@dataclass(frozen=True)
class _Ways:
    """How a block is checked: by ``program``; by ``quick``, if it is one, first the plain rows, all but ``others``."""

    program: Program
    quick: Program | None = None
    others: int = 0
    besides: tuple[str, ...] = ()
    """Columns that the quick way reads besides."""


@dataclass
class BlockCheck:
    """Checks blocks: rows that need no tables on the way go straight to where they stay.

    Nested and grouped rows go through tables on a connection of its own, outside the transaction that takes accepted
    rows: what a transaction drops is only freed at its end.
    """

    connection: Connection
    mapped: MappedFeed
    gate: Gate
    replacement: Replacement
    trusts_statements: bool = True
    """False: every row goes through Python, whose word is final. The result is the same."""
    worth_quick: int = _WORTH_QUICK
    """Plain rows of a block from which on they go through statements of their own. The result is the same."""
    worth_planning: int = _WORTH_PLANNING
    """Other rows beside those from which on they go through statements too, not at once through Python. Likewise."""
    _was_flat: bool | None = field(default=None, init=False)
    _standing: dict[str, tuple[Program, pa.Schema]] = field(default_factory=dict, init=False)
    """Whose views stand on the connection of the transaction, over blocks of which columns."""

    def __post_init__(self) -> None:
        self._key = _Key(self.mapped.declaration_hash, self.mapped)
        self._judge = Judge(self.mapped)

    def check(self, rows: pa.Table, header: Header | None) -> BlockResult:
        """Check one block: accepted rows go to the replacement."""
        if header is None:
            held = frozenset(rows.column_names)
        else:
            is_kept = self.mapped.feed.on_new_column == "keep"
            held = frozenset(self.gate.unknown_columns(header.names) if is_kept else ())
        program = _compiled(self._key, header, held)
        is_direct = program.is_direct and not (header is not None and self.mapped.counts_rows)
        if not is_direct:
            self._change_form(header is not None)
        connection = self.replacement.connection if is_direct else self.connection
        shown = with_plain(rows, _texts_of(rows))
        plain = int(pc.sum(shown.column(PLAIN)).as_py() or 0)
        is_quick = is_direct and self._is_plain(plain, rows.num_rows)
        ways = _Ways(program)
        if is_quick:
            shown, moments = with_moments(shown, _moment_texts(self._key, header, held))
            shown = with_filled(shown, _filled_of(rows, header))
            plain = int(pc.sum(shown.column(PLAIN)).as_py() or 0)
            quick = _compiled(self._key, header, held, PlainRows(tuple(moments.items())))
            besides = (*map(moment_column, moments), *map(filled_column, _filled_of(rows, header)))
            ways = _Ways(program, quick, rows.num_rows - plain, besides)
        with shown_as(connection, _BLOCK, shown) as view:
            kind = "view" if is_direct or header is None else "table"
            connection.execute(_source_statement(header, kind, ways.besides))
            return self._checked_block(connection, ways, view, rows, header)

    def _is_plain(self, plain: int, rows: int) -> bool:
        """Whether so many rows are plain that they are worth statements of their own."""
        return self.trusts_statements and plain >= max(self.worth_quick, rows // 2)

    def _checked_block(
        self, connection: Connection, ways: _Ways, view: ArrowView, rows: pa.Table, header: Header | None
    ) -> BlockResult:
        program = ways.program
        is_direct = connection is self.replacement.connection
        collapsed = {} if is_direct else self._collapse(header)
        if is_direct:
            count = self._take_sure(connection, ways, rows.schema, header)
            filled = self._filled(connection, program, rows, header)
            refused = self._judge_rest(connection, view, rows, header, count)
        else:
            self._make(connection, program, None)
            self.replacement.take(connection.execute(self._sure_rows).to_arrow_table())
            filled = self._filled(connection, program, rows, header)
            refused = self._judge_doubtful(self._doubtful(connection, rows, header))
        return BlockResult(refused, collapsed, filled)

    def _make(self, connection: Connection, program: Program, schema: pa.Schema | None) -> None:
        """Make what the program says; its views do for the next block of the same columns, if that has the same."""
        if schema is None or self._standing.get(program.checked) != (program, schema):
            for statement in program.statements:
                connection.execute(statement)
        if schema is not None:
            self._standing[program.checked] = (program, schema)
        if not self.trusts_statements:
            connection.execute(_DOUBT)

    def _take_sure(self, connection: Connection, ways: _Ways, schema: pa.Schema, header: Header | None) -> int:
        """Add what is sure: first the plain rows, of which little is asked, where that is worth it; how many it is."""
        count = 0
        if ways.quick is not None:
            self._make(connection, ways.quick, schema)
            count = self.replacement.take_sure(ways.quick.checked)
            if ways.others < self.worth_planning:
                return count
            connection.execute(_source_statement(header, "view", is_plain=False))
        self._make(connection, ways.program, schema)
        count += self.replacement.take_sure(self._checked)
        if ways.quick is not None:
            connection.execute(_source_statement(header, "view"))
        return count

    def _filled(
        self, connection: Connection, program: Program, rows: pa.Table, header: Header | None
    ) -> dict[int, dict[str, int]]:
        is_whole = header is None or program.is_direct  # else copies of rows are dropped first
        columns = countable(header, rows, program.columns) if is_whole else {}
        if len(columns) == len(program.names):
            return count_filled(header, rows, columns)
        counts = connection.execute(program.filled).fetchall()
        return {row[0]: dict(zip(program.names, row[1:], strict=True)) for row in counts}

    def _change_form(self, is_flat: bool) -> None:
        """Between objects and flat rows a name changes from view to table: no statement replaces one by the other."""
        if self._was_flat not in {None, is_flat}:
            held = self.connection.execute(_HELD, {"names": [SOURCE, "_own", "_checked"]}).fetchall()
            for name, kind in sorted(held, key=lambda item: item[1] == "table"):
                dropped = exp.Drop(tables=[exp.to_table(name)], kind=kind.upper())
                self.connection.execute(dropped.sql(dialect="duckdb"))
        self._was_flat = is_flat

    def _judge_rest(
        self, connection: Connection, view: ArrowView, rows: pa.Table, header: Header | None, count: int
    ) -> list[RefusedRow]:
        """All but the ``count`` rows that were taken are doubtful."""
        taken = self.replacement.note_taken(count, rows)
        if taken is None:
            return []
        are_meant = pc.invert(are_among(rows, taken))
        if header is None:
            return self._judge_doubtful(self._json_rows(rows, are_meant))
        assert view.rows is not None
        view.rows = view.rows.filter(are_meant)  # else the database would read the whole block once more
        return self._judge_doubtful(self._flat_groups(connection, None, header))

    @property
    def _sure_rows(self) -> str:
        names = ["_file_id", "_row", "_source_rows", *value_types(self.mapped.contract)]
        rows = select([column(name) for name in names], self._checked).where(column("_sure"), copy=False)
        return rows.sql(dialect="duckdb")

    @property
    def _checked(self) -> str:
        return "_checked" if self.trusts_statements else "_doubted"

    def _collapse(self, header: Header | None) -> dict[int, int]:
        """Drop rows that repeat an earlier row of their file exactly, where rows are grouped or counted."""
        feed = self.mapped.feed
        if header is None or not self.mapped.counts_rows or feed.duplicates == "keep":
            return {}
        same = [column("_file_id"), *(column(f"c{index}") for index in range(len(header.names)))]
        order = exp.Order(expressions=[exp.Ordered(this=column("_row"))])
        rank = named(exp.Window(this=exp.RowNumber(), partition_by=same, order=order), "_copy")
        places = [column(name) for name in PLACE]
        copies = select(places, select([*places, rank], SOURCE)).where("_copy > 1", copy=False)
        self.connection.execute(temporary("_copies", copies))
        self.connection.execute(_DROP_COPIES)
        return dict(self.connection.execute("select _file_id, count(*) from _copies group by _file_id").fetchall())

    def _judge_doubtful(self, doubts: Iterator[_Doubt]) -> list[RefusedRow]:
        accepted: list[dict[str, object]] = []
        refused: list[RefusedRow] = []
        while some := list(islice(doubts, _AT_ONCE)):
            asked = [doubt for doubt in some if doubt.refusal is None]
            words = iter(self._judge.judge([doubt.scopes for doubt in asked], [doubt.extra for doubt in asked]))
            for doubt in some:
                verdict = doubt.refusal or next(words)
                if isinstance(verdict, Accepted):
                    accepted.append(self._row(doubt.file_id, doubt.rows, verdict))
                else:
                    refused += [RefusedRow(doubt.file_id, row, raw, verdict.reasons) for row, raw in doubt.rows]
        self._insert(accepted)
        return refused

    def _doubtful(self, connection: Connection, rows: pa.Table, header: Header | None) -> Iterator[_Doubt]:
        if header is not None:
            return self._flat_groups(connection, self._checked, header)
        places = connection.execute(filled_in(_DOUBTFUL, checked=self._checked)).to_arrow_table()
        return self._json_rows(rows, are_among(rows, places))

    def _json_rows(self, rows: pa.Table, are_meant: pa.Array) -> Iterator[_Doubt]:
        """The texts of the rows that are meant: of the block, since the database would read all of them for it."""
        file_ids, numbers, raws = (rows.column(name) for name in ("_file_id", "_row", "raw"))
        for index in pc.indices_nonzero(are_meant).to_pylist():
            row, raw = numbers[index].as_py(), raws[index].as_py()
            yield self._json_row(file_ids[index].as_py(), row, raw)

    def _json_row(self, file_id: int, row: int, raw: str) -> _Doubt:
        rows = [(row, raw.rstrip("\r\n"))]
        try:
            value = parse_row(raw)
        except RecursionError:
            return _Doubt(file_id, rows, refusal=Rejected((_DEPTH,)))
        except ValueError:
            return _Doubt(file_id, rows, refusal=Rejected((_NO_JSON,)))
        if not isinstance(value, dict):
            return _Doubt(file_id, rows, refusal=Rejected((_NO_JSON,)))
        extra = self.gate.unknown_values(value) if self.mapped.feed.on_new_column == "keep" else {}
        return _Doubt(file_id, rows, [RowScope(value, self.mapped.setting, row)], extra)

    def _flat_groups(self, connection: Connection, checked: str | None, header: Header) -> Iterator[_Doubt]:
        """The rows of the block of which ``checked`` is not sure; all where that is None."""
        is_grouped = self.mapped.group_by is not None
        using = GROUP if is_grouped else PLACE
        found = connection.execute(_rows_statement(header, using, checked)).fetchall()
        width = len(using)
        for (file_id, *_), grouped in groupby(found, key=lambda row: row[:width]):
            rows = [(row[width], flat_row(header, row[width + 1 :])) for row in grouped]
            scopes = [
                RowScope(values, self.mapped.setting, number if is_grouped else row, is_flat=True)
                for number, (row, values) in enumerate(rows, 1)
            ]
            raws = [(row, _AS_JSON.encode(values)) for row, values in rows]
            yield _Doubt(file_id, raws, scopes, self._flat_extra(header, rows[0][1]))

    def _flat_extra(self, header: Header, values: Mapping[str, Value]) -> dict[str, Value]:
        if self.mapped.feed.on_new_column != "keep":
            return {}
        unknown = self.gate.unknown_columns(header.names)
        return {name: values[name] for name in unknown if values[name] is not None and values[name] != ""}

    def _row(self, file_id: int, rows: Sequence[tuple[int, str]], verdict: Accepted) -> dict[str, object]:
        contract = self.mapped.contract
        made: dict[str, object] = dict(verdict.values)
        for table, child in contract.children.items():
            stored = [item.name for item in stored_columns(child, contract)]
            nested = verdict.children.get(table, ())
            made[child.field] = [{name: item[name] for name in stored} for item in nested]
            each = self.mapped.rows.get(child.field)
            made[f"_{child.field}_rows"] = [row for row, _ in rows] if each is not None and each.path is None else None
        first = min(row for row, _ in rows)
        return made | {"_file_id": file_id, "_row": first, "_source_rows": len(rows)}

    def _insert(self, accepted: list[dict[str, object]]) -> None:
        if not accepted:
            return
        types = {"_file_id": "INTEGER", "_row": "BIGINT", "_source_rows": "BIGINT"} | value_types(self.mapped.contract)
        arrays: dict[str, Any] = {
            name: pa.array([row.get(name) for row in accepted], arrow_type(kind)) for name, kind in types.items()
        }
        self.replacement.take(pa.table(arrays))


@dataclass(frozen=True)
class _Key:
    """A mapped feed that equals every other one with the same declarations."""

    declaration_hash: str
    mapped: MappedFeed = field(compare=False)


@lru_cache(maxsize=128)
def _compiled(key: _Key, header: Header | None, held: frozenset[str], plain_rows: PlainRows | None = None) -> Program:
    if header is None:
        return json_program(key.mapped, held, plain_rows)
    return flat_program(key.mapped, header, held, plain_rows)


@lru_cache(maxsize=128)
def _moment_texts(key: _Key, header: Header | None, held: frozenset[str]) -> list[str]:
    return moment_texts(key.mapped, header, held)


def _texts_of(rows: pa.Table) -> list[str]:
    """The columns of source values that are texts, or bytes that are read as texts."""
    own = {"_file_id", "_row", "raw", "strict"}
    return [item.name for item in rows.schema if item.name not in own and (is_text(item.type) or is_bytes(item.type))]


def _filled_of(rows: pa.Table, header: Header | None) -> list[str]:
    """The columns of texts that may be empty."""
    if header is None:
        return _texts_of(rows)
    return [f"c{index}" for index, kind in enumerate(header.kinds) if kind == "text"]


@lru_cache(maxsize=128)
def _source_statement(header: Header | None, kind: str, besides: tuple[str, ...] = (), *, is_plain: bool = True) -> str:
    """The block as a table or view: flat columns as text, whatever they were. Not ``is_plain``: its other rows only.

    ``besides``: columns of moments, and of texts that are not empty, that were made of the others.
    """
    rest = "" if is_plain else f" where not {PLAIN}"
    if header is None:
        return f"create or replace temp view {SOURCE} as from {_BLOCK}{rest}"
    texts = flat_texts(header)
    texts += [
        named(exp.cast(column(f"c{index}"), "TIMESTAMP"), f"m{index}")
        for index, kind in enumerate(header.kinds)
        if kind == "moment"
    ]
    made = [column(name) if name[0] == "m" else named(exp.cast(column(name), "VARCHAR"), name) for name in besides]
    query = exp.select("_file_id", "_row", PLAIN, *texts, *made).from_(_BLOCK)
    return f"create or replace temp {kind} {SOURCE} as {query.sql(dialect='duckdb')}{rest}"


@lru_cache(maxsize=128)
def _rows_statement(header: Header, using: tuple[str, ...], checked: str | None) -> str:
    """Flat rows as text, in order, those of a group one after the other: all, or of which ``checked`` is not sure."""
    keys = [*(column(name, "s") for name in using), column("_row", "s")]
    texts = [column(f"c{index}", "s") for index in range(len(header.names))]
    source = exp.to_table("_numbered" if using == GROUP else SOURCE).as_("s")
    query = exp.select(*keys, *texts).from_(source).order_by(*keys)
    if checked is not None:
        query = query.join(checked, using=list(using)).where(exp.Not(this=column("_sure", checked)))
    return query.sql(dialect="duckdb")
