"""JSON in all the forms vendors send it: lines, one object, an array, or an array inside an envelope."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from typing import Final

import msgspec
import numpy as np
import pyarrow as pa

from sources.gate import Gate, Opened
from sources.operations.operation import Value
from sources.plain_text import PLAIN, with_plain
from sources.readers.encoding import TextBlock
from sources.readers.envelope import Envelope
from sources.readers.line_texts import MOST_BYTES, Offsets, line_offsets, line_texts, texts_of
from sources.readers.salvage import is_opened_by_a_line, salvage
from sources.source_rows import Block, Reading, Refusal

_LOOK_AHEAD: Final = 20
_SPACE: Final = b" \t\r\n"


@dataclass(frozen=True)
class JsonReader:
    """Reads one file."""

    gate: Gate
    envelope: Envelope
    keep_unknown: bool
    reading: Reading

    def read(self, blocks: Iterator[TextBlock], *, are_lines: bool = False) -> Iterator[Block | Refusal]:
        """The rows of a file. ``are_lines``: it says that it consists of lines, which counts if it is no document."""
        first = next(blocks, None)
        if first is None:
            return
        blocks = chain([first], blocks)
        if _is_lines(first):
            yield from self._lines(blocks)
            return
        held: list[TextBlock] = []
        done = 0
        is_split = True
        for block in blocks:
            held.append(block)
            if len(held) > 1 and is_split:
                part, rest = _complete_part(held)
                is_split = rest is not None
                if rest is not None:
                    elements = [found for item in part for found in self.envelope.objects(item)]
                    yield from self._elements(elements, done)
                    held, done = [rest], done + len(elements)
        yield from self._document(held, done, are_lines=are_lines)

    def _document(self, held: list[TextBlock], done: int, *, are_lines: bool) -> Iterator[Block | Refusal]:
        """A document, or the rest of an array of which ``done`` elements are read."""
        data = b"".join(block.data for block in held)
        is_readable = not (held[-1].is_broken or any(block.bad for block in held))
        elements = _elements(data, self.envelope) if is_readable else None
        if elements is not None:
            yield from self._elements(elements, done)
        elif not done and self._is_rather_lines(data, is_readable=is_readable, are_lines=are_lines):
            yield from self._lines(iter(held))
        else:
            yield from self._broken_document(held, done)

    def _is_rather_lines(self, data: bytes, *, is_readable: bool, are_lines: bool) -> bool:
        """Whether what is no document consists of lines."""
        text = data.decode("utf-8", "replace")
        if is_opened_by_a_line(text, self.envelope):
            return False
        if _consists_of_objects(data) or (is_readable and _has_object_line(data) and not _ARRAY_BEGUN.match(data)):
            return True
        return are_lines and not salvage(text, self.envelope).elements

    def objects(self, block: Block, json_columns: Collection[str]) -> Block:
        """Flat rows as objects of what is not empty; the cells of some columns are JSON, or text where they are not."""
        assert block.header is not None
        names = block.header.names
        columns = [block.rows.column(f"c{index}").to_pylist() for index in range(len(names))]
        raws = [
            msgspec.json.encode(
                {n: _opened(v) if n in json_columns else v for n, v in zip(names, row, strict=True) if v}
            )
            for row in zip(*columns, strict=True)
        ]
        return self._block(raws, block.rows.column("row").to_pylist())

    def _lines(self, blocks: Iterator[TextBlock]) -> Iterator[Block | Refusal]:
        done = 0
        for block in blocks:
            if block.data:
                done += yield from self._line_block(block, done)
            if block.is_broken:
                yield Refusal(done + 1, block.tail, block.is_broken)

    def _line_block(self, block: TextBlock, done: int) -> Generator[Block | Refusal, None, int]:
        """The rows of whole lines; how many places they take: one each, more where a line holds several objects.

        Lines are opened a chunk at a time when all are well, else one by one.
        """
        data, offsets = block.data, line_offsets(block.data)
        if len(data) > MOST_BYTES:
            for index, begin in enumerate(offsets[:-1]):
                text = data[begin : min(offsets[index + 1], begin + _CHUNK)].decode("utf-8", "replace")
                yield Refusal(done + index + 1, text, "the line, or one close to it, is of two gigabytes")
            return len(offsets) - 1
        raw = line_texts(data, offsets[:-1], offsets[1:])
        for index in sorted(block.bad):
            message = "the bytes are not text of this encoding"
            yield Refusal(done + index + 1, raw[index].as_py().rstrip("\n"), message)
        pieces: list[pa.Table] = [] if block.bad else self._scanned(data, offsets, raw, done)
        if pieces:
            table = pa.concat_tables(pieces, promote_options="default")
            if table.num_rows:
                yield Block(table, None, len(data))
            return len(raw)
        begin = more = 0
        is_whole = True
        while begin < len(raw):
            end = min(int(np.searchsorted(offsets, offsets[begin] + _CHUNK, side="right")), len(raw))
            opened = None
            if not (block.bad or self.envelope.changes_objects):
                opened = self.gate.open_lines(memoryview(data)[offsets[begin] : offsets[end]], end - begin)
            if opened is not None:
                pieces.append(
                    self._table(opened, range(done + more + begin + 1, done + more + end + 1), raw[begin:end])
                )
            else:
                lines = {index: data[offsets[index] : offsets[index + 1]] for index in range(begin, end)}
                rows = {at: line for at, line in lines.items() if at not in block.bad and line.strip(_SPACE)}
                piece, found = self._lines_singly(list(rows.values()), [done + more + index + 1 for index in rows])
                pieces.append(piece)
                more += found
                is_whole = False
            begin = end
        yield from _joined(pieces, raw if is_whole else None, len(data))
        return more + len(raw)

    def _scanned(self, data: bytes, offsets: Offsets, raw: pa.Array, done: int) -> list[pa.Table]:
        """The rows of many lines, opened in one pass; none when they have to be gone through in another way."""
        if self.envelope.changes_objects or not self.gate.is_worth_scanning(len(data)):
            return []
        scanned = self.gate.scan_lines(data, offsets)
        if scanned is None:
            return []
        singly = [data[offsets[line] : offsets[line + 1]] for line in scanned.unsure]
        places = (scanned.unsure + done + 1).tolist()
        if not self.envelope.is_plain and self._unwrapped(singly, places)[2]:
            return []
        unknown = {name: stands.tolist() for name, stands in scanned.unknown.items()}
        sure = Opened(scanned.columns, [True] * len(scanned.sure), unknown, pa.array(scanned.plain))
        if len(scanned.sure) < len(raw):
            raw = line_texts(data, offsets[:-1][scanned.sure], offsets[1:][scanned.sure])
        pieces = [self._table(sure, scanned.sure + done + 1, raw)]
        if singly:
            table, _ = self._lines_singly(singly, places)
            pieces.append(with_plain(table, [name for name in table.column_names if name not in _FIXED]))
        return pieces

    def _lines_singly(self, lines: Sequence[bytes], places: Sequence[int]) -> tuple[pa.Table, int]:
        """Lines that need a closer look, and by how many their objects outnumber them."""
        if self.envelope.is_plain:
            return self._table(self.gate.open_each(lines), places, texts_of(lines)), 0
        raws, rows, more = self._unwrapped(lines, places)
        return self._table(self.gate.open_each(raws), rows, texts_of(raws)), more

    def _unwrapped(self, lines: Sequence[bytes], places: Sequence[int]) -> tuple[list[bytes], list[int], int]:
        """The objects of lines. Their numbers go on with the lines', shifted by what a line holds beyond one."""
        raws: list[bytes] = []
        rows: list[int] = []
        more = 0
        for line, place in zip(lines, places, strict=True):
            try:
                found = self.envelope.objects(line)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                found = [line]
            raws += found
            rows += range(place + more, place + more + len(found))
            more += max(len(found) - 1, 0)
        return raws, rows, more

    def _elements(self, elements: Sequence[bytes], done: int = 0) -> Iterator[Block]:
        size, start = 0, 0
        for index, element in enumerate(elements, 1):
            size += len(element)
            if size > _CHUNK or index == len(elements):
                yield self._block(elements[start:index], range(done + start + 1, done + index + 1))
                size, start = 0, index

    def _block(self, raws: Sequence[bytes], rows: Sequence[int]) -> Block:
        return Block(self._table(self.gate.open_elements(raws), rows, texts_of(raws)), None, sum(map(len, raws)))

    def _table(self, opened: Opened, rows: Sequence[int], raw: pa.Array) -> pa.Table:
        """Rows whose new fields are kept are for Python."""
        self.reading.unknown.update({name: sum(stands) for name, stands in opened.unknown.items()})
        strict = opened.is_sure
        if self.keep_unknown and opened.unknown:
            new = zip(*opened.unknown.values(), strict=True)
            strict = [sure and not any(stands) for sure, stands in zip(strict, new, strict=True)]
        fixed = {"row": pa.array(rows, pa.int64()), "raw": raw, "strict": pa.array(strict, pa.bool_())}
        table = pa.table(fixed | opened.columns)
        return table if opened.plain is None else table.append_column(PLAIN, opened.plain)

    def _broken_document(self, held: list[TextBlock], done: int) -> Iterator[Block | Refusal]:
        """The complete elements before the break, and one refused row for the rest."""
        text = (b"".join(block.data for block in held) + held[-1].tail.encode("utf-8", "replace")).decode(
            "utf-8", "replace"
        )
        saved = salvage(text, self.envelope)
        if saved.elements:
            yield from self._elements(saved.elements, done)
        if saved.is_closed:
            return
        self.reading.broken = held[-1].is_broken or "the file is not JSON from here on"
        yield Refusal(done + len(saved.elements) + 1, text[saved.end :], self.reading.broken)


