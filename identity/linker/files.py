"""Tables of person records as files.

CSV (any delimiter and encoding, plain or compressed) and Parquet, all columns as text.
"""

from __future__ import annotations

import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc

from sources.readers.content import content_blocks
from sources.readers.encoding import text_blocks
from sources.source_rows import Reading
from warehouse.errors import InputError

_DELIMITERS: Final = ",;\t|"
_PARQUET: Final = b"PAR1"


def read_people(paths: Sequence[Path]) -> tuple[pa.Table, pa.Array]:
    """The rows of all files with the union of their columns as text, and the file's name of each row.

    Raises:
        InputError: a file is missing, empty, or no table.
    """
    tables = [_read(path) for path in paths]
    names = pa.concat_arrays(
        [pa.array([path.name] * table.num_rows, pa.string()) for path, table in zip(paths, tables, strict=True)]
    )
    whole = pa.concat_tables(tables, promote_options="default").combine_chunks()
    if not whole.num_rows:
        raise InputError(f"There are no rows in {', '.join(path.name for path in paths)}.", "Name a file with records.")
    return whole, names


def write_table(table: pa.Table, path: Path) -> None:
    """Write Parquet or, by the file's name, CSV; the file is there wholly or not at all."""
    import pyarrow.csv
    import pyarrow.parquet

    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        if path.suffix.lower() == ".csv":
            pyarrow.csv.write_csv(table, unfinished)
        else:
            pyarrow.parquet.write_table(table, unfinished, compression="zstd")
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _read(path: Path) -> pa.Table:
    if not path.is_file():
        raise InputError(f"There is no file {path.name}.", "Check its name and folder.")
    with path.open("rb") as file:
        is_parquet = file.read(len(_PARQUET)) == _PARQUET
    try:
        return _read_parquet(path) if is_parquet else _read_delimited(path)
    except pa.ArrowException as error:
        raise InputError(
            f"{path.name} is no table that can be read ({type(error).__name__}).",
            "Give a CSV with a header line and as many fields in every row, or a Parquet file.",
        ) from error


def _read_parquet(path: Path) -> pa.Table:
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(path)
    return pa.table({name: _as_text(table.column(name)) for name in table.column_names})


def _as_text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_floating(kind) and pc.all(pc.equal(pc.floor(column), column)).as_py():
        column = column.cast(pa.int64(), safe=False)
    if pa.types.is_nested(kind):
        return pa.chunked_array([[None if value is None else str(value) for value in column.to_pylist()]], pa.string())
    return column.cast(pa.string())


def _read_delimited(path: Path) -> pa.Table:
    import pyarrow.csv

    blocks = list(text_blocks(content_blocks(path, Reading()), None))
    if any(block.is_broken for block in blocks):
        raise InputError(f"{path.name} ends early.", "Copy it again; a compressed file must be whole.")
    text = b"".join(block.data for block in blocks)
    header = text.split(b"\n", 1)[0].decode("utf-8", "replace")
    if not header.strip():
        raise InputError(f"{path.name} is empty.", "Give a CSV with a header line.")
    delimiter = max(_DELIMITERS, key=header.count)
    options = pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True)
    names = pyarrow.csv.open_csv(io.BytesIO(text), parse_options=options).schema.names
    convert = pyarrow.csv.ConvertOptions(
        column_types={name: pa.string() for name in names}, strings_can_be_null=True, null_values=[""]
    )
    return pyarrow.csv.read_csv(io.BytesIO(text), parse_options=options, convert_options=convert)
