"""Ctrl-C and a stop signal end what was started, at once, wholly and in words; after a kill the next run goes on."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import pytest

from cdp.command import run_command

pytestmark = pytest.mark.end_to_end

KILLED = """
import os, signal, sys
from cdp.command import run_command

def kill(event, arguments):
    if event == "os.listdir" and str(arguments[0]).endswith(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(kill)
run_command(["run", "--project", sys.argv[2]])
"""
"""A run that is killed when it looks into a folder: into that of the editions it does when readers have all of it."""

FEED = "kind: purchases\nmapping: csv\ncurrency: EUR\nfields: {status: {constant: paid}}\n"


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return a_project(tmp_path_factory.mktemp("stopping") / "mine")


def a_project(folder: Path) -> Path:
    assert run_command(["init", str(folder)]) == 0
    (folder / "config" / "feeds" / "orders.yml").write_text(FEED, encoding="utf-8")
    landing = folder / "landing" / "orders" / "dt=2026-01-05"
    landing.mkdir(parents=True)
    (landing / "a.csv").write_text("order_id,placed_at,email\n1,2026-01-05,kim@shop.example\n", encoding="utf-8")
    return folder


def start(*arguments: str) -> subprocess.Popen[str]:
    command = [str(Path(sys.executable).with_name("cdp")), *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment())


def environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name not in {"DAGSTER_HOME", "CDP_PROJECT"}}
    return kept | {"PYTHONPATH": os.pathsep.join(sys.path)}


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def processes_of(folder: Path) -> set[int]:
    """Processes that were started for the project: its folder stands in their environment."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/environ"):
        try:
            if f"DAGSTER_HOME={folder}".encode() in entry.read_bytes().split(b"\0"):
                found.add(int(entry.parent.name))
        except OSError:
            continue
    return found


def test_an_interrupted_run_says_so_in_one_line_and_leaves_nothing_behind(project: Path, capsys) -> None:
    process = start("run", "--project", str(project))
    assert process.stderr is not None
    while "steps" not in (line := process.stderr.readline()):
        assert line, "the run ended before it was interrupted"
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    lines = [line for line in told.splitlines() if not line.startswith("run: ")]
    assert lines == ["interrupted: run the same command again; nothing is half done"]
    assert process.returncode == 130
    assert run_command(["run", "--project", str(project)]) == 0
    assert "published: published/cdp.duckdb" in capsys.readouterr().out


def statuses(project: Path) -> dict[str, str]:
    with duckdb.connect(str(project / "state" / "warehouse.duckdb"), read_only=True) as warehouse:
        return dict(warehouse.sql("select run_id, status from ops.runs").fetchall())


def published_run(project: Path) -> str:
    """The run whose manifest readers find; its files agree with it."""
    exports = project / "published" / "exports"
    manifest = json.loads((exports / "manifest.json").read_text(encoding="utf-8"))
    for table in manifest["tables"]:
        assert hashlib.sha256((exports / table["file"]).read_bytes()).hexdigest() == table["sha256"]
    return str(manifest["run_id"])


def test_a_run_is_published_when_readers_have_it_and_what_a_kill_leaves_the_next_run_publishes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    project = a_project(tmp_path / "mine")
    command = [sys.executable, "-c", KILLED, "published/editions", str(project)]
    process = subprocess.run(command, capture_output=True, check=False, env=environment())
    assert process.returncode == -signal.SIGKILL, process.stderr
    assert published_run(project) in statuses(project)
    assert "published" not in statuses(project).values()
    capsys.readouterr()
    assert run_command(["run", "--json", "--project", str(project)]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["feeds"]["orders"]["rows_read"] == 0
    assert told["published"] == "published/cdp.duckdb"
    assert published_run(project) == told["run_id"]
    assert statuses(project)[told["run_id"]] == "published"
    with duckdb.connect(str((project / "published" / "cdp.duckdb").resolve()), read_only=True) as reader:
        shown = dict(reader.sql("select run_id, status from ops.runs").fetchall())
    assert shown == statuses(project)


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="looks for processes below /proc")
@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT])
def test_the_ui_ends_with_its_web_server_and_daemon(project: Path, stop: signal.Signals) -> None:
    process = start("ui", "--port", str(a_free_port()), "--project", str(project))
    deadline = time.monotonic() + 180
    while not processes_of(project):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)
    process.send_signal(stop)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 0, told
    assert processes_of(project) == set()


def test_the_ui_is_not_started_where_it_could_not_be_reached_or_declarations_are_wrong(
    project: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_command(["ui", "--project", str(project), "--port", "99999"]) == 2
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        assert run_command(["ui", "--project", str(project), "--port", str(taken.getsockname()[1])]) == 2
    assert "name another" in capsys.readouterr().err
    wrong = tmp_path / "wrong"
    shutil.copytree(project / "config", wrong / "config")
    (wrong / "config" / "feeds" / "orders.yml").write_text("kind: orders\nmapping: cvs\n", encoding="utf-8")
    assert run_command(["ui", "--project", str(wrong), "--port", str(a_free_port())]) == 10
    told = capsys.readouterr().err
    assert "orders.yml:1" in told
    assert "orders.yml:2" in told
