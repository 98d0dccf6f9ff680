"""The batch that an unknown file would belong to, and what says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from sources.landing import batch_day, said_day
from warehouse.foreign_text import shown


@dataclass(frozen=True)
class Batch:
    """The day a file would be taken for. ``day`` None: what is said is no day, and the file would not be loaded."""

    day: date | None
    why: str

    @property
    def told(self) -> str:
        """One line for people."""
        if self.day is None:
            return f"batch: none, {self.why}; such a file is not loaded: mend the date"
        return f"batch: {self.day}, {self.why}"


def batch_of(path: Path, zone: Callable[[], ZoneInfo], landing: Path | None = None) -> Batch:
    """The batch of a file; ``landing`` is the folder that holds a folder for every feed, where there is one."""
    file = landed_as(path, landing)
    day = batch_day(file, path.stat().st_mtime_ns, zone)
    said = said_day(file)
    if said is None:
        return Batch(day, f"by the file's time in {zone().key}: no dt= folder and no date in its name says it")
    folder = next((part for part in reversed(file.split("/")[:-1]) if said in part), None)
    if folder is None:
        return Batch(day, f"as the file's name says: {said}" if day is None else "as the file's name says")
    return Batch(day, f"as its folder says: {shown(folder)}")


def landed_as(path: Path, landing: Path | None = None) -> str:
    """The path a file has below its feed's folder; of one that lies elsewhere its name, with the ``dt=`` folder it is
    in and what lies between."""
    folders = path.absolute().parts
    if landing is not None and path.absolute().is_relative_to(landing.absolute()):
        below = path.absolute().relative_to(landing.absolute()).parts[1:]
        return "/".join(below) or path.name
    partition = next((index for index, part in enumerate(folders[:-1]) if part.startswith("dt=")), len(folders) - 1)
    return "/".join(folders[partition:])
