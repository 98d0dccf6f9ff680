"""Batches of rows become files: repeated rows, damaged rows, framing, compression, and a line of truth for each row."""

from __future__ import annotations

import gzip
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cdp.demo.calendar import Calendar
from cdp.demo.difficulty import Difficulty
from cdp.demo.noise import Damage, damaged_csv, damaged_json
from cdp.demo.truth import TruthFiles

_ROWS_TO_SPOIL = 10  # a smaller batch gets no damaged row: one of two would look like a broken source
_SPOILT_BATCHES = 0.3  # in a small batch the rate alone would hardly ever hit a row


@dataclass(frozen=True, slots=True)
class Line:
    """One row of a file as text, and whose it is ("" for nobody's)."""

    data: bytes
    person_id: str


@dataclass(frozen=True)
class Format:
    """How a feed's file is framed. ``row`` of the truth counts the lines of this frame from 1, without ``head``."""

    feed: str
    file_name: str
    head: bytes
    joint: bytes
    tail: bytes
    damages: tuple[Damage, ...]
    columns: tuple[str, ...] = ()
    is_compressed: bool = False

    def spoil(self, row: bytes, damage: Damage) -> bytes:
        """The row with the damage done."""
        return damaged_csv(row, damage, self.columns) if self.columns else damaged_json(row, damage)


def json_lines(feed: str, file_name: str, damages: tuple[Damage, ...]) -> Format:
    """Gzipped JSON, one object a line."""
    return Format(feed, file_name, b"", b"\n", b"\n", damages, is_compressed=True)


def json_array(feed: str, file_name: str, damages: tuple[Damage, ...], envelope: str = "") -> Format:
    """One JSON array, bare or under a key."""
    head, tail = (f'{{"{envelope}":[\n'.encode(), b"\n]}\n") if envelope else (b"[\n", b"\n]\n")
    return Format(feed, file_name, head, b",\n", tail, damages)


def csv_table(feed: str, file_name: str, damages: tuple[Damage, ...], columns: tuple[str, ...]) -> Format:
    """CSV with a header."""
    return Format(feed, file_name, ",".join(columns).encode() + b"\n", b"\n", b"\n", damages, columns)


@dataclass
class Delivery:
    """Writes the batches of one feed, in order, and keeps count."""

    format: Format
    landing: Path
    calendar: Calendar
    difficulty: Difficulty
    coins: random.Random
    truth: TruthFiles
    rows: int = 0
    files: int = 0
    bytes: int = 0
    damaged: Counter[str] = field(default_factory=Counter)
    _again: list[Line] = field(default_factory=list)
    _damages_done: int = 0

    def deliver(self, day: int, lines: Sequence[Line]) -> None:
        """Write the file of one day: the rows, those repeated from the batch before, and damaged copies of some."""
        rows: list[tuple[Line, str]] = [(line, "") for line in (*self._again, *lines)]
        self._again = []
        for line in self._some(lines, self.difficulty.duplicates):
            if self.coins.random() < 0.3:
                self._again.append(line)
            else:
                rows.insert(self.coins.randrange(len(rows) + 1), (line, ""))
        if len(lines) >= _ROWS_TO_SPOIL:
            spoilt = self._some(lines, self.difficulty.bad_rows)
            if self.format.damages and not spoilt and self.coins.random() < _SPOILT_BATCHES:
                spoilt = [lines[self.coins.randrange(len(lines))]]
            for line in spoilt if self.format.damages else ():
                rows.insert(self.coins.randrange(len(rows) + 1), self._spoilt(line))
        self._write(day, rows)

    def _some(self, lines: Sequence[Line], rate: float) -> list[Line]:
        """A share of the lines; the fraction that is left over falls by chance."""
        wanted = int(len(lines) * rate + self.coins.random())
        return [lines[self.coins.randrange(len(lines))] for _ in range(wanted)] if lines else []

    def _spoilt(self, line: Line) -> tuple[Line, str]:
        damage = self.format.damages[self._damages_done % len(self.format.damages)]
        self._damages_done += 1
        self.damaged[damage.code] += 1
        return Line(self.format.spoil(line.data, damage), line.person_id), damage.code

    def _write(self, day: int, rows: list[tuple[Line, str]]) -> None:
        framed = self.format
        file = f"dt={self.calendar.date(day).isoformat()}/{framed.file_name}"
        content = framed.head + framed.joint.join(line.data for line, _ in rows) + framed.tail
        if framed.is_compressed:
            content = gzip.compress(content, 2, mtime=0)
        path = self.landing / framed.feed / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        self.truth.add(framed.feed, file, [(line.person_id, code) for line, code in rows])
        self.rows, self.files, self.bytes = self.rows + len(rows), self.files + 1, self.bytes + len(content)
