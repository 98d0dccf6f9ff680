"""Applies corrections to blocks of source rows before they are checked.

The one seam between corrections and loading: only rows that may be meant are looked at, the others pass untouched. A
corrected object goes through Python, whose word is final. What arrived is remembered, for the quarantine keeps that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
from sqlglot import exp

from quality.contracts.check import Reason
from quality.quarantine import quarantine_id
from sources.block_check import RefusedRow
from sources.correction import CorrectedRow, SourceRow, correct
from sources.corrections import Correction
from sources.flat_rows import flat_row, flat_texts
from sources.landing import LandingFile
from sources.mapped_feed import MappedFeed
from sources.operations.operation import Value
from sources.readers.json_reader import parse_row
from sources.row_places import are_among
from sources.source_rows import Block, ColumnKind, Header, Refusal
from warehouse.arrow_view import shown_as
from warehouse.database import Connection

_ROWS: Final = "_rows_to_correct"
_CANNOT_HOLD: Final = "a correction sets a value that its column cannot hold"


@dataclass
class Corrector:
    """Corrects rows of some files of a feed; ``entries`` by file id. Files without corrections cost nothing."""

    connection: Connection
    mapped: MappedFeed
    files: Sequence[LandingFile]
    entries: Mapping[int, Sequence[Correction]]
    said: dict[int, dict[int, tuple[str, str]]] = field(default_factory=dict)
    """File id → row → who corrected it, and why."""

    _arrived: dict[tuple[int, int], str] = field(default_factory=dict)
    _added: frozenset[str] = frozenset()

    def apply(self, rows: pa.Table, header: Header | None) -> tuple[pa.Table, Header | None, list[RefusedRow]]:
        """The rows, corrected; their header, which may have gained columns; and rows that cannot be corrected so."""
        self._added = frozenset()
        if not self.entries:
            return rows, header, []
        if header is None:  # rows cannot be picked from a column of views
            raw = rows.column("raw").cast(pa.large_string())
            rows = rows.set_column(rows.column_names.index("raw"), "raw", raw)
        meant = self._candidates(rows, header)
        if not meant.num_rows:
            return rows, header, []
        found = self._corrected(meant, header)
        if not found:
            return rows, header, []
        are_found = are_among(rows, found)
        untouched = rows.filter(pc.invert(are_found))
        if header is None:
            return pa.concat_tables([untouched, _objects(found, rows.schema)]), None, []
        return self._flat(untouched, found, header, rows.filter(are_found))

    def rescue(self, file_id: int, refusal: Refusal) -> dict[str, Value] | None:
        """What a row that cannot be read becomes; None when no correction says so."""
        entries = self.entries.get(file_id)
        if not entries:
            return None
        source = SourceRow(self._id(file_id, refusal.row), refusal.row, refusal.raw, None, self._is_flat)
        corrected = correct(source, entries)
        if corrected is None:
            return None
        self._note((file_id, refusal.row), refusal.raw, corrected)
        return corrected.value

    def rescued_block(self, rescued: Mapping[int, dict[str, Value]], beside: Block | None) -> Block:
        """Rescued rows as one more block of their file, with the columns of its other rows when there are any."""
        header = beside.header if beside else None
        if not (header or (self._is_flat and beside is None)):
            raws = [json.dumps(value, ensure_ascii=False) for value in rescued.values()]
            table = {
                "row": pa.array(list(rescued), pa.int64()),
                "raw": pa.array(raws, pa.string_view()),
                "strict": pa.array([False] * len(raws), pa.bool_()),
            }
            return Block(pa.table(table), None, sum(map(len, raws)))
        names = header.names if header else tuple(dict.fromkeys(name for row in rescued.values() for name in row))
        kinds: tuple[ColumnKind, ...] = tuple("text" for _ in names)
        header = header or Header(names, kinds)
        columns = {"row": pa.array(list(rescued), pa.int64())}
        for index, name in enumerate(names):
            texts = pa.array([_text(row.get(name)) for row in rescued.values()], pa.string())
            columns[f"c{index}"] = texts.cast(beside.rows.schema.field(f"c{index}").type) if beside else texts
        return Block(pa.table(columns), header, 0)

    def as_it_arrived(self, row: RefusedRow) -> RefusedRow:
        """A refused row with the text that arrived, not the corrected one."""
        raw = self._arrived.get((row.file_id, row.row))
        if raw is not None:
            return replace(row, raw=raw)
        if self._added:
            value = {name: item for name, item in json.loads(row.raw).items() if name not in self._added}
            return replace(row, raw=json.dumps(value, ensure_ascii=False))
        return row

    @property
    def _is_flat(self) -> bool:
        """Whether rows that nothing is known of are rows of columns."""
        return len(self.mapped.flat_forms) == len(self.mapped.forms)

    def _candidates(self, rows: pa.Table, header: Header | None) -> pa.Table:
        """The rows that some correction may be about: never too few."""
        found: pa.Array | None = None
        present = set(pc.unique(rows.column("_file_id")).to_pylist())
        for file_id in sorted(present & self.entries.keys()):
            of_file = pc.equal(rows.column("_file_id"), pa.scalar(file_id, pa.int32()))
            masks = [self._mask(rows, header, entry) for entry in self.entries[file_id]]
            any_of = masks[0]
            for mask in masks[1:]:
                any_of = pc.or_(any_of, mask)
            here = pc.and_(of_file, any_of)
            found = here if found is None else pc.or_(found, here)
        return rows.slice(0, 0) if found is None else rows.filter(found)

    def _mask(self, rows: pa.Table, header: Header | None, entry: Correction) -> pa.ChunkedArray:
        masks = []
        if entry.row is not None:
            masks.append(pc.equal(rows.column("_row"), pa.scalar(entry.row, pa.int64())))
        for path, words in [*entry.where.items(), *((path, tuple(table)) for path, table in entry.lookup.items())]:
            mask = _holds(rows, header, path, words if isinstance(words, tuple) else (words,))
            masks += [mask] if mask is not None and (path in entry.where or _is_only_lookup(entry)) else []
        if not masks:
            return pa.chunked_array([pa.repeat(pa.scalar(True), rows.num_rows)])
        mask = masks[0]
        for more in masks[1:]:
            mask = pc.and_(mask, more)
        return pc.fill_null(mask, False)

    def _corrected(self, meant: pa.Table, header: Header | None) -> dict[tuple[int, int], CorrectedRow]:
        found: dict[tuple[int, int], CorrectedRow] = {}
        for file_id, row, raw, value in self._read(meant, header):
            source = SourceRow(self._id(file_id, row), row, raw, value, is_flat=header is not None)
            corrected = correct(source, self.entries[file_id])
            if corrected is not None:
                found[file_id, row] = corrected
                self._note((file_id, row), raw, corrected)
        return found

    def _read(self, meant: pa.Table, header: Header | None) -> list[tuple[int, int, str, dict[str, Value] | None]]:
        places = zip(meant.column("_file_id").to_pylist(), meant.column("_row").to_pylist(), strict=True)
        if header is None:
            raws = (raw.rstrip("\r\n") for raw in meant.column("raw").to_pylist())
            return [(file_id, row, raw, _object(raw)) for (file_id, row), raw in zip(places, raws, strict=True)]
        query = exp.select("_file_id", "_row", *flat_texts(header)).from_(_ROWS).sql(dialect="duckdb")
        with shown_as(self.connection, _ROWS, meant):
            found = self.connection.execute(query).fetchall()
        values = [(file_id, row, flat_row(header, texts)) for file_id, row, *texts in found]
        return [(file_id, row, json.dumps(value, ensure_ascii=False), value) for file_id, row, value in values]

    def _flat(
        self, untouched: pa.Table, found: Mapping[tuple[int, int], CorrectedRow], header: Header, before: pa.Table
    ) -> tuple[pa.Table, Header, list[RefusedRow]]:
        """Flat rows keep their columns' types. A column that the files lack is added as text, to all of them."""
        names = dict.fromkeys(name for item in found.values() for name in item.value)
        added = tuple(name for name in names if name not in header.names)
        self._added = frozenset(added)
        wide = Header((*header.names, *added), (*header.kinds, *("text" for _ in added)))  # type: ignore[arg-type]
        for index in range(len(header.names), len(wide.names)):
            untouched = untouched.append_column(f"c{index}", pa.nulls(untouched.num_rows, pa.string()))
        tables, refused = [untouched], []
        kept = {place: index for index, place in enumerate(_places(before))}
        for place, item in found.items():
            try:
                tables.append(_flat_table(item, wide, untouched.schema, before.slice(kept[place], 1)))
            except (pa.ArrowException, ValueError, TypeError, OverflowError):
                reasons = (Reason("", "wrong_type", _CANNOT_HOLD),)
                refused.append(RefusedRow(place[0], place[1], self._arrived[place], reasons))
        return pa.concat_tables(tables), wide, refused

    def _note(self, place: tuple[int, int], raw: str, corrected: CorrectedRow) -> None:
        self._arrived[place] = raw
        self.said.setdefault(place[0], {})[place[1]] = (corrected.author, corrected.why)

    def _id(self, file_id: int, row: int) -> str:
        file = self.files[file_id]
        return quarantine_id(self.mapped.kind, file.feed, file.file, row)


