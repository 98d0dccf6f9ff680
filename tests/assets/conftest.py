"""A toy project and an instance that forgets."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from tests.assets.toy import a_project
from warehouse.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A corner shop with a week of files."""
    return a_project(tmp_path / "shop")


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    """A Dagster instance that keeps nothing."""
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened
