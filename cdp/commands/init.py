"""``cdp init``: a new project folder, ready for its first file."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Annotated

import typer

from cdp.terminal import AnyProjectOption, say
from warehouse.errors import InputError

_FIT_FOR_ANY = (
    *("identity.yml", "lifecycle.yml", "quality.yml", "survivorship.yml", "corrections/example.yml"),
    *(f"segments/{name}.yml" for name in ("behavioural", "demographic", "geographic", "psychographic")),
    *(f"traits/{name}.yml" for name in ("feedback", "message", "purchase", "service", "social", "web")),
)
"""What of the sample's config is a start for any business. By name: in a clone that folder is somebody's project, whose
own segments, feeds and corrections are not for the next one."""
_BY_HAND = "corrections/by_hand.yml"
_MAY_BE_THERE = frozenset({"landing", "truth"})
"""Files that wait to be loaded, and what is known of those that `cdp demo generate` made."""


def init(
    directory: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder to make; may exist if only files to load lie in it.")
    ],
    sample: Annotated[bool, typer.Option("--sample", help="The sample business's whole config.")] = False,
    _project: AnyProjectOption = None,
) -> None:
    """Make a project: config with comments, landing/, .gitignore, dagster.yaml, workspace.yaml and dg.toml."""
    if directory.exists() and (not directory.is_dir() or {item.name for item in directory.iterdir()} - _MAY_BE_THERE):
        raise InputError(f"{directory.name} is not an empty folder.", "Name a new folder.")
    templates = files("cdp") / "templates"
    if sample:
        _copy(templates / "sample", directory / "config")
    else:
        for name in _FIT_FOR_ANY:
            _write(templates / "sample" / name, directory / "config" / name)
        _copy(templates / "project", directory / "config")
    for name in ("dagster.yaml", "workspace.yaml", "dg.toml"):
        _write(templates / name, directory / name)
    _write(templates / "gitignore", directory / ".gitignore")
    has_files = (directory / "landing").exists()
    (directory / "landing").mkdir(exist_ok=True)
    say(f"made {directory}")
    if sample and has_files:
        say(f"next: cdp demo run --project {directory}")
    elif sample:
        say(f"next: cdp demo generate --customers 500 --days 120 --seed 7 --out {directory}")
    else:
        say(f"next: edit {directory}/config/business.yml, then write {directory}/config/feeds/<name>.yml")
        say(f"      cdp feeds check --project {directory}")


def _copy(source: Traversable, target: Path) -> None:
    for item, path in _below(source, Path()):
        if path.as_posix() != _BY_HAND:
            _write(item, target / path)


def _below(folder: Traversable, at: Path) -> Iterator[tuple[Traversable, Path]]:
    for item in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if item.is_dir():
            yield from _below(item, at / item.name)
        else:
            yield item, at / item.name


def _write(source: Traversable, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(source.read_bytes())
