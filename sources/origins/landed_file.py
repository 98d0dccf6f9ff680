"""A file that is either wholly there or not: written under a hidden name, flushed to the disk, then renamed.

Hidden names are no landing files, so nobody reads one that is half written; after a crash it is simply written again.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file to write that takes its name at the end, replacing what stood there; on any error it never does."""
    unfinished = path.with_name(f".{path.name}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with unfinished.open("wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        move(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def move(source: Path, target: Path) -> None:
    """Rename for good: also after the power fails."""
    target.parent.mkdir(parents=True, exist_ok=True)
    os.replace(source, target)
    flush_folder(target.parent)


def flush_folder(folder: Path) -> None:
    """Make the names in a folder durable, and the folder's own name in those above it that may be new."""
    for place in (folder, folder.parent, folder.parent.parent):
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
