"""The text of a file: whole lines as UTF-8, whatever the encoding; lines that do not decode are named, never guessed.

A byte order mark comes first. Declared encodings are taken at their word, unless a file is plainly UTF-8 instead.
Undeclared: UTF-8, then UTF-16 or GB18030 when the bytes leave no doubt.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from sources.encodings import (
    CHINESE,
    UTF8,
    WIDE,
    in_byte_order,
    is_certainly_chinese,
    is_rather_utf8,
    is_utf8,
    line_encoding,
    wide_encoding,
)
from sources.operations.text import BLANKS
from sources.readers.content import BrokenContentError

_MARKS: Final = (
    (codecs.BOM_UTF8, UTF8),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # begins as the mark of UTF-16 does
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_NO_UTF8: Final = "\udcff"
"""Stands for what a wide encoding cannot spell; as bytes it is no UTF-8, so that its line is refused."""

_WIDE_BLANKS: Final = b"|".join(letter.encode() for letter in BLANKS if not letter.isascii())
_BLANK: Final = re.compile(rb"(?:[\x00-\x20\x7f]++|%b)*+" % _WIDE_BLANKS)


@dataclass(frozen=True)
class TextBlock:
    """Whole lines as UTF-8. Lines whose index is in ``bad`` did not decode; they stand there with escapes.

    ``is_broken`` says why the file ends here, when it ends early; ``tail`` is then the incomplete last line.
    """

    data: bytes
    bad: frozenset[int] = frozenset()
    is_broken: str = ""
    tail: str = ""


def is_blank(block: TextBlock) -> bool:
    """Whether nothing stands there but blanks, line ends and control characters, of which NUL is one."""
    return not block.is_broken and _BLANK.fullmatch(block.data) is not None


def text_blocks(source: Iterator[bytes], declared: str | None) -> Iterator[TextBlock]:
    """Decode blocks of bytes into blocks of whole lines."""
    decoder = _Decoder(declared)
    rest: list[bytes | memoryview] = []  # what has no line end yet: copied once, when its line ends
    try:
        for block in source:
            if not block:
                continue
            prepared = decoder.prepare(block)
            end = prepared.rfind(b"\n") + 1
            if not end:
                rest.append(prepared)
                continue
            whole = b"".join((*rest, memoryview(prepared)[:end]))
            rest = [prepared[end:]]
            yield decoder.lines(whole)
    except BrokenContentError as error:
        yield TextBlock(b"", is_broken=str(error), tail=_escaped(b"".join((*rest, decoder.rest()))))
        return
    last = b"".join((*rest, decoder.rest()))
    if last:
        yield decoder.lines(last)


class _Decoder:
    """Remembers what the encoding turned out to be."""

    def __init__(self, declared: str | None) -> None:
        self._encoding = line_encoding(declared) if declared else None
        self._is_settled = False
        self._is_first = True
        self._wide: codecs.IncrementalDecoder | None = None
        self._mac_lines = False

    def prepare(self, block: bytes) -> bytes:
        """Bytes in which a line ends with ``\\n`` as one byte."""
        if self._is_first:
            self._is_first = False
            block = self._look(block)
        if self._wide is not None:
            return self._wide.decode(block).encode("utf-8", "surrogatepass")
        return block.replace(b"\r", b"\n") if self._mac_lines else block

    def rest(self) -> bytes:
        """What a wide decoder still holds at the end."""
        return self._wide.decode(b"", final=True).encode("utf-8", "surrogatepass") if self._wide else b""

    def _look(self, block: bytes) -> bytes:
        for mark, name in _MARKS:
            if block.startswith(mark):
                block, self._encoding, self._is_settled = block[len(mark) :], name, True
                break
        else:
            self._encoding = self._encoding or wide_encoding(block)
        if self._encoding in WIDE:
            name = in_byte_order(str(self._encoding), block)
            self._wide = codecs.getincrementaldecoder(name)(errors=_UNREADABLE)
            self._encoding, self._is_settled = UTF8, True
        elif b"\n" not in block and b"\r" in block:
            self._mac_lines = True
        return block

    def lines(self, data: bytes) -> TextBlock:
        """Whole lines as UTF-8."""
        if data.isascii():
            return TextBlock(data)
        if not self._is_settled:
            self._encoding, self._is_settled = self._settle(data), True
        encoding = self._encoding or UTF8
        if encoding == UTF8 and is_utf8(data):
            return TextBlock(data)
        try:
            return TextBlock(data.decode(encoding).encode())
        except (UnicodeDecodeError, UnicodeEncodeError):
            return _line_by_line(data, encoding)

    def _settle(self, data: bytes) -> str:
        """Decided once for a file, by its first block that is not all ASCII."""
        if self._encoding in {None, UTF8}:
            is_chinese = self._encoding is None and not is_utf8(data) and is_certainly_chinese(data)
            return CHINESE if is_chinese else UTF8
        return UTF8 if is_rather_utf8(data, str(self._encoding)) else str(self._encoding)


def _line_by_line(data: bytes, encoding: str) -> TextBlock:
    lines, bad = data.split(b"\n"), set()
    for index, line in enumerate(lines):
        try:
            lines[index] = line.decode(encoding).encode()
        except (UnicodeDecodeError, UnicodeEncodeError):
            lines[index] = _escaped(line).encode()
            bad.add(index)
    return TextBlock(b"\n".join(lines), frozenset(bad))


def _escaped(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _unreadable(error: UnicodeError) -> tuple[str, int]:
    assert isinstance(error, UnicodeDecodeError)
    return _NO_UTF8, error.end


_UNREADABLE: Final = "cdp-unreadable"
codecs.register_error(_UNREADABLE, _unreadable)
