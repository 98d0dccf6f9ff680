"""Delimited text: CSV and TSV with a header or declared columns, quoted fields that may hold line ends.

Blocks are parsed whole where that is safe (``sources/readers/delimited_block.py``), else record by record.
A record with the wrong number of fields is refused. When it spans lines, only its first line is, and reading goes on
with the next: a stray quote then costs one line, not the rest of the file. A stray quote in the header costs nothing.
"""

from __future__ import annotations

import csv
import sys
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

import pyarrow as pa

from sources.readers.delimited_block import parse_block
from sources.readers.encoding import TextBlock
from sources.readers.headings import HEADER_ROW, Headings
from sources.source_rows import Block, Header, Refusal

csv.field_size_limit(sys.maxsize)

_ROWS: Final = 50_000
_BLANK: Final = frozenset({"\n", "\r\n"})
_DECLARE: Final = (
    "A file without a header line needs `columns:`, columns of other names need `fields:` or `rename:`; "
    "a file of another table belongs elsewhere."
)


@dataclass(frozen=True)
class DelimitedReader:
    """Reads one file. ``columns`` are the names of a file without a header; ``has_quotes``: whether quotes mean it."""

    delimiter: str
    columns: tuple[str, ...] = ()
    has_quotes: bool = True
    headings: Headings = field(default_factory=Headings)

    def read(self, blocks: Iterator[TextBlock]) -> Iterator[Block | Refusal]:
        """The rows of a file. A header line under which there can be none is told as a row of its own."""
        records = _Records(_Lines(blocks), self.delimiter, self.has_quotes)
        head = self._header(records) if not self.columns else None
        names = self.columns or (self.headings.named(head) if head else ())
        fault = self.headings.fault(head) if head else None
        raw = "".join(records.lines.taken).rstrip("\r\n")
        told = [Refusal(HEADER_ROW, raw, f"{fault.message}. {_DECLARE}")] if fault else []
        if fault and fault.has_values:
            yield told.pop()
        if names:
            yield from _read(records, Header(distinct_names(names), tuple("text" for _ in names)))
        if not records.count:
            yield from told
        if records.lines.break_message:
            yield Refusal(records.count + 1, records.lines.tail, records.lines.break_message)

    def _header(self, records: _Records) -> tuple[str, ...] | None:
        """The first record; only its first line where a quote in it does not end, or ends in a row further down."""
        head = records.header()
        if head is None or len(records.lines.taken) == 1:
            return head
        first = tuple(name.strip().strip('"') for name in records.lines.taken[0].split(self.delimiter))
        if records.lines.is_cut or self.headings.matches(first) > self.headings.matches(head):
            records.lines.give_back()
            return first
        return head


