"""``cdp ui``: the Dagster UI of this project, on loopback. It ends with this command, however that is told to end."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Annotated

import typer

from cdp.settings import find_project
from cdp.terminal import ProjectOption, say
from warehouse.errors import CdpError

HOST = "127.0.0.1"
_SECONDS_TO_END = 15
_STOPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_QUIET = "ignore:Function `dev_command` is superseded"
"""Dagster would rather have its other command, which wants projects to be packages of their own."""


def ui(
    project: ProjectOption = None,
    port: Annotated[int, typer.Option("--port", min=1, max=65535, help="Port on 127.0.0.1.")] = 3000,
) -> None:
    """Start the Dagster UI and its daemon; stop them with Ctrl-C."""
    where = find_project(project)
    _check_free(port)
    from assets.declared import read_project

    read_project(where)
    say(f"http://{HOST}:{port}  (answers in half a minute; Ctrl-C stops it)")
    sys.stdout.flush()
    code = _serve(where.root, port)
    if code:
        raise CdpError(f"The UI ended by itself, with code {code}.", "Look at its messages above, then start it again.")


def _check_free(port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise typer.BadParameter(
                f"{port} cannot be had ({error.strerror}): name another, or stop what uses it.", param_hint="--port"
            ) from error


def _serve(root: Path, port: int) -> int:
    """Run web server and daemon until they end, or this process is told to: its exit code, 0 when it was told."""
    warnings = ",".join(filter(None, [os.environ.get("PYTHONWARNINGS"), _QUIET]))
    places = {"DAGSTER_HOME": str(root), "CDP_PROJECT": str(root), "PYTHONWARNINGS": warnings}
    program = str(Path(sys.executable).with_name("dagster"))
    for number in _STOPS:
        signal.signal(number, signal.default_int_handler)
    process = subprocess.Popen(
        [program, "dev", "-w", "workspace.yaml", "-h", HOST, "-p", str(port)],
        cwd=root,
        env=os.environ | places,
        start_new_session=True,
    )
    try:
        return process.wait()
    except KeyboardInterrupt:
        return 0
    finally:
        _stop(process)


def _stop(process: subprocess.Popen[bytes]) -> None:
    """End the server, and whatever it started and left behind: all of it is in the session made for it."""
    for number in _STOPS:
        signal.signal(number, signal.SIG_IGN)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(_SECONDS_TO_END)
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
