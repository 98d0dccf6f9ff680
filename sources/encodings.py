"""Which encoding bytes are in: what a feed may declare, and what the bytes themselves say beyond doubt.

A wrong guess makes mojibake that passes every contract, so doubt is answered with no: the lines are then refused, and
the feed has to say `encoding:`. Evidence is looked for in a whole file's first block, never in a single line: a line of
two hanzi can be valid in five encodings.
"""

from __future__ import annotations

import codecs
import re
import struct
import unicodedata
from collections.abc import Collection, Mapping
from typing import Final

import pyarrow as pa

from sources.frequent_hanzi import FREQUENT_HANZI

UTF8: Final = "utf-8"
CHINESE: Final = "gb18030"
WIDE: Final = frozenset({"utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"})

_SUBSETS: Final[Mapping[str, str]] = {"gb2312": CHINESE, "gbk": CHINESE, "utf-8-sig": UTF8}
"""Names for parts of an encoding: exports say gb2312 and hold characters of gb18030."""
_OLDEST: Final[Mapping[str, str]] = {CHINESE: "gb2312", "cp949": "euc_kr", "cp950": "big5", "cp932": "shift_jis"}
"""An encoding → the part of it that ordinary texts keep to."""
_BEYOND_ASCII: Final = re.compile(rb"[\x80-\xff]")
_RUN_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
_AFTER_LATIN: Final = "\u0250"
_ASCII: Final = bytes(range(128))
_SAMPLES: Final = "éßşЖΩאبกあ中한"
_SAMPLE_BYTES: Final = 4096
_EVIDENCE_BYTES: Final = 64 << 10

_BEYOND_CHANCE: Final = 12
"""So many characters in a row are valid UTF-8 in no text of another encoding."""
_PHONETIC: Final = range(0x180, 0x370)
"""Letters beyond Latin, tone marks, accents: what `É®` or `Ê¤` of a one-byte encoding would spell in UTF-8."""
_ACCENTS: Final = range(0x300, 0x370)

_DISTINCT_HANZI: Final = 200
_FREQUENT_BITS, _COMMON_BITS, _RARE_BITS = 1.7, -1.2, -2.3
"""log2 of how much more often a hanzi of its sort stands in Chinese text than in bytes that mean something else."""
_ENOUGH_BITS: Final = 8.0
_ENOUGH_BITS_IN_DOUBT: Final = 14.0
_NATURAL_SHARE: Final = 0.9
_LAST_COMMON_LEAD: Final = 0xD7
_RIVALS: Final[Mapping[str, Collection[int]]] = {
    "euc_kr": range(0xB0, 0xC9),
    "euc_jp": range(0xA4, 0xD0),
    "big5": range(0xA4, 0xC7),
    "shift_jis": [*range(0x82, 0x98), *range(0xA1, 0xE0)],
}
"""Encodings whose bytes may be valid Chinese → the first bytes of their everyday characters."""


def line_encoding(name: str) -> str | None:
    """The encoding as the readers know it; None when files in it do not have lines of text that can be told apart.

    Byte transformations (base64), escapes (punycode), encodings with states (hz, iso2022) and those in which ASCII is
    not ASCII (EBCDIC) are none.
    """
    try:
        codec = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    if codec.name in WIDE or codec.name in _SUBSETS:
        return _SUBSETS.get(codec.name, codec.name)
    try:
        is_ascii = _ASCII.decode().encode(codec.name) == _ASCII and _ASCII.decode(codec.name) == _ASCII.decode()
    except (LookupError, UnicodeError):
        return None
    return codec.name if is_ascii and not any(_hides_in_ascii(sample, codec.name) for sample in _SAMPLES) else None


def _hides_in_ascii(sample: str, encoding: str) -> bool:
    try:
        return sample.encode(encoding).isascii()
    except UnicodeError:
        return False


