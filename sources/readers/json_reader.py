"""JSON in all the forms vendors send it: lines, one object, an array, or an array inside an envelope."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any, Final

import msgspec
import pyarrow as pa

from sources.operations.operation import Value
from sources.readers.encoding import TextBlock
from sources.readers.envelope import Envelope
from sources.shape import Gate
from sources.source_rows import Block, Reading, Refusal, kept_raw

_LOOK_AHEAD: Final = 20
_SPACE: Final = b" \t\r\n"


@dataclass(frozen=True)
class JsonReader:
    """Reads one file."""

    gate: Gate
    envelope: Envelope
    keep_unknown: bool
    reading: Reading

    def read(self, blocks: Iterator[TextBlock]) -> Iterator[Block | Refusal]:
        """The rows of a file."""
        first = next(blocks, None)
        if first is None:
            return
        blocks = chain([first], blocks)
        if _is_lines(first):
            yield from self._lines(blocks)
            return
        held = list(blocks)
        if held[-1].is_broken or any(block.bad for block in held):
            yield from self._broken_document(held)
            return
        data = b"".join(block.data for block in held)
        elements = _elements(data, self.envelope)
        if elements is not None:
            yield from self._elements(elements)
        elif _has_object_line(data):
            yield from self._lines(iter(held))
        else:
            yield from self._broken_document(held)

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
        return self._block(raws, block.rows.column("row").to_pylist(), None)

    def _lines(self, blocks: Iterator[TextBlock]) -> Iterator[Block | Refusal]:
        done = 0
        for block in blocks:
            if block.data:
                more = yield from self._line_block(block, done)
                done += more + block.data.count(b"\n") + (not block.data.endswith(b"\n"))
            if block.is_broken:
                yield Refusal(done + 1, kept_raw(block.tail), block.is_broken)

    def _line_block(self, block: TextBlock, done: int) -> Generator[Block | Refusal, None, int]:
        """The rows of whole lines; by how many they outnumber their lines, where lines hold several objects."""
        lines = block.data.split(b"\n")
        wanted = [index for index, line in enumerate(lines) if line.strip(_SPACE) and index not in block.bad]
        for index in sorted(block.bad):
            yield Refusal(done + index + 1, kept_raw(lines[index].decode()), "the bytes are not text of this encoding")
        if not wanted:
            return 0
        kept = lines if len(wanted) == len(lines) else [lines[index] for index in wanted]
        data = block.data if not block.bad else b"\n".join(kept)
        places = [done + index + 1 for index in wanted]
        decoded = None if self.envelope.changes_objects else self.gate.pass_lines(data, len(kept))
        if decoded is not None or self.envelope.is_plain:
            yield self._block(kept, places, decoded)
            return 0
        raws, rows, more = self._unwrapped(kept, places)
        if raws:
            yield self._block(raws, rows, None)
        return more

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

    def _elements(self, elements: Sequence[bytes]) -> Iterator[Block]:
        size, start = 0, 0
        for index, element in enumerate(elements, 1):
            size += len(element)
            if size > _BLOCK or index == len(elements):
                yield self._block(list(elements[start:index]), list(range(start + 1, index + 1)), None)
                size, start = 0, index

    def _block(self, raws: list[bytes], rows: list[int], decoded: list[Any] | None) -> Block:
        table = pa.table(
            {
                "row": pa.array(rows, pa.int64()),
                "raw": pa.array(raws, pa.large_binary()).cast(pa.large_string()),
                "strict": self._passed(raws, decoded),
            }
        )
        return Block(table, None, sum(map(len, raws)))

    def _passed(self, raws: list[bytes], decoded: list[Any] | None) -> pa.Array:
        """Which rows are surely what they should be; rows whose new fields are kept are for Python."""
        if decoded is not None:
            self.reading.unknown.update(self.gate.unknown_in(decoded))
            if not self.keep_unknown:
                return pa.repeat(pa.scalar(True), len(raws))
            return pa.array([not self.gate.has_unknown(row) for row in decoded], pa.bool_())
        passed = [self.gate.pass_one(raw) for raw in raws]
        self.reading.unknown.update(name for item in passed for name in item.unknown)
        return pa.array([item.is_sure and not (self.keep_unknown and item.unknown) for item in passed], pa.bool_())

    def _broken_document(self, held: list[TextBlock]) -> Iterator[Block | Refusal]:
        """The complete elements before the break, and one refused row for the rest."""
        text = (b"".join(block.data for block in held) + held[-1].tail.encode("utf-8", "replace")).decode(
            "utf-8", "replace"
        )
        elements, end = _salvage(text, self.envelope)
        if elements:
            yield from self._elements(elements)
        message = held[-1].is_broken or "the file is not JSON from here on"
        yield Refusal(len(elements) + 1, kept_raw(text[end:]), message)


_BLOCK: Final = 4 << 20


def _opened(cell: str) -> Value:
    try:
        return parse_row(cell)
    except (ValueError, RecursionError):
        return cell


def parse_row(raw: str) -> Value:
    """A row as Python values; of equal keys the first counts, as in the database.

    Raises:
        ValueError: the text is not one JSON value, or holds half of a character.
        RecursionError: it is nested too deeply.
    """
    value: Value = json.loads(raw, object_pairs_hook=_first_wins, parse_constant=_no_constant)
    raw.encode()
    json.dumps(value, ensure_ascii=False).encode()
    return value


def _first_wins(pairs: list[tuple[str, Value]]) -> dict[str, Value]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    found = {}
    for key, value in pairs:
        found.setdefault(key, value)
    return found


def _no_constant(name: str) -> Value:
    raise ValueError(f"{name} is not JSON")


def _is_lines(block: TextBlock) -> bool:
    """Whether the file surely is JSON lines: its first line is an object of its own, and there is a second line."""
    lines = (line.strip(_SPACE) for line in block.data.split(b"\n"))
    filled = [line for _, line in zip(range(_LOOK_AHEAD), (line for line in lines if line), strict=False)]
    if not filled or (block.data.startswith(b"[") and len(filled) == 1):
        return False
    if filled[0][:1] == b"{":
        return len(filled) > 1 and _is_value(filled[0])
    return filled[0][:1] != b"["


def _is_value(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw, type=msgspec.Raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


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


def _salvage(text: str, envelope: Envelope) -> tuple[list[bytes], int]:
    """The complete elements of a document that breaks off, and where the first incomplete one begins."""
    start = _array_start(text, envelope)
    found: list[bytes] = []
    if start is None:
        return found, 0
    decoder, end = json.JSONDecoder(), start
    while True:
        begin = _SKIP.match(text, end).end()  # type: ignore[union-attr]  # matches the empty text everywhere
        try:
            _, end_of_value = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            return found, begin
        found.append(text[begin:end_of_value].encode("utf-8", "replace"))
        end = end_of_value


_SKIP = re.compile(r"[ \t\r\n,]*")


def _array_start(text: str, envelope: Envelope) -> int | None:
    if text.lstrip().startswith("["):
        return text.index("[") + 1
    for key in envelope.key_names():
        match = re.search(rf"{re.escape(json.dumps(key))}\s*:\s*\[", text)
        if match:
            return match.end()
    return None
