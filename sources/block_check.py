"""Checks a block of source rows, possibly of many files: sets through one program of SQL, doubtful rows through Python.

Accepted rows go into ``_incoming``, a table of the connection's own, refused ones are handed back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import groupby
from typing import Any, Final

import pyarrow as pa
from sqlglot import exp

from quality.contracts.check import Accepted, Reason, Rejected
from sources.evaluation import RowScope, judge
from sources.mapped_feed import MappedFeed
from sources.operations.operation import Value, own
from sources.readers.json_reader import parse_row
from sources.readers.source_rows import Header, kept_raw
from sources.row_statement import (
    SOURCE,
    Program,
    column,
    flat_program,
    json_program,
    named,
    parent_key,
    value_columns,
)
from sources.row_tables import arrow_type, value_types
from sources.shape import Gate
from warehouse.database import Connection

INCOMING: Final = "_incoming"
_BLOCK: Final = "_source_block"
_DEPTH: Final = Reason("", "unreadable", "the row is nested too deeply")
_NO_JSON: Final = Reason("", "unreadable", "the row is not a JSON object")


@dataclass(frozen=True)
class RefusedRow:
    """A source row that is not accepted, with its reasons."""

    file_id: int
    row: int
    raw: str
    reasons: tuple[Reason, ...]


@dataclass
class BlockCheck:
    """Checks blocks on one connection, inside its transaction."""

    connection: Connection
    mapped: MappedFeed
    gate: Gate

    def __post_init__(self) -> None:
        self._types = {"_file_id": "INTEGER", "_row": "BIGINT", "_source_rows": "BIGINT"}
        self._types |= value_types(self.mapped.contract)
        definitions = [
            exp.ColumnDef(this=exp.to_identifier(name, quoted=True), kind=exp.DataType.build(kind, dialect="duckdb"))
            for name, kind in self._types.items()
        ]
        made = exp.Create(
            this=exp.Schema(this=exp.to_table(INCOMING), expressions=definitions),
            kind="TABLE",
            replace=True,
            properties=exp.Properties(expressions=[exp.TemporaryProperty()]),
        )
        self.connection.execute(made.sql(dialect="duckdb"))
        names = [column(name) for name in self._types]
        taken = exp.select(*names).from_("_checked").where(column("_sure"))
        self._take = f"insert into {INCOMING} by name {taken.sql(dialect='duckdb')}"

    def _program(self, header: Header | None) -> Program:
        return _compiled(_Key(self.mapped.declaration_hash, self.mapped), header)

    def check(self, rows: pa.Table, header: Header | None) -> tuple[list[RefusedRow], dict[int, int]]:
        """Check one block; the refused rows, and per file how many repeated rows were dropped."""
        connection = self.connection
        connection.register(_BLOCK, rows)
        try:
            connection.execute(_source_statement(header))
            collapsed = self._collapse(header)
            for statement in self._program(header).statements:
                connection.execute(statement)
            connection.execute(self._take)
            refused = self._judge_doubtful(header)
        finally:
            connection.unregister(_BLOCK)
        return refused, collapsed

    def filled(self, header: Header | None) -> list[tuple[int, str, int]]:
        """(file id, source field, in how many rows of the last block it holds something)."""
        if header is None:
            names, source = list(self._program(None).leaves), "_parsed"
            values = [self._program(None).leaves[name] for name in names]
        else:
            names, source = list(header.names), SOURCE
            values = [
                exp.Nullif(this=column(f"c{index}"), expression=exp.Literal.string("")) for index in range(len(names))
            ]
        counts = [exp.Count(this=own(value)) for value in values]
        query = exp.select("_file_id", *counts).from_(source).group_by("_file_id")
        rows = self.connection.execute(query.sql(dialect="duckdb")).fetchall()
        return [(row[0], name, count) for row in rows for name, count in zip(names, row[1:], strict=True)]

    def _collapse(self, header: Header | None) -> dict[int, int]:
        """Drop rows that repeat an earlier row of their file exactly, where rows are grouped or counted."""
        feed = self.mapped.feed
        if header is None or not self.mapped.group_by or feed.duplicates == "keep":
            return {}
        width = len(header.names)
        same = [column("_file_id"), *(column(f"c{index}") for index in range(width))]
        order = exp.Order(expressions=[exp.Ordered(this=column("_row"))])
        rank = exp.Window(this=exp.RowNumber(), partition_by=same, order=order)
        ranked = exp.select("_file_id", "_row", named(rank, "_copy")).from_(SOURCE)
        copies = exp.select("_file_id", "_row").from_(ranked.subquery("ranked")).where("_copy > 1")
        self.connection.execute(f"create or replace temp table _copies as {copies.sql(dialect='duckdb')}")
        self.connection.execute(
            f"delete from {SOURCE} where exists (select 1 from _copies c "  # noqa: S608 - our own names
            f"where c._file_id = {SOURCE}._file_id and c._row = {SOURCE}._row)"
        )
        found = self.connection.execute("select _file_id, count(*) from _copies group by _file_id").fetchall()
        return dict(found)

    def _judge_doubtful(self, header: Header | None) -> list[RefusedRow]:
        accepted: list[dict[str, object]] = []
        refused: list[RefusedRow] = []
        groups = self._json_rows() if header is None else self._flat_groups(header)
        for file_id, rows, verdict in groups:
            if isinstance(verdict, Accepted):
                accepted.append(self._row(file_id, rows, verdict))
            else:
                refused += [RefusedRow(file_id, row, kept_raw(raw), verdict.reasons) for row, raw in rows]
        self._insert(accepted)
        return refused

    def _json_rows(self) -> Iterator[tuple[int, list[tuple[int, str]], Accepted | Rejected]]:
        found = self.connection.execute(
            f"select s._file_id, s._row, s.raw from {SOURCE} s join _checked c using (_file_id, _row) "  # noqa: S608 - our own names
            "where not c._sure order by 1, 2"
        ).fetchall()
        for file_id, row, raw in found:
            yield file_id, [(row, raw.rstrip("\r\n"))], self._judge_json(raw, row)

    def _judge_json(self, raw: str, row: int) -> Accepted | Rejected:
        try:
            value = parse_row(raw)
        except RecursionError:
            return Rejected((_DEPTH,))
        except ValueError:
            return Rejected((_NO_JSON,))
        if not isinstance(value, dict):
            return Rejected((_NO_JSON,))
        extra = self.gate.unknown_values(value) if self.mapped.feed.on_new_column == "keep" else None
        return judge(self.mapped, [RowScope(value, self.mapped.setting, row)], extra)

    def _flat_groups(self, header: Header) -> Iterator[tuple[int, list[tuple[int, str]], Accepted | Rejected]]:
        columns = ", ".join(f"s.c{index}" for index in range(len(header.names)))
        key = "s._group, s._is_alone" if self.mapped.group_by else "s._row, false"
        source = "_numbered" if self.mapped.group_by else SOURCE
        using = "_file_id, _group, _is_alone" if self.mapped.group_by else "_file_id, _row"
        found = self.connection.execute(
            f"select s._file_id, {key}, s._row, {columns} from {source} s join _checked c using ({using}) "  # noqa: S608 - our own names
            "where not c._sure order by 1, 2, 3, 4"
        ).fetchall()
        for (file_id, *_), grouped in groupby(found, key=lambda row: row[:3]):
            rows = [(row[3], _flat_row(header, row[4:])) for row in grouped]
            scopes = [
                RowScope(values, self.mapped.setting, row if not self.mapped.group_by else number, is_flat=True)
                for number, (row, values) in enumerate(rows, 1)
            ]
            raws = [(row, json.dumps(values, ensure_ascii=False)) for row, values in rows]
            yield file_id, raws, judge(self.mapped, scopes, self._flat_extra(header, rows[0][1]))

    def _flat_extra(self, header: Header, values: Mapping[str, Value]) -> dict[str, Value] | None:
        if self.mapped.feed.on_new_column != "keep":
            return None
        unknown = self.gate.unknown_columns(header.names)
        return {name: values[name] for name in unknown if values[name] not in {None, ""}}

    def _row(self, file_id: int, rows: Sequence[tuple[int, str]], verdict: Accepted) -> dict[str, object]:
        contract = self.mapped.contract
        made: dict[str, object] = dict(verdict.values)
        for table, child in contract.children.items():
            stored = [item.name for item in value_columns(child.model, parent_key(child, contract.key))]
            nested = verdict.children.get(table, ())
            made[child.field] = [{name: item[name] for name in stored} for item in nested]
            each = self.mapped.rows.get(child.field)
            made[f"_{child.field}_rows"] = [row for row, _ in rows] if each is not None and each.path is None else None
        first = min(row for row, _ in rows)
        return made | {"_file_id": file_id, "_row": first, "_source_rows": len(rows)}

    def _insert(self, accepted: list[dict[str, object]]) -> None:
        if not accepted:
            return
        arrays: dict[str, Any] = {
            name: pa.array([row.get(name) for row in accepted], arrow_type(kind)) for name, kind in self._types.items()
        }
        self.connection.register("_accepted", pa.table(arrays))
        self.connection.execute(f"insert into {INCOMING} by name select * from _accepted")  # noqa: S608 - our own name
        self.connection.unregister("_accepted")


@dataclass(frozen=True)
class _Key:
    """A mapped feed that equals every other one with the same declarations."""

    declaration_hash: str
    mapped: MappedFeed = field(compare=False)


@lru_cache(maxsize=128)
def _compiled(key: _Key, header: Header | None) -> Program:
    return json_program(key.mapped) if header is None else flat_program(key.mapped, header)


def _source_statement(header: Header | None) -> str:
    """The block as a table: flat columns as text, whatever they were."""
    if header is None:
        return f"create or replace temp view {SOURCE} as from {_BLOCK}"
    texts = [named(_as_text(column(f"c{index}"), kind), f"c{index}") for index, kind in enumerate(header.kinds)]
    query = exp.select("_file_id", "_row", *texts).from_(_BLOCK)
    return f"create or replace temp table {SOURCE} as {query.sql(dialect='duckdb')}"


def _as_text(value: exp.Expr, kind: str) -> exp.Expr:
    if kind == "json":
        value = exp.Anonymous(this="to_json", expressions=[value])
    text: exp.Expr = exp.cast(value, "VARCHAR")
    if kind == "float":
        not_a_number = exp.Anonymous(this="isnan", expressions=[own(value)])
        text = exp.Case(ifs=[exp.If(this=exp.Not(this=not_a_number), true=text)])
    return text


def _flat_row(header: Header, texts: Sequence[str | None]) -> dict[str, Value]:
    """The values of a flat row as the Python form sees them."""
    return {name: _value(text, kind) for name, kind, text in zip(header.names, header.kinds, texts, strict=True)}


def _value(text: str | None, kind: str) -> Value:
    if text is None:
        return None
    match kind:
        case "integer":
            return int(text)
        case "float":
            return float(text)
        case "boolean":
            return text == "true"
        case "json":
            value: Value = json.loads(text)
            return value
        case _:
            return text
