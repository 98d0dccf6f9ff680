"""Reading ahead: while the database works on one block, the next ones are read and decoded in a thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from queue import Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")

_PATIENCE_SECONDS = 0.1


@dataclass(frozen=True)
class _End(Generic[T]):
    error: BaseException | None


def read_ahead(source: Iterator[T], most: int) -> Iterator[T]:
    """The items of ``source``, of which at most ``most`` wait to be taken. Its errors are raised to who takes them."""
    waiting: Queue[T | _End[T]] = Queue(maxsize=most)
    stopped = threading.Event()

    def put(item: T | _End[T]) -> None:
        while not stopped.is_set():
            try:
                waiting.put(item, timeout=_PATIENCE_SECONDS)
            except Full:
                continue
            return

    def read() -> None:
        try:
            for item in source:
                put(item)
                if stopped.is_set():
                    return
        except BaseException as error:  # noqa: BLE001 - raised again by who takes the items
            put(_End(error))
        else:
            put(_End(None))

    thread = threading.Thread(target=read, name="read-ahead", daemon=True)
    thread.start()
    try:
        while not isinstance(item := waiting.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        stopped.set()
        thread.join()
