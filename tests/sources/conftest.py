"""A project in a temporary folder, and short words for landing files and loading them."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from sources.feed import Feed
from sources.loading import BatchesStoppedError, FeedLoad, load_feed
from sources.staging import staging_step
from warehouse.database import Warehouse
from warehouse.project import Project
from warehouse.step import Run, materialise


@dataclass
class Shop:
    """A project with one warehouse; files are landed and loaded in a line each."""

    root: Path
    warehouse: Warehouse
    run: Run
    loads: list[FeedLoad] = field(default_factory=list)

    @property
    def project(self) -> Project:
        return Project(self.root)

    def land(self, feed: str, file: str, content: bytes | str | Sequence[object]) -> Path:
        """Put a file there: bytes or text as they are, objects as JSON lines; compressed when the name ends in .gz."""
        path = self.root / "landing" / feed / file
        path.parent.mkdir(parents=True, exist_ok=True)
        if not isinstance(content, bytes | str):
            content = "".join(json.dumps(item, ensure_ascii=False) + "\n" for item in content)
        data = content.encode() if isinstance(content, str) else content
        path.write_bytes(gzip.compress(data, mtime=0) if file.endswith(".gz") else data)
        return path

    def touch(self, path: Path, day: str) -> None:
        """Say that the file was last changed on a day, at noon UTC."""
        seconds = int((date.fromisoformat(day) - date(1970, 1, 1)).total_seconds()) + 43_200
        os.utime(path, (seconds, seconds))

    def load(self, feed: Feed, **options: Any) -> FeedLoad:
        """Load what is pending, in a run of its own, which would open the file anew."""
        self.warehouse._prepared.clear()
        run = replace(self.run, run_id=f"run-{len(self.loads) + 1}")
        done = load_feed(self.warehouse, self.project, feed, run, **options)
        self.loads.append(done)
        return done

    def stage(self, kind: str) -> None:
        """Make the staging tables of a kind."""
        materialise(self.warehouse, staging_step(kind), self.run)

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        return self.warehouse.cursor().execute(query).fetchall()

    def counts(self, feed: str) -> dict[str, tuple[int, int, int, int]]:
        """File → rows read, accepted, duplicate, rejected."""
        rows = self.ask(
            f"select file, rows_read, rows_accepted, rows_duplicate, rows_rejected from ops.files where feed = '{feed}'"
        )
        return {file: (read, accepted, duplicate, rejected) for file, read, accepted, duplicate, rejected in rows}

    def refused(self, kind: str) -> list[tuple[str, int, str, str]]:
        """(file, row, field, code) of everything in quarantine, in order."""
        return self.ask(
            "select file, row, reason.field, reason.code from (select file, row, unnest(reasons) as reason "
            f"from quarantine.{kind} where status = 'open') order by all"
        )


@pytest.fixture
def shop(tmp_path: Path, warehouse: Warehouse, run: Run) -> Shop:
    return Shop(tmp_path, warehouse, run)


@pytest.fixture
def a_message_feed() -> Callable[..., Feed]:
    """A feed of messages as JSON objects whose fields are named like the contract's."""

    def make(name: str = "mail", **declared: Any) -> Feed:
        return Feed.named(name, **({"kind": "messages", "mapping": "jsonl", "max_reject_ratio": 1} | declared))

    return make


@pytest.fixture
def a_message() -> Callable[..., dict[str, Any]]:
    """A message that satisfies the contract."""

    def make(number: int = 1, **changed: Any) -> dict[str, Any]:
        return {
            "message_id": f"m{number}",
            "message_channel": "email",
            "message_event": "sent",
            "occurred_at": "2026-01-05T10:00:00Z",
            "email": f"person{number}@shop.example",
        } | changed

    return make


@pytest.fixture
def stopped() -> Callable[[Callable[[], object]], BatchesStoppedError]:
    """The error of a load that must stop batches."""

    def catch(load: Callable[[], object]) -> BatchesStoppedError:
        with pytest.raises(BatchesStoppedError) as caught:
            load()
        return caught.value

    return catch
