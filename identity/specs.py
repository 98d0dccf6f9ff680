"""How tables that Python makes are described, so that columns.yml stays the one place for column meanings."""

from __future__ import annotations

from warehouse.columns import descriptions_for
from warehouse.step import TableSpec


def spec(name: str, description: str, grain: tuple[str, ...]) -> TableSpec:
    """``identity.<name>`` with the column meanings of ``identity/columns.yml``."""
    return TableSpec("identity", name, description, grain, descriptions_for("identity", name))