_SURELY_SHALLOW: Final = 100
"""Objects and lists in a text that what is done with it later can surely go into."""

_FIXED: Final = frozenset({"row", "raw", "strict"})
"""The columns of objects beside those of their places."""

_CHUNK: Final = 256 << 10
"""What is decoded at once: what comes out should stay in the processor's cache until it is a column."""


def _joined(pieces: Sequence[pa.Table], raw: pa.Array | None, size: int) -> Iterator[Block]:
    """One block; ``raw``: the text of all its rows, where it lies in one piece already."""
    table = pa.concat_tables(pieces, promote_options="default")
    if raw is not None:
        table = table.drop_columns(["raw"]).combine_chunks().add_column(1, "raw", raw)
    if table.num_rows:
        yield Block(table.combine_chunks() if raw is None else table, None, size)


def _opened(cell: str) -> Value:
    try:
        return parse_row(cell)
    except (ValueError, RecursionError):
        return cell


def parse_row(raw: str) -> Value:
    """A row as Python values; of equal keys the last counts.

    Raises:
        ValueError: the text is not one JSON value, or holds half of a character or a number that is none here.
        RecursionError: it is nested too deeply.
    """
    value: Value = _DECODER.decode(raw)
    raw.encode()
    if "\\u" in raw or raw.count("{") + raw.count("[") > _SURELY_SHALLOW:
        json.dumps(value, ensure_ascii=False).encode()  # half a character comes of escapes only
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise ValueError("the number is too large")
    return value


