"""Deliveries of a webhook, line by line in a file that is open under a hidden name until it is closed for good.

A delivery is durable when `append` returns. A closed file takes its landing name and never changes again. A process
that dies leaves its open file behind; whoever comes next (a receiver that starts, or a fetch) lands it. A last line
that was only half written was never answered for, so its sender sends it again: it is cut off, and told.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import msgspec

from sources.origin_declaration import WebhookOrigin
from sources.origins.landed_file import flush_folder
from warehouse.errors import InputError

_OPEN = ".open"
_TAIL_BYTES = 1 << 16


class DeliveryError(InputError):
    """A body that is no JSON document."""


def delivery_lines(body: bytes) -> tuple[bytes, ...]:
    """The JSON objects of a body, a line each, byte for byte but for line breaks between tokens.

    Raises:
        DeliveryError: it is not JSON.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    try:
        msgspec.json.decode(text)
        parts = msgspec.json.decode(text, type=list[msgspec.Raw]) if text.startswith(b"[") else [text]
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        parts = None
    if parts is None:
        raise DeliveryError("The body is no JSON document.", "Have the sender deliver JSON.")
    return tuple(bytes(part).replace(b"\r", b" ").replace(b"\n", b" ") for part in parts)


@dataclass
class _Open:
    """A file that takes deliveries."""

    path: Path
    handle: int
    opened_at: datetime
    size: int = 0


class DeliveryLog:
    """The deliveries of one feed. One process at a time appends to a file; several may each have one."""

    def __init__(self, folder: Path, origin: WebhookOrigin) -> None:
        self._folder, self._origin = folder, origin
        self._open: _Open | None = None
        self._number = 0

    def append(self, lines: Sequence[bytes], now: datetime) -> None:
        """Write the lines, and return when they are on the disk. On an error none of them counts.

        Raises:
            OSError: the disk is full or failed; the sender should try again later.
        """
        self.close_if_due(now)
        file = self._open = self._open or self._begin(now)
        data = b"".join(line + b"\n" for line in lines)
        try:
            written = 0
            while written < len(data):
                written += os.write(file.handle, data[written:])
            os.fsync(file.handle)
        except OSError:
            with suppress(OSError):
                os.ftruncate(file.handle, file.size)
            raise
        file.size += len(data)

    def close_if_due(self, now: datetime) -> None:
        """Close the file for good when it is old or large enough, or a new day has begun."""
        file = self._open
        if file is None:
            return
        age = (now - file.opened_at).total_seconds()
        is_full = file.size >= self._origin.close_after_bytes
        if is_full or age >= self._origin.close_after_seconds or now.date() != file.opened_at.date():
            self.close()

    def close(self) -> None:
        """Close the file for good: it takes its landing name."""
        file, self._open = self._open, None
        if file is not None:
            _land(file.path, file.handle)

    def _begin(self, now: datetime) -> _Open:
        folder = self._folder / f"dt={now.date()}"
        folder.mkdir(parents=True, exist_ok=True)
        while True:
            self._number += 1
            name = f".deliveries-{now:%Y%m%dT%H%M%S%f}-{os.getpid()}-{self._number}.jsonl{_OPEN}"
            path = folder / name
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o644)
            if _is_mine(path, handle):
                flush_folder(folder)
                return _Open(path, handle, now)
            os.close(handle)


@dataclass(frozen=True)
class LeftBehind:
    """A file that a receiver left open when it died: what landed of it (None: nothing), and the bytes cut off."""

    file: str | None
    cut_bytes: int


def land_left_behind(folder: Path) -> tuple[LeftBehind, ...]:
    """Land the files of receivers that have died. Files of a living one are left alone."""
    found = (_land_one_left_behind(folder, path) for path in sorted(folder.glob(f"dt=*/.deliveries-*{_OPEN}")))
    return tuple(item for item in found if item is not None)


def _land_one_left_behind(folder: Path, path: Path) -> LeftBehind | None:
    try:
        handle = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    if not _is_mine(path, handle):
        os.close(handle)
        return None
    cut = os.fstat(handle).st_size - _whole_lines(handle)
    landed = _land(path, handle)
    return LeftBehind(landed.relative_to(folder).as_posix() if landed else None, cut)


def _is_mine(path: Path, handle: int) -> bool:
    """Lock the file; true when nobody else has it and the name still stands for it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(handle), path.stat())
    except (BlockingIOError, FileNotFoundError):
        return False


def _land(path: Path, handle: int) -> Path | None:
    """Cut off a half-written last line, and give the file its name; one without a line goes away."""
    try:
        os.ftruncate(handle, whole := _whole_lines(handle))
        os.fsync(handle)
        if whole == 0:
            path.unlink()
            return None
        landed = path.with_name(path.name.removeprefix(".").removesuffix(_OPEN))
        os.link(path, landed)  # never over a file that has landed
        path.unlink()
        flush_folder(path.parent)
        return landed
    finally:
        os.close(handle)


def _whole_lines(handle: int) -> int:
    """The length up to and with the last line break."""
    end = os.fstat(handle).st_size
    for start, tail in _tails(handle, end):
        if (at := tail.rfind(b"\n")) >= 0:
            return start + at + 1
    return 0


def _tails(handle: int, end: int) -> Iterator[tuple[int, bytes]]:
    while end > 0:
        start = max(0, end - _TAIL_BYTES)
        yield start, os.pread(handle, end - start, start)
        end = start
