"""What the environment decides: variables ``CDP_*``, read here and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from warehouse.errors import CdpError
from warehouse.project import Project

PREFIX = "CDP_"


class SettingsError(CdpError):
    """A ``CDP_*`` variable holds something that cannot be used."""

    exit_code = 2


class Settings(BaseModel):
    """One field per variable: ``memory_limit`` is ``CDP_MEMORY_LIMIT``."""

    model_config = ConfigDict(frozen=True)

    project: Path = Field(Path(), description="Folder of the project.")
    memory_limit: str | None = Field(None, pattern=r"^\d+(\.\d+)?\s?(MB|GB|MiB|GiB)$", description="Memory of DuckDB.")
    threads: int | None = Field(None, ge=1, description="Threads of DuckDB; default: all cores.")
    user: str | None = Field(None, description="Who acts, for histories and logs; default: the computer's user.")
    lock_wait_seconds: float = Field(600, ge=0, description="How long to wait while another process writes.")


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of this process.

    Raises:
        SettingsError: a variable has a value that does not fit its field.
    """
    environment = os.environ if environment is None else environment
    given = {
        name: environment[PREFIX + name.upper()]
        for name in Settings.model_fields
        if environment.get(PREFIX + name.upper())
    }
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        wrong = ", ".join(PREFIX + str(item["loc"][0]).upper() for item in error.errors(include_input=False))
        raise SettingsError(f"{wrong} cannot be used.", "See `cdp doctor` for what each variable takes.") from error


def find_project(folder: Path | None = None) -> Project:
    """The project at ``folder``, else at ``CDP_PROJECT``, else in the current folder.

    Raises:
        SettingsError: the folder holds no ``config/business.yml``.
    """
    root = (folder or read_settings().project).resolve()
    if not (root / "config" / "business.yml").is_file():
        raise SettingsError(
            f"{root.name or root} is not a project: it has no config/business.yml.",
            "Name one with --project, change into one, or make one with `cdp init DIR`.",
        )
    return Project(root)
