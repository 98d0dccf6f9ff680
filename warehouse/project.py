"""The folder of one business and the places inside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Project:
    """One business: ``config/``, ``landing/`` and what is made from them. Nothing is written outside ``root``."""

    root: Path

    @property
    def config(self) -> Path:
        """What the business decides, as YAML."""
        return self.root / "config"

    @property
    def landing(self) -> Path:
        """What arrived: ``landing/<feed>/[dt=YYYY-MM-DD/]…``; immutable but for erasure."""
        return self.root / "landing"

    @property
    def state(self) -> Path:
        """What the pipeline owns and may rebuild."""
        return self.root / "state"

    @property
    def database(self) -> Path:
        """The warehouse that the pipeline writes; readers use the published snapshot."""
        return self.state / "warehouse.duckdb"

    @property
    def published(self) -> Path:
        """Snapshots, exports and quality pages for readers."""
        return self.root / "published"

    @property
    def truth(self) -> Path:
        """Known truth of generated data; absent for a real business."""
        return self.root / "truth"
