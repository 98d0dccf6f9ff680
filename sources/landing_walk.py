"""What lies below a folder of the landing folder, also behind links, and what is left alone there and why."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

Identity = tuple[int, int]
"""What tells a folder from others, by whichever path it is reached."""

_UNFINISHED: Final = (".tmp", ".part", ".partial", ".crdownload", ".unfinished")

HIDDEN: Final = "names that begin with `.` or `_` are not read"
UNFINISHED: Final = "a name that ends so is that of an unfinished download"
NOWHERE: Final = "the link leads nowhere"
ROUND: Final = "the link leads to a folder above it"
CLOSED: Final = "it cannot be opened"
NO_FILE: Final = "it is no file"


@dataclass(frozen=True)
class Lying:
    """A file, by its path below the folder with forward slashes. ``left``: why it is left alone; "" when it is read."""

    file: str
    path: Path
    left: str = ""

    @property
    def is_empty(self) -> bool:
        """Whether it is a mark without content, such as ``_SUCCESS``."""
        try:
            return self.path.is_file() and not self.path.stat().st_size
        except OSError:
            return False


def lying_below(folder: Path) -> Iterator[Lying]:
    """Everything below a folder, by name. Links to folders are followed, but never back to a folder above them."""
    above = frozenset(filter(None, (_identity(place) for place in (folder, *folder.resolve().parents))))
    yield from _below(folder, "", above)


def _below(folder: Path, at: str, above: frozenset[Identity]) -> Iterator[Lying]:
    try:
        with os.scandir(folder) as found:
            entries = sorted(found, key=lambda entry: entry.name)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError:
        yield Lying(at.rstrip("/"), folder, CLOSED)
        return
    for entry in entries:
        path, file = folder / entry.name, at + _readable(entry.name)
        is_folder = _holds(entry.is_dir)
        left = _left(entry, is_folder=is_folder)
        if left or not is_folder:
            yield Lying(file, path, left)
            continue
        identity = _identity(path)
        if identity is None or identity in above:
            yield Lying(file, path, ROUND)
        else:
            yield from _below(path, f"{file}/", above | {identity})


def _left(entry: os.DirEntry[str], *, is_folder: bool) -> str:
    """Why a file or folder is left alone, as its name and kind tell."""
    if entry.name.startswith((".", "_")):
        return HIDDEN
    if is_folder:
        return ""
    if entry.name.lower().endswith(_UNFINISHED):
        return UNFINISHED
    if _holds(entry.is_file):
        return ""
    return NOWHERE if entry.is_symlink() else NO_FILE


def _holds(ask: Callable[[], bool]) -> bool:
    """The answer about what an entry is; no where it cannot be looked at, as of a link that leads to itself."""
    try:
        return ask()
    except OSError:
        return False


def _identity(folder: Path) -> Identity | None:
    try:
        status = folder.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def readable_name(path: Path) -> str:
    """The path as text that can be stored: bytes that are no UTF-8, as in names that GBK wrote, are escaped."""
    return _readable(path.as_posix())


def _readable(name: str) -> str:
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
