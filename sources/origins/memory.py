"""What is remembered of an origin between two fetches: ``state/origins/<feed>.json``.

How far it was read, which objects were seen, a file that is about to land, and how the last fetch ended. Holds no
secret and no row; the cursor's value (a time or a number) is the only thing of the data in it.
"""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from sources.origins.landed_file import whole_file
from warehouse.errors import WarehouseBusyError
from warehouse.project import Project

_RETRY_SECONDS = 0.2


class SeenObject(msgspec.Struct, frozen=True, omit_defaults=True):
    """An object as it was when it was fetched last; ``is_gone`` once it is no longer listed."""

    tag: str | None
    size: int
    modified: str
    is_gone: bool = False


class Waiting(msgspec.Struct, frozen=True):
    """A fetched file that is durable but may not have its name yet, and the cursor that holds once it has."""

    file: str
    sha256: str
    cursor: str


class Ending(msgspec.Struct, frozen=True, omit_defaults=True):
    """How a fetch ended; with a reason and a remedy when it failed."""

    at: str
    files: int = 0
    bytes: int = 0
    rows: int | None = None
    reason: str = ""
    fix: str = ""

    @property
    def is_failure(self) -> bool:
        """Whether it failed."""
        return bool(self.reason)


class Memory(msgspec.Struct, omit_defaults=True):
    """All that is remembered. ``about`` names what is read there; when that changes, reading starts anew."""

    about: str = ""
    number: int = 0
    cursor: str = ""
    objects: dict[str, SeenObject] = {}
    waiting: Waiting | None = None
    content: str = ""
    last: Ending | None = None

    def start_anew(self, about: str) -> None:
        """Forget how far was read; numbers of files go on, so that none that landed is replaced by another."""
        self.about, self.cursor, self.objects, self.waiting, self.content = about, "", {}, None, ""


def memory_path(project: Project, feed: str) -> Path:
    """Where a feed's memory stands."""
    return project.state / "origins" / f"{feed}.json"


def recall(project: Project, feed: str) -> Memory:
    """What is remembered of a feed; nothing before its first fetch."""
    try:
        return msgspec.json.decode(memory_path(project, feed).read_bytes(), type=Memory)
    except FileNotFoundError:
        return Memory()


def remember(project: Project, feed: str, memory: Memory) -> None:
    """Write it down, whole and durable."""
    with whole_file(memory_path(project, feed)) as file:
        file.write(msgspec.json.encode(memory))


@contextmanager
def only_one(project: Project, feed: str, wait_seconds: float) -> Iterator[None]:
    """Hold the origin of a feed: two fetches at the same time would bring the same rows twice.

    Raises:
        WarehouseBusyError: another fetch of the feed takes longer than one wanted to wait.
    """
    path = memory_path(project, feed).with_suffix(".lock")
    path.parent.mkdir(parents=True, exist_ok=True)
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        deadline = time.monotonic() + wait_seconds
        while not _locked(handle):
            if time.monotonic() >= deadline:
                raise WarehouseBusyError(
                    f"Another fetch of {feed} is running.", "Wait for it to end, then start again."
                )
            time.sleep(_RETRY_SECONDS)
        yield
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
