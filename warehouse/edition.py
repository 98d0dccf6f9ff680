"""How what a run publishes takes the place of what was published before, whole, whenever the writer dies.

An edition is written where no reader looks: a DuckDB file into ``snapshots/``, all other files into a folder of their
own below ``editions/``. The names that readers open are links, each replaced in one rename when every file is whole and
on the disk. Whoever followed a link before keeps what it led to: the newest few editions stay.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

SNAPSHOT_NAME = "cdp.duckdb"


@dataclass(frozen=True)
class Edition:
    """What one run publishes into the folder ``published``, while it is written.

    Every folder below ``files`` becomes a name that readers open.
    """

    published: Path
    run_id: str

    @property
    def snapshot(self) -> Path:
        """Where its DuckDB file is written."""
        return self._snapshots / f".cdp-{self.run_id}.duckdb.unfinished"

    @property
    def files(self) -> Path:
        """Where the folders of its other files are written."""
        return self._editions / f".{self.run_id}.unfinished"

    @property
    def _snapshots(self) -> Path:
        return self.published / "snapshots"

    @property
    def _editions(self) -> Path:
        return self.published / "editions"

    def begin(self) -> None:
        """Make room: what a writer left that died is removed."""
        for folder in (self._snapshots, self._editions):
            folder.mkdir(parents=True, exist_ok=True)
            for leftover in folder.glob(".*"):
                _remove(leftover)
        self.files.mkdir()

    def put_in_place(self, *, keep: int) -> Path:
        """Point readers at this edition and return its DuckDB file; the newest ``keep`` editions stay."""
        snapshot = self._snapshots / f"cdp-{self.run_id}.duckdb"
        files = _free(self._editions / self.run_id)
        for path in (self.snapshot, *self.files.rglob("*"), self.files):
            _sync(path)
        os.replace(self.snapshot, snapshot)
        os.rename(self.files, files)
        _sync(self._snapshots)
        _sync(self._editions)
        self._point(SNAPSHOT_NAME, snapshot)
        for folder in sorted(files.iterdir()):
            self._point(folder.name, folder)
        _remove_old(self._snapshots.glob("cdp-*.duckdb"), snapshot, keep)
        _remove_old(self._editions.iterdir(), files, keep)
        return snapshot

    def _point(self, name: str, target: Path) -> None:
        link = self.published / name
        waiting = self.published / f".{name}.next"
        waiting.unlink(missing_ok=True)
        waiting.symlink_to(target.relative_to(self.published))
        if link.is_dir() and not link.is_symlink():  # an earlier version wrote its files in their place
            os.rename(link, _free(self._editions / f"earlier-{name}"))
        os.replace(waiting, link)
        _sync(self.published)


def _free(path: Path) -> Path:
    """The path, or where it is taken (a run that publishes again must not touch what readers see) one beside it."""
    number, free = 1, path
    while free.exists():
        number += 1
        free = path.with_name(f"{path.name}-{number}")
    return free


def _remove_old(editions: Iterable[Path], newest: Path, keep: int) -> None:
    others = sorted(
        (path for path in editions if path != newest), key=lambda path: (path.stat().st_mtime_ns, path.name)
    )
    for path in others[: max(0, len(others) - (keep - 1))]:
        condemned = path.with_name(f".{path.name}.removed")  # a folder is there whole, or not at all
        os.replace(path, condemned)
        _remove(condemned)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
