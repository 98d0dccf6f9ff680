"""Parquet: typed columns, given on as text with a word on what kind of values they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sources.readers.delimited_reader import distinct_names
from sources.source_rows import Block, ColumnKind, Header, Refusal

_ROWS: Final = 100_000
MAGIC: Final = b"PAR1"


def read_parquet(path: Path) -> Iterator[Block | Refusal]:
    """The rows of a file; a damaged one is refused from where it cannot be read."""
    done = 0
    try:
        with pq.ParquetFile(path) as file:
            schema = file.schema_arrow
            header = Header(distinct_names(schema.names), tuple(_kind(field.type) for field in schema))
            for batch in file.iter_batches(batch_size=_ROWS):
                bad = _bad_rows(batch)
                yield from (Refusal(done + index + 1, "", "a text of the row is no UTF-8") for index in bad)
                good = [index for index in range(batch.num_rows) if index not in bad] if bad else None
                kept = batch if good is None else batch.take(pa.array(good, pa.int64()))
                columns = {f"c{index}": column for index, column in enumerate(kept.columns)}
                numbers = np.arange(batch.num_rows) if good is None else np.array(good, np.int64)
                rows = pa.array(numbers + done + 1, pa.int64())
                yield Block(pa.table({"row": rows, **columns}), header, kept.nbytes)
                done += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError):  # names of columns may be damaged too
        yield Refusal(done + 1, "", "the file is not a complete Parquet file")


def _bad_rows(batch: pa.RecordBatch) -> frozenset[int]:
    """Rows with texts that are no UTF-8: Parquet does not check them, and the database would refuse the whole block."""
    if _is_valid(batch):
        return frozenset()
    return frozenset(index for index in range(batch.num_rows) if not _is_valid(batch.take(pa.array([index]))))


def _is_valid(batch: pa.RecordBatch) -> bool:
    try:
        batch.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _kind(kind: pa.DataType) -> ColumnKind:
    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_boolean(kind):
        return "boolean"
    if pa.types.is_timestamp(kind) and kind.tz in {None, "UTC"} and kind.unit != "ns":
        return "moment"
    return "json" if pa.types.is_nested(kind) else "text"
