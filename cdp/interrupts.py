"""Whether the user interrupted (Ctrl-C), however the libraries below tell it.

Dagster and DuckDB each answer an interrupt in their own way: as a failed step, as an error of a statement, or not at
all. The interpreter notes the signal before any of them sees it.
"""

from __future__ import annotations

import signal
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def noticed_interrupts() -> Iterator[None]:
    """Whatever error a block ends with after an interrupt is a KeyboardInterrupt; only the main thread gets signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    with reader, writer:
        reader.setblocking(False)
        writer.setblocking(False)
        before = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        except BaseException:
            if signal.SIGINT in _noted(reader):
                raise KeyboardInterrupt from None
            raise
        finally:
            signal.set_wakeup_fd(before)


def _noted(reader: socket.socket) -> bytes:
    try:
        return reader.recv(4096)
    except BlockingIOError:
        return b""