def distinct_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of columns; the second of two equal ones is told apart by a number."""
    found: list[str] = []
    for name in names:
        number = 2
        unique = name
        while unique in found:
            unique, number = f"{name} ({number})", number + 1
        found.append(unique)
    return tuple(found)


def _read(records: _Records, header: Header) -> Iterator[Block | Refusal]:
    """Whole blocks where that is safe, else record by record up to the end of a block."""
    records.width = len(header.names)
    while (block := records.lines.next_block()) is not None:
        parsed = parse_block(block, records.delimiter, records.width, has_quotes=records.has_quotes)
        if parsed is None:
            records.lines.put_back(block)
            yield from _read_singly(records, header)
            continue
        for place, fields, raw in parsed.ragged:
            yield Refusal(records.count + place + 1, raw, f"the row has {fields} fields, not {records.width}")
        if parsed.rows.num_rows:
            numbers = pa.array(parsed.numbers + records.count + 1, pa.int64())
            yield Block(parsed.rows.add_column(0, "row", numbers), header, len(block.data))
        records.count += parsed.records


def _read_singly(records: _Records, header: Header) -> Iterator[Block | Refusal]:
    rows: list[list[str]] = []
    numbers: list[int] = []
    size = 0
    for record in records:
        raw = records.lines.taken
        if record is None:
            yield Refusal(records.count, "".join(raw).rstrip("\r\n"), records.refusal)
            continue
        rows.append(record)
        numbers.append(records.count)
        size += len(raw[0])
        if len(rows) >= _ROWS:
            yield _block(rows, numbers, header, size)
            rows, numbers, size = [], [], 0
    if rows:
        yield _block(rows, numbers, header, size)


def _block(rows: list[list[str]], numbers: list[int], header: Header, size: int) -> Block:
    columns = {f"c{index}": pa.array(values, pa.large_string()) for index, values in enumerate(zip(*rows, strict=True))}
    return Block(pa.table({"row": pa.array(numbers, pa.int64()), **columns}), header, size)


class _Lines:
    """The lines of a file, which may be given back."""

    def __init__(self, blocks: Iterator[TextBlock]) -> None:
        self._blocks = blocks
        self._waiting: deque[tuple[str, bool]] = deque()
        self.taken: list[str] = []
        self.is_bad = False
        self.is_cut = False
        self.break_message = ""
        self.tail = ""

    def begin(self) -> None:
        """A new record begins: not with blank lines, of which there may be millions."""
        self.taken = []
        self.is_bad = self.is_cut = False
        while self._waiting and self._waiting[0][0] in _BLANK:
            self._waiting.popleft()

    @property
    def is_inside(self) -> bool:
        """Whether lines of a block wait to be taken."""
        return bool(self._waiting)

    def next_block(self) -> TextBlock | None:
        """What waits to be taken, or else the next block; None at the end."""
        if self._waiting:
            bad = frozenset(index for index, (_, is_bad) in enumerate(self._waiting) if is_bad)
            block = TextBlock("".join(line for line, _ in self._waiting).encode(), bad)
            self._waiting.clear()
            return block
        return self._more()

    def put_back(self, block: TextBlock) -> None:
        """Let the lines of a block be taken one by one."""
        self._fill(block)

    def _more(self) -> TextBlock | None:
        block = next(self._blocks, None)
        if block is None or block.is_broken:
            if block:
                self.break_message, self.tail = block.is_broken, block.tail
            return None
        return block

    def give_back(self) -> None:
        """Only the first line of the record was taken."""
        self._waiting.extendleft((line, False) for line in reversed(self.taken[1:]))
        self.taken = self.taken[:1]

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        while not self._waiting:
            block = self._more()
            if block is None:
                self.is_cut = bool(self.taken)
                raise StopIteration
            self._fill(block)
        line, is_bad = self._waiting.popleft()
        self.is_bad = self.is_bad or is_bad
        self.taken.append(line)
        return line

    def _fill(self, block: TextBlock) -> None:
        lines = block.data.decode("utf-8", "replace").split("\n")
        last = lines.pop()
        bad = block.bad
        self._waiting.extend((f"{line}\n", index in bad) for index, line in enumerate(lines))
        if last:
            self._waiting.append((last, len(lines) in bad))


class _Records:
    """Records that fit, or None with ``refusal`` saying why; ``lines.taken`` holds the raw text."""

    def __init__(self, lines: _Lines, delimiter: str, has_quotes: bool) -> None:
        self.lines = lines
        self.count = 0
        self.width = 0
        self.refusal = ""
        self.delimiter = delimiter
        self.has_quotes = has_quotes
        self._quoting: Literal[0, 3] = 0 if has_quotes else 3  # csv.QUOTE_MINIMAL, csv.QUOTE_NONE

    def header(self) -> tuple[str, ...] | None:
        """The first record, as names."""
        record = self._next()
        return None if record is None else tuple(name.strip() for name in record)

    def __iter__(self) -> Iterator[list[str] | None]:
        """The records up to the end of the block at hand; the last one may go on in the next blocks."""
        while self.lines.is_inside and (record := self._next()) is not None:
            self.count += 1
            yield self._judged(record)

    def _next(self) -> list[str] | None:
        """The next record that is not blank; None at the end."""
        while True:
            self.lines.begin()
            try:
                record = next(csv.reader(self.lines, delimiter=self.delimiter, quoting=self._quoting))
            except StopIteration:
                return None
            except csv.Error:
                return ["".join(self.lines.taken)] * (self.width + 1)
            if record:
                return record

    def _is_strict(self) -> bool:
        """Whether nothing stands behind quotes that end: else the quote of a later row may have ended the field."""
        try:
            next(csv.reader(self.lines.taken, delimiter=self.delimiter, quoting=self._quoting, strict=True))
        except csv.Error:
            return False
        return True

    def _judged(self, record: list[str]) -> list[str] | None:
        if self.lines.is_bad:
            self.refusal = "the bytes are not text of this encoding"
        elif len(record) != self.width or self.lines.is_cut:
            self.refusal = f"the row has {len(record)} fields, not {self.width}"
            if self.lines.is_cut:
                self.refusal = "a quoted field does not end"
        elif len(self.lines.taken) > 1 and not self._is_strict():
            self.refusal = "a quoted field ends in the middle of another one, in a line further down"
        else:
            return record
        self.lines.give_back()
        return None
