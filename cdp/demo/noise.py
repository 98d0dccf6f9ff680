"""Damage: rows that break the contract in exactly one way, with the quarantine code that this way deserves."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

ABSENT = "\0absent"  # stands for taking a field away
AGES_AHEAD = "2199-01-01T00:00:00Z"
TOO_LONG = "9" * 5_000
BELL = "17\u0007"


@dataclass(frozen=True)
class Damage:
    """Fields (dotted paths; numbers are places in a list) and what is written into them. No field: a torn line."""

    code: str
    fields: Mapping[str, object]


TORN = Damage("unreadable", {})


def damaged_json(row: bytes, damage: Damage) -> bytes:
    """A JSON object with the damage done."""
    if not damage.fields:
        return row[: len(row) * 3 // 5]
    decoded: Any = msgspec.json.decode(row)
    for path, value in damage.fields.items():
        *parents, last = path.split(".")
        holder = decoded
        for step in parents:
            holder = holder[int(step)] if isinstance(holder, list) else holder.setdefault(step, {})
        if value == ABSENT:
            holder.pop(last, None)
        elif isinstance(holder, list):
            holder.append(holder[0] if value is None else value)
        else:
            holder[last] = value
    return msgspec.json.encode(decoded)


def damaged_csv(row: bytes, damage: Damage, columns: tuple[str, ...]) -> bytes:
    """A line of a CSV file with the damage done."""
    cells = dict(zip(columns, next(csv.reader([row.decode()])), strict=True))
    cells.update({name: "" if value == ABSENT else str(value) for name, value in damage.fields.items()})
    return csv_line(cells.values())


def csv_line(cells: Iterable[object]) -> bytes:
    """One line of CSV without its line end, quoted where needed."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue().encode()
