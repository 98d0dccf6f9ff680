"""The one way in: a file of a feed becomes blocks of source rows and refusals."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sources.mapped_feed import MappedFeed, source_paths
from sources.readers.content import BLOCK, content_blocks
from sources.readers.delimited_reader import DelimitedReader
from sources.readers.encoding import TextBlock, text_blocks
from sources.readers.json_reader import JsonReader
from sources.readers.parquet_reader import MAGIC, read_parquet
from sources.shape import Gate, shape_of
from sources.source_rows import Block, Reading, Refusal


@dataclass(frozen=True)
class FileReader:
    """Reads the files of a feed."""

    mapped: MappedFeed
    gate: Gate

    @classmethod
    def of(cls, mapped: MappedFeed) -> FileReader:
        """The reader of a feed."""
        names = {path.text for path in source_paths(mapped)}
        stems = {name.partition(".")[0] for name in names} if mapped.format == "parquet" else set()
        return cls(mapped, Gate(shape_of(mapped), mapped.ignore, frozenset(names | stems), mapped.assumed))

    def read(self, path: Path, reading: Reading) -> Iterator[Block | Refusal]:
        """The rows of a file, in its order. Afterwards ``reading`` knows its hash; none of one that cannot be read."""
        rows = 0
        try:
            for item in self._read(path, reading):
                rows += 1 if isinstance(item, Refusal) else item.rows.num_rows
                yield item
        except OSError as error:
            reading.is_unusable, reading.sha256 = not rows, ""
            yield Refusal(rows + 1, "", f"the file cannot be read: {error.strerror or type(error).__name__}")

    def _read(self, path: Path, reading: Reading) -> Iterator[Block | Refusal]:
        if is_parquet(path):
            _hash(path, reading)
            yield from self._fitting(read_parquet(path))
            return
        if path.stat().st_size == 0:
            reading.is_unusable = True
            _hash(path, reading)
            yield Refusal(1, "", "the file is empty")
            return
        source = content_blocks(path, reading)
        if self.mapped.format == "parquet":
            _drain(source)
            reading.is_unusable = True
            yield Refusal(1, "", "the file is not Parquet")
            return
        yield from self._texts(text_blocks(source, self.mapped.feed.encoding), reading)

    def _fitting(self, blocks: Iterator[Block | Refusal]) -> Iterator[Block | Refusal]:
        if self.mapped.is_flat:
            yield from blocks
            return
        yield Refusal(1, "", "the file is Parquet, not JSON")

    def _texts(self, blocks: Iterator[TextBlock], reading: Reading) -> Iterator[Block | Refusal]:
        mapped = self.mapped
        if mapped.format in {"csv", "tsv"}:
            delimiter = mapped.feed.delimiter or ("\t" if mapped.format == "tsv" else ",")
            has_quotes = mapped.format == "csv" or not mapped.columns
            yield from DelimitedReader(delimiter, mapped.columns, has_quotes).read(blocks)
            return
        keeps = mapped.feed.on_new_column == "keep"
        yield from JsonReader(self.gate, mapped.envelope, keeps, reading).read(blocks)


def file_hash(path: Path) -> str:
    """The sha256 of a file as it lies there."""
    reading = Reading()
    _hash(path, reading)
    return reading.sha256


def _hash(path: Path, reading: Reading) -> None:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            reading.bytes += len(block)
    reading.sha256 = digest.hexdigest()


def _drain(source: Iterator[bytes]) -> None:
    for _ in source:
        pass


def is_parquet(path: Path) -> bool:
    """Whether a file begins as Parquet does, whatever its name."""
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False
