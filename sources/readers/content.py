"""The bytes of a file: decompressed by what they are, not by the file's name, and hashed on the way."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import zstandard

from sources.source_rows import Reading

BLOCK: Final = 8 << 20
"""Bytes read at once: enough that what is done once a block costs little beside what is done with its rows."""

_COMPRESSED_BLOCK: Final = 256 << 10
_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_GZIP_WINDOW: Final = 31


class BrokenContentError(Exception):
    """The compressed data end early or are damaged; what came before was good."""


def content_blocks(path: Path, reading: Reading) -> Iterator[bytes]:
    """The decompressed bytes; when they end, ``reading`` knows the hash and size of the file as it lies there.

    Raises:
        BrokenContentError: after the last good bytes.
    """
    digest = hashlib.sha256()
    with path.open("rb") as file:
        first = file.read(_COMPRESSED_BLOCK)
        size = _COMPRESSED_BLOCK if is_compressed(first) else BLOCK

        def compressed() -> Iterator[bytes]:
            block = first
            while block:
                digest.update(block)
                reading.bytes += len(block)
                yield block
                block = file.read(size)

        source = compressed()
        try:
            yield from _decompressed(first, source)
        except BrokenContentError as error:
            reading.broken = str(error)
            raise
        finally:
            for _ in source:  # the hash is of the whole file, also behind a break
                pass
            reading.sha256 = digest.hexdigest()


def is_compressed(first: bytes) -> bool:
    """Whether a file that begins with these bytes is gzip or zstd."""
    return first.startswith((_GZIP, _ZSTD))


def _decompressed(first: bytes, source: Iterator[bytes]) -> Iterator[bytes]:
    if first.startswith(_GZIP):
        return _gunzip(source)
    if first.startswith(_ZSTD):
        return _unzstd(source)
    return source


def _gunzip(source: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zlib.decompressobj(_GZIP_WINDOW)
    for block in source:
        data = block
        while data:
            if decoder.eof:
                data = data.lstrip(b"\0")  # padding between and behind members
                if not data:
                    break
                decoder = zlib.decompressobj(_GZIP_WINDOW)
            try:
                yield decoder.decompress(data)
            except zlib.error as error:
                raise BrokenContentError("the gzip data are damaged") from error
            data = decoder.unused_data
    if not decoder.eof:
        raise BrokenContentError("the gzip data end early")


def _unzstd(source: Iterator[bytes]) -> Iterator[bytes]:
    decoder = zstandard.ZstdDecompressor().decompressobj()
    for block in source:
        data = block
        while data:
            if decoder.eof:
                decoder = zstandard.ZstdDecompressor().decompressobj()
            try:
                yield decoder.decompress(data)
            except zstandard.ZstdError as error:
                raise BrokenContentError("the zstd data are damaged") from error
            data = decoder.unused_data
    if not decoder.eof:
        raise BrokenContentError("the zstd data end early")