def _is_only_lookup(entry: Correction) -> bool:
    """Whether an entry does nothing where its one looked-up field holds none of the words."""
    return len(entry.lookup) == 1 and not (entry.set or entry.replace or entry.remove or entry.becomes)


def _holds(rows: pa.Table, header: Header | None, path: str, words: Sequence[object]) -> pa.ChunkedArray | None:
    """Where a field may hold one of the words; None: anywhere. Text in JSON stands as it is, or behind a backslash."""
    texts = [word if isinstance(word, str) else str(word) for word in words]
    if any(word is None or isinstance(word, bool) for word in words) or any(map(_may_be_fraction, texts)):
        return None
    if header is not None:
        if path not in header.names or header.kinds[header.names.index(path)] != "text":
            return None
        values = rows.column(f"c{header.names.index(path)}").cast(pa.large_string())
        return pc.is_in(values, value_set=pa.array(texts, pa.large_string()))
    raws = rows.column("raw")
    mask = pc.match_substring(raws, "\\")
    for text in texts:
        mask = pc.or_(mask, pc.match_substring(raws, text))
    return mask


def _may_be_fraction(text: str) -> bool:
    """Whether a number that is written otherwise may be meant."""
    if text.removeprefix("-").isdigit():
        return False
    try:
        float(text)
    except ValueError:
        return not text
    return True