def _no_constant(name: str) -> Value:
    raise ValueError(f"{name} is not JSON")


_DECODER: Final = json.JSONDecoder(parse_constant=_no_constant, parse_float=_finite)


def _is_lines(block: TextBlock) -> bool:
    """Whether the file surely is JSON lines: its first line is an object of its own, and there is a second line."""
    lines = (line.strip(_SPACE) for line in _lines_of(block.data))
    filled = [line for _, line in zip(range(_LOOK_AHEAD), (line for line in lines if line), strict=False)]
    if not filled or (block.data.startswith(b"[") and len(filled) == 1):
        return False
    if filled[0][:1] == b"{":
        return len(filled) > 1 and _is_value(filled[0])
    return filled[0][:1] != b"["


def _lines_of(data: bytes) -> Iterator[bytes]:
    """The lines one by one, so that who wants the first two does not split the rest."""
    begin = 0
    while (end := data.find(b"\n", begin)) >= 0:
        yield data[begin:end]
        begin = end + 1
    yield data[begin:]


def _is_value(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _consists_of_objects(data: bytes) -> bool:
    """Whether most lines, and more than one, begin an object: those of a document that is written over lines do not."""
    lines = [line for line in data.split(b"\n") if line.strip(_SPACE)]
    begin = sum(line[:1] == b"{" for line in lines)
    return begin > 1 and 2 * begin > len(lines)


def _has_object_line(data: bytes) -> bool:
    return any(line.strip(_SPACE)[:1] == b"{" and _is_value(line) for line in data.split(b"\n"))


def _elements(data: bytes, envelope: Envelope) -> list[bytes] | None:
    """The raw objects of a document; None when it is no document."""
    try:
        top = data.lstrip(_SPACE)[:1]
        if top == b"[":
            items = msgspec.json.decode(data, type=list[msgspec.Raw])
            return [found for item in items for found in envelope.objects(bytes(item))]
        if top != b"{":
            return None
        msgspec.json.decode(data, type=dict[str, msgspec.Raw])
        return envelope.objects(data.strip(_SPACE), is_document=True)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None


def _complete_part(held: Sequence[TextBlock]) -> tuple[list[bytes], TextBlock | None]:
    """The complete elements of an array whose elements begin on lines of their own, and the rest as an array.

    Without a rest the blocks cannot be split so. No text in JSON goes on over a line end, and what is cut off and
    closed is valid only where an element ends: a wrong guess is noticed.
    """
    if any(block.bad or block.is_broken for block in held):
        return [], None
    data = b"".join(block.data for block in held)
    opening = _OPENING.match(data)
    cut = data.rfind(b"\n" + opening[1] + b"},") if opening else -1
    end = cut + len(opening[1]) + 2 if opening and cut >= 0 else data.rfind(b"},\n") + 1
    if not end or data.lstrip(_SPACE)[:1] != b"[":
        return [], None
    try:
        items = msgspec.json.decode(b"%b]" % data[:end], type=list[msgspec.Raw])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return [], None
    return [bytes(item) for item in items], TextBlock(b"[" + data[end + 1 :])


_OPENING = re.compile(rb"\s*\[\s*?\n([ \t]*)\{\r?\n")


_ARRAY_BEGUN = re.compile(rb"\s*\[\s*(\{|\Z)")
"""An array that breaks off is no file of lines, though its last element may stand on a line of its own."""
