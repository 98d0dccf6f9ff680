"""One generated business that the tests of the demo share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest

from cdp.demo.generate import Summary, generate


@dataclass(frozen=True)
class Generated:
    """A generated project folder."""

    folder: Path
    summary: Summary

    @property
    def persons(self) -> pl.DataFrame:
        return pl.read_csv(self.folder / "truth" / "persons.csv")

    @property
    def bad_rows(self) -> pl.DataFrame:
        return pl.read_csv(self.folder / "truth" / "bad_rows.csv")

    @property
    def behaviour(self) -> pl.DataFrame:
        return pl.read_csv(self.folder / "truth" / "behaviour.csv", try_parse_dates=True)


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Generated:
    """Two thousand persons over 400 days."""
    folder = tmp_path_factory.mktemp("shop")
    return Generated(folder, generate(customers=2_000, days=400, seed=7, out=folder))
