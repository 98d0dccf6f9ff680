"""Fixtures of identity tests."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from warehouse.database import Warehouse

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def prepared(warehouse: Warehouse) -> Warehouse:
    """An empty warehouse with staging tables and three feeds."""
    from people import prepare

    prepare(warehouse)
    return warehouse
