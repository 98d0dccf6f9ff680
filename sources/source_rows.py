"""What readers yield: blocks of source rows, and rows that cannot be read."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import date
from typing import Final, Literal, TypeAlias

import pyarrow as pa

ColumnKind: TypeAlias = Literal["text", "integer", "float", "boolean", "json", "moment"]
"""What the values of a flat column are; a moment is one in UTC of whole microseconds, which reads as text."""

KEPT_RAW: Final = 1_000_000
"""Letters of a refused row that the quarantine keeps, as its reason then says; the landing file holds it all."""


@dataclass(frozen=True)
class Header:
    """Columns of flat rows: their names in the file, and what kind of values they hold."""

    names: tuple[str, ...]
    kinds: tuple[ColumnKind, ...]


@dataclass(frozen=True)
class Block:
    """Rows of one file.

    Of objects (``header`` None): ``row`` BIGINT, ``raw`` text, ``strict`` (a JSON object without doubt). Of flat rows:
    ``row``, then ``c0``, ``c1`` … in the order of the header. ``raw`` is of views into the bytes that were read: some
    lines of many are told without copying them.
    """

    rows: pa.Table
    header: Header | None
    bytes: int


@dataclass(frozen=True)
class Refusal:
    """A row that cannot be read at all; ``raw`` is what there is of it, as text."""

    row: int
    raw: str
    message: str


@dataclass
class Reading:
    """What is known of a file when it has been read: its hash, and the rows in which each new source field stands.

    ``batch_on`` is known before: the day of the file's batch. ``broken`` says why it could not be read to its end.
    """

    batch_on: date | None = None
    sha256: str = ""
    bytes: int = 0
    unknown: Counter[str] = field(default_factory=Counter)
    seen: set[str] = field(default_factory=set)
    is_unusable: bool = False
    broken: str = ""


def kept_raw(text: str) -> str:
    """The part of a refused row that the quarantine keeps."""
    return text if len(text) <= KEPT_RAW else text[:KEPT_RAW]


def told_cut(text: str) -> str:
    """Words on the part of a refused row that the quarantine does not keep; none where it keeps all."""
    return f" (kept are the first {KEPT_RAW:,} of the row's {len(text):,} letters)" if len(text) > KEPT_RAW else ""
