"""What can be taken out of a document that is no JSON: its elements one by one, the broken ones among them.

An element that does not decode ends where its brackets close, or, where a quote is missing, before the next line that
begins as it does. So one broken element costs itself, not those behind it.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

import msgspec

from sources.readers.envelope import Envelope

_SKIP = re.compile(r"[ \t\r\n,]*")
_TOKEN = re.compile(r'"(?:[^"\\\n]|\\[^\n])*"|["\[\]{}]')
_END_OF_ELEMENT = re.compile(r"[ \t\r\n]*(?:[,\]]|\Z)")
_END_OF_LINE = re.compile(r"[ \t\r]*\n")


@dataclass(frozen=True)
class Salvage:
    """The texts of the elements, the broken ones too, and where what is left begins.

    ``is_closed``: nothing is left but the end of the list and what the document says behind it.
    """

    elements: list[bytes]
    end: int
    is_closed: bool


def salvage(text: str, envelope: Envelope) -> Salvage:
    """The elements of a document that is no JSON as a whole."""
    start = _array_start(text, envelope)
    found: list[bytes] = []
    if start is None:
        return Salvage(found, 0, is_closed=False)
    decoder, end, has_broken = json.JSONDecoder(), start, False
    while True:
        begin = _SKIP.match(text, end).end()  # type: ignore[union-attr]  # matches the empty text everywhere
        try:
            _, end_of_value = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            broken = None if text[begin : begin + 1] in {"", "]"} else _extent(text, begin) or _line_extent(text, begin)
            if broken is None:
                return Salvage(found, begin, is_closed=has_broken and text.startswith("]", begin))
            end_of_value = broken
        found.append(text[begin:end_of_value].rstrip(" \t\r\n,").encode())
        end, has_broken = end_of_value, has_broken or not _is_json(found[-1])


def is_opened_by_a_line(text: str, envelope: Envelope) -> bool:
    """Whether the first line opens a list whose elements follow: such a file is none of lines."""
    start = _array_start(text, envelope)
    return start is not None and "\n" not in text[:start].lstrip() and _END_OF_LINE.match(text, start) is not None


def _extent(text: str, begin: int) -> int | None:
    """Where the brackets that open at ``begin`` are closed, and an element may end."""
    if text[begin] not in "[{":
        return None
    depth = 0
    for token in _TOKEN.finditer(text, begin):
        letter = token.group()
        if letter == '"':
            return None
        depth += (letter in "[{") - (letter in "]}")
        if depth == 0:
            return token.end() if _END_OF_ELEMENT.match(text, token.end()) else None
    return None


def _line_extent(text: str, begin: int) -> int | None:
    """Where the next line begins an element as far to the right as this one, or closes the list."""
    indent = text[text.rfind("\n", 0, begin) + 1 : begin]
    if indent.strip(" \t"):
        return None
    outside = max(len(indent) - 1, 0)  # a list inside the element is closed further to the right
    found = re.compile(rf"\n(?={re.escape(indent)}\{{|[ \t]{{0,{outside}}}\])").search(text, begin)
    return found.end() if found else None


def _is_json(raw: bytes) -> bool:
    try:
        msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _array_start(text: str, envelope: Envelope) -> int | None:
    if text.lstrip().startswith("["):
        return text.index("[") + 1
    for key in envelope.key_names():
        match = re.search(rf"{re.escape(json.dumps(key))}\s*:\s*\[", text)
        if match:
            return match.end()
    return None
