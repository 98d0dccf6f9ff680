"""Parquet: typed columns, given on as text with a word on what kind of values they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

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
                columns = {f"c{index}": column for index, column in enumerate(batch.columns)}
                rows = pa.array(range(done + 1, done + batch.num_rows + 1), pa.int64())
                yield Block(pa.table({"row": rows, **columns}), header, batch.nbytes)
                done += batch.num_rows
    except (pa.ArrowException, OSError):
        yield Refusal(done + 1, "", "the file is not a complete Parquet file")


def _kind(kind: pa.DataType) -> ColumnKind:
    if pa.types.is_dictionary(kind):
        return _kind(kind.value_type)
    if pa.types.is_integer(kind):
        return "integer"
    if pa.types.is_floating(kind):
        return "float"
    if pa.types.is_boolean(kind):
        return "boolean"
    return "json" if pa.types.is_nested(kind) else "text"