def _places(rows: pa.Table) -> list[tuple[int, int]]:
    return list(zip(rows.column("_file_id").to_pylist(), rows.column("_row").to_pylist(), strict=True))


def _object(raw: str) -> dict[str, Value] | None:
    try:
        value = parse_row(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def _objects(found: Mapping[tuple[int, int], CorrectedRow], schema: pa.Schema) -> pa.Table:
    rows = [
        {"_file_id": file_id, "_row": row, "raw": json.dumps(item.value, ensure_ascii=False), "strict": False}
        for (file_id, row), item in found.items()
    ]
    return pa.Table.from_pylist(rows, schema)


def _flat_table(item: CorrectedRow, header: Header, schema: pa.Schema, before: pa.Table) -> pa.Table:
    """One corrected row; columns that were not changed keep what they held, to the last digit."""
    arrays = [before.column("_file_id"), before.column("_row")]
    for index, (name, kind) in enumerate(zip(header.names, header.kinds, strict=True)):
        target = schema.field(f"c{index}").type
        if name not in item.changed:
            arrays.append(before.column(f"c{index}") if f"c{index}" in before.column_names else pa.nulls(1, target))
        else:
            typed = pa.array([_typed(item.value[name], kind)], pa.string() if kind == "text" else None)
            arrays.append(typed.cast(target))
    return pa.Table.from_arrays(arrays, schema=schema)


def _typed(value: Value, kind: str) -> Value:
    match kind:
        case "text":
            return _text(value)
        case "integer":
            return int(value) if isinstance(value, str) else value
        case "float":
            return float(value) if isinstance(value, str) else value
        case _:
            return value


def _text(value: Value) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)
