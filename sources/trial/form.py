"""The form of an unknown file, told by its content: compression, format, encoding, separator, header."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sources.column_types import text_type
from sources.mapping import Format
from sources.readers.content import BrokenContentError, content_blocks
from sources.readers.encoding import TextBlock, text_blocks
from sources.readers.excel_reader import is_workbook
from sources.readers.file_reader import is_parquet
from sources.readers.foreign_content import foreign_content
from sources.source_rows import Reading
from sources.western_text import WESTERN, is_certainly_western
from warehouse.errors import InputError

HEAD: Final = 1 << 20
"""Bytes that are looked at."""

_SEPARATORS: Final = (",", "\t", ";", "|", "^")
_MARKED: Final = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_MOST_RECORDS: Final = 60
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")
_LINES_OF_JSON: Final = 2


@dataclass(frozen=True)
class FileForm:
    """How a file is written. ``encoding`` None: the readers find it without help; ``why`` says what each rests on."""

    format: Format
    encoding: str | None
    delimiter: str | None
    has_header: bool
    width: int
    why: tuple[str, ...]
    head: str = field(default="", repr=False)
    """The beginning of a text file, decoded."""

    @property
    def is_flat(self) -> bool:
        """Whether its rows are rows of columns."""
        return self.format not in {"json", "jsonl"}

    @property
    def alike(self) -> tuple[Format, ...]:
        """The forms whose mappings may read it: columns are columns, whatever they are kept in."""
        return ("csv", "tsv", "parquet", "excel") if self.is_flat else ("json", "jsonl")


def form_of(path: Path, declared: str | None = None) -> FileForm:
    """The form of a file; ``declared`` is the encoding the caller knows already.

    Raises:
        InputError: it is empty, of a form that no reader takes, or in an encoding that nothing says beyond doubt.
    """
    if is_parquet(path):
        return FileForm("parquet", None, None, True, 0, ("it begins as Parquet does",))
    with path.open("rb") as file:
        if is_workbook(file.read(8)):
            return FileForm("excel", None, None, True, 0, ("it is a workbook",))
    head, is_whole = _head(path)
    if not head.strip(b"\0 \t\r\n"):
        raise InputError(f"{path.name} holds nothing.", "Name a file with rows.")
    encoding, why = _encoding(head, is_whole=is_whole, declared=declared)
    text = _text(head, encoding)
    first = text.lstrip()[:1]
    if first in {"{", "["}:
        told = foreign_content(text.encode(), "json", ())
        if told:
            raise InputError(f"{path.name} holds no rows: {told}.", "Look at what it says, and fetch it again.")
        return _json_form(text, encoding, why)
    if first == "<":
        raise InputError(f"{path.name} is XML or HTML, which no mapping reads.", "Export it as JSON or CSV.")
    return _delimited_form(text, encoding, why)


def _head(path: Path) -> tuple[bytes, bool]:
    found = b""
    try:
        for block in content_blocks(path, Reading()):
            found += block
            if len(found) > HEAD:
                return found[:HEAD], False
    except BrokenContentError as error:
        if not found:
            raise InputError(f"{path.name}: {error}.", "Fetch it again, whole.") from error
    return found, True


def _encoding(head: bytes, *, is_whole: bool, declared: str | None) -> tuple[str | None, str]:
    """The encoding to declare, None where readers see it themselves.

    Raises:
        InputError: nothing says it beyond doubt; a wrong guess would be mojibake that passes every contract.
    """
    if head.startswith(_MARKED):
        return None, "its byte order mark says the encoding"
    if declared is not None:
        return declared, "its encoding is what you said"
    blocks = list(text_blocks(iter([head]), None))
    bad = sum(len(block.bad) for block in blocks)
    if bad <= (0 if is_whole else 1):
        utf8 = _decodes(head[: len(head) - (0 if is_whole else 4)], "utf-8", is_whole=is_whole)
        return None, "it is UTF-8" if utf8 else "its bytes are surely UTF-16 or GB18030"
    if is_certainly_western(head):
        return WESTERN, "its words are Western European, and nothing else makes sense of its bytes"
    if bad < _wide_lines(blocks):
        return None, "it is UTF-8 but for some lines"
    raise InputError(
        "The bytes do not say which encoding they are in: no UTF-8, and several others may be meant.",
        "Name it with --encoding, such as gb18030, cp1252 or big5; ask whoever wrote the file.",
    )


def _wide_lines(blocks: Sequence[TextBlock]) -> int:
    """How many lines hold something beyond ASCII that is readable."""
    return sum(
        not line.isascii()
        for block in blocks
        for index, line in enumerate(block.data.split(b"\n"))
        if index not in block.bad
    )


def _decodes(head: bytes, encoding: str, *, is_whole: bool) -> bool:
    try:
        codecs.getincrementaldecoder(encoding)().decode(head, final=is_whole)
    except UnicodeDecodeError:
        return False
    return True


def _text(head: bytes, encoding: str | None) -> str:
    return b"".join(block.data for block in text_blocks(iter([head]), encoding)).decode("utf-8", "replace")


def _json_form(text: str, encoding: str | None, why: str) -> FileForm:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    is_lines = len(lines) >= _LINES_OF_JSON and all(
        line.startswith("{") and line.endswith("}") for line in lines[: _LINES_OF_JSON + 1]
    )
    told = "every line is an object" if is_lines else "it is one JSON document"
    return FileForm("jsonl" if is_lines else "json", encoding, None, True, 0, (told, why), text)


def _delimited_form(text: str, encoding: str | None, why: str) -> FileForm:
    delimiter, records = max(((mark, _records(text, mark)) for mark in _SEPARATORS), key=lambda item: _fit(item[1]))
    has_header = _is_header(records)
    names = {",": "commas", "\t": "tabs", ";": "semicolons", "|": "bars", "^": "carets"}
    told = f"its records have {len(records[0])} fields between {names[delimiter]}"
    header = "the first record names the columns" if has_header else "its first record is data already"
    form: Format = "tsv" if delimiter == "\t" else "csv"
    shown = None if delimiter in {",", "\t"} else delimiter
    return FileForm(form, encoding, shown, has_header, len(records[0]), (told, header, why), text)


def _records(text: str, delimiter: str) -> list[list[str]]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").splitlines(keepends=True)
    found: list[list[str]] = []
    try:
        for record in csv.reader(lines, delimiter=delimiter):
            if record:
                found.append(record)
            if len(found) >= _MOST_RECORDS:
                break
    except csv.Error:
        pass
    return found or [[""]]


def _fit(records: Sequence[Sequence[str]]) -> tuple[float, int]:
    """How many records have the width of the first, and how wide that is; one field is no fit at all."""
    width = len(records[0])
    if width < 2:
        return 0.0, 0
    return sum(len(record) == width for record in records) / len(records), width


def _is_header(records: Sequence[Sequence[str]]) -> bool:
    first = [cell.strip() for cell in records[0]]
    filled = [cell for cell in first if cell]
    if len(filled) < (len(first) + 1) // 2 or len(set(filled)) < len(filled):
        return False
    return not any(text_type(cell) != "text" or _EMAIL.match(cell) for cell in filled)
