"""How long work is told, on standard error: a bar on a terminal, else a line every few seconds, so never silence."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

Progress = Callable[[int, int, str], None]
"""Called with done, total (0: unknown) and what is being counted; words behind a comma in it are told besides."""

_SECONDS_BETWEEN_LINES = 10
_SECONDS_OF_SILENCE = 30


@contextmanager
def progress_bar(what: str) -> Iterator[Progress]:
    """Tells how far a piece of work is for the length of the block."""
    with _bar(what) if sys.stderr.isatty() else _lines(what) as progress:
        yield progress


@contextmanager
def _bar(what: str) -> Iterator[Progress]:
    """A bar with count, rate and time left. Where something else is counted, rate and time left begin anew."""
    from rich.console import Console
    from rich.progress import BarColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    started = time.monotonic()
    columns = (
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TextColumn("{task.fields[told]} {task.fields[rate]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
        task = bars.add_task(what, total=None, told="starting", rate="")
        counted = ""

        def advance(done: int, total: int, unit: str) -> None:
            nonlocal counted, started
            if unit.split(",")[0] != counted:
                counted, started = unit.split(",")[0], time.monotonic()
                bars.reset(task, total=max(total, 1), told="", rate="")
            elapsed = max(time.monotonic() - started, 1e-6)
            rate = f"({done / elapsed:,.0f}/s)" if done >= elapsed else ""
            bars.update(task, completed=done, total=max(total, done, 1), told=_told(done, total, unit), rate=rate)

        yield advance


@dataclass
class _Spoken:
    """What was last written, and when."""

    counted: str
    told: str
    at: float


@contextmanager
def _lines(what: str) -> Iterator[Progress]:
    """A line for each thing that is counted, every few seconds while it goes on, and when nothing comes for long."""
    last = _Spoken("", "starting", time.monotonic())
    is_over = threading.Event()

    def write(told: str) -> None:
        last.at = time.monotonic()
        sys.stderr.write(f"{what}: {told}\n")
        sys.stderr.flush()

    def advance(done: int, total: int, unit: str) -> None:
        last.told = _told(done, total, unit)
        counted = unit.split(",")[0]
        if counted != last.counted or time.monotonic() - last.at >= _SECONDS_BETWEEN_LINES:
            last.counted = counted
            write(last.told)

    def break_silence() -> None:
        while not is_over.wait(1):
            if time.monotonic() - last.at >= _SECONDS_OF_SILENCE:
                write(f"still {last.told}")

    write(last.told)
    watch = threading.Thread(target=break_silence, daemon=True)
    watch.start()
    try:
        yield advance
    finally:
        is_over.set()
        watch.join()


def _told(done: int, total: int, unit: str) -> str:
    return f"{done:,}/{max(total, done):,} {unit}"
