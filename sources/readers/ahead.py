"""Reading ahead: while the database works on one block, the next ones are read and decoded in a thread.

What is being read counts as well: a reader that is faster than the database does not fill the memory.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Queue
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE_SECONDS = 0.1


@dataclass(frozen=True)
class _End(Generic[T]):
    error: BaseException | None


def read_ahead(source: Iterator[T], most: int) -> Iterator[T]:
    """The items of ``source``, of which at most ``most`` are made before they are asked for. Its errors are raised to
    who takes them."""
    made: Queue[T | _End[T]] = Queue()
    room = threading.Semaphore(most)
    stopped = threading.Event()

    def read() -> None:
        error: BaseException | None = None
        try:
            while has_room():
                made.put(next(source))
        except StopIteration:
            pass
        except BaseException as raised:  # noqa: BLE001 - raised again by who takes the items
            error = raised
        made.put(_End(error))

    def has_room() -> bool:
        while not room.acquire(timeout=_PATIENCE_SECONDS):
            if stopped.is_set():
                return False
        return not stopped.is_set()

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := made.get(), _End):
            room.release()
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join()
