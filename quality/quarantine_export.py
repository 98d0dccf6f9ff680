"""Rejected rows as a file to look through, hand on, or edit: CSV, JSON lines or Parquet, by the name's ending."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from quality.quarantine import QuarantinedRow
from warehouse.errors import InputError
from warehouse.whole_file import write_whole

COLUMNS: Final = (
    *("quarantine_id", "kind", "feed", "batch_on", "file", "row", "status", "reasons", "raw"),
    *("first_seen_at", "resolved_at", "resolved_by", "resolution", "attempts"),
)

_SCHEMA: Final = pa.schema(
    [
        *((name, pa.string()) for name in ("quarantine_id", "kind", "feed")),
        ("batch_on", pa.date32()),
        ("file", pa.string()),
        ("row", pa.int64()),
        ("status", pa.string()),
        ("reasons", pa.list_(pa.struct([(name, pa.string()) for name in ("field", "code", "message")]))),
        ("raw", pa.large_string()),
        *((name, pa.timestamp("us")) for name in ("first_seen_at", "resolved_at")),
        *((name, pa.string()) for name in ("resolved_by", "resolution")),
        ("attempts", pa.int32()),
    ]
)


def endings() -> tuple[str, ...]:
    """The endings a file may have."""
    return tuple(_WRITERS)


def export_rows(path: Path, rows: Sequence[QuarantinedRow]) -> None:
    """Write the rows as they are given; a file that stands there is replaced whole.

    Raises:
        InputError: the file's ending names no format.
    """
    writer = _WRITERS.get(path.suffix.lower())
    if writer is None:
        raise InputError(
            f"{path.name} ends in no format that is known.", f"Name a file that ends in {', '.join(_WRITERS)}."
        )
    write_whole(path, writer([_record(row) for row in rows]))


def read_export(path: Path) -> list[dict[str, Any]]:
    """The rows of an exported file, by column; at least ``quarantine_id`` and ``raw``.

    Raises:
        InputError: the file is absent, cannot be read, or lacks a column.
    """
    reader = _READERS.get(path.suffix.lower())
    if reader is None or not path.is_file():
        what = "ends in no format that is known" if reader is None else "does not exist"
        raise InputError(f"{path.name} {what}.", f"Name an exported file that ends in {', '.join(_READERS)}.")
    try:
        rows = reader(path.read_bytes())
    except (ValueError, csv.Error, pa.ArrowException) as error:
        raise InputError(
            f"{path.name} cannot be read as {path.suffix[1:]}.", "Save it in the form in which it was exported."
        ) from error
    for row in rows:
        if not isinstance(row, dict) or not {"quarantine_id", "raw"} <= row.keys():
            raise InputError(
                f"{path.name} lacks the columns quarantine_id and raw.", "Keep these two columns; others may go."
            )
    return rows


def _record(row: QuarantinedRow) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS} | {"reasons": [vars(reason) for reason in row.reasons]}


def _as_csv(rows: Sequence[Mapping[str, Any]]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, COLUMNS)
    writer.writeheader()
    for row in rows:
        writer.writerow({**row, "reasons": json.dumps(row["reasons"], ensure_ascii=False)})
    return text.getvalue().encode()


def _as_json_lines(rows: Sequence[Mapping[str, Any]]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False, default=_iso) + "\n" for row in rows).encode()


def _as_parquet(rows: Sequence[Mapping[str, Any]]) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist([dict(row) for row in rows], _SCHEMA), sink)
    return sink.getvalue()


def _iso(value: object) -> str:
    assert isinstance(value, date | datetime)
    return value.isoformat()


def _from_csv(content: bytes) -> list[dict[str, Any]]:
    csv.field_size_limit(1 << 26)
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def _from_json_lines(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.decode("utf-8-sig").split("\n") if line.strip()]


def _from_parquet(content: bytes) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = pq.read_table(pa.BufferReader(content)).to_pylist()
    return rows


_WRITERS: Final[Mapping[str, Callable[[Sequence[Mapping[str, Any]]], bytes]]] = {
    ".csv": _as_csv,
    ".jsonl": _as_json_lines,
    ".parquet": _as_parquet,
}
_READERS: Final[Mapping[str, Callable[[bytes], list[dict[str, Any]]]]] = {
    ".csv": _from_csv,
    ".jsonl": _from_json_lines,
    ".parquet": _from_parquet,
}
