"""The one way in: a file of a feed becomes blocks of source rows and refusals."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Final

import pyarrow as pa

from sources.gate import Gate
from sources.landing_walk import readable_name
from sources.leaves import stems_of
from sources.mapped_feed import MappedFeed, source_paths
from sources.mapping import Format
from sources.needed_columns import needed_columns
from sources.program import own_leaves
from sources.readers.content import BLOCK, content_blocks, is_compressed
from sources.readers.delimited_reader import DelimitedReader
from sources.readers.encoding import TextBlock, is_blank, text_blocks
from sources.readers.envelope import BATCH_DAY, Envelope
from sources.readers.excel_reader import ExcelReader, is_workbook
from sources.readers.foreign_content import LONGEST_ERROR, foreign_content
from sources.readers.further_headings import without_further_headings
from sources.readers.graphql import GraphqlAnswer, is_graphql
from sources.readers.headings import DELIMITERS, HEADER_ROW, Headings, split_line
from sources.readers.json_reader import JsonReader
from sources.readers.parquet_reader import MAGIC, read_parquet
from sources.shape import shape_of
from sources.source_rows import Block, Header, Reading, Refusal

FILE_NAME: Final = "_file_name"
"""The name of the file, where a mapping reads a column of this name."""

_TEXT_FORMS: Final = frozenset({"json", "jsonl", "csv", "tsv"})
_NAMES: Final = {
    "jsonl": "JSON",
    "json": "JSON",
    "csv": "text",
    "tsv": "text",
    "parquet": "Parquet",
    "excel": "a workbook",
}
_NAMED_LINES: Final = re.compile(r"\.(jsonl|ndjson|jsonlines)(\.(gz|gzip|zst|zstd))?\Z")
_MAGIC_BYTES: Final = 8


@dataclass(frozen=True)
class FileReader:
    """Reads the files of a feed."""

    mapped: MappedFeed
    gate: Gate

    @classmethod
    def of(cls, mapped: MappedFeed) -> FileReader:
        """The reader of a feed."""
        names = {path.text for path in source_paths(mapped)}
        stems = {name.partition(".")[0] for name in names} if "parquet" in mapped.forms else set()
        shape, leaves = shape_of(mapped), stems_of(own_leaves(mapped))
        return cls(mapped, Gate(shape, mapped.ignore, frozenset(names | stems), mapped.assumed, leaves))

    def read(self, path: Path, reading: Reading) -> Iterator[Block | Refusal]:
        """The rows of a file, in its order. Afterwards ``reading`` knows its hash; none of one that cannot be read."""
        rows = 0
        try:
            for item in self._read(path, reading):
                rows += 1 if isinstance(item, Refusal) else item.rows.num_rows
                yield self._completed(item, path, reading) if isinstance(item, Block) else item
        except OSError as error:
            reading.is_unusable, reading.sha256 = not rows, ""
            reading.broken = f"the file cannot be read: {error.strerror or type(error).__name__}"
            yield Refusal(rows + 1, "", reading.broken)

    def _completed(self, block: Block, path: Path, reading: Reading) -> Block:
        """The block with what a mapping wants to know of the file itself, as last columns."""
        if FILE_NAME in self.gate.names:
            block = _with_column(block, FILE_NAME, readable_name(Path(path.name)))
        if BATCH_DAY in self.gate.names and reading.batch_on is not None:
            block = _with_column(block, BATCH_DAY, reading.batch_on.isoformat())
        return block

    def _read(self, path: Path, reading: Reading) -> Iterator[Block | Refusal]:
        first = _first_bytes(path)
        if not first:
            reading.is_unusable = True
            _hash(path, reading)
            yield Refusal(1, "", "the file is empty")
            return
        if first.startswith(MAGIC) or is_workbook(first):
            _hash(path, reading)
            yield from self._binary(path, reading, is_parquet=first.startswith(MAGIC))
            return
        source = content_blocks(path, reading)
        if not set(self.mapped.forms) & _TEXT_FORMS:
            _drain(source)
            reading.is_unusable = True
            yield Refusal(1, "", f"the file is not {_NAMES[self.mapped.format]}")
            return
        texts = text_blocks(source, self.mapped.feed.encoding)
        held = next(texts, None)
        if held is None and is_compressed(first):  # a delivery of nothing, wrapped up on purpose
            return
        if held is None or (is_blank(held) and all(map(is_blank, self._again(path)))):
            reading.is_unusable = True
            _drain(texts)
            raw = held.data.decode("utf-8", "replace") if held else ""
            yield Refusal(1, raw, "the file holds nothing but blanks, line ends and control characters")
            return
        yield from self._texts(chain([held], texts), reading, self._are_lines(path))

    def _again(self, path: Path) -> Iterator[TextBlock]:
        """The texts of a file from its beginning, whose rows must wait for what stands at its end."""
        return text_blocks(content_blocks(path, Reading()), self.mapped.feed.encoding)

    def _binary(self, path: Path, reading: Reading, *, is_parquet: bool) -> Iterator[Block | Refusal]:
        """Parquet and workbooks are read wherever rows of columns are expected."""
        flat = self.mapped.flat_forms
        if not flat or (not is_parquet and set(flat) == {"parquet"}):
            reading.is_unusable = not is_parquet
            yield Refusal(1, "", f"the file is {_NAMES['parquet' if is_parquet else 'excel']}, not {self._expected}")
            return
        if is_parquet:
            yield from read_parquet(path, reading)
            return
        yield from self._opened(ExcelReader(self.headings, self.mapped.feed.sheet).read(path, reading), reading)

    @property
    def _expected(self) -> str:
        return _NAMES[self.mapped.format]

    @cached_property
    def headings(self) -> Headings:
        """What the columns of flat files are called."""
        needed = needed_columns(self.mapped, frozenset({FILE_NAME, BATCH_DAY}))
        known = self.gate.names | self.gate.assumed
        return Headings(known, self.mapped.heading_marks, self.mapped.headings, needed)

    def _texts(
        self, blocks: Iterator[TextBlock], reading: Reading, are_lines: bool = False
    ) -> Iterator[Block | Refusal]:
        mapped = self.mapped
        held = next(blocks, None)
        if held is None:
            return
        form = self._form(held)
        begin = _beginning(held, blocks)
        text = b"".join(block.data for block in begin)
        told = foreign_content(text, form, self.gate.names)
        if told:
            reading.is_unusable = True
            _drain(blocks)
            yield Refusal(1, text.decode("utf-8", "replace"), told)
            return
        blocks = chain(begin, blocks)
        if form in {"csv", "tsv"}:
            delimiter = mapped.feed.delimiter or ("\t" if form == "tsv" else self._delimiter(held))
            has_quotes = form == "csv" or not mapped.columns
            table = DelimitedReader(delimiter, mapped.columns, has_quotes, self.headings).read(blocks)
            yield from self._opened(table, reading)
            return
        if mapped.graphql and is_graphql(text):
            blocks = GraphqlAnswer(mapped.graphql).read(blocks)
        yield from self._objects(reading).read(blocks, are_lines=are_lines)

    def _are_lines(self, path: Path) -> bool:
        """Whether a file says that every line is a row of its own, be it readable or not."""
        declared = self.mapped.feed.format
        return declared == "jsonl" or (declared is None and bool(_NAMED_LINES.search(path.name.lower())))

    def _objects(self, reading: Reading) -> JsonReader:
        keeps = self.mapped.feed.on_new_column == "keep"
        batch_on = reading.batch_on if BATCH_DAY in self.gate.names else None
        return JsonReader(self.gate, replace(self._envelope, batch_on=batch_on), keeps, reading)

    @cached_property
    def _envelope(self) -> Envelope:
        return Envelope.of(self.mapped)

    def _opened(self, table: Iterator[Block | Refusal], reading: Reading) -> Iterator[Block | Refusal]:
        """A table, or objects made of its rows where some of its cells hold JSON."""
        columns = self.mapped.json_columns
        has_rows, has_fault = False, False
        for item in without_further_headings(table) if self.mapped.further_headings else table:
            is_header = isinstance(item, Refusal) and item.row == HEADER_ROW
            has_rows, has_fault = has_rows or not is_header, has_fault or is_header
            yield self._objects(reading).objects(item, columns) if columns and isinstance(item, Block) else item
        if has_fault and not has_rows:
            reading.is_unusable = True

    def _form(self, first: TextBlock) -> Format:
        """The form of a text: what it must be, or what its first line shows where it may be several."""
        forms = [form for form in self.mapped.forms if form in _TEXT_FORMS]
        if len(forms) == 1:
            return forms[0]
        if first.data.lstrip()[:1] in {b"{", b"["}:
            return next((form for form in forms if form in {"json", "jsonl"}), forms[0])
        line = _first_line(first)
        is_table = any(self.headings.matches(split_line(line, mark)) for mark in DELIMITERS)
        flat = next((form for form in forms if form in {"csv", "tsv"}), forms[0])
        return flat if is_table else forms[0]

    def _delimiter(self, first: TextBlock) -> str:
        return "," if self.mapped.columns else self.headings.delimiter(_first_line(first))


def _beginning(first: TextBlock, more: Iterator[TextBlock]) -> list[TextBlock]:
    """The first blocks: all of them, or so many that the text is longer than any error."""
    found = [first]
    while sum(len(block.data) for block in found) <= LONGEST_ERROR and (block := next(more, None)) is not None:
        found.append(block)
    return found


def _first_line(block: TextBlock) -> str:
    return block.data.lstrip(b"\r\n").split(b"\n", 1)[0].decode("utf-8", "replace").rstrip("\r")


def _first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_MAGIC_BYTES)


def _with_column(block: Block, name: str, text: str) -> Block:
    """The block with a last column that holds the same text in every row."""
    if block.header is None or name in block.header.names:
        return block
    column = pa.repeat(pa.scalar(text, pa.large_string()), block.rows.num_rows)
    rows = block.rows.append_column(f"c{len(block.header.names)}", column)
    return Block(rows, Header((*block.header.names, name), (*block.header.kinds, "text")), block.bytes)


def file_hash(path: Path) -> str:
    """The sha256 of a file as it lies there."""
    reading = Reading()
    _hash(path, reading)
    return reading.sha256


def _hash(path: Path, reading: Reading) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            reading.bytes += len(block)
    reading.sha256 = digest.hexdigest()


def _drain(source: Iterator[object]) -> None:
    for _ in source:
        pass


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does, whatever its name."""
    try:
        return _first_bytes(path).startswith(MAGIC)
    except OSError:
        return False
