"""``cdp ui``: the Dagster UI of this project, on loopback."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from cdp.settings import find_project
from cdp.terminal import ProjectOption, say


def ui(
    project: ProjectOption = None,
    port: Annotated[int, typer.Option("--port", help="Port on 127.0.0.1.")] = 3000,
) -> None:
    """Start the Dagster UI and its daemon; stop them with Ctrl-C."""
    root = find_project(project).root
    environment = os.environ | {"DAGSTER_HOME": str(root), "CDP_PROJECT": str(root)}
    program = str(Path(sys.executable).with_name("dg"))
    say(f"http://127.0.0.1:{port}  (Ctrl-C stops it)")
    sys.stdout.flush()
    os.chdir(root)
    if (root / "pyproject.toml").is_file():
        arguments = [program, "dev", "--host", "127.0.0.1", "--port", str(port)]
    else:
        program = str(Path(sys.executable).with_name("dagster"))
        arguments = [program, "dev", "-w", "workspace.yaml", "-h", "127.0.0.1", "-p", str(port)]
    os.execve(program, arguments, environment)
