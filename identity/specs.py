"""How tables that Python makes are described, so that columns.yml and origins.yml stay the one place for both."""

from __future__ import annotations

from warehouse.columns import descriptions_for, origins_for
from warehouse.step import TableSpec


def spec(name: str, description: str, grain: tuple[str, ...]) -> TableSpec:
    """``identity.<name>`` with the meanings of ``identity/columns.yml`` and the origins of ``identity/origins.yml``."""
    meanings, origins = descriptions_for("identity", name), origins_for("identity", "identity", name)
    return TableSpec("identity", name, description, grain, meanings, origins=origins)
