"""Parquet: typed columns, given on as text with a word on what kind of values they hold."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sources.readers.delimited_reader import distinct_names
from sources.source_rows import Block, ColumnKind, Header, Reading, Refusal

_ROWS: Final = 100_000
_WORTH_A_LIST: Final = 20_000
"""Rows of a file from which on lists of texts are worth it: small files are put together, which takes equal types."""
_BYTES_OF_A_PLACE: Final = 4
"""At most, on average, if a column consists of places in a list."""
MAGIC: Final = b"PAR1"


def read_parquet(path: Path, reading: Reading) -> Iterator[Block | Refusal]:
    """The rows of a file; a damaged one is refused from where it cannot be read."""
    done = 0
    try:
        with _opened(path) as file:
            schema = file.schema_arrow
            header = Header(distinct_names(schema.names), tuple(_kind(field.type) for field in schema))
            for read in file.iter_batches(batch_size=_ROWS):
                batch, bad = (read, frozenset()) if _is_valid(read) else _looked_through(read)
                yield from (Refusal(done + index + 1, "", "a text of the row is no UTF-8") for index in bad)
                good = [index for index in range(batch.num_rows) if index not in bad] if bad else None
                kept = batch if good is None else batch.take(pa.array(good, pa.int64()))
                columns = {f"c{index}": column for index, column in enumerate(kept.columns)}
                numbers = np.arange(batch.num_rows) if good is None else np.array(good, np.int64)
                rows = pa.array(numbers + done + 1, pa.int64())
                yield Block(pa.table({"row": rows, **columns}), header, kept.nbytes)
                done += batch.num_rows
    except (pa.ArrowException, OSError, UnicodeDecodeError):  # names of columns may be damaged too
        reading.broken = "the file is not a complete Parquet file"
        yield Refusal(done + 1, "", reading.broken)


def _opened(path: Path) -> pq.ParquetFile:
    file = pq.ParquetFile(path)
    few = _columns_of_few_texts(file)
    if not few:
        return file
    with file:
        return pq.ParquetFile(path, metadata=file.metadata, read_dictionary=few)


def _columns_of_few_texts(file: pq.ParquetFile) -> list[str]:
    """Columns that the file keeps as places in a list of texts, and that stay so: of a small file none.

    A text that occurs a thousand times is then decoded, and looked at, once.
    """
    if file.metadata.num_rows < _WORTH_A_LIST:
        return []
    texts = {item.name for item in file.schema_arrow if pa.types.is_string(item.type)}
    group = file.metadata.row_group(0)
    columns = (group.column(index) for index in range(group.num_columns))
    return [
        item.path_in_schema
        for item in columns
        if item.path_in_schema in texts
        and item.has_dictionary_page
        and item.total_uncompressed_size < _BYTES_OF_A_PLACE * group.num_rows
    ]


def _looked_through(batch: pa.RecordBatch) -> tuple[pa.RecordBatch, frozenset[int]]:
    """Rows with texts that are no UTF-8: Parquet does not check them, and the database would refuse the whole block.

    The batch comes back with every text in its own row, so that none is left in a list of texts.
    """
    spelt = [column.dictionary_decode() if pa.types.is_dictionary(column.type) else column for column in batch.columns]
    whole = pa.RecordBatch.from_arrays(spelt, names=batch.schema.names)
    return whole, frozenset(index for index in range(whole.num_rows) if not _is_valid(whole.take(pa.array([index]))))


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
