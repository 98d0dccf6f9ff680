"""The Dagster code location: everything of the project at CDP_PROJECT, else at DAGSTER_HOME, else in this folder."""

import os
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg

from assets.declared import read_project
from assets.project_definitions import definitions_of
from assets.resources import WarehouseSettings
from cdp.settings import Settings, find_project, read_settings
from warehouse.project import Project


@dg.definitions
def definitions() -> dg.Definitions:
    """Built when Dagster loads the location; a wrong declaration shows as the load error, with every problem."""
    project = _project()
    settings = warehouse_settings(project, read_settings())
    return definitions_of(read_project(project), settings, datetime.now(UTC), secrets=os.environ)


def warehouse_settings(project: Project, settings: Settings) -> WarehouseSettings:
    """How the environment wants the warehouse of a project opened."""
    return WarehouseSettings(project, settings.lock_wait_seconds, settings.memory_limit, settings.threads)


def _project() -> Project:
    home = os.environ.get("DAGSTER_HOME")
    if not os.environ.get("CDP_PROJECT") and home and (Path(home) / "config" / "business.yml").is_file():
        return find_project(Path(home))
    return find_project()