def is_utf8(data: bytes) -> bool:
    """Whether bytes are valid UTF-8. Arrow checks several bytes at a time and builds no text."""
    ends = pa.py_buffer(struct.pack("=2q", 0, len(data)))
    try:
        pa.LargeStringArray.from_buffers(1, ends, pa.py_buffer(data)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def is_rather_utf8(data: bytes, declared: str) -> bool:
    """Whether bytes are UTF-8 although a feed declares something else.

    Text of another encoding is valid UTF-8 by chance only when it is very short; then the reading has to make sense:
    Latin letters inside of words, or characters that the declared encoding would hardly ever spell.
    """
    if not is_utf8(data):
        return False
    sample = _evidence(data)
    text = _spelled(sample, UTF8)
    beyond = [letter for letter in text if letter > "\x7f"]
    if len(beyond) >= _BEYOND_CHANCE:
        return True
    try:
        spelled = _spelled(sample, _OLDEST.get(declared, declared))
    except UnicodeDecodeError:
        return True
    if any(_is_strange(letter) for letter in beyond):
        return False
    has_one_byte_each = len(spelled) == len(sample)
    has_rare_hanzi = declared == CHINESE and any(_is_rare_hanzi(letter) for letter in spelled)
    return has_one_byte_each or has_rare_hanzi or _stands_in_words(text)


def _evidence(data: bytes) -> bytes:
    """Lines beyond ASCII, each from shortly before its first such byte: enough of them to judge by."""
    found: list[bytes] = []
    size = 0
    for line in data.split(b"\n"):
        first = _BEYOND_ASCII.search(line)
        if first is not None:
            start = max(first.start() - 1, 0)
            found.append(line[start : start + _EVIDENCE_BYTES - size])
            size += len(found[-1])
            if size >= _EVIDENCE_BYTES:
                break
    return b"\n".join(found)


def _spelled(sample: bytes, encoding: str) -> str:
    """What bytes spell; a character that is cut off at their end is left out."""
    return codecs.getincrementaldecoder(encoding)().decode(sample)


def _stands_in_words(text: str) -> bool:
    """Whether everything beyond ASCII is Latin and touches a letter of ASCII."""
    runs = list(_RUN_BEYOND_ASCII.finditer(text))
    return all(
        max(run[0]) < _AFTER_LATIN and any(letter.isalpha() for letter in _neighbours(text, *run.span()))
        for run in runs
    )


def _neighbours(text: str, start: int, end: int) -> str:
    return text[max(start - 1, 0) : start] + text[end : end + 1]


def _is_strange(letter: str) -> bool:
    if unicodedata.category(letter) in {"Cn", "Co", "Cc"}:
        return True
    return ord(letter) in _PHONETIC and ord(letter) not in _ACCENTS


def _is_rare_hanzi(letter: str) -> bool:
    return letter > "\x7f" and letter.encode("gb2312")[0] > _LAST_COMMON_LEAD


def is_certainly_chinese(data: bytes) -> bool:
    """Whether bytes are GB18030 beyond doubt: they spell the hanzi that Chinese texts are full of.

    Korean, Japanese, traditional Chinese, Cyrillic and Greek bytes often are valid GB18030 too, but spell hanzi at
    random. Every different hanzi counts once, so that a word that stands in each row is no more than one word. Where
    the bytes also read naturally in another encoding, more is asked.
    """
    try:
        data.decode(CHINESE)
    except UnicodeDecodeError:
        return False
    sample = _evidence(data)
    bits = sum(_bits(letter) for letter in _distinct(_spelled(sample, CHINESE)))
    return bits >= (_ENOUGH_BITS_IN_DOUBT if _has_natural_rival(sample) else _ENOUGH_BITS)


def _distinct(text: str) -> list[str]:
    """Different characters beyond ASCII and punctuation, in order."""
    found = dict.fromkeys(letter for letter in text if letter > "\x7f")
    return [letter for letter in found if unicodedata.category(letter)[0] not in "PSZ"][:_DISTINCT_HANZI]


def _bits(letter: str) -> float:
    if letter in FREQUENT_HANZI:
        return _FREQUENT_BITS
    try:
        lead = letter.encode("gb2312")[0]
    except UnicodeEncodeError:
        return _RARE_BITS
    if unicodedata.category(letter) == "Nd" or lead == 0xA3:
        return 0.0  # digits and letters of full width stand in Japanese and Korean text as well
    return _COMMON_BITS if 0xB0 <= lead <= _LAST_COMMON_LEAD else _RARE_BITS


def _has_natural_rival(sample: bytes) -> bool:
    for encoding, everyday in _RIVALS.items():
        try:
            letters = _distinct(_spelled(sample, encoding))
        except UnicodeDecodeError:
            continue
        if sum(letter.encode(encoding)[0] in everyday for letter in letters) >= _NATURAL_SHARE * len(letters):
            return True
    return False


def wide_encoding(block: bytes) -> str | None:
    """UTF-16 without a mark that nobody declared: every second byte of what is mostly ASCII is zero."""
    sample = block[:_SAMPLE_BYTES]
    if len(sample) < 4 or b"\0" not in sample:
        return None
    for name, offset in (("utf-16-le", 1), ("utf-16-be", 0)):
        high, low = sample[offset::2], sample[1 - offset :: 2]
        if high.count(0) > len(high) // 2 and not low.count(0):
            return name
    return None


def in_byte_order(declared: str, block: bytes) -> str:
    """The byte order of declared UTF-16 or UTF-32 without a mark: the one that spells more that is everyday."""
    if declared not in {"utf-16", "utf-32"}:
        return declared
    sample = block[:_SAMPLE_BYTES]
    return max((f"{declared}-le", f"{declared}-be"), key=lambda name: _everyday(sample.decode(name, "ignore")))


def _everyday(text: str) -> int:
    return sum((letter < "\x7f" and letter != "\0") or letter in FREQUENT_HANZI for letter in text)
