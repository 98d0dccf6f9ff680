"""The text of a file: whole lines as UTF-8, whatever the encoding; lines that do not decode are named, never guessed.

Declared encodings are taken at their word. Undeclared: byte order marks, then UTF-8, then UTF-16 or GB18030 when the
bytes leave no doubt.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from sources.readers.content import BrokenContentError

_MARKS: Final = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_WIDE: Final = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"})
_CHINESE: Final = frozenset({"gbk", "gb2312", "gb18030", "cp936", "hz"})
_GB_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_COMMON_HANZI = re.compile(rb"[\xb0-\xd7][\xa1-\xfe]|[\xa1-\xa3][\xa1-\xfe]")
_ENOUGH_PAIRS: Final = 4
_CERTAIN_SHARE: Final = 0.9
_SAMPLE: Final = 4096
_NO_UTF8: Final = b"\xff"


@dataclass(frozen=True)
class TextBlock:
    """Whole lines as UTF-8. Lines whose index is in ``bad`` did not decode; they stand there with escapes.

    ``is_broken`` says why the file ends here, when it ends early; ``tail`` is then the incomplete last line.
    """

    data: bytes
    bad: frozenset[int] = frozenset()
    is_broken: str = ""
    tail: str = ""


def text_blocks(source: Iterator[bytes], declared: str | None) -> Iterator[TextBlock]:
    """Decode blocks of bytes into blocks of whole lines."""
    decoder = _Decoder(declared)
    rest = b""
    try:
        for block in source:
            if not block:
                continue
            whole, line_end, rest = (rest + decoder.prepare(block)).rpartition(b"\n")
            if line_end:
                yield decoder.lines(whole + line_end)
    except BrokenContentError as error:
        yield TextBlock(b"", is_broken=str(error), tail=_escaped(rest + decoder.rest()))
        return
    rest += decoder.rest()
    if rest:
        yield decoder.lines(rest)


class _Decoder:
    """Remembers what the encoding turned out to be."""

    def __init__(self, declared: str | None) -> None:
        self._encoding = "gb18030" if declared in _CHINESE else declared
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
        try:
            return self._wide.decode(b"", final=True).encode("utf-8", "surrogatepass") if self._wide else b""
        except UnicodeDecodeError:
            return _NO_UTF8

    def _look(self, block: bytes) -> bytes:
        for mark, name in _MARKS:
            if block.startswith(mark):
                block, self._encoding = block[len(mark) :], name
                break
        else:
            self._encoding = self._encoding or _wide_encoding(block)
        if self._encoding in _WIDE:
            name = "utf-16-le" if self._encoding == "utf-16" else str(self._encoding)
            self._wide, self._encoding = codecs.getincrementaldecoder(name)(errors="surrogatepass"), "utf-8"
        elif b"\n" not in block and b"\r" in block:
            self._mac_lines = True
        return block

    def lines(self, data: bytes) -> TextBlock:
        """Whole lines as UTF-8."""
        if data.isascii():
            return TextBlock(data)
        if self._encoding is None:
            self._encoding = self._settle(data)
        if self._encoding == "utf-8" and _is_utf8(data):
            return TextBlock(data)
        try:
            return TextBlock(data.decode(self._encoding or "utf-8").encode())
        except (UnicodeDecodeError, UnicodeEncodeError):
            return self._line_by_line(data)

    def _settle(self, data: bytes) -> str | None:
        if _is_utf8(data):
            return "utf-8"
        return "gb18030" if _is_certainly_chinese(data) else "utf-8"

    def _line_by_line(self, data: bytes) -> TextBlock:
        lines, bad = data.split(b"\n"), set()
        for index, line in enumerate(lines):
            try:
                lines[index] = line.decode(self._encoding or "utf-8").encode()
            except (UnicodeDecodeError, UnicodeEncodeError):
                lines[index] = _escaped(line).encode()
                bad.add(index)
        return TextBlock(b"\n".join(lines), frozenset(bad))


def _escaped(data: bytes) -> str:
    return data.decode("utf-8", "backslashreplace")


def _is_utf8(data: bytes) -> bool:
    """Arrow checks several bytes at a time and builds no text."""
    try:
        pa.array([data], pa.large_binary()).cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except UnicodeDecodeError:
        return False
    return True


def _wide_encoding(block: bytes) -> str | None:
    """UTF-16 without a mark: every second byte of what is mostly ASCII is zero."""
    sample = block[:_SAMPLE]
    if len(sample) < _ENOUGH_PAIRS or b"\0" not in sample:
        return None
    for name, offset in (("utf-16-le", 1), ("utf-16-be", 0)):
        high, low = sample[offset::2], sample[1 - offset :: 2]
        if high.count(0) > len(high) // 2 and not low.count(0):
            return name
    return None


def _is_certainly_chinese(data: bytes) -> bool:
    """Every byte beyond ASCII belongs to a GB18030 pair, and nearly all pairs are common hanzi or punctuation.

    Western text in a one-byte encoding hardly ever has two such bytes in a row, so it never looks like this.
    """
    if not _decodes(data, "gb18030"):
        return False
    beyond = sum(1 for byte in data if byte > 0x7F)
    pairs = _GB_PAIR.findall(data)
    common = sum(1 for pair in pairs if _COMMON_HANZI.fullmatch(pair))
    return common >= _ENOUGH_PAIRS and 2 * common >= _CERTAIN_SHARE * beyond
