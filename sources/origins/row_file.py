"""Rows of an API or a database become one file, exactly once.

The file is written and flushed first; then it is noted together with the cursor that will hold; then it takes its name
below ``landing/<feed>/``; then the cursor moves on. Whatever moment a process dies at, the next fetch either finishes
the noted file or fetches the same rows again from the old cursor: none is lost and none lands twice.

With a cursor every fetch lands a file of its own, ``dt=<day>/rows-000007.…``. Without one the whole source is fetched
each time into ``rows.…``, which is replaced when its content changed: rows that went away at the source go away here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from sources.origins.fetched import Fetched
from sources.origins.landed_file import move
from sources.origins.memory import Memory, Waiting, remember
from warehouse.project import Project

_HASHED_BYTES = 1 << 20
_FETCHED = ".fetched"


@dataclass(frozen=True)
class Read:
    """What was read into a file: how many rows, and the cursor to go on from."""

    rows: int
    cursor: str


@dataclass(frozen=True)
class RowFile:
    """The next file of a feed whose rows come from an API or a database."""

    project: Project
    feed: str
    ending: str
    has_cursor: bool

    def land(self, memory: Memory, day: date, read: Callable[[Path, str], Read]) -> Fetched:
        """Have ``read`` write rows into a file, from a cursor on, and land it; nothing lands when there are none."""
        finish_landing(self.project, self.feed, memory)
        self._fetched.parent.mkdir(parents=True, exist_ok=True)
        try:
            done = read(self._fetched, memory.cursor)
            if done.rows == 0 and self.has_cursor:
                memory.cursor = done.cursor
                remember(self.project, self.feed, memory)
                return Fetched(self.feed, rows=0)
            return self._land(memory, day, done)
        finally:
            if memory.waiting is None:
                self._fetched.unlink(missing_ok=True)

    def _land(self, memory: Memory, day: date, done: Read) -> Fetched:
        size, content = self._fetched.stat().st_size, _sha256(self._fetched)
        file = f"dt={day}/rows-{memory.number + 1:06d}{self.ending}" if self.has_cursor else f"rows{self.ending}"
        if not self.has_cursor and content == memory.content and (self._folder / file).exists():
            return Fetched(self.feed, rows=done.rows, unchanged=1)
        memory.waiting = Waiting(file, content, done.cursor)
        remember(self.project, self.feed, memory)
        finish_landing(self.project, self.feed, memory)
        return Fetched(self.feed, (file,), size, done.rows)

    @property
    def _folder(self) -> Path:
        return self.project.landing / self.feed

    @property
    def _fetched(self) -> Path:
        return self._folder / _FETCHED


def finish_landing(project: Project, feed: str, memory: Memory) -> None:
    """Give a file its name that was noted but may not have it yet; then its cursor is in force."""
    waiting = memory.waiting
    if waiting is None:
        return
    fetched = project.landing / feed / _FETCHED
    if fetched.exists():
        move(fetched, project.landing / feed / waiting.file)
    memory.cursor, memory.content, memory.waiting = waiting.cursor, waiting.sha256, None
    memory.number += 1
    remember(project, feed, memory)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_HASHED_BYTES):
            digest.update(chunk)
    return digest.hexdigest()
